"""Setting up a link with its first unit, moving it elsewhere, and its options."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SerialPortSelector,
    TextSelector,
)
import voluptuous as vol

from .const import (
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_INTERVALS,
    CONF_PARITY,
    CONF_RATED_POWER,
    CONF_STOPBITS,
    CONF_TIER,
    CONF_TYPE,
    CONF_UNIT_ID,
    DEFAULT_BAUDRATE,
    DEFAULT_INTERVALS,
    DEFAULT_PORT,
    DEFAULT_UNIT_ID,
    DOMAIN,
    INTERVAL_BOUNDS,
    SECTION_ADVANCED,
    SUBENTRY_INVERTER,
    TYPE_NETWORK,
    TYPE_SERIAL,
)
from .modbus.identify import Identity
from .modbus.link import Framing
from .modbus.probe import ProbeError, probe
from .modbus.register import Tier
from .stored import endpoint_of, identity_of, unit_data


def whole_number(minimum: int, maximum: int, unit: str | None = None) -> vol.All[Any]:
    """Ask for a whole number; the selector alone would return a float."""
    config = NumberSelectorConfig(min=minimum, max=maximum, step=1, mode=NumberSelectorMode.BOX)
    if unit:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def choice(translation_key: str, options: list[str]) -> SelectSelector:
    """Ask for one of a few; their names come from the translations."""
    return SelectSelector(SelectSelectorConfig(options=options, translation_key=translation_key))


UNIT_ID: Final = {
    vol.Required(CONF_UNIT_ID, default=DEFAULT_UNIT_ID): whole_number(1, 247),
}

# Nearly every machine answers on the unit id it left the factory with.
ADVANCED: Final = {
    vol.Optional(SECTION_ADVANCED): section(vol.Schema(UNIT_ID), {"collapsed": True}),
}

SCHEMAS: Final = {
    TYPE_NETWORK: vol.Schema(
        {
            vol.Required(CONF_HOST): TextSelector(),
            vol.Required(CONF_PORT, default=DEFAULT_PORT): whole_number(1, 65535),
            vol.Required(CONF_FRAMING, default=Framing.TCP): choice(CONF_FRAMING, list(Framing)),
            **ADVANCED,
        }
    ),
    TYPE_SERIAL: vol.Schema(
        {
            vol.Required(CONF_DEVICE): SerialPortSelector(),
            vol.Required(CONF_BAUDRATE, default=DEFAULT_BAUDRATE): whole_number(300, 921_600),
            vol.Required(CONF_PARITY, default="N"): SelectSelector(
                # The letters of the notation "8N1", which needs no translation.
                SelectSelectorConfig(options=["N", "E", "O"])
            ),
            vol.Required(CONF_STOPBITS, default=1): whole_number(1, 2),
            **ADVANCED,
        }
    ),
}


def rated_power_schema(bounds: tuple[float, float]) -> vol.Schema:
    """Ask for the rated power of a machine that does not tell it, within these bounds in watts."""
    low, high = bounds
    return vol.Schema({vol.Required(CONF_RATED_POWER): whole_number(int(low), int(high), unit="W")})


@dataclass(frozen=True, slots=True)
class Found:
    """A machine that answered, with the data of the link that it is behind."""

    data: dict[str, Any]
    unit_id: int
    identity: Identity


class HybridInverterConfigFlow(ConfigFlow, domain=DOMAIN):
    """Connects, identifies the machine, and only then keeps anything."""

    VERSION = 1
    MINOR_VERSION = 1

    _found: Found

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> HybridInverterOptionsFlow:
        """Return the flow of an entry's options."""
        return HybridInverterOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how the inverter is reached."""
        return self.async_show_menu(step_id="user", menu_options=[TYPE_NETWORK, TYPE_SERIAL])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the inverter is reached now; it may have moved to another kind of link."""
        if not self._get_reconfigure_entry().subentries:
            return self.async_abort(reason="no_machine")
        return self.async_show_menu(step_id="reconfigure", menu_options=[TYPE_NETWORK, TYPE_SERIAL])

    async def async_step_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Set up a link over the network."""
        return await self._async_step_link(TYPE_NETWORK, user_input)

    async def async_step_serial(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Set up a link over a serial port."""
        return await self._async_step_link(TYPE_SERIAL, user_input)

    async def _async_step_link(
        self, link_type: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask for the settings of a link, and try them."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            data, unit_id = _split(link_type, user_input)
            if self._is_configured(data):
                return self.async_abort(reason="already_configured")
            if "://" in data.get(CONF_DEVICE, ""):
                # The selector offers the ports of serial proxies, too, which pymodbus cannot open.
                errors[CONF_DEVICE] = "port_on_network"
            else:
                try:
                    identity = await self._async_probe(data, unit_id)
                except ProbeError as err:
                    errors["base"] = err.failure
                    placeholders = {"found": err.found, "unit_id": str(unit_id)}
                else:
                    self._found = Found(data, unit_id, identity)
                    return self._async_refuse() or await self.async_step_rated_power()
        elif self.source == SOURCE_RECONFIGURE:
            user_input = self._current_input(link_type)
        return self.async_show_form(
            step_id=link_type,
            data_schema=self.add_suggested_values_to_schema(SCHEMAS[link_type], user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_rated_power(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the rated power of a machine that does not tell it; the others are done."""
        found = self._found
        if user_input is not None:
            identity = found.identity.with_rated_power(user_input[CONF_RATED_POWER])
            self._found = found = replace(found, identity=identity)
        if not found.identity.lacks_rated_power:
            return self._async_finish()
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
        _, known = _first_unit(self._get_reconfigure_entry())
        return dict(known.facts)

    async def _async_probe(self, data: Mapping[str, Any], unit_id: int) -> Identity:
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
        found = False
        try:
            identity = await probe(endpoint_of(data), unit_id)
            found = entry is None or _first_unit(entry)[1].serial == identity.serial
            # A person may leave the dialog instead of answering a question.
            found = found and not identity.lacks_rated_power
            return identity
        finally:
            # A reconfigured entry is loaded with its new settings; any other comes back as it was.
            if entry is not None and paused and not found:
                await self.hass.config_entries.async_setup(entry.entry_id)

    @callback
    def _is_configured(self, data: Mapping[str, Any]) -> bool:
        """Whether another entry uses this address, with whatever framing or line settings."""
        own = self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        return any(
            str(endpoint_of(entry.data)) == str(endpoint_of(data))
            for entry in self._async_current_entries(include_ignore=False)
            if entry is not own
        )

    @callback
    def _async_refuse(self) -> ConfigFlowResult | None:
        """Abort when the machine that answered is not the one that is wanted; None when it is."""
        identity = self._found.identity
        if self.source == SOURCE_RECONFIGURE:
            _, known = _first_unit(self._get_reconfigure_entry())
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

    @callback
    def _async_finish(self) -> ConfigFlowResult:
        """Create the entry with its first unit, or move it."""
        if self.source == SOURCE_RECONFIGURE:
            return self._async_move()
        data, identity = self._found.data, self._found.identity
        return self.async_create_entry(
            title=_title(identity, data),
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
        subentry_id, known = _first_unit(entry)
        self.hass.config_entries.async_update_subentry(
            entry,
            entry.subentries[subentry_id],
            data=unit_data(self._found.unit_id, identity),
        )
        # A name that a person gave stays.
        title = entry.title
        if title == _title(known, entry.data):
            title = _title(identity, data)
        return self.async_update_reload_and_abort(entry, data=data, title=title)

    def _current_input(self, link_type: str) -> dict[str, Any] | None:
        """Return the form of an entry as it is, where it is of this type."""
        entry = self._get_reconfigure_entry()
        if entry.data[CONF_TYPE] != link_type:
            return None
        subentry_id, _ = _first_unit(entry)
        unit_id = entry.subentries[subentry_id].data[CONF_UNIT_ID]
        return {**entry.data, SECTION_ADVANCED: {CONF_UNIT_ID: unit_id}}


class HybridInverterOptionsFlow(OptionsFlowWithReload):
    """How often each group is polled, and what may be written."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the intervals and the tier."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = vol.Schema(
            {
                **{
                    vol.Required(option, default=DEFAULT_INTERVALS[group]): whole_number(
                        *INTERVAL_BOUNDS[group], unit="s"
                    )
                    for group, option in CONF_INTERVALS.items()
                },
                vol.Required(CONF_TIER, default=Tier.EVERYDAY): choice(CONF_TIER, list(Tier)),
            }
        )
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(schema, self.config_entry.options),
        )


def _split(link_type: str, user_input: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the data of an entry, and the unit id, which belongs to the unit."""
    data = {CONF_TYPE: link_type, **user_input}
    unit_id: int = data.pop(SECTION_ADVANCED, {}).get(CONF_UNIT_ID, DEFAULT_UNIT_ID)
    if CONF_HOST in data:
        # One link for each endpoint, however it is spelled.
        data[CONF_HOST] = data[CONF_HOST].strip().lower()
    return data, unit_id


def _title(identity: Identity, data: Mapping[str, Any]) -> str:
    """Return what an entry is called until a person gives it another name."""
    return f"{identity.model} ({endpoint_of(data)})"


def _first_unit(entry: ConfigEntry) -> tuple[str, Identity]:
    """Return the subentry id and identity of the unit that an entry was set up with."""
    subentry = next(iter(entry.subentries.values()))
    return subentry.subentry_id, identity_of(subentry.data)
