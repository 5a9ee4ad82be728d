"""What a mode leaves behind: settings that go on acting when it is over, and what they were before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from .codec import Value

# The parts of what is kept for a mode.
BEFORE: Final = "before"
IN_FORCE: Final = "in_force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """Settings that belong to a mode, and hold again what they did before when the mode is left."""

    # The setting that is the mode, and what it holds while the mode is in force.
    key: str
    value: Value
    # In the order in which they are put back.
    keys: tuple[str, ...]
    # Whether the machine is run from here in this mode: its settings may be made before it is entered, and it does not
    # stay when nobody is there any more.
    prepared: bool = False

    @property
    def name(self) -> str:
        """Return what the mode is kept by."""
        return f"{self.key}={self.value}"


type Save = Callable[[], Awaitable[None]]


class ResidueMemory:
    """What the settings of a machine's modes held before our first write of them, as raw words.

    It has to outlive the program: with every change it is saved, before anything is sent.
    """

    def __init__(self, kept: dict[str, Any] | None = None, save: Save | None = None) -> None:
        """Go on from what was kept, which is changed in place and fit for JSON; `save` stores it."""
        self._kept = {} if kept is None else kept
        self._save = save
        self._changed = False

    @property
    def kept(self) -> Mapping[str, Any]:
        """Return all that is remembered."""
        return self._kept

    def keys(self, residue: Residue) -> Collection[str]:
        """Return the settings that are remembered of a mode; the mode's own is among them when we have entered it."""
        return tuple(self._before(residue))

    def words(self, residue: Residue, key: str) -> list[int] | None:
        """Return what a setting held before; None when it is not remembered."""
        return self._before(residue).get(key)

    def was_in_force(self, residue: Residue) -> bool:
        """Whether the mode has been in force since something of it is remembered."""
        return bool(self._kept.get(residue.name, {}).get(IN_FORCE))

    def remember(self, residue: Residue, key: str, words: list[int]) -> None:
        """Keep what a setting holds now, unless something older is kept."""
        kept = self._kept.setdefault(residue.name, {BEFORE: {}, IN_FORCE: False})
        if key not in kept[BEFORE]:
            kept[BEFORE][key] = words
            self._changed = True

    def enter(self, residue: Residue) -> None:
        """Take note that a mode of which something is remembered is in force."""
        if residue.name in self._kept and not self._kept[residue.name][IN_FORCE]:
            self._kept[residue.name][IN_FORCE] = True
            self._changed = True

    def forget(self, residue: Residue, key: str) -> None:
        """Forget a setting, and the mode with the last one."""
        if key not in self._before(residue):
            return
        del self._kept[residue.name][BEFORE][key]
        if not self._kept[residue.name][BEFORE]:
            del self._kept[residue.name]
        self._changed = True

    def copy(self) -> dict[str, Any]:
        """Return what `reset` takes."""
        return deepcopy(self._kept)

    def reset(self, kept: Mapping[str, Any]) -> None:
        """Go back to what `copy` returned."""
        if self._kept != kept:
            self._kept.clear()
            self._kept.update(deepcopy(dict(kept)))
            self._changed = True

    async def save(self) -> None:
        """Store what has changed since the last time."""
        if self._changed and self._save is not None:
            await self._save()
        self._changed = False

    def _before(self, residue: Residue) -> dict[str, list[int]]:
        """Return what is remembered of a mode."""
        before: dict[str, list[int]] = self._kept.get(residue.name, {}).get(BEFORE, {})
        return before
