"""The action that reads registers as they are: how a new firmware, or a device that nobody has described, becomes known."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util.json import JsonObjectType, JsonValueType
import voluptuous as vol

from ..const import DOMAIN
from ..entry.texts import async_text, error_text
from ..modbus.device.raw_read import RawWord
from ..modbus.device.read_plan import not_readable
from ..modbus.errors import DeviceError
from ..modbus.model.codec import WORD, Value
from ..modbus.model.register import Tier
from ..runtime.issues import machine_name
from ..runtime.runtime import UnitRuntime
from ..runtime.targets import TARGET, async_units_of_call, response_of

ATTR_REGISTER: Final = "register"
ATTR_COUNT: Final = "count"

# How many registers are read at once: enough for a page of a manual, and a second of a slow line.
MAX_COUNT: Final = 125
# From here on, messages write addresses in hexadecimal.
FIRST_HEXADECIMAL: Final = 0x1000


def register_address(value: object) -> int:
    """An address, given as a number or as text, where hexadecimal begins with 0x."""
    if isinstance(value, str):
        try:
            value = int(value.strip(), 0)
        except ValueError as err:
            raise vol.Invalid("is neither a number nor a hexadecimal number like 0x4004") from err
    address: int = vol.All(vol.Coerce(int), vol.Range(min=0, max=WORD))(value)
    return address


READ_SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Required(ATTR_REGISTER): register_address,
        vol.Optional(ATTR_COUNT, default=1): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=MAX_COUNT)
        ),
    }
)


async def async_read_registers(call: ServiceCall) -> ServiceResponse:
    """Read some registers, and return the words with what the table makes of them; nothing before all is checked."""
    units = await async_units_of_call(call, POLICY_CONTROL)
    first, count = call.data[ATTR_REGISTER], call.data[ATTR_COUNT]
    for unit in units:
        _check(unit, first, count)
    return response_of({unit.device_id: await _async_read(unit, first, count) for unit in units})


async def _async_read(unit: UnitRuntime, first: int, count: int) -> JsonObjectType:
    """What these registers of a device hold."""
    try:
        # Another device may have got the address.
        await unit.async_verify()
        words = await unit.device.read_raw(first, count)
    except DeviceError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="registers_not_read",
            translation_placeholders={
                "device": _name(unit),
                "error": error_text(unit.hass, err),
            },
        ) from err
    secret = {a for row in unit.device.family.text_rows() for a in row.addresses}
    return {"registers": [_shown(unit, word, secret=word.address in secret) for word in words]}


def _check(unit: UnitRuntime, first: int, count: int) -> None:
    """Raise ServiceValidationError for a tier in which nothing is read like this, and for registers that never are."""
    if not unit.device.tier.allows(Tier.INSTALLER):
        label = async_text(unit.hass, f"selector.tier.options.{Tier.INSTALLER}")
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="registers_need_tier",
            translation_placeholders={"device": _name(unit), "tier": label or Tier.INSTALLER},
        )
    readable = unit.device.family.readable
    if not_readable(readable, range(first, first + count)):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="registers_not_readable",
            translation_placeholders={
                "device": _name(unit),
                "first": _spoken(first),
                "last": _spoken(first + count - 1),
                "areas": ", ".join(f"{_spoken(a)}-{_spoken(b)}" for a, b in _joined(readable)),
            },
        )


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The inclusive ranges in order, those that meet made one."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _shown(unit: UnitRuntime, word: RawWord, *, secret: bool) -> JsonObjectType:
    """A register in the response. A serial number stays at home: responses are pasted into reports."""
    shown: JsonObjectType = {"register": word.address, "register_hex": _hex(word.address)}
    if word.word is None:
        return shown | {"refused": True}
    if secret:
        return shown | {"redacted": True}
    shown |= {"word": word.word, "word_hex": _hex(word.word)}
    if word.values:
        registers = unit.device.family.registers
        shown["values"] = {
            key: {"value": _json(value), "unit": registers[key].unit}
            for key, value in word.values.items()
        }
    return shown


def _hex(number: int) -> str:
    return f"0x{number:04X}"


def _spoken(address: int) -> str:
    """An address as the manuals have it: those of the JSO in decimal, the long ones of the others in hexadecimal."""
    return str(address) if address < FIRST_HEXADECIMAL else _hex(address)


def _json(value: Value | None) -> JsonValueType:
    """A value as a response can hold it."""
    if isinstance(value, frozenset):
        return [*sorted(value)]
    if isinstance(value, (datetime, time)):
        return value.isoformat()
    return value


def _name(unit: UnitRuntime) -> str:
    """What a person calls the device."""
    return machine_name(unit.hass, unit.entry_id, unit.identity)
