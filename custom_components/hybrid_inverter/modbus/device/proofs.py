"""What is proved of the settings of a device: that it holds what was written, by what was read back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from .write_request import AppliedChange


class ProofWatcher(Protocol):
    """Somebody who keeps track of what a device was made to hold."""

    def sending(self, keys: Collection[str]) -> None:
        """These settings are being written: until that is proved, nobody knows what they hold."""

    def proved(self, changes: Sequence[AppliedChange]) -> None:
        """These settings were changed, and the device holds them."""


class Proofs:
    """Tells the watchers of a device what is written, and what was proved."""

    def __init__(self, related: Callable[[str], set[str]]) -> None:
        """`related` returns the settings that a device may move together with one, as they bound each other."""
        self.related = related
        self._watchers: list[ProofWatcher] = []

    def add_watcher(self, watcher: ProofWatcher) -> Callable[[], None]:
        """Tell this one, too; returns how to stop that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def sending(self, keys: Collection[str]) -> None:
        """Tell that these settings are being written."""
        for watcher in tuple(self._watchers):
            watcher.sending(keys)

    def proved(self, changes: Sequence[AppliedChange]) -> None:
        """Tell that these settings were changed."""
        for watcher in tuple(self._watchers):
            watcher.proved(changes)
