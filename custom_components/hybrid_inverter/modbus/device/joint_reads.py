"""Polls that follow each other, planned as one: what one of them has read along, the next need not ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import time

from .image import RegisterImage, Span
from .quarantine import Quarantine
from .read_plan import Reads


class JointReads:
    """The reads of several polls; each is sent for the first that needs it."""

    def __init__(self, image: RegisterImage, quarantine: Quarantine) -> None:
        self._image = image
        self._quarantine = quarantine
        # The keys of the polls that are still to come, and the reads for all of them, of which these were sent.
        self.to_come: list[frozenset[str]] = []
        self._reads: Reads = ()
        self._sent: set[tuple[Span, ...]] = set()
        # When the first poll began, in seconds since 1970, and the revision of the quarantine then.
        self._since = 0.0
        self._revision = 0

    @contextmanager
    def plan(self, polls: tuple[frozenset[str], ...], reads: Reads) -> Iterator[None]:
        """Let these reads serve the polls for these keys in this block, each of them once."""
        self.to_come, self._reads, self._sent = list(polls), reads, set()
        self._since, self._revision = time.time(), self._quarantine.revision
        try:
            yield
        finally:
            self.to_come = []

    def reads_for(self, keys: frozenset[str], own: Reads) -> Reads:
        """What a poll for these keys still has to send, for which otherwise its `own` reads would be sent.

        What was sent for an earlier poll and not answered concerns that one, or its neighbours: then its own are sent.
        """
        if keys not in self.to_come:
            return own
        self.to_come.remove(keys)
        wanted = {span for spans in own for span in spans}
        reads = [spans for spans in self._reads if not wanted.isdisjoint(spans)]
        left = [
            spans for spans in reads if not self._image.answered_since(extent(spans), self._since)
        ]
        if self._revision != self._quarantine.revision or not self._sent.isdisjoint(left):
            return own
        self._sent.update(left)
        return tuple(left)


def extent(spans: tuple[Span, ...]) -> Span:
    """The first and the last address of a read."""
    return min(first for first, _ in spans), max(last for _, last in spans)
