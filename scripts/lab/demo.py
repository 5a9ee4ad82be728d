"""The demo: a simulated house in a real Home Assistant. See scripts/demo."""

import argparse
import asyncio
import signal
import sys
from typing import Final

from .check import check
from .check_bus import check_bus
from .check_effects import check_effects
from .check_saj import check_saj
from .check_stick import check_stick
from .home import USER, home_assistant
from .plant import simulated_plant

# The options of a second machine, for a person to add by hand.
ANOTHER: Final = ("--serial-number", "JSO0000002", "--seed", "7")


async def show(speed: float) -> int:
    """Run until Ctrl-C."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    print("Starting the simulated plant and Home Assistant ...", flush=True)
    speed_option = ["--speed", str(speed)]
    async with (
        simulated_plant(speed_option) as plant,
        simulated_plant([*speed_option, *ANOTHER]) as other,
        home_assistant() as home,
    ):
        entry = await home.add_inverter(plant.tcp)
        print(
            f"\n  Home Assistant   {home.url}"
            f"\n  login            {USER}, password {USER}"
            f"\n  inverter         {entry['title']}, added and live"
            f"\n  to add another   network, host 127.0.0.1, port {other.rtu}, framing RTU over TCP"
            f"\n  the machines     http://127.0.0.1:{plant.control}/ http://127.0.0.1:{other.control}/"
            "\n\nCtrl-C stops everything.",
            flush=True,
        )
        await stop.wait()
        print("\nStopping ...", flush=True)
    return 0


async def check_everything() -> int:
    """Try everything that the demo promises; 1 when something does not hold."""
    failed, done = await check()
    print(
        "\nThe inverters of SAJ, beside them the first one through a Wi-Fi stick, and four machines on one line",
        flush=True,
    )
    # Each spends most of its time waiting for the next poll.
    failed += sum(await asyncio.gather(check_saj(), check_stick(done), check_bus()))
    print("\nCause and effect: what is changed in Home Assistant changes what flows", flush=True)
    failed += await check_effects()
    return 1 if failed else 0


def main() -> int:
    """Show the demo, or check it; 1 when the check fails."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="no page: try everything, exit 0 or 1")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="plant seconds per second (144: a day in 10 min)"
    )
    options = parser.parse_args()
    return asyncio.run(check_everything() if options.check else show(options.speed))


if __name__ == "__main__":
    sys.exit(main())
