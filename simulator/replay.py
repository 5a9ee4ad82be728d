"""Machines made of a download of diagnostics: they answer as the ones of its owner did.

What a register held, it holds; what was refused, or never read, is refused; a serial number, which is not in the
download, is made up, and is the same whenever the same download is replayed. Nothing moves by itself. Settings take
writes like a plain memory, whatever the real machine would have made of them, so that a control can be tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
import json
from pathlib import Path
from typing import Any, ClassVar, Final
import zlib

from custom_components.hybrid_inverter.modbus.model.codec import Text
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from .machine import Machine
from .pdu import WRITE_MULTIPLE, WRITE_SINGLE

# What a person wants to see of a machine first, as far as it has it.
GLANCED: Final = (
    *("status", "work_mode", "pv_power", "battery_soc", "battery_power", "grid_power"),
    *("load_power", "power", "voltage", "import_energy_total", "export_energy_total"),
)
# The made-up texts have a letter and so many digits, or as many as there is room for.
DIGITS: Final = 9


class ReplayedMachine(Machine):
    """The registers of one unit of a download."""

    write_functions: ClassVar[frozenset[int]] = frozenset({WRITE_SINGLE, WRITE_MULTIPLE})

    def __init__(self, entry: Mapping[str, Any], *, timer: Callable[[], float]) -> None:
        """`entry` is a unit of a download; KeyError, TypeError or ValueError when that is not enough."""
        identity = entry["identity"]
        family = FAMILIES[identity["family"]]
        self._words = _words(entry["registers"])
        self._words |= _made_up(entry, self._words)
        fitted = family.fitted(identity["features"], identity["facts"])
        served = [(address, address) for address in self._words]
        super().__init__(
            fitted,
            model=identity["model"],
            unit=entry["unit_id"],
            registers=served,
            readable=served,
            writable=frozenset(
                address
                for row in fitted.registers.values()
                if row.writable
                for address in row.addresses
            ),
            timer=timer,
        )
        self.role = entry.get("role")
        self.inverted = bool(entry.get("inverted"))
        self._refresh()

    @property
    def serial_number(self) -> str | None:
        """The serial number that was made up; None for a machine that has none."""
        key = self.family.serial
        return None if key is None else str(self.value(key))

    def glance(self) -> dict[str, Any]:
        """Which machine it is, how it was set up, and what it shows."""
        shown = {key: self._shown(key) for key in GLANCED}
        return {
            "model": self.model,
            "serial_number": self.serial_number,
            **({} if self.role is None else {"role": self.role, "inverted": self.inverted}),
            **{key: value for key, value in shown.items() if value is not None},
        }

    def _shown(self, key: str) -> object:
        """A value, as far as the download has it, fit for JSON."""
        try:
            value = self.value(key)
        except KeyError:
            return None
        return sorted(value) if isinstance(value, frozenset) else value

    def step(self, seconds: float) -> None:
        """Let plant time pass, which changes nothing but what is due."""
        self.settle()

    def _judge(self, words: Mapping[int, int]) -> dict[int, int]:
        return dict(words)

    def _commit(self, words: Mapping[int, int]) -> None:
        self._words.update(words)
        super()._commit(words)

    def _state(self) -> object:
        return self.trouble.faults

    def _publish(self) -> None:
        self._store(self._words)
        fault = self.family.registers.get("fault")
        if self.trouble.faults and fault is not None and self._words.keys() >= {*fault.addresses}:
            self._put_row(fault, self.trouble.faults)


def replayed(
    source: Path | Mapping[str, Any], *, timer: Callable[[], float] = lambda: 0.0
) -> dict[int, Machine]:
    """The machines of a download, or of its file, by their unit ids; ValueError when none can be made of it."""
    try:
        data = json.loads(source.read_text("utf-8")) if isinstance(source, Path) else source
        # Home Assistant puts what it knows itself around the integration's own.
        units: Iterable[Mapping[str, Any]] = data.get("data", data).get("units", ())
        machines: dict[int, Machine] = {
            unit["unit_id"]: ReplayedMachine(unit, timer=timer) for unit in units
        }
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        raise ValueError(f"not a diagnostics download of Hybrid Inverter: {err!r}") from err
    if not machines:
        raise ValueError("no machine in this download; take the one of a link, not of a plant")
    return machines


def _words(blocks: Mapping[str, str]) -> dict[int, int]:
    """Raw words by address; a block is hex, and stands by its first address."""
    return {
        address: int(word, 16)
        for first, words in blocks.items()
        for address, word in enumerate(words.split(), int(first))
    }


def _made_up(entry: Mapping[str, Any], known: Mapping[int, int]) -> dict[int, int]:
    """Words for the texts that the download leaves out; a machine that has a serial number always has one."""
    identity = entry["identity"]
    family = FAMILIES[identity["family"]]
    left_out = set(entry.get("redacted", ()))
    # The same download gives the same numbers, and no two machines do.
    origin = json.dumps([identity, entry["unit_id"], entry["registers"]], sort_keys=True)
    words: dict[int, int] = {}
    for row in family.every_row():
        if not isinstance(row.codec, Text) or not known.keys().isdisjoint(row.addresses):
            continue
        if row.key == family.serial or left_out.issuperset(row.addresses):
            digits = f"{zlib.crc32(f'{origin}{row.key}'.encode()):010d}"[-DIGITS:]
            text = f"R{digits}"[: 2 * row.codec.words]
            words |= dict(zip(row.addresses, row.encode(text), strict=True))
    return words
