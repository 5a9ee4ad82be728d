"""Orders as they are stored: all that is needed to go on with them, or to end them, after a crash."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from ..model.residue import Save
from .order import ControlMode, Order, PowerAt

# The parts of what is stored.
LEASES: Final = "leases"
BEFORE: Final = "before"
AFTER: Final = "after"
FORMER: Final = "former"
ENDING: Final = "ending"
ASIDE: Final = "aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """An order in force: whose it is, and what was known when it was given."""

    order: Order
    # An automation or a person, by name.
    owner: str
    of_person: bool
    # What the plan was made from and will have changed when it is made again: state of charge, watts, volts.
    facts: Mapping[str, float]
    # Whether its owner has released it, and it only waits for the next one to take its place.
    is_released: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Everything that `from_dict` takes, fit for JSON."""
        order = self.order
        return {
            "mode": order.mode.value,
            "start": order.start.isoformat(),
            "until": order.until.isoformat(),
            "power": order.power,
            "at": order.at.value,
            "target_soc": order.target_soc,
            "owner": self.owner,
            "of_person": self.of_person,
            "facts": dict(self.facts),
            "is_released": self.is_released,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Lease:
        """The lease of which `as_dict` returned this."""
        return cls(
            order=Order(
                mode=ControlMode(stored["mode"]),
                start=datetime.fromisoformat(stored["start"]),
                until=datetime.fromisoformat(stored["until"]),
                power=stored["power"],
                at=PowerAt(stored["at"]),
                target_soc=stored["target_soc"],
            ),
            owner=stored["owner"],
            of_person=stored["of_person"],
            facts=stored["facts"],
            # Older versions have not stored it.
            is_released=stored.get("is_released", False),
        )

    @property
    def is_export_limit(self) -> bool:
        """Whether it is about the grid, and not about the battery."""
        return self.order.mode is ControlMode.EXPORT_LIMIT


class LeaseMemory:
    """The orders in force of an inverter, the owner's words of all that they touch, and the words that they have put there.

    It is stored, and read back, before anything is sent.
    """

    def __init__(self, stored: dict[str, Any] | None = None, save: Save | None = None) -> None:
        """`stored` is changed in place and fit for JSON; `save` stores it."""
        self._stored = {} if stored is None else stored
        self._save = save
        # All died before that was taken in again.
        self._join_aside()

    @property
    def leases(self) -> tuple[Lease, ...]:
        """The orders: at most one of the battery, and then at most one export limit."""
        return tuple(Lease.from_dict(lease) for lease in self._stored.get(LEASES, ()))

    @property
    def ending(self) -> tuple[Lease, ...]:
        """The orders that are over, and whose words may still be there."""
        return tuple(Lease.from_dict(lease) for lease in self._stored.get(ENDING, ()))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to go on with, and nothing to put back."""
        return not self._stored

    def ended_before(self, moment: datetime) -> bool:
        """Whether all orders were over by then, as far as any is known."""
        ends = [lease.order.until for lease in (*self.leases, *self.ending)]
        return bool(ends) and max(ends) < moment

    @property
    def before(self) -> dict[int, int]:
        """The owner's words by address."""
        return _words(self._stored.get(BEFORE, {}))

    @property
    def after(self) -> dict[int, int]:
        """The words that we have put there, or were about to."""
        return _words(self._stored.get(AFTER, {}))

    @property
    def former(self) -> dict[int, int]:
        """The words that we had put there before those, of a change that may not have been carried out."""
        return _words(self._stored.get(FORMER, {}))

    @property
    def is_settled(self) -> bool:
        """Whether no change is under way, or was broken off, so that the device holds what we have put there."""
        return FORMER not in self._stored

    async def mark_released(self, lease: Lease, *, is_released: bool) -> bool:
        """Note of an order whether it is released; whether that is stored."""
        self._stored[LEASES] = [
            (replace(one, is_released=is_released) if one == lease else one).as_dict()
            for one in self.leases
        ]
        return await self._saved()

    @property
    def addresses(self) -> set[int]:
        """All addresses of which something is stored."""
        return {*self.before, *self.after, *self.former}

    def forget_unknown(self, known: Container[int]) -> dict[int, int | None]:
        """Forget the words of all addresses but the known ones; returns the owner's, None where there is none.

        It is stored with the next change.
        """
        unknown = {a: self.before.get(a) for a in sorted(self.addresses) if a not in known}
        self._take_out(unknown)
        return unknown

    def set_aside(self, addresses: Container[int]) -> None:
        """Leave the words of these addresses out of everything until `take_in`; they are stored all the while."""
        known = [lease.as_dict() for lease in (*self.leases, *self.ending)]
        self._stored[ASIDE] = {LEASES: known, **self._take_out(addresses)}

    async def take_in(self) -> bool:
        """Know again what was set aside, for its orders, which are over unless they are still known; whether that is stored."""
        self._join_aside()
        return await self._saved()

    def _take_out(self, addresses: Container[int]) -> dict[str, dict[str, int]]:
        """Remove the words of these addresses from what is stored; by part and address."""
        taken: dict[str, dict[str, int]] = {}
        for name in (BEFORE, AFTER, FORMER):
            if name in self._stored:
                words: dict[str, int] = self._stored[name]
                taken[name] = {a: word for a, word in words.items() if int(a) in addresses}
                self._stored[name] = {a: word for a, word in words.items() if a not in taken[name]}
        return taken

    def _join_aside(self) -> None:
        """Put what was set aside back among the rest, if anything was."""
        if (aside := self._stored.pop(ASIDE, None)) is None:
            return
        over = aside.pop(LEASES)
        known = [*self._stored.setdefault(LEASES, []), *self._stored.get(ENDING, [])]
        self._stored[ENDING] = [
            *self._stored.get(ENDING, []),
            *(lease for lease in over if lease not in known),
        ]
        for name, words in aside.items():
            self._stored[name] = {**self._stored.get(name, {}), **words}

    def is_ours(self, address: int, word: int) -> bool:
        """Whether a device that holds this word there has it from us."""
        return word in (self.after.get(address), self.former.get(address))

    def copy(self) -> dict[str, Any]:
        """What `reset` goes back to."""
        return dict(self._stored)

    async def reset(self, copied: Mapping[str, Any]) -> bool:
        """Go back to what `copy` returned; whether that is stored."""
        self._stored.clear()
        self._stored.update(copied)
        return await self._saved()

    async def keep(
        self,
        leases: Sequence[Lease],
        before: Mapping[int, int],
        after: Mapping[int, int],
        former: Mapping[int, int] | None = None,
        ending: Sequence[Lease] = (),
    ) -> bool:
        """Store these; whether they are stored. Without leases and words there is nothing to keep.

        `former` are the words that are there before a change which is about to be carried out, be it none.
        """
        aside = self._stored.get(ASIDE)
        self._stored.clear()
        if aside is not None:
            self._stored[ASIDE] = aside
        if leases or after or former:
            self._stored[LEASES] = [lease.as_dict() for lease in leases]
            self._stored[ENDING] = [lease.as_dict() for lease in ending]
            for name, words in ((BEFORE, before), (AFTER, after), (FORMER, former)):
                if words is not None:
                    self._stored[name] = {str(address): word for address, word in words.items()}
        return await self._saved()

    async def _saved(self) -> bool:
        return self._save is None or await self._save()


def _words(stored: Mapping[str, int]) -> dict[int, int]:
    return {int(address): word for address, word in stored.items()}
