"""Mere words that a person has listed: whatever is wrong with them, the registers of the table are polled as before."""

from __future__ import annotations

from collections.abc import Collection

from ..model.family import Family
from ..transport.line_cost import LineCost
from ..transport.unit import Unit
from .fetcher import Fetcher
from .image import RegisterImage, Span, addresses_of
from .quarantine import Quarantine
from .read_plan import ReadPlanner, not_readable
from .verified_unit import VerifiedUnit


class ListedWords:
    """Reads listed words into the image of their device, and finds out by itself which of them are not served.

    A device may keep silent about what it does not have. To find that out takes a timeout each time, which the polls of
    its registers must not wait for, and no register may be suspected for a word that was only listed beside it.
    """

    def __init__(
        self,
        unit: Unit,
        verified: VerifiedUnit,
        image: RegisterImage,
        family: Family,
        cost: LineCost,
    ) -> None:
        """The family is the one that the device was fitted with."""
        self._family = family
        self._quarantine = Quarantine(image)
        self._planner = ReadPlanner(family, cost, self._quarantine)
        self._fetcher = Fetcher(unit, verified, image, self._quarantine, self._planner)
        self._fetcher.gates = family.gates

    @property
    def quarantined(self) -> set[int]:
        """The addresses that are known not to be served."""
        return self._quarantine.quarantined

    async def poll(
        self,
        addresses: Collection[int],
        presence: Collection[Span],
        refused: Collection[int],
        until: float | None,
    ) -> None:
        """Read these words with those that every device has: they tell one that lacks all others from a silent one.

        What is known to be `refused` or lies outside of the readable ranges is left out. Raises like the fetcher.
        """
        quarantine = self._quarantine
        if quarantine.limits_reads:
            quarantine.release_due()
        left_out = quarantine.addresses.union(refused)
        served = set(addresses).difference(left_out, not_readable(self._family.readable, addresses))
        if served or quarantine.due():
            spans = {*presence, *self._whole_values(served, left_out)}
            await self._fetcher.fetch_all(self._planner.reads_of(spans), until)
            # Nobody shows a value of mere words.
            self._fetcher.released.clear()

    def _whole_values(self, addresses: set[int], left_out: Collection[int]) -> set[Span]:
        """The spans that bring these words; with one word of a value come its others, as it would be torn apart."""
        values = {
            (first, last)
            for row in self._family.registers.values()
            for first, last in row.spans
            if first < last and not addresses.isdisjoint(range(first, last + 1))
        }
        whole = {span for span in values if addresses_of([span]).isdisjoint(left_out)}
        return whole | {(address, address) for address in addresses - addresses_of(whole)}
