"""A family of devices: its registers, how it has to be polled, how it is recognised."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace

from .clues import Clues
from .codec import (
    RATED_POWER,
    Dependent,
    FloatNumber,
    Number,
    Text,
    Value,
    Values,
    as_number,
)
from .derived import Derived
from .export_limit import ExportLimit
from .faults import FaultRules
from .features import Feature
from .gate import Gate
from .recognition import Recognition
from .register import Group, Register
from .reserve import Reserve
from .residue import Residue


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A name that a device is sold under."""

    # Empty where nobody knows it.
    manufacturer: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What one of several makers of the same device calls it, by what the family's model key says, and any other."""

    models: Mapping[Value, Model] = field(default_factory=dict)
    other_model: Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A register table with everything that is true of all devices it describes."""

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
    # Seconds of silence that the device needs between an answer and the next request.
    spacing: float
    # Seconds after which a written value is what the device will keep; a row that may take longer says so.
    settle: float
    # How a device of the family is distinguished from others, and a register that each of them has.
    recognise: Callable[[], Recognition]
    presence_register: str
    # The models by what this identity key says, and the name of any other; in names, {kilowatts} is the rated power, and
    # {series} what the identity shows of it.
    models: Mapping[Value, Model]
    other_model: Model
    model_key: str = RATED_POWER
    series: Callable[[Values], str] = lambda _: ""
    # Who sells its devices under which names, where no register tells it, so that a person is asked.
    makers: Mapping[str, Maker] = field(default_factory=dict)
    # What the model key says of devices that are surely of the family; of any other a person is asked. None: of none.
    surely: Container[Value] | None = None
    # What only some of its devices have, the later ones replacing what the earlier ones bring.
    features: Sequence[Feature] = ()
    # Keys read in one go to recognise a device.
    identity: tuple[str, ...] = ("serial_number", RATED_POWER)
    # The identity keys that bound or shape other values, and those that are worked out from others.
    facts: tuple[str, ...] = (RATED_POWER, "mppt_count", "phase_count")
    computed: Mapping[str, Callable[[Values], float | None]] = field(default_factory=dict)
    # Which identity keys make up the firmware text of the device page, in order.
    firmware: tuple[str, ...] = ()
    # None for a family whose devices have no serial number.
    serial: str | None = "serial_number"
    # The rated powers in watts that the family is built with; another number is not one of these devices.
    rated_powers: tuple[float, float] = (0, float("inf"))
    # Those in watts that its models are sold with, as far as they are known.
    sizes: tuple[int, ...] = ()
    # Whether some of its devices do not report their rated power, so that a person has to enter it.
    asks_rated_power: bool = False
    # The speed of the device's own serial line, which a gateway's clients cannot see.
    baudrate: int = 9600
    # Values in place of registers that are "not available" while identifying.
    assumed: Mapping[str, int] = field(default_factory=dict)
    # The rules of its fault codes; None for a device that has none.
    faults: FaultRules | None = None
    # Where long reads may be too much for some devices: how many registers are not.
    fallback_read_length: int | None = None
    # Seconds that the device needs between two writes.
    write_spacing: float = 0
    # The exceptions that say "not now", and the seconds after which a write is sent once more.
    write_retry: frozenset[int] = frozenset()
    recovery: float = 0
    # What is written before a key takes a value; None is the largest that there may be.
    prerequisites: Mapping[tuple[str, Value], Sequence[tuple[str, Value | None]]] = field(
        default_factory=dict
    )
    # Settings that are put back when the mode that they belong to is left.
    residues: Sequence[Residue] = ()
    # The settings that are the reserve for an outage, the last one in any other mode; none of a device without one.
    reserves: Sequence[Reserve] = ()
    # The settings that limit what flows into the grid; None of a device that cannot.
    export_limit: ExportLimit | None = None
    # What is true of every answer; one of which it is not is dropped whole.
    gates: Sequence[Gate] = ()
    # Where a device may be wired the other way round: what then changes its sign, what changes places, each pair once,
    # and what then has no known meaning.
    signed: frozenset[str] = frozenset()
    swapped_when_inverted: Sequence[tuple[str, str]] = ()
    undefined_when_inverted: frozenset[str] = frozenset()

    # What reveals it to somebody who only listens.
    clues: Clues = field(default_factory=Clues)

    def serves(self, keys: Iterable[str]) -> bool:
        """Whether there is a register or a derived value for each of these keys."""
        return all(key in self.registers or key in self.derived for key in keys)

    def group_of(self, key: str) -> Group:
        """The group in which a register or a derived value is polled."""
        if (derived := self.derived.get(key)) is not None:
            return derived.group
        return self.registers[key].group

    def firmware_text(self, values: Values) -> str | None:
        """The firmware numbers as the device page shows them; None when the device reports none."""
        parts = [str(values[key]) for key in self.firmware if values.get(key) is not None]
        return " / ".join(parts) or None

    def model(self, values: Values, maker: str | None = None) -> Model:
        """The model of a device with these identity values, by one of the makers or the likeliest one."""
        names: Family | Maker = self if maker is None else self.makers[maker]
        rated, code = as_number(values.get(RATED_POWER)), values.get(self.model_key)
        found = names.other_model if code is None else names.models.get(code, names.other_model)
        return replace(
            found,
            name=found.name.format(
                kilowatts="x" if rated is None else f"{rated / 1000:g}",
                series=self.series(values),
            ),
        )

    def is_sure(self, values: Values) -> bool:
        """Whether a device with these identity values is surely of the family."""
        return self.surely is None or values.get(self.model_key) in self.surely

    @property
    def needs(self) -> frozenset[str]:
        """The keys of what completes the codecs of its rows."""
        return frozenset(
            key
            for row in self.every_row()
            if isinstance(row.codec, Dependent)
            for key in row.codec.needs
        )

    def every_row(self) -> Iterator[Register]:
        """All rows, those of the features too."""
        yield from self.registers.values()
        for feature in self.features:
            yield from feature.registers.values()

    def text_rows(self) -> Iterator[Register]:
        """The rows that are text: serial numbers, which are all that these devices hold as text."""
        return (row for row in self.every_row() if isinstance(row.codec, Text))

    def rows_of(self, keys: Collection[str]) -> dict[str, Register]:
        """The rows with these keys, the family's own before those of its features."""
        rows: dict[str, Register] = {}
        for row in self.every_row():
            rows.setdefault(row.key, row)
        return {key: rows[key] for key in keys}

    def fitted(self, features: Collection[str], facts: Values | None = None) -> Family:
        """The family of a device with these features and facts."""
        registers, derived = dict(self.registers), dict(self.derived)
        readable, gates = list(self.readable), list(self.gates)
        for feature in self.features:
            if feature.key not in features:
                continue
            # A value that another device serves may be computed here, and the other way round.
            for key in {*feature.without, *feature.registers, *feature.derived}:
                registers.pop(key, None)
                derived.pop(key, None)
            registers |= feature.registers
            derived |= feature.derived
            readable += feature.readable
            # Registers of something that a device does not have may hold anything.
            gates = [
                gate for gate in gates if feature.without.isdisjoint(row.key for row in gate.rows)
            ]
        completed = {key: row.completed(facts or {}) for key, row in registers.items()}
        return replace(self, registers=completed, derived=derived, readable=readable, gates=gates)

    def inverted(self) -> Family:
        """The family as a fitted device has it that is wired the other way round."""
        places = dict(self.swapped_when_inverted) | {
            second: first for first, second in self.swapped_when_inverted
        }
        registers = {
            key: _reversed(row) if key in self.signed else row
            for key, row in self.registers.items()
            if key not in self.undefined_when_inverted
        }
        # Without a counter of its own for what flows back, the only one counts both ways.
        moved = {
            key: replace(registers[places[key]], key=key, name=row.name)
            for key, row in registers.items()
            if places.get(key) in registers
        }
        return replace(self, registers=registers | moved)


def _reversed(row: Register) -> Register:
    """A row whose value has the other sign."""
    if not isinstance(row.codec, (Number, FloatNumber)):
        raise TypeError(f"{row.key} is no number with a sign")
    bounds = row.plausible and (-row.plausible[1], -row.plausible[0])
    return replace(row, codec=replace(row.codec, scale=-row.codec.scale), plausible=bounds)


def table(*rows: Register) -> dict[str, Register]:
    """The rows by key; ValueError when a key stands twice."""
    by_key = {row.key: row for row in rows}
    if len(by_key) != len(rows):
        twice = sorted({row.key for row in rows if by_key[row.key] is not row})
        raise ValueError(f"keys that stand twice: {twice}")
    return by_key
