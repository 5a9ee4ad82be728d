"""The demo: a simulated house in a real Home Assistant. See scripts/demo."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
import signal
import sys
import time
from typing import Final

from .check import Journal, check
from .check_bus import check_bus
from .check_control import check_control
from .check_crash import check_crash
from .check_effects import check_effects
from .check_emhass import check_emhass
from .check_house import check_house
from .check_lived import MAX_UP_SECONDS_BESIDE_OTHERS, check_lived
from .check_saj import check_saj
from .check_stick import check_stick
from .check_wiring import check_wiring
from .home_folder import USER
from .house import MACHINES, house, midnight, order_something, time_options
from .plant import ANOTHER, simulated_plant


async def show(speed: float, days: int) -> int:
    """Run until Ctrl-C; at a speed-up, begin some days ago and catch up with the present."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    print("Starting the simulated house and Home Assistant ...", flush=True)
    started = time.monotonic()
    begin = midnight(days) if speed > 1 else None
    another = (*ANOTHER, *time_options(begin or datetime.now(UTC).astimezone()))
    async with house(begin) as one, simulated_plant(another) as other:
        home = one.home
        print(
            f"\n  Home Assistant   {home.url}/hybrid-inverter, up in {time.monotonic() - started:.0f} s"
            f"\n  login            {USER}, password {USER}"
            f"\n  machines         {', '.join(MACHINES.values())}, added and live"
            f"\n  to add another   network, host 127.0.0.1, port {other.rtu}, framing RTU over TCP"
            f"\n  the machines     http://127.0.0.1:{one.plant.control}/ http://127.0.0.1:{other.control}/",
            flush=True,
        )
        if begin is None:
            # In the past it would be over before anybody has looked.
            print(f"  battery control  {await order_something(one)}", flush=True)
        else:
            # While time is made up for, the present moves on.
            behind = (datetime.now(UTC) - begin).total_seconds() - (time.monotonic() - started)
            await one.hurry(speed, behind * speed / (speed - 1))
            print(
                f"  time             since {begin:%A, %d %B}, {speed:g} times as fast;"
                f" the present is reached in {behind / (speed - 1) / 60:.0f} min",
                flush=True,
            )
        print("\nCtrl-C stops everything.", flush=True)
        await stop.wait()
        print("\nStopping ...", flush=True)
    return 0


async def check_everything() -> int:
    """Try everything that the demo promises; 1 when something does not hold."""
    print(
        "Five lanes beside each other:", *(lane.__doc__ for lane in LANES), sep="\n  ", flush=True
    )
    # Each spends most of its time waiting: for the next poll, for a start, for the time of a house to pass.
    return 1 if sum(await asyncio.gather(*(lane() for lane in LANES))) else 0


async def _line() -> int:
    """Four machines on one line; then the first screen of the demo."""
    return await check_bus() + await check_lived(MAX_UP_SECONDS_BESIDE_OTHERS)


async def _first_and_house() -> int:
    """The first inverter, and the same through a Wi-Fi stick; then a day of the house of the demo."""
    return await _check_first() + await check_house()


async def _saj() -> int:
    """The inverters of SAJ; then one while Home Assistant is killed."""
    return await check_saj() + await check_crash()


async def _flows() -> int:
    """What the settings change of the flows; then battery control."""
    return await check_effects() + await check_control()


async def _check_first() -> int:
    """Try the first inverter, and whether a stick makes a difference; return how many checks failed."""
    done: asyncio.Future[Journal] = asyncio.get_running_loop().create_future()
    return sum(await asyncio.gather(check(done), check_stick(done)))


async def _check_house() -> int:
    """Try the first screen of the demo, and a day of its house; return how many checks failed."""
    return await check_lived() + await check_house()


LANES: Final = (_line, _first_and_house, _saj, _flows, check_wiring)

# What can be tried alone.
CHECKS: Final[Mapping[str, Callable[[], Awaitable[int]]]] = {
    "first": _check_first,
    "saj": check_saj,
    "crash": check_crash,
    "bus": check_bus,
    "effects": check_effects,
    "control": check_control,
    "wiring": check_wiring,
    "house": _check_house,
}


async def check_only(name: str) -> int:
    """Try a part of it; 1 when something does not hold."""
    return 1 if await CHECKS[name]() else 0


def main() -> int:
    """Show the demo, or check it; 1 when the check fails."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="no page: try everything, exit 0 or 1")
    parser.add_argument("--only", choices=CHECKS, help="with --check: a part of it")
    parser.add_argument(
        "--week",
        action="store_true",
        help="no page: live a week, compare its energies with the physics; takes a quarter of an hour",
    )
    parser.add_argument(
        "--emhass",
        action="store_true",
        help="no page: a day planned by EMHASS, with its bill; takes a quarter of an hour",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="begin in the past, and pass it so many times as fast (144: a day in 10 min)",
    )
    parser.add_argument(
        "--days", type=int, default=1, help="before today, to pass at that speed; 1 if not given"
    )
    options = parser.parse_args()
    if options.check:
        return asyncio.run(check_only(options.only) if options.only else check_everything())
    if options.week:
        return 1 if asyncio.run(check_house(days=7)) else 0
    if options.emhass:
        return 1 if asyncio.run(check_emhass()) else 0
    return asyncio.run(show(options.speed, options.days))


if __name__ == "__main__":
    sys.exit(main())
