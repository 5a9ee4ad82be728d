"""The forms of the dialogs: their fields, and the bounds of these."""

from collections.abc import Iterable, Mapping
import re
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

from ..const import (
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_INTERVALS,
    CONF_INVERTED,
    CONF_LOGGER_SERIAL,
    CONF_MAKER,
    CONF_MAX_IMPORT,
    CONF_MAY_SELL,
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
    DEFAULT_TRANSPARENT_PORT,
    DEFAULT_UNIT_ID,
    INTERVAL_BOUNDS,
    LISTEN_INTERVALS,
    SECTION_ADVANCED,
    TYPE_NETWORK,
    TYPE_SERIAL,
    TYPE_STICK,
    MeterRole,
)
from ..modbus.model.register import Group, Tier
from ..modbus.transport.endpoint import Framing
from .probe import FIND_OUT

# A stick's serial number has 32 bits on the wire.
MAX_LOGGER_SERIAL: Final = 0xFFFF_FFFF
# Watts that a tariff may allow at most: from what a flat has to what a farm has.
IMPORT_BOUNDS: Final = (500, 100_000)
# A power as a person writes it.
WATTS: Final = re.compile(r"(\d+(?:\.\d+)?)(k)?w?")
# The largest whole number that a form passes on as it was typed.
MAX_TYPED: Final = 2**53 - 1


def whole_number(minimum: int, maximum: int, unit: str | None = None) -> vol.All[Any]:
    """A field for a whole number; the selector alone would return a float."""
    config = NumberSelectorConfig(min=minimum, max=maximum, step=1, mode=NumberSelectorMode.BOX)
    if unit:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def choice(translation_key: str, options: list[str]) -> SelectSelector:
    """A field for one of a few options, whose names come from the translations."""
    return SelectSelector(SelectSelectorConfig(options=options, translation_key=translation_key))


UNIT_ID: Final = {
    vol.Required(CONF_UNIT_ID, default=DEFAULT_UNIT_ID): whole_number(1, 247),
}

# Nearly every device still has the unit id that it left the factory with.
ADVANCED: Final = {
    vol.Optional(SECTION_ADVANCED): section(vol.Schema(UNIT_ID), {"collapsed": True}),
}


def _stick_schema(logger_serial: vol.Marker) -> vol.Schema:
    """The form of a stick, with or without its serial number."""
    return vol.Schema(
        {
            vol.Required(CONF_HOST): TextSelector(),
            vol.Required(CONF_PORT, default=DEFAULT_STICK_PORT): whole_number(1, 65535),
            # What is too long is refused with words that say so.
            logger_serial: whole_number(1, MAX_TYPED),
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
            vol.Required(CONF_FRAMING, default=FIND_OUT): choice(
                CONF_FRAMING, [FIND_OUT, *Framing]
            ),
            **ADVANCED,
        }
    ),
    TYPE_SERIAL: vol.Schema({**SERIAL_LINE, **ADVANCED}),
    # Most sticks report their serial number.
    TYPE_STICK: _stick_schema(vol.Optional(CONF_LOGGER_SERIAL)),
}

# Where to listen, by the step that asks for it.
LISTEN_SCHEMAS: Final = {
    "listen_network": vol.Schema(
        {
            vol.Required(CONF_HOST): TextSelector(),
            # Without a default the page shows 0, which no gateway has.
            vol.Required(CONF_PORT, default=DEFAULT_TRANSPARENT_PORT): whole_number(1, 65535),
        }
    ),
    "listen_serial": vol.Schema(SERIAL_LINE),
}

STICK_WITH_SERIAL: Final = _stick_schema(vol.Required(CONF_LOGGER_SERIAL))


def choice_schema(field: str, labels: Mapping[str, str]) -> vol.Schema:
    """Ask which of those that were found is meant, by its label; the first one is already chosen."""
    options = [SelectOptionDict(value=value, label=label) for value, label in labels.items()]
    config = SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
    return vol.Schema({vol.Required(field, default=options[0]["value"]): SelectSelector(config)})


def without_unit_id(schema: vol.Schema) -> vol.Schema:
    """The form of a link with several units, which keep their unit ids when it moves."""
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


def maker_schema(makers: list[str], likeliest: str) -> vol.Schema:
    """The form of who has made a device; the likeliest one is already chosen."""
    config = SelectSelectorConfig(
        options=makers, translation_key=CONF_MAKER, mode=SelectSelectorMode.LIST
    )
    return vol.Schema({vol.Required(CONF_MAKER, default=likeliest): SelectSelector(config)})


class _Typed(SelectSelector):
    """A field for one of a few numbers, or for another one that is typed."""

    def __call__(self, data: Any) -> Any:
        """The text; a number may come from elsewhere than the page."""
        return super().__call__(str(data))


def rated_power_schema(sizes: Iterable[int]) -> vol.Schema:
    """The form of a rated power that a device does not report; these sizes in watts are offered."""
    config = SelectSelectorConfig(
        options=[SelectOptionDict(value=str(size), label=f"{size} W") for size in sizes],
        custom_value=True,
        mode=SelectSelectorMode.DROPDOWN,
    )
    return vol.Schema({vol.Required(CONF_RATED_POWER): _Typed(config)})


def typed_watts(text: str, bounds: tuple[float, float]) -> int | None:
    """The watts of a rated power as people write it ("6000", "6 kW", "6K"); None if it is not within these bounds."""
    written = WATTS.fullmatch("".join(text.split()).lower().replace(",", "."))
    if written is None:
        return None
    number, thousands = written.groups()
    watts = round(float(number) * (1000 if thousands else 1))
    low, high = bounds
    return watts if low <= watts <= high else None


def interval_options(defaults: Mapping[Group, int]) -> dict[vol.Marker, Any]:
    """The fields of the polling intervals, one for each group."""
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
# Of a line with an inverter: without an answer, what it is set to decides over the first, and nothing is limited.
CONTROL_OPTIONS: Final = OPTIONS.extend(
    {
        vol.Optional(CONF_MAY_SELL): BooleanSelector(),
        vol.Optional(CONF_MAX_IMPORT): whole_number(*IMPORT_BOUNDS, unit="W"),
    }
)
# Of a line on which nothing may be written.
LISTEN_OPTIONS: Final = vol.Schema(interval_options(LISTEN_INTERVALS))
