"""Setting up a link with its first unit, moving it elsewhere, and its options."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentry,
    ConfigSubentryData,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_MAC, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.device_registry import format_mac
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
import voluptuous as vol

from .const import (
    CONF_LOGGER_SERIAL,
    CONF_RATED_POWER,
    CONF_ROLE,
    CONF_TYPE,
    CONF_UNIT_ID,
    DEFAULT_STICK_PORT,
    DEFAULT_UNIT_ID,
    DOCS_URL,
    DOMAIN,
    SECTION_ADVANCED,
    SUBENTRY_INVERTER,
    SUBENTRY_METER,
    TYPE_LISTEN,
    TYPE_NETWORK,
    TYPE_PLANT,
    TYPE_SERIAL,
    TYPE_STICK,
    MeterRole,
)
from .flow_inverter import InverterFlow
from .flow_listen import ListenMeterFlow, ListenSteps
from .flow_meter import STEP_DIRECT, WIRINGS, MeterFlow, explain_behind_inverter, explain_listening
from .flow_plant import PlantFlow
from .flow_probe import Found, find_machine, find_machines
from .flow_schemas import (
    METER_SETTINGS,
    SCHEMAS,
    STICK_WITH_SERIAL,
    found_schema,
    rated_power_schema,
    without_unit_id,
)
from .following import async_move_and_reload
from .modbus.discover import FoundStick, find_sticks
from .modbus.identify import Identity
from .modbus.probe import Failure, ProbeError
from .modbus.probe_stick import ask_stick
from .naming import async_inverter_name, async_meter_name
from .options_flow import HybridInverterOptionsFlow
from .plant_members import is_plant
from .stored import (
    address_of,
    first_unit,
    identity_of,
    meter_data,
    owner_of,
    same_machine,
    title_of,
    unit_data,
)

STEP_SEARCH: Final = "search"
# What an entry that is there already can be moved to.
LINK_TYPES: Final = [TYPE_NETWORK, TYPE_SERIAL, TYPE_STICK]
# What can be added to an entry that is there already, by the type of its link.
UNITS: Final[dict[str, type[ConfigSubentryFlow]]] = {
    SUBENTRY_INVERTER: InverterFlow,
    SUBENTRY_METER: MeterFlow,
}
UNIT_FLOWS: Final[dict[str, dict[str, type[ConfigSubentryFlow]]]] = {
    **dict.fromkeys(LINK_TYPES, UNITS),
    TYPE_LISTEN: {SUBENTRY_METER: ListenMeterFlow},
}

# The field that a failure is about, where it is about one.
FIELDS: Final = {
    Failure.WRONG_LOGGER_SERIAL: CONF_LOGGER_SERIAL,
    Failure.NO_LOGGER_SERIAL: CONF_LOGGER_SERIAL,
}
# Where the form of a stick leads for more; a text must not have an address in it.
LINKS: Final = {
    "label_url": f"{DOCS_URL}/images/stick-label.svg",
    "wiring_url": f"{DOCS_URL}/wiring.md",
}


class HybridInverterConfigFlow(ListenSteps, PlantFlow, domain=DOMAIN):
    """Connects, identifies the machine, and only then keeps anything."""

    VERSION = 1
    MINOR_VERSION = 1

    _found: Found

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        # What sticks have told of themselves, by their serial numbers.
        self._told: dict[str, FoundStick] = {}
        # The machines that answer in the place of others: those that are known, and those that are there.
        self._strangers: list[tuple[Identity, Identity]] = []

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> HybridInverterOptionsFlow:
        """Return the flow of an entry's options."""
        return HybridInverterOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the flows of what can be added to an entry."""
        return UNIT_FLOWS.get(config_entry.data[CONF_TYPE], {})

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how the inverter or the meter is reached, or whether it is there and is to be added up."""
        return self.async_show_menu(
            step_id="user", menu_options=[*LINK_TYPES, STEP_SEARCH, TYPE_LISTEN, TYPE_PLANT]
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the link leads now; it may be another kind of link."""
        if is_plant(self._get_reconfigure_entry()):
            return await self.async_step_plant()
        if not self._get_reconfigure_entry().subentries:
            return self.async_abort(reason="no_machine")
        if self._get_reconfigure_entry().data[CONF_TYPE] == TYPE_LISTEN:
            # Who listens stays silent wherever it moves.
            return await self.async_step_listen()
        return self.async_show_menu(step_id="reconfigure", menu_options=LINK_TYPES)

    async def async_step_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Set up a link over the network."""
        return await self._async_step_link(TYPE_NETWORK, user_input)

    async def async_step_serial(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Set up a link over a serial port."""
        return await self._async_step_link(TYPE_SERIAL, user_input)

    async def async_step_stick(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Set up a link through a Wi-Fi stick."""
        return await self._async_step_link(TYPE_STICK, user_input)

    async def async_step_search(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look for sticks in the network, and set up the one that is chosen."""
        if user_input is not None:
            return await self.async_step_stick(_input_of(self._told[user_input[TYPE_STICK]]))
        sticks = {
            str(stick.logger_serial): stick
            for stick in await find_sticks()
            if self._conflicting(_input_of(stick), stick.logger_serial) is None
        }
        if not sticks:
            return await self.async_step_nothing_found()
        self._told |= sticks
        return self.async_show_form(
            step_id=STEP_SEARCH,
            data_schema=found_schema(
                {serial: f"{stick.host} ({serial})" for serial, stick in sticks.items()}
            ),
        )

    async def async_step_nothing_found(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what to do when no stick has answered that is not set up yet."""
        return self.async_show_menu(
            step_id="nothing_found", menu_options=[STEP_SEARCH, TYPE_STICK, TYPE_NETWORK]
        )

    @override
    async def async_step_dhcp(self, discovery_info: DhcpServiceInfo) -> ConfigFlowResult:
        """Take note of a stick that has got an address: it has moved, or it is new."""
        mac = format_mac(discovery_info.macaddress)
        for entry in self._async_current_entries(include_ignore=False):
            if entry.data.get(CONF_MAC) == mac:
                async_move_and_reload(self.hass, entry, discovery_info.ip)
                return self.async_abort(reason="already_configured")
        # Many other things are built with the same radio.
        if (stick := await ask_stick(discovery_info.ip)) is None:
            return self.async_abort(reason="not_a_stick")
        known_as = str(stick.logger_serial)
        if (known := await self.async_set_unique_id(known_as)) is not None:
            if known.source != SOURCE_IGNORE:
                async_move_and_reload(self.hass, known, stick.host)
            return self.async_abort(reason="already_configured")
        if any(
            entry.data.get(CONF_HOST) == stick.host
            for entry in self._async_current_entries(include_ignore=False)
        ):
            return self.async_abort(reason="already_configured")
        self._told[known_as] = stick
        self.context["title_placeholders"] = {"host": stick.host}
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether a stick that announced itself is to be set up."""
        (stick,) = self._told.values()
        if user_input is not None:
            return await self.async_step_stick(_input_of(stick))
        self._set_confirm_only()
        return self.async_show_form(
            step_id="confirm",
            description_placeholders={
                "host": stick.host,
                "logger_serial": str(stick.logger_serial),
            },
        )

    async def _async_step_link(
        self, link_type: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask for the settings of a link, and try them."""
        errors: dict[str, str] = {}
        placeholders = dict(LINKS) if link_type == TYPE_STICK else {}
        schema = self._schema(SCHEMAS[link_type])
        if user_input is not None:
            data, unit_id = _split(link_type, user_input)
            if "://" in data.get(CONF_DEVICE, ""):
                # The selector offers the ports of serial proxies, too, which pymodbus cannot open.
                errors[CONF_DEVICE] = "port_on_network"
            else:
                if link_type == TYPE_STICK and CONF_LOGGER_SERIAL not in data:
                    await self._async_ask(data)
                if refusal := self._refuse_link(data, data.get(CONF_LOGGER_SERIAL)):
                    return refusal
                try:
                    found = await self._async_probe(data, unit_id)
                except ProbeError as err:
                    errors[FIELDS.get(err.failure, "base")] = self._failure_text(err.failure)
                    placeholders |= {"found": err.found, "unit_id": self._asked(unit_id)}
                    if err.failure is Failure.NO_LOGGER_SERIAL:
                        schema = self._schema(STICK_WITH_SERIAL)
                else:
                    self._found = found
                    return (
                        self._refuse_link(found.data, found.logger_serial)
                        or self._refuse_machine()
                        or await self._async_identified()
                    )
        elif self.source == SOURCE_RECONFIGURE:
            user_input = self._current_input(link_type)
        return self.async_show_form(
            step_id=link_type,
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_ask(self, data: dict[str, Any]) -> None:
        """Add the serial number of a stick, if it tells it."""
        if (stick := await ask_stick(data[CONF_HOST])) is not None:
            data[CONF_LOGGER_SERIAL] = stick.logger_serial
            self._told[str(stick.logger_serial)] = stick

    async def async_step_rated_power(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the rated power of a machine that does not tell it; the others are done."""
        found = self._found
        if user_input is not None:
            identity = found.identity.with_rated_power(user_input[CONF_RATED_POWER])
            self._found = found = replace(found, identity=identity)
        if not found.identity.lacks_rated_power:
            return await self._async_finish()
        return self.async_show_form(
            step_id=CONF_RATED_POWER,
            data_schema=self.add_suggested_values_to_schema(
                rated_power_schema(found.identity.rated_powers), self._told_before()
            ),
            description_placeholders={
                "model": found.identity.model,
                "serial": found.identity.serial,
            },
        )

    def _told_before(self) -> dict[str, Any]:
        """Return the rated power that the machine was set up with."""
        if self.source != SOURCE_RECONFIGURE:
            return {}
        _, known = first_unit(self._get_reconfigure_entry())
        return dict(known.facts)

    def _schema(self, schema: vol.Schema) -> vol.Schema:
        """Return the form of a link; several units keep their unit ids, so it does not ask for one."""
        return without_unit_id(schema) if len(self._known) > 1 else schema

    def _failure_text(self, failure: Failure) -> str:
        """Return the key of the text about a failure, which may be another one where there is no unit id to change."""
        if failure is Failure.WRONG_UNIT and len(self._known) > 1:
            return "wrong_units"
        return failure

    def _asked(self, unit_id: int) -> str:
        """Return the unit ids that were asked, in words."""
        return ", ".join(str(asked) for asked in self._expected(unit_id) or [unit_id])

    @property
    def _known(self) -> list[ConfigSubentry]:
        """Return the units of the entry that is being moved."""
        if self.source != SOURCE_RECONFIGURE:
            return []
        return list(self._get_reconfigure_entry().subentries.values())

    def _expected(self, unit_id: int) -> dict[int, Identity]:
        """Return who has to answer, by unit id; the only unit of an entry may have got another unit id meanwhile."""
        known = {unit.data[CONF_UNIT_ID]: identity_of(unit.data) for unit in self._known}
        return dict.fromkeys([unit_id], *known.values()) if len(known) == 1 else known

    async def _async_probe(self, data: Mapping[str, Any], unit_id: int) -> Found:
        """Identify the machine, or those of an entry that is being moved."""
        if self.source != SOURCE_RECONFIGURE:
            return await find_machine(data, unit_id, self._told)
        return await self._async_find_again(data, self._expected(unit_id))

    async def _async_find_again(
        self, data: Mapping[str, Any], expected: Mapping[int, Identity]
    ) -> Found:
        """Find the machines of an entry at a new place, with the running entry out of the way.

        Many gateways, and every serial port, serve one client only: while the entry holds the line, the new settings
        could not be tried.
        """
        entry = self._get_reconfigure_entry()
        paused = entry.state in (
            ConfigEntryState.LOADED,
            ConfigEntryState.SETUP_RETRY,
        ) and await self.hass.config_entries.async_unload(entry.entry_id)
        done = False
        try:
            answers = await find_machines(data, expected, self._told)
            self._strangers = [
                (expected[answer.unit_id], answer.identity)
                for answer in answers
                if not same_machine(expected[answer.unit_id], answer.identity)
            ]
            found = answers[0]
            if len(expected) > 1:
                # They stay as they are; it is enough to know that they are there.
                unit_id, identity = next(iter(expected.items()))
                found = replace(found, unit_id=unit_id, identity=identity)
            # A person may leave the dialog instead of answering a question.
            done = not self._strangers and not found.identity.lacks_rated_power
            # A stick may be found at a port that another entry has.
            done = done and self._conflicting(found.data, found.logger_serial) is None
            return found
        finally:
            # A moved entry is loaded with its new settings; any other comes back as it was.
            if paused and not done:
                await self.hass.config_entries.async_setup(entry.entry_id)

    @callback
    def _conflicting(
        self, data: Mapping[str, Any], logger_serial: int | None
    ) -> ConfigEntry | None:
        """Return another entry that uses this address, with whatever settings, or this stick, at whatever address."""
        own = self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        for entry in self._async_current_entries(include_ignore=False):
            same_stick = logger_serial is not None and entry.unique_id == str(logger_serial)
            if entry is not own and (same_stick or address_of(entry.data) == address_of(data)):
                return entry
        return None

    @callback
    def _refuse_link(
        self, data: Mapping[str, Any], logger_serial: int | None
    ) -> ConfigFlowResult | None:
        """Abort when another entry has the link already; None when nobody has."""
        if (other := self._conflicting(data, logger_serial)) is None:
            return None
        if TYPE_STICK not in (data[CONF_TYPE], other.data[CONF_TYPE]):
            return self.async_abort(reason="already_configured")
        return self.async_abort(
            reason="stick_already_configured", description_placeholders={"entry": other.title}
        )

    @callback
    def _refuse_machine(self) -> ConfigFlowResult | None:
        """Abort when the machine that answered is not the one that is wanted; None when it is."""
        if self.source == SOURCE_RECONFIGURE:
            if not self._strangers:
                return None
            (known, stranger), *_ = self._strangers
            return self.async_abort(
                reason="another_machine",
                description_placeholders={"model": known.model, "found": stranger.model},
            )
        identity = self._found.identity
        if (owner := owner_of(self.hass, identity.serial)) is not None:
            entry, _ = owner
            return self.async_abort(
                reason="machine_already_configured",
                description_placeholders={"model": identity.model, "entry": entry.title},
            )
        return None

    async def _async_identified(self) -> ConfigFlowResult:
        """Go on with what only a person knows of the machine."""
        if self._found.identity.kind == SUBENTRY_METER and self.source != SOURCE_RECONFIGURE:
            return await self.async_step_wiring()
        return await self.async_step_rated_power()

    async def async_step_wiring(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how a meter that answered is wired: an inverter may be asking it, too."""
        return self.async_show_menu(
            step_id="wiring",
            menu_options=WIRINGS,
            description_placeholders={"model": self._found.identity.model},
        )

    async def async_step_behind_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Leave the meter to the inverter."""
        return explain_behind_inverter(self)

    async def async_step_listen_only(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Send to what listens."""
        return explain_listening(self)

    async def async_step_direct(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what the meter measures, and which way round it is."""
        data, identity = self._found.data, self._found.identity
        if user_input is None:
            return self.async_show_form(
                step_id=STEP_DIRECT,
                data_schema=vol.Schema(METER_SETTINGS),
                description_placeholders={"model": identity.model},
            )
        # It is given a serial number when the entry is there.
        return await self._async_create(
            title_of(identity, data),
            ConfigSubentryData(
                data=meter_data(self._found.unit_id, identity, user_input),
                subentry_type=SUBENTRY_METER,
                title=await async_meter_name(self.hass, MeterRole(user_input[CONF_ROLE])),
                unique_id=None,
            ),
        )

    async def _async_finish(self) -> ConfigFlowResult:
        """Create the entry with its first unit, or move it."""
        if self.source == SOURCE_RECONFIGURE:
            return self._async_move()
        data, identity = self._found.data, self._found.identity
        return await self._async_create(
            title_of(identity, data),
            ConfigSubentryData(
                data=unit_data(self._found.unit_id, identity),
                subentry_type=SUBENTRY_INVERTER,
                title=async_inverter_name(self.hass, identity),
                unique_id=identity.serial,
            ),
        )

    async def _async_create(self, title: str, unit: ConfigSubentryData) -> ConfigFlowResult:
        """Create the entry with its first unit."""
        identity = self._found.identity
        await self.async_set_unique_id(self._found.unique_id, raise_on_progress=False)
        return self.async_create_entry(
            title=title,
            data=self._found.data,
            subentries=[unit],
            description=None if identity.serial else SUBENTRY_METER,
            description_placeholders={"model": identity.model, "serial": identity.serial},
        )

    @callback
    def _async_move(self) -> ConfigFlowResult:
        """Move the entry to its new link."""
        entry = self._get_reconfigure_entry()
        data, identity = self._found.data, self._found.identity
        subentry_id, known = first_unit(entry)
        self.hass.config_entries.async_update_subentry(
            entry,
            entry.subentries[subentry_id],
            data={
                **entry.subentries[subentry_id].data,
                # A meter keeps the serial number that it was given.
                **unit_data(self._found.unit_id, replace(identity, serial=known.serial)),
            },
        )
        # A name that a person gave stays.
        title = entry.title
        if title == title_of(known, entry.data):
            title = title_of(identity, data)
        return self.async_update_reload_and_abort(
            entry, unique_id=self._found.unique_id, data=data, title=title
        )

    def _current_input(self, link_type: str) -> dict[str, Any] | None:
        """Return the form of an entry as it is, where it is of this type."""
        entry = self._get_reconfigure_entry()
        if entry.data[CONF_TYPE] != link_type:
            return None
        unit_id = self._known[0].data[CONF_UNIT_ID]
        return {**entry.data, SECTION_ADVANCED: {CONF_UNIT_ID: unit_id}}


def _split(link_type: str, user_input: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the data of an entry, and the unit id, which belongs to the unit."""
    data = {CONF_TYPE: link_type, **user_input}
    unit_id: int = data.pop(SECTION_ADVANCED, {}).get(CONF_UNIT_ID, DEFAULT_UNIT_ID)
    if CONF_HOST in data:
        # One link for each endpoint, however it is spelled.
        data[CONF_HOST] = data[CONF_HOST].strip().lower()
    return data, unit_id


def _input_of(stick: FoundStick) -> dict[str, Any]:
    """Return the form of a stick that has told who it is, filled in."""
    return {
        CONF_HOST: stick.host,
        CONF_PORT: DEFAULT_STICK_PORT,
        CONF_LOGGER_SERIAL: stick.logger_serial,
    }
