"""The order in which words are written when orders of the battery begin, change and end: what both styles do alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..model.register import Register

# Addresses that go into one request.
type Run = list[int]


class Rewrite:
    """Words that a device is to hold, of which some leave an order, back to the owner's, and all others enter one."""

    def __init__(
        self,
        target: Mapping[int, int],
        restored: Collection[int],
        registers: Mapping[str, Register],
    ) -> None:
        """`target` has the words by address; those at the `restored` addresses leave."""
        self._target = target
        self._registers = registers
        self.leaving = target.keys() & set(restored)
        self.entering = target.keys() - self.leaving

    def leave(self, keys: Iterable[str]) -> list[Run]:
        """A run for each of these settings whose word leaves an order, in their order."""
        return self._runs(keys, self.leaving)

    def enter(self, keys: Iterable[str]) -> list[Run]:
        """A run for each of these settings whose word enters an order, in their order."""
        return self._runs(keys, self.entering)

    def _runs(self, keys: Iterable[str], among: Collection[int]) -> list[Run]:
        places = [self._registers[key].addresses[0] for key in keys if key in self._registers]
        return [[address] for address in places if address in among]

    def requests(self, runs: Iterable[Run]) -> list[dict[int, int]]:
        """A request for each run that is not empty, in this order; of those that come again the first counts.

        ValueError for words that are in no run.
        """
        requests = {tuple(run): {address: self._target[address] for address in run} for run in runs}
        requests.pop((), None)
        if strange := self._target.keys() - {address for run in requests for address in run}:
            raise ValueError(f"no order changes {sorted(strange)}")
        return list(requests.values())
