"""The read plan: least bus time, proven against brute force."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.device.read_plan import (
    LineCost,
    Read,
    plan_reads,
)

EVERYWHERE = [(0, 10_000)]
# 20 characters at 10 bits and 9600 baud are 20.83 ms; with the turnaround a request costs 35.83 ms.
# A register costs 2.083 ms, so a gap of 17 registers (35.42 ms) is read along and one of 18 (37.5 ms) is not.
LINE = LineCost(baudrate=9600, bits_per_character=10, turnaround=0.015)


def test_cost_at_9600_baud() -> None:
    """The cost model in seconds, worked out by hand."""
    assert LINE.character == pytest.approx(0.00104167, abs=1e-8)
    assert LINE.per_request == pytest.approx(0.0358333, abs=1e-7)
    assert LINE.per_register == pytest.approx(0.00208333, abs=1e-8)
    assert LINE.of([Read(586, 98)]) == pytest.approx(0.24, abs=1e-6)
    assert LINE.of([]) == 0


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], ()),
        ([(5, 5)], (Read(5, 1),)),
        ([(5, 8), (5, 5), (7, 9)], (Read(5, 5),)),
        # 17 unused registers in between: cheaper to read along.
        ([(10, 10), (28, 28)], (Read(10, 19),)),
        # 18 unused registers: a second request is cheaper.
        ([(10, 10), (29, 29)], (Read(10, 1), Read(29, 1))),
    ],
)
def test_gap_is_read_exactly_as_long_as_that_is_cheaper(
    spans: list[tuple[int, int]], expected: tuple[Read, ...]
) -> None:
    """A gap is crossed exactly as long as that is cheaper."""
    assert plan_reads(spans, readable=EVERYWHERE, max_read=125, cost=LINE) == expected


def test_faster_lines_cross_longer_gaps() -> None:
    """Where bytes are cheap, only the turnaround counts."""
    network = LineCost(baudrate=1_000_000, turnaround=0.015)
    assert plan_reads([(0, 0), (99, 99)], readable=EVERYWHERE, max_read=100, cost=network) == (
        Read(0, 100),
    )
    assert plan_reads([(0, 0), (100, 100)], readable=EVERYWHERE, max_read=100, cost=network) == (
        Read(0, 1),
        Read(100, 1),
    )


def test_readable_ranges_are_not_left() -> None:
    """No read crosses the end of a range, however near the next one lies."""
    assert plan_reads(
        [(236, 236), (238, 238)], readable=[(0, 237), (238, 300)], max_read=125, cost=LINE
    ) == (Read(236, 1), Read(238, 1))


def test_refused_addresses_are_not_crossed() -> None:
    """A register that the machine refuses is never read along."""
    assert plan_reads(
        [(10, 10), (12, 12)], readable=EVERYWHERE, max_read=125, cost=LINE, refused={11}
    ) == (Read(10, 1), Read(12, 1))


@pytest.mark.parametrize(
    ("span", "readable", "max_read", "refused"),
    [
        ((0, 3), EVERYWHERE, 3, ()),
        ((0, 3), [(0, 2), (3, 9)], 125, ()),
        ((0, 3), EVERYWHERE, 125, {2}),
    ],
)
def test_a_value_is_never_torn(
    span: tuple[int, int],
    readable: list[tuple[int, int]],
    max_read: int,
    refused: set[int],
) -> None:
    """A value that no single read can fetch raises."""
    with pytest.raises(ValueError, match=r"\(0, 3\)"):
        plan_reads([span], readable=readable, max_read=max_read, cost=LINE, refused=refused)


def partitions[T](items: list[T]) -> Iterator[list[list[T]]]:
    """Return every way to put the items into groups, neighbours or not."""
    if not items:
        yield []
        return
    first, *rest = items
    for groups in partitions(rest):
        yield [[first], *groups]
        for index, group in enumerate(groups):
            yield [*groups[:index], [first, *group], *groups[index + 1 :]]


@given(
    st.sets(st.integers(0, 60), min_size=1, max_size=6),
    st.integers(1, 50),
    st.sampled_from([300, 9600, 115_200]),
    st.sets(st.integers(0, 60), max_size=3),
    st.integers(1, 60),
)
def test_no_plan_is_cheaper(
    addresses: set[int], max_read: int, baudrate: int, refused: set[int], border: int
) -> None:
    """Against every possible grouping of up to six registers."""
    wanted = sorted(addresses - refused)
    readable = [(0, border - 1), (border, 60)]
    cost = LineCost(baudrate=baudrate)
    reads = plan_reads(
        [(address, address) for address in wanted],
        readable=readable,
        max_read=max_read,
        cost=cost,
        refused=refused,
    )

    def legal(group: list[int]) -> bool:
        first, last = min(group), max(group)
        return (
            last - first + 1 <= max_read
            and (last < border or first >= border)
            and not refused & set(range(first, last + 1))
        )

    cheapest = min(
        sum(0.015 + (20 + 2 * (max(group) - min(group) + 1)) * 10 / baudrate for group in groups)
        for groups in partitions(wanted)
        if all(legal(group) for group in groups)
    )
    covered = {a for read in reads for a in range(read.address, read.last + 1)}
    assert covered >= set(wanted)
    assert not covered & refused
    assert all(legal([read.address, read.last]) for read in reads)
    assert cost.of(reads) == pytest.approx(cheapest)
