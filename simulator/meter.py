"""A meter as it looks from the wire: what it measures at its place, and what it has counted there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
import math
import struct
from typing import Any, ClassVar, Final

from custom_components.hybrid_inverter.modbus.model.codec import FloatNumber, Value, as_number
from custom_components.hybrid_inverter.modbus.model.register import Register
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from .machine import Machine
from .meter_models import MeterModel
from .pdu import WRITE_MULTIPLE
from .physics import PHASES, Measure, Measurement, Senses
from .physics.chance import seconds_of
from .physics.senses import scaled
from .trouble import IN_ORDER

# What a meter of some years has counted, in watt-hours: of each phase, and net of them.
FORMER_IMPORT: Final = (1_549_320.0, 1_571_020.0, 1_277_140.0)
FORMER_EXPORT: Final = (412_310.0, 333_480.0, 260_210.0)
FORMER_NETTED: Final = 82_960.0
FORMER_REACTIVE: Final = {"q1": 0.0, "q2": 181_400.0, "q3": 0.0, "q4": 702_900.0}


class MeterMachine(Machine):
    """The registers of one meter; nothing of them can be written."""

    write_functions: ClassVar[frozenset[int]] = frozenset({WRITE_MULTIPLE})
    # The phases that it measures.
    phases: ClassVar[int]
    # Where it has its own unit id.
    unit_address: ClassVar[int]

    def __init__(
        self,
        model: MeterModel,
        measure: Measure,
        *,
        start: datetime,
        unit: int = 1,
        timer: Callable[[], float] = lambda: 0.0,
        senses: Senses | None = None,
    ) -> None:
        """Fill the registers; `measure` says what flows at its place, exactly if it has no `senses` of its own."""
        self.kind = model
        family = FAMILIES[model.family]
        features = [one for one in family.features if one.key in model.features]
        # On some meters a value lies in two places.
        self._rows = [
            *family.registers.values(),
            *(row for feature in features for row in feature.registers.values()),
        ]
        super().__init__(
            family,
            model=model.name,
            unit=unit,
            registers=model.served,
            readable=model.served,
            writable=frozenset(),
            timer=timer,
        )
        self.family = family.fitted(model.features, model.ratios)
        self._measure = measure
        self.senses = senses
        self.now = start
        used = range(self.phases)
        self.imported = [FORMER_IMPORT[n] for n in used]
        self.exported = [FORMER_EXPORT[n] for n in used]
        netted = FORMER_NETTED if self.phases > 1 else 0.0
        self.net_imported = sum(self.imported) - netted
        self.net_exported = sum(self.exported) - netted
        self.reactive = dict(FORMER_REACTIVE)
        self._store({**model.words, self.unit_address: unit})
        self._show({"software_version": model.version, **model.ratios})

    def glance(self) -> dict[str, Any]:
        """Which meter it is, its power and its totals."""
        return {
            "model": self.model,
            "clock": self.now.isoformat(timespec="seconds"),
            "power": round(sum(self._seen().watts)),
            "import_energy_total": round(sum(self.imported) / 1000, 3),
            "export_energy_total": round(sum(self.exported) / 1000, 3),
        }

    def step(self, seconds: float) -> None:
        """Count what flows while nothing changes."""
        self.settle()
        seen = self._seen()
        hours = seconds / 3600
        for phase, watts in enumerate(seen.watts[: self.phases]):
            counted = self.imported if watts >= 0 else self.exported
            counted[phase] += abs(watts) * hours
        if (net := sum(seen.watts)) >= 0:
            self.net_imported += net * hours
        else:
            self.net_exported -= net * hours
        reactive = sum(seen.vars)
        quadrant = (
            ("q1" if reactive >= 0 else "q4") if net >= 0 else "q2" if reactive >= 0 else "q3"
        )
        self.reactive[quadrant] += abs(reactive) * hours
        self.now += timedelta(seconds=seconds)

    def respond(self, pdu: bytes) -> bytes | None:
        """The answer to a request; a meter lives on the voltage that it measures."""
        return super().respond(pdu) if any(self._seen().volts) else None

    def measured(self, keys: Iterable[str]) -> dict[str, float | None]:
        """Some of what it measures now, as its registers hold it."""
        values = self._measured(self._seen())
        rows = ((key, self.family.registers[key]) for key in keys)
        return {
            key: as_number(row.decode_words(self._words(row, values[key]))) for key, row in rows
        }

    def _seen(self) -> Measurement:
        """What the meter measures, with the transformers as they are."""
        if self.trouble.outage:
            return Measurement()
        seen = self._measure()
        watts, reactive = seen.watts, seen.vars
        if self.trouble.installed != IN_ORDER.installed:
            watts, reactive = self.trouble.clamps().shown(watts, reactive, seen.volts)
        if self.senses is not None:
            read = self.senses.reader(seconds_of(self.now))
            l1, l2, l3 = scaled(watts, self.senses.grid)
            watts = read(l1), read(l2), read(l3)
        return Measurement(seen.volts, watts, reactive, seen.hertz)

    def places_of(self, key: str) -> Sequence[Register]:
        """All rows that hold a value; some meters have one in two places."""
        if found := [row.completed(self.kind.ratios) for row in self._rows if row.key == key]:
            return found
        raise KeyError(key)

    def _judge(self, words: Mapping[int, int]) -> dict[int, int]:
        return dict(words)

    def _state(self) -> object:
        return self.now, self._seen()

    def _publish(self) -> None:
        self._show(self._measured(self._seen()) | self._counted())

    @abstractmethod
    def _measured(self, seen: Measurement) -> dict[str, Value]:
        """What the meter shows of a moment."""

    def _counted(self) -> dict[str, Value]:
        """What it has counted, in kilowatt-hours."""
        return {
            "import_energy_total": sum(self.imported) / 1000,
            "export_energy_total": sum(self.exported) / 1000,
        }

    def _show(self, values: Mapping[str, Value]) -> None:
        """Put values wherever the meter has them."""
        for row in self._rows:
            if (value := values.get(row.key)) is None:
                continue
            self._store(dict(zip(row.addresses, self._words(row, value), strict=True)))

    def _words(self, row: Register, value: Value) -> list[int]:
        """The words of a value."""
        if isinstance(row.codec, FloatNumber):
            return self._single(row, row.codec, value)
        return row.encode(value, self._image)

    def _single(self, row: Register, codec: FloatNumber, value: Value) -> list[int]:
        """The words of a measurement: whole counts behind transformers, and thousandths of an energy."""
        assert isinstance(value, (int, float))  # noqa: S101 - the tables have no other ones as singles
        raw = value / codec.scale / math.prod(self.kind.ratios[key] for key in codec.ratios)
        if row.key.endswith("_energy_total") or row.key.startswith("reactive_energy"):
            raw = math.floor(raw * 1000 + 1e-6) / 1000
        else:
            raw = round(raw, codec.places if codec.scale >= 1 else 0)
        return list(struct.unpack(">2H", struct.pack(">f", raw)))


def _apparent(watts: float, reactive: float) -> float:
    """The apparent power."""
    return math.hypot(watts, reactive)


def _factor(watts: float, reactive: float) -> float:
    """The power factor, which these meters give the sign of the power."""
    apparent = _apparent(watts, reactive)
    return watts / apparent if apparent else 0.0


class Dtsu666Machine(MeterMachine):
    """The registers of one DTSU666."""

    phases: ClassVar[int] = 3
    unit_address: ClassVar[int] = 0x002E

    def _measured(self, seen: Measurement) -> dict[str, Value]:
        watts, reactive = seen.watts, seen.vars
        values: dict[str, Value] = {
            "power": sum(watts),
            "reactive_power": sum(reactive),
            "apparent_power": _apparent(sum(watts), sum(reactive)),
            "power_factor": _factor(sum(watts), sum(reactive)),
            "power_demand": sum(watts),
            "frequency": seen.hertz,
            "clock": self.now.replace(microsecond=0),
        }
        for n, phase in enumerate(PHASES):
            volts, following = seen.volts[n], (n + 1) % 3
            apparent = _apparent(watts[n], reactive[n])
            values |= {
                f"{phase}_voltage": volts,
                f"{phase}_{PHASES[following]}_voltage": _between(volts, seen.volts[following]),
                f"{phase}_current": apparent / volts if volts else 0.0,
                f"{phase}_power": watts[n],
                f"{phase}_reactive_power": reactive[n],
                f"{phase}_apparent_power": apparent,
                f"{phase}_power_factor": _factor(watts[n], reactive[n]),
                f"{phase}_phase_angle": math.degrees(math.atan2(reactive[n], watts[n])) % 360,
            }
        return values

    def _counted(self) -> dict[str, Value]:
        values = super()._counted()
        for n, phase in enumerate(PHASES):
            values[f"{phase}_import_energy_total"] = self.imported[n] / 1000
            values[f"{phase}_export_energy_total"] = self.exported[n] / 1000
        values |= {
            f"reactive_energy_{quadrant}_total": counted / 1000
            for quadrant, counted in self.reactive.items()
        }
        return values | {
            "net_import_energy_total": self.net_imported / 1000,
            "net_export_energy_total": self.net_exported / 1000,
            "combined_energy_total": (sum(self.imported) + sum(self.exported)) / 1000,
        }


class Ddsu666Machine(MeterMachine):
    """The registers of one DDSU666, on the first phase."""

    phases: ClassVar[int] = 1
    unit_address: ClassVar[int] = 0x0006

    def _measured(self, seen: Measurement) -> dict[str, Value]:
        volts, watts, reactive = seen.volts[0], seen.watts[0], seen.vars[0]
        apparent = _apparent(watts, reactive)
        return {
            "voltage": volts,
            "current": apparent / volts if volts else 0.0,
            "power": watts,
            "reactive_power": reactive,
            "apparent_power": apparent,
            "power_factor": _factor(watts, reactive),
            "frequency": seen.hertz,
        }

    def _counted(self) -> dict[str, Value]:
        values = super()._counted()
        if "export_counter" not in self.kind.features:
            values["import_energy_total"] = (self.imported[0] + self.exported[0]) / 1000
        return values


def _between(first: float, second: float) -> float:
    """The voltage between two phases, a third of a turn apart."""
    return math.sqrt(first * first + second * second + first * second)


METER_MACHINES: Final[Mapping[str, type[MeterMachine]]] = {
    "dtsu666": Dtsu666Machine,
    "ddsu666": Ddsu666Machine,
}
