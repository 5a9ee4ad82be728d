"""What answers behind a link that is about to be set up or moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_MAC, CONF_PORT
from homeassistant.core import HomeAssistant

from ..const import CONF_FRAMING, CONF_LOGGER_SERIAL, CONF_TYPE, TYPE_STICK
from ..entry.data import endpoint_of, stick_data
from ..entry.texts import async_load_texts, error_text
from ..modbus.find.identify import Identity
from ..modbus.find.probe import (
    Failure,
    ProbeError,
    identify_all,
    probe,
    probe_framings,
)
from ..modbus.find.probe_stick import probe_stick
from ..modbus.find.sticks import FoundStick


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that answered, with the data of the link that it is behind."""

    data: dict[str, Any]
    unit_id: int
    identity: Identity
    # Of the stick, if there is one that has confirmed it.
    logger_serial: int | None = None

    @property
    def unique_id(self) -> str | None:
        """The unique id of the entry, which stays wherever its link leads."""
        return None if self.logger_serial is None else str(self.logger_serial)


# The answer in place of a framing: whichever answers.
FIND_OUT: Final = "find_out"

# One unit does not answer; another one behind the same link may.
SILENT: Final = frozenset({Failure.NO_ANSWER, Failure.WRONG_UNIT, Failure.NO_INVERTER})


async def found_text(hass: HomeAssistant, error: ProbeError) -> str:
    """What fills `{found}` in the text of a failure."""
    if error.other is None:
        return error.found
    await async_load_texts(hass, "selector")
    return error_text(hass, error.other)


async def find_devices(
    data: Mapping[str, Any], unit_ids: Iterable[int], sticks: Mapping[str, FoundStick]
) -> list[FoundDevice]:
    """The devices behind a link that answer on these unit ids; ProbeError when none does."""
    failure: ProbeError | None = None
    waiting = list(unit_ids)
    while waiting:
        unit_id = waiting.pop(0)
        try:
            first = await find_device(data, unit_id, sticks)
        except ProbeError as err:
            if err.failure not in SILENT:
                raise
            failure = failure or err
        else:
            others = await identify_all(endpoint_of(first.data), waiting)
            return [
                first,
                *(
                    replace(first, unit_id=other_id, identity=identity)
                    for other_id, identity in others.items()
                ),
            ]
    raise failure or ProbeError(Failure.NO_ANSWER)


async def find_device(
    data: Mapping[str, Any], unit_id: int, sticks: Mapping[str, FoundStick]
) -> FoundDevice:
    """The device behind a link; ProbeError when there is none.

    `sticks` are those that have answered a search, by their logger serials: they bring their MAC addresses.
    """
    if data.get(CONF_FRAMING) == FIND_OUT:
        endpoint, identity = await probe_framings(data[CONF_HOST], data[CONF_PORT], unit_id)
        return FoundDevice({**data, CONF_FRAMING: endpoint.framing}, unit_id, identity)
    if data[CONF_TYPE] != TYPE_STICK:
        return FoundDevice(dict(data), unit_id, await probe(endpoint_of(data), unit_id))
    serial = data.get(CONF_LOGGER_SERIAL)
    behind = await probe_stick(data[CONF_HOST], data[CONF_PORT], serial, unit_id)
    link_data = stick_data(behind.endpoint)
    if (stick := sticks.get(str(serial))) is not None:
        link_data[CONF_MAC] = stick.mac
    elif CONF_LOGGER_SERIAL not in link_data:
        # Plain Modbus carries no serial number, so nothing has confirmed the one that was typed.
        serial = None
    return FoundDevice(link_data, unit_id, behind.identity, serial)
