"""What the dialogs find out about a link before anything of it is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_MAC, CONF_PORT

from .const import CONF_LOGGER_SERIAL, CONF_TYPE, TYPE_STICK
from .modbus.discover import FoundStick
from .modbus.identify import Identity
from .modbus.probe import Failure, ProbeError, identify_all, probe
from .modbus.probe_stick import probe_stick
from .stored import endpoint_of, stick_data


@dataclass(frozen=True, slots=True)
class Found:
    """A machine that answered, with the data of the link that it is behind."""

    data: dict[str, Any]
    unit_id: int
    identity: Identity
    # Of the stick, if there is one that has confirmed it.
    logger_serial: int | None = None

    @property
    def unique_id(self) -> str | None:
        """Return what an entry is known by wherever its link leads."""
        return None if self.logger_serial is None else str(self.logger_serial)


# That a unit does not answer; another one behind the same link may.
SILENT: Final = frozenset({Failure.NO_ANSWER, Failure.WRONG_UNIT, Failure.NO_INVERTER})


async def find_machines(
    data: Mapping[str, Any], unit_ids: Iterable[int], told: Mapping[str, FoundStick]
) -> list[Found]:
    """Return the machines behind a link with these unit ids, one at least; ProbeError when there is none."""
    failure: ProbeError | None = None
    waiting = list(unit_ids)
    while waiting:
        unit_id = waiting.pop(0)
        try:
            found = await find_machine(data, unit_id, told)
        except ProbeError as err:
            if err.failure not in SILENT:
                raise
            failure = failure or err
        else:
            others = await identify_all(endpoint_of(found.data), waiting)
            return [
                found,
                *(
                    replace(found, unit_id=unit_id, identity=identity)
                    for unit_id, identity in others.items()
                ),
            ]
    raise failure or ProbeError(Failure.NO_ANSWER)


async def find_machine(
    data: Mapping[str, Any], unit_id: int, told: Mapping[str, FoundStick]
) -> Found:
    """Return the machine behind a link; ProbeError when there is none. Sticks may have told who they are, by serial."""
    if data[CONF_TYPE] != TYPE_STICK:
        return Found(dict(data), unit_id, await probe(endpoint_of(data), unit_id))
    serial = data.get(CONF_LOGGER_SERIAL)
    reached = await probe_stick(data[CONF_HOST], data[CONF_PORT], serial, unit_id)
    found = stick_data(reached.endpoint)
    if (stick := told.get(str(serial))) is not None:
        found[CONF_MAC] = stick.mac
    elif CONF_LOGGER_SERIAL not in found:
        # Plain Modbus asks for no serial number, so nobody has confirmed the one that was typed.
        serial = None
    return Found(found, unit_id, reached.identity, serial)
