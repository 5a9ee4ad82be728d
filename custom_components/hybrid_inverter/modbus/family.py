"""What a family of machines is: its registers, how it wants to be asked, how it is recognised."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .codec import RATED_POWER, Dependent, FloatNumber, Number, Value
from .derive import Derived
from .faults import FaultRules
from .features import Feature, Values
from .gate import Gate
from .recognise import Recognition
from .register import Group, Register
from .residue import Residue


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
    # What it is, in words for a person.
    what: str
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
    # How a machine of the family is told from others, and a register that each of them has.
    recognise: Callable[[], Recognition]
    marker: str
    # The models by what this identity key says, and the name of any other; in names, {kilowatts} is the rated power
    # and {code} what the key says.
    models: Mapping[Value, Model]
    other_model: Model
    model_key: str = RATED_POWER
    # What only some of its machines have, the later ones standing in for what the earlier ones bring.
    features: Sequence[Feature] = ()
    # Keys read in one go to recognise a machine.
    identity: tuple[str, ...] = ("serial_number", RATED_POWER)
    # The identity keys that bound or shape other values, and those that are worked out from others.
    facts: tuple[str, ...] = (RATED_POWER, "mppt_count", "phase_count")
    computed: Mapping[str, Callable[[Values], float | None]] = field(default_factory=dict)
    # Which identity keys make up the firmware text of the device page, in order.
    firmware: tuple[str, ...] = ()
    # None for a family whose machines have no serial number.
    serial: str | None = "serial_number"
    # The rated powers in watts that the family is built with; another number is not one of these machines.
    rated_powers: tuple[float, float] = (0, float("inf"))
    # Whether some of its machines do not tell their rated power, so that a person has to.
    asks_rated_power: bool = False
    # The speed of the machine's own serial line, which a gateway's clients cannot see.
    baudrate: int = 9600
    # Values that stand in for registers that say "not available" while identifying.
    assumed: Mapping[str, int] = field(default_factory=dict)
    # What its fault codes are about; None for a machine that has none.
    faults: FaultRules | None = None
    # Where long reads may be too much for some machines: how many registers are not.
    careful_read: int | None = None
    # Seconds that the machine wants between two writes.
    write_spacing: float = 0
    # The exceptions that say "not now", and the seconds after which a write is sent once more.
    write_retry: frozenset[int] = frozenset()
    recovery: float = 0
    # What is written before a key takes a value; None is the largest that there may be.
    leads: Mapping[tuple[str, Value], Sequence[tuple[str, Value | None]]] = field(
        default_factory=dict
    )
    # Settings that are put back when the mode that they belong to is left.
    residues: Sequence[Residue] = ()
    # What is true of every answer; one of which it is not is dropped whole.
    gates: Sequence[Gate] = ()
    # Where a machine may be wired the other way round: what then changes its sign, what changes places, each pair once,
    # and of what nobody knows what becomes of it.
    signed: frozenset[str] = frozenset()
    opposites: Sequence[tuple[str, str]] = ()
    lost_inverted: frozenset[str] = frozenset()

    def serves(self, keys: Iterable[str]) -> bool:
        """Whether there is a register or a derived value for each of these keys."""
        return all(key in self.registers or key in self.derived for key in keys)

    def group_of(self, key: str) -> Group:
        """Return the group in which a register or a derived value is polled."""
        if (derived := self.derived.get(key)) is not None:
            return derived.group
        return self.registers[key].group

    def firmware_text(self, values: Mapping[str, Value | None]) -> str | None:
        """Return the firmware numbers as the device page shows them; None when the machine tells none."""
        parts = [str(values[key]) for key in self.firmware if values.get(key) is not None]
        return " / ".join(parts) or None

    def model(self, values: Mapping[str, Value | None]) -> Model:
        """Return the model of a machine with these identity values."""
        rated, code = values.get(RATED_POWER), values.get(self.model_key)
        found = self.other_model if code is None else self.models.get(code, self.other_model)
        return replace(
            found,
            name=found.name.format(
                kilowatts=f"{rated / 1000:g}" if isinstance(rated, (int, float)) else "x",
                code=f"{code:#06x}" if isinstance(code, int) else "?",
            ),
        )

    @property
    def needs(self) -> frozenset[str]:
        """Return the keys of what completes the codecs of its rows."""
        return frozenset(
            key
            for row in self.every_row()
            if isinstance(row.codec, Dependent)
            for key in row.codec.needs
        )

    def every_row(self) -> Iterator[Register]:
        """Return all rows, those of the features too."""
        yield from self.registers.values()
        for feature in self.features:
            yield from feature.registers.values()

    def rows_of(self, keys: Collection[str]) -> dict[str, Register]:
        """Return these rows, the family's own before those of its features."""
        rows: dict[str, Register] = {}
        for row in self.every_row():
            rows.setdefault(row.key, row)
        return {key: rows[key] for key in keys}

    def fitted(
        self, features: Collection[str], facts: Mapping[str, Value | None] | None = None
    ) -> Family:
        """Return the family as a machine with these features, of which this is known, has it."""
        registers, derived = dict(self.registers), dict(self.derived)
        readable, gates = list(self.readable), list(self.gates)
        for feature in self.features:
            if feature.key not in features:
                continue
            # A value that another machine serves may be computed here, and the other way round.
            for key in {*feature.without, *feature.registers, *feature.derived}:
                registers.pop(key, None)
                derived.pop(key, None)
            registers |= feature.registers
            derived |= feature.derived
            readable += feature.readable
            # What a machine does not have may say anything.
            gates = [
                gate for gate in gates if feature.without.isdisjoint(row.key for row in gate.rows)
            ]
        completed = {key: row.completed(facts or {}) for key, row in registers.items()}
        return replace(self, registers=completed, derived=derived, readable=readable, gates=gates)

    def inverted(self) -> Family:
        """Return the family as a fitted machine has it that is wired the other way round."""
        places = dict(self.opposites) | {second: first for first, second in self.opposites}
        registers = {
            key: _reversed(row) if key in self.signed else row
            for key, row in self.registers.items()
            if key not in self.lost_inverted
        }
        # Without a counter of its own for what flows back, the only one counts both ways.
        moved = {
            key: replace(registers[places[key]], key=key)
            for key in registers
            if places.get(key) in registers
        }
        return replace(self, registers=registers | moved)


def _reversed(row: Register) -> Register:
    """Return a row whose value has the other sign."""
    if not isinstance(row.codec, (Number, FloatNumber)):
        raise TypeError(f"{row.key} is no number with a sign")
    bounds = row.plausible and (-row.plausible[1], -row.plausible[0])
    return replace(row, codec=replace(row.codec, scale=-row.codec.scale), plausible=bounds)


def table(*rows: Register) -> dict[str, Register]:
    """Return the rows by key; ValueError when a key stands twice."""
    by_key = {row.key: row for row in rows}
    if len(by_key) != len(rows):
        twice = sorted({row.key for row in rows if by_key[row.key] is not row})
        raise ValueError(f"keys that stand twice: {twice}")
    return by_key
