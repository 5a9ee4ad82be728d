"""Whether the time of an order is over, also while the computer's clock is wrong."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
import math
import time
from typing import Final

from homeassistant.util import dt as dt_util

from ..modbus.control.lease import Lease
from ..runtime.clock import CLOCK
from ..runtime.machine import Machine
from .facts import CLOCK_AHEAD, plausible_clock

# An order that ended so long ago is shown, and not put back any more: nobody knows whose words these are.
TOO_OLD: Final = timedelta(days=7)


class Deadlines:
    """When orders end: by the computer's clock, and while that is wrong by the inverter's, or by how long they have lasted."""

    def __init__(self, machine: Machine, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds that nobody sets."""
        self._machine = machine
        self._clock = clock
        # By start and end of an order: the second of `clock` at which it ends.
        self._ends: dict[tuple[datetime, datetime], float] = {}

    def is_over(self, lease: Lease, until: datetime) -> bool:
        """Whether it is `until`, in UTC, or later."""
        order = (lease.order.start, until)
        known, passed = self._ends.get(order, math.inf), self._clock()
        if (now := self.now([lease])) is not None:
            end = passed + (until - now).total_seconds()
            # A clock that is set back makes no order longer, and what the inverter's has shown may be from some time ago.
            self._ends[order] = known = min(known, end)
        return passed >= known

    def forget(self, leases: Sequence[Lease]) -> None:
        """Forget all orders but these."""
        starts = {lease.order.start for lease in leases}
        self._ends = {order: end for order, end in self._ends.items() if order[0] in starts}

    def now(self, leases: Sequence[Lease]) -> datetime | None:
        """The time in UTC, as far as orders that were given before can tell; None while nobody knows it.

        The computer may not know it yet, or may have lost it: its clock is before an order was given. Then the inverter's
        counts as it was last read: it is as far ahead as it was then, if what it shows makes sense.
        """
        if all(map(plausible_clock, leases)):
            return dt_util.utcnow()
        last = max(leases, key=lambda lease: lease.order.start)
        shown, ahead = self._machine.device.values.get(CLOCK), last.facts.get(CLOCK_AHEAD)
        if not isinstance(shown, datetime) or ahead is None:
            return None
        now = shown.replace(tzinfo=UTC) - timedelta(seconds=ahead)
        return now if last.order.start <= now < last.order.until + TOO_OLD else None
