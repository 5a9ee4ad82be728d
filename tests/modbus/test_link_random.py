"""Hundreds of requests against servers that do everything wrong in turn: not one wrong value."""

from __future__ import annotations

import asyncio
import logging

import pytest

from .fuzz import FAULTS, fuzz

# Requests that meet a fault, over one link after the other.
FAULTED = 300


@pytest.mark.parametrize("kind", FAULTS)
async def test_random_faults_never_cause_a_wrong_value(
    socket_enabled: None, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every value is the register's own, the first request after the faults succeeds, and nothing is left open."""
    caplog.set_level(logging.WARNING)
    # A computer that is busy is slow, and not wrong.
    asyncio.get_running_loop().slow_callback_duration = 10
    outcome = await fuzz(kind, [1, 2, 3], FAULTED)
    assert outcome.wrong == []
    assert outcome.escaped == []
    assert (outcome.left_tasks, outcome.left_descriptors) == (0, 0)
    counts = outcome.counts
    assert counts["faulted"] >= FAULTED
    assert counts["succeeded"] > counts["requests"] / 2
    assert counts["failed"] > counts["requests"] / 20
    assert counts["cancelled"] > 0
    assert not caplog.records
