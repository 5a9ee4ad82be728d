"""What the sensors of the simulated house have shown: those of its machines, and with them those of a plant."""

from collections.abc import Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.plant.ledger import Ledger
from custom_components.hybrid_inverter.plant.plant import Plant, shares, today_of
from custom_components.hybrid_inverter.runtime.lookup import async_running_units

# Seconds that a row of the short-term statistics is about.
SLOT: Final = 300
# No gap between two readings is too long to say to which day their difference belongs.
ANY_GAP: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one sensor at equal distances; None where it had none."""

    # Seconds since 1970 of the first value, which is a whole slot, and between two values, which divide a slot.
    began: int
    step: int
    values: list[float | None]

    def at(self, moment: int) -> float | None:
        """The value at a time, or the last one."""
        return self.values[min((moment - self.began) // self.step, len(self.values) - 1)]

    def within(self, slot: int) -> list[float]:
        """The values of a slot."""
        first = (slot - self.began) // self.step
        part = self.values[first : first + SLOT // self.step]
        return [value for value in part if value is not None]

    def moments(self) -> range:
        """When each slot begins, and when the last one ends of which all is known."""
        end = self.began + self.step * (len(self.values) - 1)
        return range(self.began, end + 1, SLOT)

    def slots(self) -> range:
        """When each slot begins of which the end is known as well."""
        return self.moments()[:-1]


type Past = Mapping[str, Mapping[str, Series]]


def load(file: Path) -> Past:
    """What each machine has shown, by serial number and key, as the demo has written it."""
    stored: dict[str, Any] = json.loads(file.read_text())
    return {
        serial: {
            key: Series(stored["began"], one["seconds"], one["values"])
            for key, one in series.items()
        }
        for serial, series in stored["machines"].items()
    }


def live_plant(hass: HomeAssistant, plant: Plant, past: Past) -> dict[str, Series]:
    """Have a plant count what its members have shown, until now, and return what it has shown itself."""
    members = [member.id for member in plant.membership.members]
    ledger = Ledger(
        plant.balance.energies, {one.id: one.rated_power for one in plant.membership.members}
    )
    now = _present(hass, plant)
    some = next(iter(past[members[0]].values()))
    shown: dict[str, list[float | None]] = {}
    for moment in some.moments():
        readings: dict[str, dict[str, Value | None]] = {
            serial: now[serial] | {key: one.at(moment) for key, one in past[serial].items()}
            for serial in members
        }
        _count(ledger, readings, moment)
        values = plant.balance.measured(readings)
        for key in plant.balance.energies:
            values[key] = ledger.total(key)
            values[today_of(key)] = ledger.today(key)
        for key, value in (values | shares(values)).items():
            shown.setdefault(key, []).append(value)
    # What it shows next must not be less than what it has shown since it was added.
    _count(ledger, now, time.time())
    plant.ledger.restore(ledger.as_dict())
    plant._async_update()  # noqa: SLF001 - at once, not with the next poll
    return {key: Series(some.began, SLOT, values) for key, values in shown.items()}


def _count(
    ledger: Ledger, readings: Mapping[str, Mapping[str, Value | None]], moment: float
) -> None:
    """Count what the members show at a time."""
    day = dt_util.as_local(dt_util.utc_from_timestamp(moment)).date().isoformat()
    for serial, values in readings.items():
        ledger.take(serial, values, when=moment, day=day, gap=ANY_GAP)
    ledger.settle(day)


def _present(hass: HomeAssistant, plant: Plant) -> dict[str, dict[str, Value | None]]:
    """What a plant needs of its members now; their settings were always so."""
    found: dict[str, dict[str, Value | None]] = {}
    for serial, unit in async_running_units(hass).items():
        found[serial] = {}
        for coordinator in unit.coordinators.values():
            values = coordinator.data.values if coordinator.data else {}
            found[serial] |= {
                key: values[key] for key in plant.balance.keys_of(serial) & values.keys()
            }
    return found
