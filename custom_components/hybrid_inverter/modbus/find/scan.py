"""Searches a link in use for other devices, between the polls of the units that are set up, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, override

from ..errors import (
    DeviceError,
    LinkError,
    LinkTimeout,
    RejectedError,
)
from ..transport.endpoint import StickEndpoint
from ..transport.link import Link, LinkUnit
from .identify import Identity, identify
from .probe import (
    SCAN_REGISTER,
    SCAN_TIMEOUT,
    Answering,
    Failure,
    ProbeError,
    not_ours,
)
from .probe_stick import STICK_SCAN_TIMEOUT

# No request is sent after these seconds; the last one may take another second.
SEARCH_SECONDS: Final = 18.0
# A unit id that a person has entered is given more time than one of a search.
ASK_TIMEOUT: Final = 1.5
# The share of a search that finds the unit ids that answer; the rest identifies the devices.
PRESENCE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit that answered a search."""

    unit_id: int
    # None for a device that there was no time to identify, or that no table is made for.
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search."""

    candidates: tuple[Candidate, ...]
    # The device that answers on every unit id, so that no other can be found beside it.
    everywhere: Identity | None = None


async def ask(link: Link, unit_id: int) -> Identity:
    """The identity of the device with this unit id; ProbeError when there is none."""
    try:
        return await identify(LinkUnit(link, unit_id, timeout=ASK_TIMEOUT, retries=0))
    except LinkTimeout as err:
        raise ProbeError(Failure.NO_ANSWER) from err
    except LinkError as err:
        raise ProbeError(Failure.UNREACHABLE) from err
    except DeviceError as err:
        silent = isinstance(err, RejectedError) and err.is_silence
        raise (ProbeError(Failure.NO_ANSWER) if silent else not_ours(err)) from err


async def candidates_at(answering: Answering) -> tuple[Candidate, ...]:
    """What answers there, as far as it can be identified in the time of a search."""
    link = Link(answering.endpoint, read_retries=0)
    try:
        await link.connect()
        result = await search(link, answering.unit_ids, lambda _: None)
    except LinkError:
        result = SearchResult(())
    finally:
        await link.close()
    known = {candidate.unit_id: candidate for candidate in result.candidates}
    return tuple(known.get(unit_id, Candidate(unit_id)) for unit_id in answering.unit_ids)


async def search(
    link: Link, unit_ids: Iterable[int], progress: Callable[[float], None]
) -> SearchResult:
    """The units that answer on these unit ids, as far as the time allows; `progress` is called with 0 to 1."""
    deadline = _now() + SEARCH_SECONDS
    within = STICK_SCAN_TIMEOUT if isinstance(link.endpoint, StickEndpoint) else SCAN_TIMEOUT
    wanted = list(unit_ids)
    present = []
    for number, unit_id in enumerate(wanted):
        if _now() > deadline:
            break
        progress(PRESENCE * number / len(wanted))
        if await _is_present(LinkUnit(link, unit_id, timeout=within, retries=0)):
            present.append(unit_id)
    candidates = {unit_id: Candidate(unit_id) for unit_id in present}
    seen: set[str] = set()
    for number, unit_id in enumerate(present):
        progress(PRESENCE + (1 - PRESENCE) * number / len(present))
        unit = _UnitWithDeadline(link, unit_id, within, deadline)
        try:
            identity = await identify(unit)
        except DeviceError, TimeoutError:
            continue
        # Meters have no serial number, and no way to answer for each other.
        if identity.serial and identity.serial in seen:
            return SearchResult((), everywhere=identity)
        seen.add(identity.serial)
        candidates[unit_id] = Candidate(unit_id, identity)
    return SearchResult(tuple(candidates.values()))


async def _is_present(unit: LinkUnit) -> bool:
    """Whether a device answers, be it with a refusal."""
    try:
        await unit.read_holding_registers(SCAN_REGISTER, 1)
    except RejectedError as err:
        return not err.is_silence
    except LinkError:
        return False
    return True


class _UnitWithDeadline(LinkUnit):
    """A unit to which nothing is sent after a deadline; a request in flight is not cut off."""

    def __init__(self, link: Link, unit_id: int, within: float, deadline: float) -> None:
        """The deadline is a time of the event loop."""
        super().__init__(link, unit_id, timeout=within, retries=0)
        self._deadline = deadline

    @override
    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False, once: bool = False
    ) -> list[int]:
        """The words; TimeoutError after the deadline."""
        if _now() > self._deadline:
            raise TimeoutError
        return await super().read_holding_registers(address, count, urgent=urgent, once=once)


def _now() -> float:
    """The time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()
