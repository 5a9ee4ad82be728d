"""What a mode leaves behind: settings that stay in force when it is over, and what they were before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
import time
from typing import Any, Final

from .codec import Value

# The parts of what is kept for a mode.
BEFORE: Final = "before"
IN_FORCE: Final = "in_force"
OURS: Final = "ours"
SET_AT: Final = "set_at"

# Seconds: a setting written this shortly before its mode is entered is meant for the mode; one written earlier is meant
# to last.
PREPARATION: Final = 10 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """Settings that belong to a mode, and hold again what they did before when the mode is left."""

    # The setting that is the mode, and what it holds while the mode is in force.
    key: str
    value: Value
    # In the order in which they are restored.
    keys: tuple[str, ...]
    # Whether the device is run from here in this mode, which is left when nobody runs it any more.
    run_from_here: bool = False
    # What is entered when such a mode is left and nobody knows what was before; it needs one word.
    otherwise: Value | None = None
    # A setting of such a mode, and what it is given before the mode is entered unless it was set for it from here: so
    # nothing acts that nobody has chosen now.
    rest: tuple[str, Value] | None = None

    @property
    def name(self) -> str:
        """The key of the mode in what is stored."""
        return f"{self.key}={self.value}"


# Stores a memory; whether it is stored.
type Save = Callable[[], Awaitable[bool]]


class ResidueMemory:
    """What the settings of a device's modes held before our first write of them, and what we wrote, as raw words.

    It is stored with every change, before anything is sent, so that it outlives a crash.
    """

    def __init__(
        self,
        stored: dict[str, Any] | None = None,
        save: Save | None = None,
        running: set[str] | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`stored` is changed in place and fit for JSON; `save` stores it. `clock` returns seconds over restarts, too.

        `running` has the names of the modes that were entered since Home Assistant has started; it is changed, too.
        """
        self._clock = clock
        self._stored = {} if stored is None else stored
        self._running = set() if running is None else running
        self._save = save
        self._changed = False

    @property
    def kept(self) -> Mapping[str, Any]:
        """Everything that is remembered, as it is stored."""
        return self._stored

    def keys(self, residue: Residue) -> Collection[str]:
        """The settings that are remembered of a mode; the mode's own is among them when we have entered it."""
        return tuple(self._before(residue))

    def words(self, residue: Residue, key: str) -> list[int] | None:
        """The words that a setting held before; None when they are not remembered."""
        return self._before(residue).get(key)

    def was_in_force(self, residue: Residue) -> bool:
        """Whether the mode has been in force since a setting of it was first remembered."""
        return bool(self._stored.get(residue.name, {}).get(IN_FORCE))

    def is_ours(self, residue: Residue, held: Mapping[str, list[int]]) -> bool:
        """Whether all that is remembered of a mode, and could be read, holds what we wrote, or what it did before.

        Of a write that was cut off nobody knows whether it was carried out. What an older version remembered without
        what it wrote counts as ours.
        """
        ours = self._stored.get(residue.name, {}).get(OURS, {})
        return all(
            held.get(key) in (before, *ours[key])
            for key, before in self._before(residue).items()
            if key in ours and key in held
        )

    def remember(self, residue: Residue, key: str, held: list[int], sent: list[int]) -> None:
        """Remember what a setting holds now, unless an older value is remembered, and what it is about to hold."""
        self._forget_lasting(residue)
        mode = self._stored.setdefault(residue.name, {BEFORE: {}, IN_FORCE: False})
        mode[BEFORE].setdefault(key, held)
        mode.setdefault(OURS, {})[key] = [held, sent]
        if not residue.run_from_here:
            mode.setdefault(SET_AT, {})[key] = self._clock()
        self._changed = True

    def enter(self, residue: Residue) -> None:
        """Note that a mode is in force, if something of it is remembered."""
        self._forget_lasting(residue)
        if residue.name in self._stored and not self._stored[residue.name][IN_FORCE]:
            self._stored[residue.name][IN_FORCE] = True
            self._changed = True

    def forget(self, residue: Residue, *keys: str) -> None:
        """Forget settings, and the mode with its last one."""
        mode = self._stored.get(residue.name)
        if mode is None or mode[BEFORE].keys().isdisjoint(keys):
            return
        for key in keys:
            mode[BEFORE].pop(key, None)
            mode.get(OURS, {}).pop(key, None)
            mode.get(SET_AT, {}).pop(key, None)
        if residue.key in keys:
            self._running.discard(residue.name)
        if not mode[BEFORE]:
            del self._stored[residue.name]
        self._changed = True

    # ------------------------------------------------------------------ since Home Assistant has started

    def is_running(self, residue: Residue) -> bool:
        """Whether the mode was entered since Home Assistant has started, and nobody has given it up."""
        return residue.name in self._running

    def run(self, residue: Residue) -> None:
        """Note that the mode was entered from here."""
        self._running.add(residue.name)

    def give_up(self) -> None:
        """Note that nobody runs the device any more, in whatever mode it is."""
        self._running.clear()

    # ------------------------------------------------------------------ as a whole

    def copy(self) -> dict[str, Any]:
        """A copy for `reset`."""
        return deepcopy(self._stored)

    def reset(self, copied: Mapping[str, Any]) -> None:
        """Go back to what `copy` returned."""
        if self._stored != copied:
            self._stored.clear()
            self._stored.update(deepcopy(dict(copied)))
            self._changed = True

    async def save(self) -> bool:
        """Store it if it has changed since the last time; whether it is stored."""
        if self._changed and self._save is not None:
            self._changed = False
            self._changed = not await self._save() or self._changed
        return self._save is None or not self._changed

    def _forget_lasting(self, residue: Residue) -> None:
        """Forget what was set long before a mode is entered: an owner wants that to stay.

        What is set for a mode that is run from here acts in no other one, and is always restored.
        """
        mode = self._stored.get(residue.name)
        if mode is None or residue.run_from_here or mode[IN_FORCE] or residue.key in mode[BEFORE]:
            return
        now, set_at = self._clock(), mode.get(SET_AT, {})
        lasting = [
            key
            for key in mode[BEFORE]
            if key not in set_at or not 0 <= now - set_at[key] <= PREPARATION
        ]
        self.forget(residue, *lasting)

    def _before(self, residue: Residue) -> dict[str, list[int]]:
        before: dict[str, list[int]] = self._stored.get(residue.name, {}).get(BEFORE, {})
        return before
