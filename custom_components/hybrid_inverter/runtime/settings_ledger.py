"""The ledger of a machine's settings: what we have written and proved, and what has become of it.

A value that was read back after a write is ours. When the machine is found to hold another one later, somebody else has
changed it: a person at the display, another program, the manufacturer's app, or the machine itself. Values are compared
when they were read anyway. Nothing is kept over a restart: what was ours then may have been changed by anybody since.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from ..modbus.device.device import Device
from ..modbus.device.write_request import AppliedChange
from ..modbus.model.codec import Value


@dataclass(frozen=True, slots=True)
class Found:
    """A setting that does not hold any more what we have made it hold."""

    key: str
    ours: Value
    found: Value
    # Whether it holds again what it did before we wrote it, soon after that.
    taken_back: bool


@dataclass(slots=True)
class Proof:
    """What a setting was proved to hold, and what it held before."""

    value: Value
    before: Value | None
    # The modes that it belongs to, as they were then: what a mode changes with itself was not changed by anybody else.
    modes: Mapping[str, Value | None]
    # Whether it may still be taken back: a machine enforces its limits within a minute.
    is_fresh: bool = True


class SettingsLedger:
    """What is ours of the settings of a machine; it is told of every write."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._proofs: dict[str, Proof] = {}
        self._found_listeners: list[Callable[[Found], None]] = []
        self._proof_listeners: list[Callable[[Collection[str]], None]] = []
        device.proofs.add_watcher(self)

    def add_listener(self, listener: Callable[[Found], None]) -> Callable[[], None]:
        """Call back with each setting that was ours and is not any more; returns how to stop that."""
        self._found_listeners.append(listener)
        return lambda: self._found_listeners.remove(listener)

    def add_proof_listener(self, listener: Callable[[Collection[str]], None]) -> Callable[[], None]:
        """Call back with the settings that have just become ours; returns how to stop that."""
        self._proof_listeners.append(listener)
        return lambda: self._proof_listeners.remove(listener)

    def fresh(self, keys: Collection[str]) -> frozenset[str]:
        """Those of these settings that are ours, and may still be taken back."""
        return frozenset(
            key for key in keys if (proof := self._proofs.get(key)) is not None and proof.is_fresh
        )

    def settle(self, keys: Collection[str]) -> None:
        """Note that these were not taken back."""
        for key in self.fresh(keys):
            self._proofs[key].is_fresh = False

    # ------------------------------------------------------------------ what we write

    def sending(self, keys: Collection[str]) -> None:
        """Forget what is being written; what is not proved in the end is nobody's."""
        for key in keys:
            self._proofs.pop(key, None)

    def proved(self, changes: Sequence[AppliedChange]) -> None:
        """Take these for ours; what a machine has moved together with them is not ours any more."""
        moved = set[str]().union(*(self._device.proofs.related(change.key) for change in changes))
        for key in moved & self._proofs.keys():
            if self._has_changed(key):
                del self._proofs[key]
        # A read-back brings much else, too.
        self.compare()
        ours = [change for change in changes if self._is_setting(change)]
        for change in ours:
            held = self._device.values.get(change.key)
            self._proofs[change.key] = Proof(
                change.after if held is None else held, change.before, self._modes(change.key)
            )
        if ours:
            for listener in tuple(self._proof_listeners):
                listener([change.key for change in ours])

    def _is_setting(self, change: AppliedChange) -> bool:
        """Whether somebody decides what it holds: a clock goes on, and machines round times of day in their own ways."""
        return not isinstance(change.after, (time, datetime))

    def _modes(self, key: str) -> dict[str, Value | None]:
        """The modes that a setting belongs to, as they are."""
        return {
            residue.key: self._device.values.get(residue.key)
            for residue in self._device.family.residues
            if key in residue.keys
        }

    # ------------------------------------------------------------------ what is read

    def compare(self) -> None:
        """Compare what is ours with what was read last, and tell what differs: each once."""
        found: list[Found] = []
        for key in [key for key in self._proofs if self._has_changed(key)]:
            proof, now = self._proofs.pop(key), self._device.values[key]
            if now is not None and proof.modes == self._modes(key):
                taken_back = proof.is_fresh and now == proof.before
                found.append(Found(key, proof.value, now, taken_back))
        for one in found:
            for listener in tuple(self._found_listeners):
                listener(one)

    def _has_changed(self, key: str) -> bool:
        """Whether something else was read of a setting than what is ours; nothing at all says nothing."""
        now = self._device.values.get(key)
        return now is not None and now != self._proofs[key].value
