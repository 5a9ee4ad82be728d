"""What eight clients of a mirror cost the inverter and Home Assistant, and what clients of other makers read. See scripts/bench."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
import random
import struct
import sys
from typing import Any, Final

from .crowd import callbacks, loop_seconds
from .home import Home, home_assistant
from .plant import Plant, simulated_plant
from .process import REPOSITORY, free_port

CLIENTS: Final = 8
# The longest that the mirror may hold up the event loop, in milliseconds, and whose code it is.
MAX_MS: Final = 20
CODE: Final = "hybrid_inverter/modbus/mirror"
# Seconds after a change of the options that are not measured.
SETTLING: Final = 60
# What the clients read: these words of a JSO are polled for the entities that are there by default.
RANGES: Final = ((3, 5), (98, 80), (500, 20), (522, 16), (586, 30), (608, 36), (672, 4))
READ: Final = struct.Struct(">HHHBBHH")

# The clock of a JSO: the integration looks at it ten minutes after the start and each day, and again while it stands still, as
# the simulated one does. So it is read when it is due, and not as often with clients as without.
CLOCK_READ: Final = (62, 3)

# Clients that nobody here wrote, each in an environment of its own, and the script that reads with them.
OTHER_CLIENTS: Final = {"sunsynk": "0.8.4", "modpoll2mqtt": "2.4.1", "pyModbusTCP": "0.3.1"}
SCRIPT: Final = Path(__file__).with_name("mirror_clients.py")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was carried meanwhile: how often each read, and the processor seconds of the event loop."""

    reads: Counter[tuple[int, int]]
    processor: float


@dataclass(slots=True)
class Reading:
    """What the clients have got."""

    answers: int = 0
    wrong: int = 0


async def mirror(minutes: int) -> bool:
    """Print what is carried, held up and read with the clients and without; whether it is as it should be."""
    port = free_port()
    async with (
        simulated_plant(["--speed", "0"]) as plant,
        home_assistant(level="warning", watch="loop_watch", commit_interval=5) as home,
    ):
        entry = await home.add_inverter(plant.tcp)
        await home.set_mirror(entry["entry_id"], enabled=True, host="127.0.0.1", port=port)
        await asyncio.sleep(SETTLING)
        expected = {one: await plant.words(*one) for one in RANGES}
        reading = Reading()
        alone = await _measure(plant, home, minutes)
        seen = len(callbacks(home))
        clients = [asyncio.create_task(_read_on(port, expected, reading)) for _ in range(CLIENTS)]
        shared = await _measure(plant, home, minutes)
        for client in clients:
            client.cancel()
        ended = [
            result
            for result in await asyncio.gather(*clients, return_exceptions=True)
            if not isinstance(result, asyncio.CancelledError)
        ]
        held = [line for line in callbacks(home)[seen:] if CODE in line["where"]]
        others = await _other_clients(plant, port)
    print(
        f"\nA mirror with {CLIENTS} clients at full speed, {minutes} minutes, and as long without"
    )
    print("reads of the inverter: first register, registers, how often without and with clients")
    kinds = sorted((alone.reads.keys() | shared.reads.keys()) - {CLOCK_READ})
    for first, count in kinds:
        without, with_clients = alone.reads[first, count], shared.reads[first, count]
        print(f"  {first:>6} {count:>4} {without:>6} {with_clients:>6}")
    print(
        f"processor seconds of the event loop: {alone.processor:.2f} without, {shared.processor:.2f} with"
    )
    print(f"answers: {reading.answers}, {reading.wrong} of them wrong; clients that ended: {ended}")
    longest = max((line["ours_ms"] for line in held), default=0.0)
    working = max((line["cpu_ms"] for line in held), default=0.0)
    print(
        f"the mirror held up the event loop {len(held)} times for more than 10 ms, for {longest:.0f} ms at the longest;"
        f" it had the processor for {working:.0f} ms of such a time at most"
    )
    for name, result in others.items():
        print(f"{name}: {result['read']} registers read, wrong: {result['wrong'] or 'none'}")
    return (
        # A poll may fall just into one measurement, and just out of the other.
        all(abs(alone.reads[kind] - shared.reads[kind]) <= 1 for kind in kinds)
        and all(kind in alone.reads for kind in kinds)
        and reading.answers > 0
        and not (reading.wrong or ended)
        and all(one["read"] and not one["wrong"] for one in others.values())
        and longest <= MAX_MS
    )


async def _measure(plant: Plant, home: Home, minutes: int) -> Measured:
    """What the inverter is asked for in so many minutes, and what that costs the event loop."""
    before, busy = await _last_read(plant), loop_seconds(home.process_id)
    await asyncio.sleep(60 * minutes)
    reads = [read for read in await plant.get("reads") if read["time"] > before]
    return Measured(
        Counter((read["address"], read["count"]) for read in reads),
        loop_seconds(home.process_id) - busy,
    )


async def _last_read(plant: Plant) -> float:
    """When the inverter was read last, on its own timer."""
    return max(float(read["time"]) for read in await plant.get("reads"))


async def _read_on(
    port: int, expected: Mapping[tuple[int, int], Sequence[int]], reading: Reading
) -> None:
    """Read as fast as answers come, and compare each with what the inverter holds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ranges = list(expected)
    try:
        while True:
            first, count = random.choice(ranges)  # noqa: S311 - nothing secret
            writer.write(READ.pack(1, 0, 6, 1, 3, first, count))
            header = await reader.readexactly(7)
            pdu = await reader.readexactly(int.from_bytes(header[4:6]) - 1)
            words = struct.pack(f">{count}H", *expected[first, count])
            reading.answers += 1
            reading.wrong += pdu != bytes((3, 2 * count)) + words
    finally:
        writer.transport.abort()


async def _other_clients(plant: Plant, port: int) -> dict[str, dict[str, Any]]:
    """How many words each of the other clients has read, and which of them are not what the inverter holds."""
    results = {}
    for name, version in OTHER_CLIENTS.items():
        process = await asyncio.create_subprocess_exec(
            *(str(REPOSITORY / "scripts" / "uv"), "run", "--quiet", "--no-project", "--isolated"),
            *("--python", sys.executable, "--with", f"{name}=={version}"),
            *("python", str(SCRIPT), name, str(port)),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        words: dict[str, int] = json.loads(output)
        held = {address: await plant.word(int(address)) for address in words}
        wrong = [address for address, word in words.items() if word != held[address]]
        results[name] = {"read": len(words), "wrong": wrong}
    return results
