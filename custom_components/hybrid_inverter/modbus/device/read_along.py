"""Values that the polls for other keys bring along: they cost neither a request nor a register more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..model.codec import Value
from ..model.register import Register
from .image import Span
from .register_reader import RegisterReader


class ReadAlong:
    """Some keys of a device, as far as what is polled anyway brings them."""

    def __init__(self, reader: RegisterReader, wanted: Collection[str]) -> None:
        self._reader = reader
        self._wanted = frozenset(wanted)
        # The keys and the revision of the quarantine for which the reads below hold.
        self._planned: tuple[frozenset[str], int] | None = None
        # Each read with the keys that it brings to its end, and all of these keys.
        self._reads: dict[Span, frozenset[str]] = {}
        self._all = frozenset[str]()

    def values(self, polled: frozenset[str], since: float) -> Mapping[str, Value | None]:
        """What a poll for these keys has brought of the wanted ones `since` a time in seconds since 1970."""
        reader = self._reader
        if self._planned != (plan := (polled, reader.quarantine.revision)):
            self._plan(polled)
            self._planned = plan
        keys, answered_at = self._all, reader.image.answered_at
        if lost := [read for read in self._reads if answered_at.get(read, 0.0) < since]:
            keys = keys.difference(*(self._reads[read] for read in lost))
        return reader.snapshot(keys).values

    def _plan(self, polled: frozenset[str]) -> None:
        """Find the keys whose words lie in the reads for what is polled."""
        reader = self._reader
        reads = [_extent(spans) for spans in reader.reads_for(polled)]
        brought: dict[Span, set[str]] = {read: set() for read in reads}
        found: set[str] = set()
        for key in self._wanted:
            spans = [span for row in self._rows_of(key) for span in row.spans]
            holders = [
                next((read for read in reads if read[0] <= low and high <= read[1]), None)
                for low, high in spans
            ]
            if spans and None not in holders:
                found.add(key)
                for read in filter(None, holders):
                    brought[read].add(key)
        self._reads = {read: frozenset(keys) for read, keys in brought.items() if keys}
        self._all = frozenset(found)

    def _rows_of(self, key: str) -> Iterable[Register]:
        """The registers of a key; none where the device does not serve one of them."""
        family = self._reader.family
        derived = family.derived.get(key)
        names = (key,) if derived is None else derived.inputs
        rows = self._reader.served(names)
        separated = any(map(self._reader.quarantine.separates, rows))
        return () if separated or len(rows) < len(set(names)) else rows


def _extent(spans: Collection[Span]) -> Span:
    """The first and the last address of a read."""
    return min(first for first, _ in spans), max(last for _, last in spans)
