"""The mirror of a link, as the options of its entry have it."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT

from ..const import CONF_ENABLED, CONF_MIRROR, CONF_REGISTERS, CONF_TYPE, TYPE_LISTEN
from ..modbus.mirror.register_list import RegisterList, parse
from .data import is_plant


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """Where a mirror listens, and which registers are polled for it alone, by unit id."""

    host: str
    port: int
    registers: RegisterList


def may_mirror(entry: ConfigEntry) -> bool:
    """Whether an entry polls: of what is only heard nobody knows how old it is, and a plant has no registers."""
    return not is_plant(entry) and entry.data[CONF_TYPE] != TYPE_LISTEN


def mirror_of(entry: ConfigEntry) -> MirrorOptions | None:
    """The mirror that an entry is to have; None while it is off."""
    options = entry.options.get(CONF_MIRROR, {})
    if not options.get(CONF_ENABLED) or not may_mirror(entry):
        return None
    return MirrorOptions(
        options[CONF_HOST], options[CONF_PORT], parse(options.get(CONF_REGISTERS, ""))
    )
