"""Adding a device to a link that is in use, and changing how it is polled."""

from abc import abstractmethod
import asyncio
from typing import Any, ClassVar, Final, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
import voluptuous as vol

from ..const import (
    CONF_MAKER,
    CONF_ROLE,
    CONF_UNIT_ID,
    SUBENTRY_INVERTER,
    SUBENTRY_METER,
    MeterRole,
)
from ..entry.data import (
    free_unit_id,
    identity_of,
    meter_data,
    owner_of,
    same_device,
    unit_at,
    unit_data,
    with_serial,
)
from ..entry.names import async_inverter_name, async_labels, async_meter_name
from ..entry.reload import async_connection
from ..modbus.find.identify import Identity
from ..modbus.find.probe import SCAN_UNITS, ProbeError
from ..modbus.find.scan import (
    Candidate,
    SearchResult,
    ask,
    search,
)
from ..modbus.transport.link import Link
from .probe import found_text
from .questions import (
    STEP_DIRECT,
    WIRINGS,
    ask_maker,
    ask_meter_settings,
    ask_rated_power,
    ask_unknown_type,
    explain_behind_inverter,
    explain_listening,
    with_typed_power,
)
from .schemas import METER_SETTINGS, UNIT_ID, choice_schema

STEP_SEARCH: Final = "search"
STEP_UNIT_ID: Final = "unit_id"
# How a unit id is found.
WAYS: Final = [STEP_SEARCH, STEP_UNIT_ID]


