"""The forms of the dialogs: what is asked for, and within which bounds."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
    TextSelector,
)
import voluptuous as vol

from .const import (
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_INTERVALS,
    CONF_INVERTED,
    CONF_LOGGER_SERIAL,
    CONF_PARITY,
    CONF_RATED_POWER,
    CONF_ROLE,
    CONF_STOPBITS,
    CONF_TIER,
    CONF_UNIT_ID,
    DEFAULT_BAUDRATE,
    DEFAULT_INTERVALS,
    DEFAULT_PORT,
    DEFAULT_STICK_PORT,
    DEFAULT_UNIT_ID,
    INTERVAL_BOUNDS,
    LISTEN_INTERVALS,
    SECTION_ADVANCED,
    TYPE_NETWORK,
    TYPE_SERIAL,
    TYPE_STICK,
    MeterRole,
)
from .modbus.endpoint import Framing
from .modbus.register import Group, Tier

# A stick's serial number has 32 bits on the wire.
MOST_LOGGER_SERIAL: Final = 0xFFFF_FFFF


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


def _stick_schema(logger_serial: vol.Marker) -> vol.Schema:
    """Ask for a stick, with or without its serial number."""
    return vol.Schema(
        {
            vol.Required(CONF_HOST): TextSelector(),
            vol.Required(CONF_PORT, default=DEFAULT_STICK_PORT): whole_number(1, 65535),
            logger_serial: whole_number(1, MOST_LOGGER_SERIAL),
            **ADVANCED,
        }
    )


SERIAL_LINE: Final = {
    vol.Required(CONF_DEVICE): SerialPortSelector(),
    vol.Required(CONF_BAUDRATE, default=DEFAULT_BAUDRATE): whole_number(300, 921_600),
    vol.Required(CONF_PARITY, default="N"): SelectSelector(
        # The letters of the notation "8N1", which needs no translation.
        SelectSelectorConfig(options=["N", "E", "O"])
    ),
    vol.Required(CONF_STOPBITS, default=1): whole_number(1, 2),
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
    TYPE_SERIAL: vol.Schema({**SERIAL_LINE, **ADVANCED}),
    # Most sticks tell their serial number when they are asked.
    TYPE_STICK: _stick_schema(vol.Optional(CONF_LOGGER_SERIAL)),
}

# Where to listen, by the step that asks for it.
LISTEN_SCHEMAS: Final = {
    "listen_network": vol.Schema(
        {
            vol.Required(CONF_HOST): TextSelector(),
            vol.Required(CONF_PORT): whole_number(1, 65535),
        }
    ),
    "listen_serial": vol.Schema(SERIAL_LINE),
}

STICK_WITH_SERIAL: Final = _stick_schema(vol.Required(CONF_LOGGER_SERIAL))


def found_schema(sticks: Mapping[str, str]) -> vol.Schema:
    """Ask which of the sticks is meant; their names by serial number, the first is chosen already."""
    options = [SelectOptionDict(value=value, label=label) for value, label in sticks.items()]
    config = SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
    return vol.Schema(
        {vol.Required(TYPE_STICK, default=options[0]["value"]): SelectSelector(config)}
    )


def candidate_schema(labels: Mapping[str, str]) -> vol.Schema:
    """Ask which of the machines on a line is meant; their names by unit id, the first is chosen already."""
    options = [SelectOptionDict(value=value, label=label) for value, label in labels.items()]
    config = SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
    return vol.Schema(
        {vol.Required(CONF_UNIT_ID, default=options[0]["value"]): SelectSelector(config)}
    )


def without_unit_id(schema: vol.Schema) -> vol.Schema:
    """Return the form of a link with several units, which keep their unit ids when it moves."""
    return vol.Schema(
        {key: value for key, value in schema.schema.items() if key != SECTION_ADVANCED}
    )


METER_SETTINGS: Final = {
    vol.Required(CONF_ROLE, default=MeterRole.GRID): SelectSelector(
        SelectSelectorConfig(
            options=list(MeterRole), translation_key=CONF_ROLE, mode=SelectSelectorMode.LIST
        )
    ),
    vol.Required(CONF_INVERTED, default=False): BooleanSelector(),
}


def rated_power_schema(bounds: tuple[float, float]) -> vol.Schema:
    """Ask for the rated power of a machine that does not tell it, within these bounds in watts."""
    low, high = bounds
    return vol.Schema({vol.Required(CONF_RATED_POWER): whole_number(int(low), int(high), unit="W")})


def interval_options(defaults: Mapping[Group, int]) -> dict[vol.Marker, Any]:
    """Ask how often each group is polled."""
    return {
        vol.Required(option, default=defaults[group]): whole_number(
            *INTERVAL_BOUNDS[group], unit="s"
        )
        for group, option in CONF_INTERVALS.items()
    }


OPTIONS: Final = vol.Schema(
    {
        **interval_options(DEFAULT_INTERVALS),
        vol.Required(CONF_TIER, default=Tier.EVERYDAY): choice(CONF_TIER, list(Tier)),
    }
)
# Of a line on which nothing may be written.
LISTEN_OPTIONS: Final = vol.Schema(interval_options(LISTEN_INTERVALS))
