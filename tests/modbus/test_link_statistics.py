"""What is counted, worked out by hand."""

from __future__ import annotations

import pytest

from custom_components.hybrid_inverter.modbus.transport.solarman import Dropped
from custom_components.hybrid_inverter.modbus.transport.statistics import LinkStatistics


def test_without_answers_there_is_no_latency_and_the_line_is_idle() -> None:
    """Without an answer there is no latency, and the line is idle."""
    statistics = LinkStatistics(lambda: 5.0)
    assert statistics.total.latency_p50 is None
    assert statistics.total.latency_p95 is None
    assert statistics.bus_load == 0
    assert statistics.as_dict()["latency_p50"] is None


def test_latencies_are_percentiles_of_the_answered_requests() -> None:
    """Of 1, 2, .. 20 ms half are within 10 and 19 of 20 within 19; what was not answered does not count."""
    statistics = LinkStatistics(lambda: 0.0)
    for milliseconds in range(20, 0, -1):
        statistics.record(1, 1.0, 1.0 + milliseconds / 1000, answered=True)
    statistics.record(1, 2.0, 5.0, answered=False)
    assert statistics.total.latency_p50 == pytest.approx(10)
    assert statistics.total.latency_p95 == pytest.approx(19)
    assert statistics.total.requests == 21
    assert statistics.total.answers == 20
    assert statistics.busy_seconds == pytest.approx(3.21)


def test_only_the_last_latencies_count() -> None:
    """256 fast answers make a slow one before them forgotten."""
    statistics = LinkStatistics(lambda: 0.0)
    statistics.record(1, 0.0, 1.0, answered=True)
    for _ in range(256):
        statistics.record(1, 0.0, 0.002, answered=True)
    assert statistics.total.latency(1.0) == pytest.approx(2)


def test_success_rate_covers_the_last_256_requests_in_all_and_per_unit() -> None:
    """Of the last 256 requests, of all units and of each one; nothing before the first."""
    statistics = LinkStatistics(lambda: 0.0)
    assert statistics.total.success_rate is None
    for _ in range(64):
        statistics.record(1, 0.0, 0.1, answered=False)
    assert statistics.total.success_rate == 0
    for _ in range(192):
        statistics.record(2, 0.0, 0.1, answered=True)
    assert statistics.total.success_rate == 0.75
    assert {unit: tally.success_rate for unit, tally in statistics.units.items()} == {1: 0, 2: 1}
    for _ in range(64):
        statistics.record(2, 0.0, 0.1, answered=True)
    assert statistics.total.success_rate == 1


def test_bus_load_covers_the_last_60_seconds() -> None:
    """Of the last 60 s the line was busy for 6 s, then 4 s of it are too old, then all."""
    now = 100.0
    statistics = LinkStatistics(lambda: now)
    statistics.record(1, 38.0, 44.0, answered=True)
    statistics.record(1, 90.0, 92.0, answered=False)
    # From 40 to 100: 4 s of the first, 2 s of the second.
    assert statistics.bus_load == pytest.approx(0.1)
    now = 104.0
    assert statistics.bus_load == pytest.approx(2 / 60)
    now = 200.0
    assert statistics.bus_load == 0
    statistics.record(1, 199.0, 200.0, answered=True)
    assert statistics.bus_load == pytest.approx(1 / 60)
    assert len(statistics._spans) == 1


def test_bus_load_of_a_new_link() -> None:
    """Of the time since its first request, so that a busy line does not look idle at first; but not of a moment."""
    now = 1000.0
    statistics = LinkStatistics(lambda: now)
    statistics.record(1, 998.0, 1000.0, answered=True)
    # 2 s of 10 s.
    assert statistics.bus_load == pytest.approx(0.2)
    now = 1018.0
    # 2 s of 20 s.
    assert statistics.bus_load == pytest.approx(0.1)


def test_diagnostics_contain_everything_and_exceptions_by_code() -> None:
    """Everything is in the diagnostics, exceptions by code."""
    statistics = LinkStatistics(lambda: 70.0)
    statistics.record(1, 10.0, 10.0126, answered=True)
    statistics.record(247, 20.0, 20.6, answered=False)
    statistics.exceptions.update([6, 2, 2])
    statistics.stick_errors.update([5])
    statistics.dropped.update([Dropped.LATE, Dropped.HEARTBEAT, Dropped.HEARTBEAT])
    statistics.registers_read = 7
    assert statistics.as_dict() == {
        "requests": 2,
        "answers": 1,
        "success_rate": 0.5,
        "timeouts": 0,
        "desyncs": 0,
        "late_answers": 0,
        "stale_answers": 0,
        "echoes": 0,
        "retries": 0,
        "connects": 0,
        "connection_losses": 0,
        "exceptions": {2: 2, 6: 1},
        "stick_errors": {5: 1},
        "dropped": {"heartbeat": 2, "late": 1},
        "bytes_sent": 0,
        "bytes_received": 0,
        "registers_read": 7,
        "latency_p50": 12.6,
        "latency_p95": 12.6,
        "busy_seconds": 0.6,
        "bus_load": 0.0102,
        "units": {
            1: {
                "requests": 1,
                "answers": 1,
                "success_rate": 1.0,
                "latency_p50": 12.6,
                "latency_p95": 12.6,
            },
            247: {
                "requests": 1,
                "answers": 0,
                "success_rate": 0.0,
                "latency_p50": None,
                "latency_p95": None,
            },
        },
    }
