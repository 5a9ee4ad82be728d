"""A million requests that something goes wrong with. See scripts/fuzz."""

import argparse
import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import sys
import time
from typing import Final

from tests.modbus.fuzz import FAULTS, Outcome, fuzz

REQUESTS: Final = 1_000_000
# Links at the same time, for each kind of server.
LINKS: Final = 24
# So many faults are one piece of work, after which the figures are printed.
PIECE: Final = 10_000


def _run(kind: str, seed: int, faulted: int) -> tuple[str, Outcome]:
    """One piece of work, in a process of its own."""
    return kind, asyncio.run(fuzz(kind, range(seed, seed + LINKS), faulted))


def main() -> int:
    """Run all of it, and print what became of it; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="that meet a fault")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    parser.add_argument("--minutes", type=float, default=60, help="after which nothing is begun")
    arguments = parser.parse_args()

    started = time.monotonic()
    outcomes = {kind: Outcome() for kind in FAULTS}
    pieces = max(1, round(arguments.requests / len(FAULTS) / PIECE))
    faulted = -(-arguments.requests // (len(FAULTS) * pieces))
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        work = [
            pool.submit(_run, kind, arguments.seed + LINKS * number, faulted)
            for number in range(pieces)
            for kind in FAULTS
        ]
        for piece in work:
            if time.monotonic() - started > 60 * arguments.minutes and piece.cancel():
                continue
            kind, outcome = piece.result()
            outcomes[kind].add(outcome)
            print(".", end="", flush=True)
    print()
    for kind, outcome in outcomes.items():
        counts = outcome.counts
        print(
            f"{kind:5}  {counts['requests']} requests, {counts['faulted']} of them with a fault:"
            f" {counts['succeeded']} answered, {counts['failed']} failed, {counts['cancelled']} given up;"
            f" {len(outcome.wrong)} wrong values, {len(outcome.escaped)} escaped exceptions,"
            f" {outcome.left_tasks} tasks and {outcome.left_descriptors} descriptors left"
        )
        for line in (*outcome.wrong[:5], *outcome.escaped[:5]):
            print(f"       {line}")
    faults = sum(outcome.counts["faulted"] for outcome in outcomes.values())
    print(f"{faults} faults in {time.monotonic() - started:.0f} s")
    return 0 if all(outcome.is_clean for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
