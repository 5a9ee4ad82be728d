"""How checks of a running Home Assistant are carried out and reported."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import re
import time
from typing import Any, Final

from .home import Home, RefusedError

# Other components of Home Assistant that miss a program or a library on a machine without a screen, what it says of
# every custom integration, and its record of the actions that were refused on purpose.
NOT_OURS: Final = re.compile(
    r"haffmpeg|camera\.img_util|aiohttp_fast_zlib|has not been tested by Home Assistant"
    # A page that is closed while something is sent to it.
    r"|websocket_api\.http\.connection|ClientConnectionResetError"
)
SUSPICIOUS: Final = re.compile(
    r" (WARNING|ERROR|CRITICAL) \(|deprecat|will stop working", re.IGNORECASE
)


class CheckError(Exception):
    """Something is not as promised."""


def expect(true: bool, otherwise: str) -> None:
    """Raise CheckError with a sentence when a condition does not hold."""
    if not true:
        raise CheckError(otherwise)


async def run_checks[HouseT](
    house: HouseT, checks: Sequence[Callable[[HouseT], Awaitable[None]]], title: str
) -> int:
    """Run all checks in order, with a line for each that says what they are about; return how many failed."""
    failed = 0
    for one in checks:
        started = time.monotonic()
        name = getattr(one, "__name__", str(one)).replace("_", " ")
        try:
            await one(house)
        except (CheckError, RefusedError, TimeoutError, KeyError, ValueError) as err:
            failed += 1
            print(f"FAILED  {title}: {name}: {type(err).__name__}: {err}", flush=True)
        else:
            print(f"ok      {title}: {name} ({time.monotonic() - started:.1f} s)", flush=True)
    print(f"{title}: {len(checks) - failed} of {len(checks)} checks hold", flush=True)
    return failed


async def refusal(home: Home, action: str, **data: Any) -> str:
    """The message with which an action is refused."""
    domain, service = action.split(".")
    try:
        await home.call(domain, service, **data)
    except RefusedError as err:
        return str(err)
    raise CheckError(f"{action} with {data} was not refused")


async def soon(
    condition: Callable[[], Awaitable[bool]], otherwise: str, seconds: float = 20
) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not await condition():
        expect(time.monotonic() < deadline, otherwise)
        await asyncio.sleep(0.3)


def suspicious_lines(log: str) -> list[str]:
    """The lines of a log that should not be there."""
    return [
        line for line in log.splitlines() if SUSPICIOUS.search(line) and not NOT_OURS.search(line)
    ]
