"""Lives one year of the simulated house with prices, in a process with a clock of its own: `python -m lab.tariff_year`."""

import asyncio
from dataclasses import asdict
import json
import sys

from .moved_clock import MovedClock


def main() -> None:
    """Print as JSON what so many days with one of the cases came to."""
    name, days = sys.argv[1:]
    clock = MovedClock()
    clock.install()
    from .tariff_life import live

    print(json.dumps(asdict(asyncio.run(live(name, int(days), clock)))))


if __name__ == "__main__":
    main()
