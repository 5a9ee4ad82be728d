"""One way to cause trouble, from wherever it is wanted: the command line, a scenario, or the control page.

Trouble is a JSON object: what to change by its name, and with `unit` the machine that it is about. A name is a field of
the machine's `Trouble`, or one of the plant's own in `PLANT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
import json
from typing import Any, Final

from custom_components.hybrid_inverter.modbus.errors import InvalidValueError

from .building import SOLAR_INVERTER
from .inverter_machine import InverterMachine
from .machine import Machine
from .overheard import change_line
from .pdu import Refusal
from .physics import Inverter
from .simulation import SimulatedPlant
from .stick import change_habits
from .trouble import TROUBLES, Trouble, change_trouble

# Takes the plant, the machine that it is about, and what was said.
type Cause = Callable[[SimulatedPlant, Machine, Any], None]


def _number(value: Any) -> float:
    """Any number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"not a number: {value!r}")
    return float(value)


def _seconds(value: Any) -> float:
    """A number of seconds."""
    if (seconds := _number(value)) < 0:
        raise ValueError(f"not a number of seconds: {value!r}")
    return seconds


def _switch(value: Any) -> bool:
    """Whether something is on."""
    if not isinstance(value, bool):
        raise TypeError(f"neither true nor false: {value!r}")
    return value


def _on_servers(name: str, kind: Callable[[Any], object]) -> Cause:
    """A cause that sets a field of all servers, each of which is a link of its own."""

    def apply(plant: SimulatedPlant, _: Machine, value: Any) -> None:
        wanted = kind(value)
        for server in plant.servers:
            setattr(server, name, wanted)

    return apply


def _lose(plant: SimulatedPlant, _: Machine, value: Any) -> None:
    seconds = _seconds(value)
    for server in plant.servers:
        server.lose(seconds)


def _exchange(plant: SimulatedPlant, _: Machine, value: Any) -> None:
    first, second = value
    plant.exchange(first, second)


def _press(_: SimulatedPlant, machine: Machine, value: Any) -> None:
    """Change settings as somebody does at the display: by key to a value, or by address to a raw word."""
    for place, wanted in dict(value).items():
        if not place.isdecimal():
            machine.panel_set(place, wanted)
        elif isinstance(wanted, int) and 0 <= wanted <= 0xFFFF:
            machine.panel_change(int(place), wanted)
        else:
            raise ValueError("a register holds 0 to 65535")


def _restart(_: SimulatedPlant, machine: Machine, value: Any) -> None:
    for key in value:
        machine.restart(key)


def _inverter_of(machine: Machine) -> Inverter:
    """The inverter that a machine is; ValueError when it is none, or only a replayed one."""
    if not isinstance(machine, InverterMachine):
        raise ValueError("only a simulated inverter can have this")
    return machine.inverter


def _set_clock(_: SimulatedPlant, machine: Machine, value: Any) -> None:
    """Set the clock of an inverter, or step it by seconds; it runs on from there."""
    inverter = _inverter_of(machine)
    if isinstance(value, str):
        inverter.clock = datetime.fromisoformat(value)
    else:
        inverter.clock += timedelta(seconds=_number(value))


def _set_room(_: SimulatedPlant, machine: Machine, value: Any) -> None:
    """Have the room of an inverter's battery be so warm."""
    _inverter_of(machine).battery.room_temperature = _number(value)


def _set_sunshine(plant: SimulatedPlant, _: Machine, value: Any) -> None:
    """Let a grey sky take away all of the light but this share."""
    if not 0 <= (share := _number(value)) <= 1:
        raise ValueError(f"not a share of the light: {value!r}")
    plant.site.sky.brightness = share


def _set_solar_beside(plant: SimulatedPlant, _: Machine, value: Any) -> None:
    """Let a solar inverter feed in beside the others, which no meter of theirs sees, or take away any that is there."""
    plant.site.solar = SOLAR_INVERTER if _switch(value) else None


def _change_stick(plant: SimulatedPlant, _: Machine, value: Any) -> None:
    change_habits(plant.stick.habits, value)


def _change_line(plant: SimulatedPlant, _: Machine, value: Any) -> None:
    if plant.overheard is None:
        raise ValueError("no line is overheard")
    change_line(plant.overheard.talk.trouble, value)


PLANT: Final[Mapping[str, Cause]] = {
    # At once: settings at the display, counters that begin again from 0, two machines that change unit ids.
    "panel": _press,
    "restarted_counters": _restart,
    "exchanged_units": _exchange,
    # At once, and until it is changed again: an inverter's clock, degrees Celsius at its battery, the share of the
    # light that comes through.
    "clock": _set_clock,
    "battery_room": _set_room,
    "sunshine": _set_sunshine,
    # A solar inverter in the house that nobody has told the others of.
    "solar_beside": _set_solar_beside,
    # Of all links: for so many seconds there is none, the gateway has no time, hears one client, or hangs up.
    "lost_link": _lose,
    "busy_gateway": _on_servers("busy", _switch),
    "one_client": _on_servers("one_client", _switch),
    "hang_up": _on_servers("hang_up", _switch),
    "late_answers": _on_servers("delay", _seconds),
    # Of the Wi-Fi stick, and of the line that is overheard.
    "stick": _change_stick,
    "line": _change_line,
}

# What a machine raises that cannot have what it should.
IMPOSSIBLE: Final = (
    *(KeyError, TypeError, AttributeError, OverflowError),
    *(InvalidValueError, Refusal),
)

# Everything that trouble can be called.
NAMES: Final = frozenset({*TROUBLES, *PLANT})


def cause(plant: SimulatedPlant, what: Mapping[str, Any], unit: int | None = None) -> None:
    """Cause trouble, or end it; ValueError for what there is not, and then the machine's own trouble stays as it was."""
    wanted = dict(what)
    unit = wanted.pop("unit", unit)
    if unit is not None and unit not in plant.machines:
        raise ValueError(f"no such unit: {unit!r}")
    machine = plant.machine(unit)
    if unknown := wanted.keys() - NAMES:
        raise ValueError(f"no such trouble: {', '.join(sorted(unknown))}")
    own = {name: value for name, value in wanted.items() if name not in PLANT}
    trouble = change_trouble(machine.trouble, own)
    try:
        _check_registers(machine, trouble)
        for name, value in wanted.items():
            if name in PLANT:
                PLANT[name](plant, machine, value)
    except IMPOSSIBLE as err:
        raise ValueError(f"{machine.model} cannot have this: {err}") from err
    machine.trouble = trouble


def _check_registers(machine: Machine, trouble: Trouble) -> None:
    """Raise for a spike or a rewrite where the machine has no such register, or that it cannot hold."""
    for spike in trouble.spikes:
        machine.wild_words(spike)
    for rewrite in trouble.rewrites:
        machine.check_write(rewrite.address, rewrite.words)


def parse_trouble(text: str) -> dict[str, Any]:
    """What [UNIT:]NAME[=JSON] means; without a value it is switched on. ValueError for anything else."""
    name, _, value = text.partition("=")
    unit, separator, rest = name.partition(":")
    what: dict[str, Any] = {"unit": int(unit)} if separator else {}
    what[rest if separator else name] = json.loads(value) if value else True
    return what
