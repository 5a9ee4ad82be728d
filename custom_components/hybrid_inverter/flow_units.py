"""Adding a machine to a link that is in use, and changing how it is asked."""

from abc import abstractmethod
import asyncio
from typing import Any, ClassVar, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
import voluptuous as vol

from .changes import async_connection
from .const import CONF_UNIT_ID
from .flow_schemas import UNIT_ID, candidate_schema
from .modbus.identify import Identity
from .modbus.link import Link
from .modbus.probe import SCAN_UNITS, ProbeError
from .modbus.search import Candidate, Findings, ask, search
from .naming import async_labels
from .stored import free_unit_id, identity_of, owner_of, same_machine, unit_at

STEP_SEARCH: Final = "search"
STEP_UNIT_ID: Final = "unit_id"
WAYS: Final = [STEP_SEARCH, STEP_UNIT_ID]


class UnitFlow(ConfigSubentryFlow):
    """Finds a machine over the running link, between the polls of the others, and only then keeps anything."""

    # Of machines that it adds, and what there is to set of one.
    kind: ClassVar[str]
    settings: ClassVar[vol.Schema]

    _unit_id: int
    _identity: Identity

    def __init__(self) -> None:
        """Begin with nothing found."""
        self._search: asyncio.Task[Findings] | None = None
        self._findings = Findings(())
        # What the texts of errors and reasons speak of.
        self._placeholders: dict[str, str] = {}

    async def _async_link(self) -> Link | None:
        """Return the link, if it is in use and there is something to ask over it."""
        connection = await async_connection(self._get_entry())
        return connection if isinstance(connection, Link) else None

    async def _async_ask_for_the_way(self, step_id: str) -> SubentryFlowResult:
        """Ask whether the unit id is known."""
        if await self._async_link() is None:
            return self.async_abort(reason="not_running")
        return self.async_show_menu(step_id=step_id, menu_options=WAYS)

    async def async_step_search(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask who is there, on all unit ids that are not taken."""
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
        self._findings, self._search = task.result(), None
        if (everywhere := self._findings.everywhere) is not None:
            self._placeholders = {"model": everywhere.model}
            return self.async_show_progress_done(next_step_id="everywhere")
        return self.async_show_progress_done(
            next_step_id="choose" if self._findings.candidates else "nothing_found"
        )

    async def async_step_everywhere(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say that there is room for one machine only."""
        return self.async_abort(
            reason="answers_everywhere", description_placeholders=self._placeholders
        )

    async def async_step_nothing_found(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say what to do when nobody has answered that is not set up yet."""
        return self.async_show_menu(step_id="nothing_found", menu_options=WAYS)

    async def async_step_choose(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which of the machines that were found is meant."""
        errors: dict[str, str] = {}
        if user_input is not None:
            unit_id = int(user_input[CONF_UNIT_ID])
            identity = next(
                item.identity for item in self._findings.candidates if item.unit_id == unit_id
            )
            if (error := await self._async_take(unit_id, identity)) is None:
                return await self._async_identified()
            errors["base"] = error
        # What can be added here comes first, and is chosen already.
        candidates = sorted(self._findings.candidates, key=self._is_other)
        labels = await async_labels(self.hass, candidates)
        return self.async_show_form(
            step_id="choose",
            data_schema=self.add_suggested_values_to_schema(candidate_schema(labels), user_input),
            errors=errors,
            description_placeholders=self._placeholders,
        )

    def _is_other(self, candidate: Candidate) -> bool:
        """Whether something that was found is known to be of another kind."""
        return candidate.identity is not None and candidate.identity.kind != self.kind

    async def async_step_unit_id(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the unit id, and who is there."""
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
        """Take the machine with this unit id, which may have been identified before; return what is wrong with it, if anything is."""
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
                self._placeholders["found"] = err.found
                return err.failure
        self._placeholders["model"] = identity.model
        self._unit_id, self._identity = unit_id, identity
        return self._refuse(identity)

    def _refuse(self, identity: Identity) -> str | None:
        """Return what is wrong with a machine that answered, if anything is."""
        if self.source == SOURCE_RECONFIGURE:
            known = self._get_reconfigure_subentry()
            self._placeholders["name"] = known.title
            return None if same_machine(identity_of(known.data), identity) else "another_machine"
        if identity.kind != self.kind:
            return "wrong_kind"
        if (owner := owner_of(self.hass, identity.serial)) is not None:
            entry, subentry = owner
            self._placeholders |= {"name": subentry.title, "entry": entry.title}
            return "already_configured"
        return None

    @abstractmethod
    async def _async_identified(self) -> SubentryFlowResult:
        """Go on with the machine that was taken."""

    async def _async_name(self, settings: dict[str, Any], name: str) -> str:
        """Return what a machine that is called so is called with these settings."""
        return name

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask how the machine is to be asked, and, when that is another unit id, whether it is there."""
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
