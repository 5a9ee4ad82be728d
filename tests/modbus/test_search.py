"""Looking for machines on a line that is in use: who is found, in which time, and what the others notice of it."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    ImplausibleError,
    LinkLost,
    LinkTimeout,
    RejectedError,
    WrongDeviceError,
)
from custom_components.hybrid_inverter.modbus.find import scan as module
from custom_components.hybrid_inverter.modbus.find.probe import Failure, ProbeError
from custom_components.hybrid_inverter.modbus.find.scan import Candidate, ask, search
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, TcpEndpoint
from simulator import SimulatedPlant

DEFAULT_TIMEOUT = 0.05


@pytest.fixture
async def plant(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return two inverters on one line."""
    async with SimulatedPlant(units=(1, 5)) as plant:
        plant.advance(60)
        yield plant


@pytest.fixture
async def link(plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Link]:
    """Return the link to the line, on which a unit that is not there says nothing."""
    monkeypatch.setattr(module, "SCAN_TIMEOUT", DEFAULT_TIMEOUT)
    link = Link(TcpEndpoint("127.0.0.1", plant.rtu_port, Framing.RTU), timeout=1.0, spacing=0.0)
    yield link
    await link.close()


async def test_search_reports_each_device_and_its_progress(link: Link) -> None:
    """Who is there, and what it is; how far it has got is told in between."""
    told: list[float] = []
    findings = await search(link, range(4, 8), told.append)
    (candidate,) = findings.candidates
    assert candidate.unit_id == 5
    assert candidate.identity is not None
    assert candidate.identity.serial == "JSO0000002"
    assert findings.everywhere is None
    # Four who may be there are three fifths of the way, then the one who is.
    assert told == pytest.approx([0.0, 0.15, 0.3, 0.45, 0.6])


async def test_search_delays_other_devices_by_one_silent_unit_at_most(link: Link) -> None:
    """A machine that is read meanwhile waits for one silent unit at a time, and no longer than that one is given."""
    loop = asyncio.get_running_loop()
    times = [loop.time()]
    done = False

    async def poll() -> None:
        while not done:
            await link.read_holding_registers(1, 588, 1)
            times.append(loop.time())

    polling = asyncio.create_task(poll())
    findings = await search(link, range(2, 17), lambda _: None)
    done = True
    await polling
    assert [candidate.unit_id for candidate in findings.candidates] == [5]
    # Fourteen silent units; a second at least would be one that was asked again or longer.
    assert len(times) > 14
    longest = max(later - earlier for earlier, later in pairwise(times))
    assert longest < 10 * DEFAULT_TIMEOUT


async def test_no_longer_than_a_person_waits(
    link: Link, plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time is over, who has answered is offered all the same."""
    monkeypatch.setattr(module, "SEARCH_SECONDS", 0.3)
    monkeypatch.setattr(module, "SCAN_TIMEOUT", 0.5)
    plant.rtu.delay = 0.2
    started = asyncio.get_running_loop().time()
    findings = await search(link, (1, 5), lambda _: None)
    assert asyncio.get_running_loop().time() - started < 1.0
    assert findings.candidates == (Candidate(1), Candidate(5))


async def test_nobody_is_asked_after_that(
    link: Link, plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are the unit ids that come last."""
    monkeypatch.setattr(module, "SEARCH_SECONDS", 3.5 * DEFAULT_TIMEOUT)
    told: list[float] = []
    findings = await search(link, range(20, 36), told.append)
    assert findings.candidates == ()
    assert 3 <= len(told) <= 5


@pytest.mark.parametrize(
    ("error", "failure", "found"),
    [
        (WrongDeviceError("pump"), Failure.WRONG_DEVICE, ("pump", {})),
        (RejectedError(4, "unit 3"), Failure.WRONG_DEVICE, ("modbus_exception", {"code": "4"})),
        (ImplausibleError(1, 2), Failure.WRONG_DEVICE, ("implausible_values", {})),
        (RejectedError(11, "unit 3"), Failure.NO_ANSWER, None),
        (LinkTimeout("no answer"), Failure.NO_ANSWER, None),
        (LinkLost("cut"), Failure.UNREACHABLE, None),
    ],
)
async def test_each_reason_for_finding_nothing_is_told_apart(
    link: Link,
    monkeypatch: pytest.MonkeyPatch,
    error: DeviceError,
    failure: Failure,
    found: tuple[str, dict[str, str]] | None,
) -> None:
    """Each way in which nobody usable is there is told from the others."""

    async def identify(_: object) -> None:
        raise error

    monkeypatch.setattr(module, "identify", identify)
    with pytest.raises(ProbeError) as raised:
        await ask(link, 3)
    other = raised.value.other
    assert raised.value.failure is failure
    assert (other and (other.found, other.details)) == found
