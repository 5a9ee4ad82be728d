"""Who else is on a line that is in use: asked between the polls of the units that are known, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, override

from .endpoint import StickEndpoint
from .errors import DeviceError, LinkError, LinkTimeout, RejectedError, WrongDeviceError
from .identify import Identity, identify
from .link import Link
from .probe import SCAN_REGISTER, SCAN_TIMEOUT, Failure, ProbeError
from .probe_stick import STICK_SCAN_TIMEOUT
from .unit import LinkUnit

# After these seconds nobody is asked any more; the last question may take another second.
SEARCH_SECONDS: Final = 18.0
# A machine that a person has named may be given longer than one that is only looked for.
ASK_PATIENCE: Final = 1.5
# Which part of a search it is to find out who is there; the rest is to find out what they are.
PRESENCE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit that answered while it was looked for."""

    unit_id: int
    # None for what there was no time to identify, or what no table is made for.
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What a search has brought."""

    candidates: tuple[Candidate, ...]
    # The machine that answers on every unit id, so that nobody else can be found beside it.
    everywhere: Identity | None = None


async def ask(link: Link, unit_id: int) -> Identity:
    """Return the identity of the machine with this unit id; ProbeError when there is none."""
    try:
        return await identify(LinkUnit(link, unit_id, patience=ASK_PATIENCE, retries=0))
    except WrongDeviceError as err:
        raise ProbeError(Failure.WRONG_DEVICE, err.found) from err
    except LinkTimeout as err:
        raise ProbeError(Failure.NO_ANSWER) from err
    except LinkError as err:
        raise ProbeError(Failure.UNREACHABLE) from err
    except DeviceError as err:
        silent = isinstance(err, RejectedError) and err.is_silence
        raise (
            ProbeError(Failure.NO_ANSWER) if silent else ProbeError(Failure.WRONG_DEVICE, str(err))
        ) from err


async def search(
    link: Link, unit_ids: Iterable[int], progress: Callable[[float], None]
) -> Findings:
    """Return who answers on these unit ids, as far as the time allows; progress hears of how much is done, 0 to 1."""
    deadline = _now() + SEARCH_SECONDS
    within = STICK_SCAN_TIMEOUT if isinstance(link.endpoint, StickEndpoint) else SCAN_TIMEOUT
    asked = list(unit_ids)
    there = []
    for number, unit_id in enumerate(asked):
        if _now() > deadline:
            break
        progress(PRESENCE * number / len(asked))
        if await _is_there(LinkUnit(link, unit_id, patience=within, retries=0)):
            there.append(unit_id)
    candidates = {unit_id: Candidate(unit_id) for unit_id in there}
    seen: set[str] = set()
    for number, unit_id in enumerate(there):
        progress(PRESENCE + (1 - PRESENCE) * number / len(there))
        unit = _HurriedUnit(link, unit_id, within, deadline)
        try:
            identity = await identify(unit)
        except DeviceError, TimeoutError:
            continue
        # Meters have no serial number, and no way to answer for each other.
        if identity.serial and identity.serial in seen:
            return Findings((), everywhere=identity)
        seen.add(identity.serial)
        candidates[unit_id] = Candidate(unit_id, identity)
    return Findings(tuple(candidates.values()))


async def _is_there(unit: LinkUnit) -> bool:
    """Whether anybody answers, be it with a refusal."""
    try:
        await unit.read_holding_registers(SCAN_REGISTER, 1)
    except RejectedError as err:
        return not err.is_silence
    except LinkError:
        return False
    return True


class _HurriedUnit(LinkUnit):
    """A unit that is asked nothing more after a deadline; no question on its way is broken off."""

    def __init__(self, link: Link, unit_id: int, patience: float, deadline: float) -> None:
        """Take when it is over, by the clock of the event loop."""
        super().__init__(link, unit_id, patience=patience, retries=0)
        self._deadline = deadline

    @override
    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False
    ) -> list[int]:
        """Return words; TimeoutError when it is too late to ask."""
        if _now() > self._deadline:
            raise TimeoutError
        return await super().read_holding_registers(address, count, urgent=urgent)


def _now() -> float:
    """Return the time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()
