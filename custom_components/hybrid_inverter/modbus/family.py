"""What a family of machines is: its registers, how it wants to be asked, how it is recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .derive import Derived
from .faults import FaultRules
from .register import Group, Register, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A name that a machine is sold under."""

    manufacturer: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A register table with everything that is true of all machines it describes."""

    key: str
    # `inverter` or `meter`.
    kind: str
    registers: Mapping[str, Register]
    derived: Mapping[str, Derived]
    # Inclusive address ranges in which unused registers may be read along without an exception.
    readable: Sequence[tuple[int, int]]
    # The most registers that one request may read, and that one may write.
    max_read: int
    max_write: int
    # Whether a single register is written with function code 6; otherwise always 16.
    single_write: bool
    # Seconds of silence that the machine wants between an answer and the next request.
    spacing: float
    # Seconds after which a written value is what the machine will keep.
    settle: float
    # The register that tells the family, its accepted values, and what the others are, in words for a person.
    marker: str
    accepts: frozenset[int]
    strangers: Mapping[int, str]
    # The models by their rated power in watts, and the name of any other, with {kilowatts}.
    models: Mapping[float, Model]
    other_model: Model
    # Keys read in one go to recognise a machine.
    identity: tuple[str, ...] = ("serial_number", "rated_power")
    # Which identity keys make up the firmware text of the device page, in order.
    firmware: tuple[str, ...] = ()
    serial: str = "serial_number"
    rated_power: str = "rated_power"
    # The rated powers in watts that the family is built with; another number is not one of these machines.
    rated_powers: tuple[float, float] = (0, float("inf"))
    # The speed of the machine's own serial line, which a gateway's clients cannot see.
    baudrate: int = 9600
    # Values that stand in for registers that say "not available" while identifying.
    assumed: Mapping[str, int] = field(default_factory=dict)
    # What its fault codes are about; None for a machine that has none.
    faults: FaultRules | None = None

    def group_of(self, key: str) -> Group:
        """Return the group in which a register or a derived value is polled."""
        if (derived := self.derived.get(key)) is not None:
            return derived.group
        return self.registers[key].group

    def firmware_text(self, values: Mapping[str, Value | None]) -> str | None:
        """Return the firmware numbers as the device page shows them; None when the machine tells none."""
        parts = [str(values[key]) for key in self.firmware if values.get(key) is not None]
        return " / ".join(parts) or None

    def model(self, rated_power: float | None) -> Model:
        """Return the model of a machine with this rated power in watts."""
        if rated_power is not None and rated_power in self.models:
            return self.models[rated_power]
        kilowatts = "x" if rated_power is None else f"{rated_power / 1000:g}"
        return Model(
            manufacturer=self.other_model.manufacturer,
            name=self.other_model.name.format(kilowatts=kilowatts),
        )


def table(*rows: Register) -> dict[str, Register]:
    """Return the rows by key; ValueError when a key stands twice."""
    by_key = {row.key: row for row in rows}
    if len(by_key) != len(rows):
        twice = sorted({row.key for row in rows if by_key[row.key] is not row})
        raise ValueError(f"keys that stand twice: {twice}")
    return by_key