class UnitFlow(ConfigSubentryFlow):
    """Finds a device over the link in use, between the polls of the others, before anything is saved."""

    # The kind of devices that it adds, and the form that reconfigures one.
    kind: ClassVar[str]
    settings: ClassVar[vol.Schema]

    _unit_id: int
    _identity: Identity

    def __init__(self) -> None:
        self._search: asyncio.Task[SearchResult] | None = None
        self._result = SearchResult(())
        # What fills the texts of errors and reasons.
        self._placeholders: dict[str, str] = {}

    async def _async_link(self) -> Link | None:
        """The link, if it is in use and can poll."""
        connection = await async_connection(self._get_entry())
        return connection if isinstance(connection, Link) else None

    async def _async_ask_how_to_find(self, step_id: str) -> SubentryFlowResult:
        """Ask whether the unit id is known."""
        if await self._async_link() is None:
            return self.async_abort(reason="not_running")
        return self.async_show_menu(step_id=step_id, menu_options=WAYS)

    async def async_step_search(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Search on all unit ids that are free."""
        if (task := self._search) is None:
            if (link := await self._async_link()) is None:
                return self.async_abort(reason="not_running")
            entry = self._get_entry()
            unit_ids = [unit_id for unit_id in SCAN_UNITS if unit_at(entry, unit_id) is None]
            task = self._search = self.hass.async_create_background_task(
                search(link, unit_ids, self.async_update_progress), f"{entry.title} search"
            )
        if not task.done():
            return self.async_show_progress(
                step_id=STEP_SEARCH, progress_action=STEP_SEARCH, progress_task=task
            )
        self._result, self._search = task.result(), None
        if (everywhere := self._result.everywhere) is not None:
            self._placeholders = {"model": everywhere.model}
            return self.async_show_progress_done(next_step_id="everywhere")
        return self.async_show_progress_done(
            next_step_id="choose" if self._result.candidates else "nothing_found"
        )

    async def async_step_everywhere(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say that there is room for one device only."""
        return self.async_abort(
            reason="answers_everywhere", description_placeholders=self._placeholders
        )

    async def async_step_nothing_found(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say what to do when no new device has answered."""
        return self.async_show_menu(step_id="nothing_found", menu_options=WAYS)

    async def async_step_choose(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which of the devices that were found is meant."""
        errors: dict[str, str] = {}
        if user_input is not None:
            unit_id = int(user_input[CONF_UNIT_ID])
            identity = next(
                item.identity for item in self._result.candidates if item.unit_id == unit_id
            )
            if (error := await self._async_take(unit_id, identity)) is None:
                return await self._async_identified()
            errors["base"] = error
        # What can be added here comes first, and is already chosen.
        candidates = sorted(self._result.candidates, key=self._is_other)
        labels = await async_labels(self.hass, candidates)
        return self.async_show_form(
            step_id="choose",
            data_schema=self.add_suggested_values_to_schema(
                choice_schema(CONF_UNIT_ID, labels), user_input
            ),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    def _is_other(self, candidate: Candidate) -> bool:
        """Whether a candidate is known to be of the other kind."""
        return candidate.identity is not None and candidate.identity.kind != self.kind

    async def async_step_unit_id(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the unit id, and identify the device there."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if (error := await self._async_take(user_input[CONF_UNIT_ID])) is None:
                return await self._async_identified()
            errors[CONF_UNIT_ID] = error
        return self.async_show_form(
            step_id=STEP_UNIT_ID,
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(UNIT_ID), user_input or {CONF_UNIT_ID: free_unit_id(self._get_entry())}
            ),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    async def _async_take(self, unit_id: int, identity: Identity | None = None) -> str | None:
        """Take the device with this unit id, which a search may have identified; the key of an error if it cannot be taken."""
        entry = self._get_entry()
        self._placeholders = {"unit_id": str(unit_id)}
        if (owner := unit_at(entry, unit_id)) is not None:
            self._placeholders["name"] = owner.title
            return "unit_id_taken"
        if identity is None:
            if (link := await self._async_link()) is None:
                return "not_running"
            try:
                identity = await ask(link, unit_id)
            except ProbeError as err:
                self._placeholders["found"] = await found_text(self.hass, err)
                return err.failure
        self._placeholders["model"] = identity.model
        self._unit_id, self._identity = unit_id, identity
        return self._refuse(identity)

    def _refuse(self, identity: Identity) -> str | None:
        """The key of an error if a device that answered cannot be taken."""
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            self._placeholders["name"] = subentry.title
            return None if same_device(identity_of(subentry.data), identity) else "another_machine"
        if identity.kind != self.kind:
            return "wrong_kind"
        if (owner := owner_of(self.hass, identity.serial)) is not None:
            entry, subentry = owner
            self._placeholders |= {"name": subentry.title, "entry": entry.title}
            return "already_configured"
        return None

    @abstractmethod
    async def _async_identified(self) -> SubentryFlowResult:
        """Ask what only a person knows of the device that was taken."""

    async def _async_name(self, settings: dict[str, Any], name: str) -> str:
        """The name of a device of this name after a change of its settings."""
        return name

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change the settings; with another unit id only if the same device answers there."""
        subentry = self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        if user_input is not None:
            unit_id = user_input[CONF_UNIT_ID]
            moved = unit_id != subentry.data[CONF_UNIT_ID]
            if moved and (error := await self._async_take(unit_id)) is not None:
                errors[CONF_UNIT_ID] = error
            else:
                return self.async_update_and_abort(
                    self._get_entry(),
                    subentry,
                    data_updates=user_input,
                    title=await self._async_name(user_input, subentry.title),
                )
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                self.settings, user_input or subentry.data
            ),
            errors=errors,
            description_placeholders={**self._placeholders, "name": subentry.title},
        )


class InverterFlow(UnitFlow):
    """Adds an inverter; some do not report all that has to be known of them."""

    kind: ClassVar[str] = SUBENTRY_INVERTER
    settings: ClassVar[vol.Schema] = vol.Schema(UNIT_ID)

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask whether the unit id is known."""
        return await self._async_ask_how_to_find("user")

    @override
    async def _async_identified(self) -> SubentryFlowResult:
        """Ask whether it is one if that is not sure."""
        if self._identity.is_doubtful:
            return ask_unknown_type(self, self._identity)
        return await self.async_step_rated_power()

    async def async_step_unknown_type(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Go on with an inverter of an unknown type."""
        return await self.async_step_rated_power()

    async def async_step_rated_power(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the rated power if the inverter does not report it."""
        if user_input is not None:
            self._identity = with_typed_power(self._identity, user_input)
        if self._identity.lacks_rated_power:
            return ask_rated_power(self, self._identity, user_input)
        return await self.async_step_maker()

    async def async_step_maker(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask who has made the inverter if several may have, and add it."""
        identity = self._identity
        if user_input is not None:
            identity = identity.with_maker(user_input[CONF_MAKER])
        if identity.makers:
            return ask_maker(self, identity)
        return self.async_create_entry(
            title=async_inverter_name(self.hass, identity),
            data=unit_data(self._unit_id, identity),
            unique_id=identity.serial,
        )


class MeterFlow(UnitFlow):
    """Adds a meter, if it may be polled at all; a person says what it measures."""

    kind: ClassVar[str] = SUBENTRY_METER
    settings: ClassVar[vol.Schema] = vol.Schema({**UNIT_ID, **METER_SETTINGS})

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask how the meter is wired, before anything is sent to it."""
        return self.async_show_menu(step_id="user", menu_options=WIRINGS)

    async def async_step_direct(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask whether the unit id is known."""
        return await self._async_ask_how_to_find(STEP_DIRECT)

    async def async_step_behind_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Leave the meter to the inverter."""
        return explain_behind_inverter(self)

    async def async_step_listen_only(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Refer to the entry that listens."""
        return explain_listening(self)

    @override
    async def _async_identified(self) -> SubentryFlowResult:
        """Go on with what the meter measures."""
        return await self.async_step_role()

    async def async_step_role(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what the meter measures, and add it."""
        if user_input is None:
            return ask_meter_settings(self, CONF_ROLE, self._identity)
        if unit_at(self._get_entry(), self._unit_id) is not None:
            # Another dialog was faster.
            return await self.async_step_unit_id({CONF_UNIT_ID: self._unit_id})
        identity = with_serial(self._get_entry(), self._unit_id, self._identity)
        return self.async_create_entry(
            title=await async_meter_name(self.hass, MeterRole(user_input[CONF_ROLE])),
            data=meter_data(self._unit_id, identity, user_input),
            unique_id=identity.serial,
        )

    @override
    async def _async_name(self, settings: dict[str, Any], name: str) -> str:
        """The name of the new role, unless a person has given another one."""
        return await async_meter_name(self.hass, MeterRole(settings[CONF_ROLE]), name)
