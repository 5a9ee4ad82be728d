"""What a crowd costs: ten inverters and twelve meters on ten links in one Home Assistant. See scripts/bench."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
import json
from pathlib import Path
from typing import Any, Final

from simulator.simulation import SimulatedPlant

from .home import Home, home_assistant

ROLES: Final = ("grid", "solar")
# What is on each link, by unit id.
LINKS: Final[tuple[Mapping[int, str], ...]] = (
    *({3: "JSO8048104", 1: "DTSU666", 2: "DDSU666"} for _ in range(2)),
    *({3: "JSO8048104", 1: "DTSU666"} for _ in range(3)),
    *({4: "H2-10K-T2", 1: "DTSU666"} for _ in range(5)),
)
# Callbacks that are no longer than this are not held against anybody.
MAX_MS: Final = 50
# Seconds after the last machine was added that are not measured.
SETTLING: Final = 90


async def crowd(minutes: int) -> None:
    """Print processor time, memory and the longest callbacks of a Home Assistant with all of them, and without."""
    async with AsyncExitStack() as stack:
        plants = [
            await stack.enter_async_context(
                SimulatedPlant(
                    devices=devices, seed=number, serial_number=f"SIM{number:05}00", speed=1
                )
            )
            for number, devices in enumerate(LINKS, 1)
        ]
        home = await stack.enter_async_context(
            home_assistant(level="warning", watch="loop_watch", commit_interval=5)
        )
        await asyncio.sleep(SETTLING)
        idle = await _measure(home, minutes)
        for plant, devices in zip(plants, LINKS, strict=True):
            await _add(home, plant, devices)
        setting_up = callbacks(home)
        await asyncio.sleep(SETTLING)
        full = await _measure(home, minutes)
        steady = callbacks(home)[len(setting_up) :]
    machines = sum(len(devices) for devices in LINKS)
    print(f"\n{machines} machines on {len(LINKS)} links, {minutes} minutes")
    print(f"processor seconds a minute: {full[0]:.2f} with them, {idle[0]:.2f} without")
    print(f"memory: {full[1]:.0f} MB with them, {idle[1]:.0f} MB without")
    for name, found in (("adding them", setting_up), ("polling", steady)):
        longest = max((line["ours_ms"] for line in found), default=0.0)
        held = [line for line in found if line["ours_ms"] > MAX_MS]
        print(
            f"{name}: the event loop was held up for {longest:.0f} ms by the integration at the longest,"
            f" {len(held)} times for more than {MAX_MS} ms"
        )
        for line in held:
            print(f"  {json.dumps(line)}")


async def _add(home: Home, plant: SimulatedPlant, devices: Mapping[int, str]) -> None:
    """Add a link with its machines as a user would: the inverter, then the meters."""
    inverter, *meters = devices
    entry = await home.add_inverter(plant.rtu_port, "rtu", unit_id=inverter)
    for unit_id, role in zip(meters, ROLES, strict=False):
        await home.add_meter(entry["entry_id"], unit_id, role)


async def _measure(home: Home, minutes: int) -> tuple[float, float]:
    """The processor seconds a minute, and the megabytes at the end."""
    before = processor_seconds(home.process_id)
    await asyncio.sleep(60 * minutes)
    seconds = (processor_seconds(home.process_id) - before) / minutes
    return seconds, _megabytes(home.process_id)


def callbacks(home: Home) -> list[dict[str, Any]]:
    """The long callbacks so far."""
    journal = home.config / "loop_watch.jsonl"
    if not journal.exists():
        return []
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def processor_seconds(process_id: int) -> float:
    """The processor time of all threads of a process so far."""
    return sum(map(_seconds, Path(f"/proc/{process_id}/task").iterdir()))


def loop_seconds(process_id: int) -> float:
    """The processor time of the event loop of a Home Assistant so far: that of its first thread."""
    return _seconds(Path(f"/proc/{process_id}/task/{process_id}"))


def _seconds(task: Path) -> float:
    """The processor time of a thread so far."""
    return int((task / "schedstat").read_text().split()[0]) / 1e9


def _megabytes(process_id: int) -> float:
    """The memory that a process occupies, in megabytes."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return next(
        int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")
    )
