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
    ConfigSubentryData,
)
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_MAC, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.device_registry import format_mac
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo

from .const import (
    CONF_LOGGER_SERIAL,
    CONF_RATED_POWER,
    CONF_TYPE,
    CONF_UNIT_ID,
    DEFAULT_STICK_PORT,
    DEFAULT_UNIT_ID,
    DOCS_URL,
    DOMAIN,
    SECTION_ADVANCED,
    SUBENTRY_INVERTER,
    TYPE_NETWORK,
    TYPE_PLANT,
    TYPE_SERIAL,
    TYPE_STICK,
)
from .flow_plant import PlantFlow
from .flow_probe import Found, find_machine
from .flow_schemas import SCHEMAS, STICK_WITH_SERIAL, found_schema, rated_power_schema
from .following import async_move_and_reload
from .modbus.discover import FoundStick, find_sticks
from .modbus.identify import Identity
from .modbus.probe import Failure, ProbeError
from .modbus.probe_stick import ask_stick
from .options_flow import HybridInverterOptionsFlow
from .plant_members import is_plant
from .stored import address_of, first_unit, title_of, unit_data

STEP_SEARCH: Final = "search"
# What an entry that is there already can be moved to.
LINK_TYPES: Final = [TYPE_NETWORK, TYPE_SERIAL, TYPE_STICK]

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


class HybridInverterConfigFlow(PlantFlow, domain=DOMAIN):
    """Connects, identifies the machine, and only then keeps anything."""

    VERSION = 1
    MINOR_VERSION = 1

    _found: Found

    def __init__(self) -> None:
        """Begin with no stick known."""
        # What sticks have told of themselves, by their serial numbers.
        self._told: dict[str, FoundStick] = {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> HybridInverterOptionsFlow:
        """Return the flow of an entry's options."""
        return HybridInverterOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how the inverter is reached."""
        return self.async_show_menu(
            step_id="user", menu_options=[*LINK_TYPES, STEP_SEARCH, TYPE_PLANT]
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the inverter is reached now; it may have moved to another kind of link."""
        if is_plant(self._get_reconfigure_entry()):
            return await self.async_step_plant()
        if not self._get_reconfigure_entry().subentries:
            return self.async_abort(reason="no_machine")
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
        schema = SCHEMAS[link_type]
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
                    errors[FIELDS.get(err.failure, "base")] = err.failure
                    placeholders |= {"found": err.found, "unit_id": str(unit_id)}
                    if err.failure is Failure.NO_LOGGER_SERIAL:
                        schema = STICK_WITH_SERIAL
                else:
                    self._found = found
                    return (
                        self._refuse_link(found.data, found.logger_serial)
                        or self._refuse_machine()
                        or await self.async_step_rated_power()
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

    async def _async_probe(self, data: Mapping[str, Any], unit_id: int) -> Found:
        """Identify the machine, with a running entry out of the way.

        Many gateways, and every serial port, serve one client only: while the entry that is being reconfigured
        holds the line, the new settings could not be tried.
        """
        entry = self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        paused = (
            entry is not None
            and entry.state in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY)
            and await self.hass.config_entries.async_unload(entry.entry_id)
        )
        done = False
        try:
            found = await find_machine(data, unit_id, self._told)
            identity = found.identity
            done = entry is None or first_unit(entry)[1].serial == identity.serial
            # A person may leave the dialog instead of answering a question.
            done = done and not identity.lacks_rated_power
            # A stick may be found at a port that another entry has.
            done = done and self._conflicting(found.data, found.logger_serial) is None
            return found
        finally:
            # A reconfigured entry is loaded with its new settings; any other comes back as it was.
            if entry is not None and paused and not done:
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
        identity = self._found.identity
        if self.source == SOURCE_RECONFIGURE:
            _, known = first_unit(self._get_reconfigure_entry())
            if known.serial == identity.serial:
                return None
            return self.async_abort(
                reason="another_machine",
                description_placeholders={"model": known.model, "found": identity.model},
            )
        for entry in self._async_current_entries(include_ignore=False):
            if any(sub.unique_id == identity.serial for sub in entry.subentries.values()):
                return self.async_abort(
                    reason="machine_already_configured",
                    description_placeholders={"model": identity.model, "entry": entry.title},
                )
        return None

    async def _async_finish(self) -> ConfigFlowResult:
        """Create the entry with its first unit, or move it."""
        if self.source == SOURCE_RECONFIGURE:
            return self._async_move()
        data, identity = self._found.data, self._found.identity
        await self.async_set_unique_id(self._found.unique_id, raise_on_progress=False)
        return self.async_create_entry(
            title=title_of(identity, data),
            data=data,
            subentries=[
                ConfigSubentryData(
                    data=unit_data(self._found.unit_id, identity),
                    subentry_type=SUBENTRY_INVERTER,
                    title=self._unit_name(identity),
                    unique_id=identity.serial,
                )
            ],
            description_placeholders={"model": identity.model, "serial": identity.serial},
        )

    def _unit_name(self, identity: Identity) -> str:
        """Return the model, with the end of the serial number where another machine is called so already."""
        taken = {
            subentry.title
            for entry in self._async_current_entries()
            for subentry in entry.subentries.values()
        }
        # What stands in parentheses is for the device page; a name is said aloud.
        name = identity.model.partition(" (")[0]
        return f"{name} {identity.serial[-4:]}" if name in taken else name

    @callback
    def _async_move(self) -> ConfigFlowResult:
        """Move the entry to its new link."""
        entry = self._get_reconfigure_entry()
        data, identity = self._found.data, self._found.identity
        subentry_id, known = first_unit(entry)
        self.hass.config_entries.async_update_subentry(
            entry,
            entry.subentries[subentry_id],
            data=unit_data(self._found.unit_id, identity),
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
        subentry_id, _ = first_unit(entry)
        unit_id = entry.subentries[subentry_id].data[CONF_UNIT_ID]
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
