"""What is stored of orders, whatever dies in between."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.control.lease import Lease, LeaseMemory
from custom_components.hybrid_inverter.modbus.control.order import ControlMode, Order

BEGAN: Final = datetime(2026, 12, 1, 12, tzinfo=UTC)
LEASE: Final = Lease(
    order=Order(mode=ControlMode.HOLD, start=BEGAN, until=BEGAN + timedelta(hours=1)),
    owner="cheap hours",
    of_person=False,
    facts={},
)


@pytest.mark.parametrize("dies", [True, False])
async def test_words_that_are_set_aside_are_known_again_whatever_dies_meanwhile(dies: bool) -> None:
    """The word at 2 cannot be written now; that at 1 is put back, and its order is over for both."""
    stored: dict[str, Any] = {}
    disk: list[dict[str, Any]] = []

    async def save() -> bool:
        disk.append(deepcopy(stored))
        return True

    memory = LeaseMemory(stored, save)
    await memory.keep([LEASE], {1: 10, 2: 20}, {1: 11, 2: 21})
    memory.set_aside({2})
    assert memory.addresses == {1}
    await memory.keep((), {1: 10}, {}, {1: 11}, [LEASE])
    assert memory.addresses == {1}
    if not dies:
        await memory.keep((), {}, {})
        await memory.take_in()
    memory = LeaseMemory(disk[-1])
    assert memory.before == ({1: 10, 2: 20} if dies else {2: 20})
    assert memory.after == {2: 21}
    assert (memory.leases, memory.ending) == ((), (LEASE,))
