"""The command, and the HTTP service that another process looks into it with."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
import signal
import sys
from typing import Any

import aiohttp
import pytest

from simulator import SimulatedPlant
from simulator.control import ControlServer

pytestmark = pytest.mark.usefixtures("socket_enabled")

ROOT = Path(__file__).parents[2]


async def test_control() -> None:
    """Registers, trouble, writes and statistics, read and changed over HTTP."""
    async with SimulatedPlant(units=(1, 3)) as plant, aiohttp.ClientSession() as session:
        control = ControlServer(plant)
        await control.start(0)

        async def get(path: str) -> Any:
            async with session.get(f"http://127.0.0.1:{control.port}{path}") as answer:
                return await answer.json()

        async def post(path: str, body: object) -> tuple[int, Any]:
            url = f"http://127.0.0.1:{control.port}{path}"
            async with session.post(url, json=body) as answer:
                return answer.status, await answer.json()

        shown = (await get("/"))["machines"]["3"]
        assert (shown["model"], shown["serial_number"]) == ("JSO8048104", "JSO0000002")
        assert await get("/registers?address=142&count=2") == {"address": 142, "values": [2, 8000]}
        assert await post("/registers", {"address": 142, "values": [0]}) == (200, {"changed": 1})
        assert plant.machine(1).word(142) == 0
        assert await get("/registers?address=142&unit=3") == {"address": 142, "values": [2]}

        status, trouble = await post("/trouble", {"locked": True, "faults": [63], "slow_commit": 2})
        assert status == 200
        assert trouble == {
            "slow_commit": 2.0,
            "reverting": 0.0,
            "locked": True,
            "busy": False,
            "silent": False,
            "faults": [63],
            "outage": False,
            "ignored_writes": [],
            "silent_blocks": [],
            "refused_blocks": [],
            "longest_read": 125,
            "zero_packs": False,
            "torn_reads": 0,
            "shifted_reads": 0,
            "reversed_phases": [],
        }
        assert plant.machine(1).trouble.locked
        assert await get("/trouble") == trouble

        plant.machine(1).respond(bytes.fromhex("10008e0001020001"))
        assert await get("/writes") == [
            {"function": 16, "address": 142, "values": [1], "time": 0.0, "exception": 0}
        ]
        assert (await get("/statistics"))["tcp"]["requests"] == 0

        for path, body in (
            ("/trouble", {"no_such": 1}),
            ("/trouble", []),
            ("/registers", {"address": 9999, "values": [0]}),
            ("/registers", {"address": 142, "values": [65536]}),
            ("/registers?unit=9", {"address": 142, "values": [0]}),
        ):
            status, answer = await post(path, body)
            assert status == 400, path
            assert "error" in answer
        await control.stop()


async def test_command() -> None:
    """It prints its ports as one line of JSON, answers, and ends cleanly on SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--tcp-port", "0", "--rtu-port", "none", "--control-port", "0"),
        *("--unit", "7", "--serial-number", "JSO0000042", "--start", "2026-06-21T12:00"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            ports = json.loads(await process.stdout.readline())
        assert ports["rtu"] is None
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["tcp"])
        writer.write(bytes.fromhex("0001 0000 0006 07 03 0003 0005"))
        answer = await reader.readexactly(19)
        assert answer.hex() == "00010000000d07030a4a534f30303030303432"
        writer.close()
        url = f"http://127.0.0.1:{ports['control']}/registers?address=529&count=1"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            # The morning's sun has been counted.
            assert (await response.json())["values"][0] > 50
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert errors == b""


async def test_models_by_name() -> None:
    """The command takes a model, and says which ones there are."""
    command = (sys.executable, "-m", "simulator", "--tcp-port", "0", "--rtu-port", "none")
    process = await asyncio.create_subprocess_exec(
        *(*command, "--control-port", "none", "--model", "H2-10K-T2", "--start", "2026-06-21"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            ports = json.loads(await process.stdout.readline())
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["tcp"])
        writer.write(bytes.fromhex("0001 0000 0006 01 03 8f00 0001"))
        assert (await reader.readexactly(11)).hex() == "000100000005010302005e"
        writer.close()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    wrong = await asyncio.create_subprocess_exec(
        *(*command, "--model", "H9"), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await wrong.communicate()
    assert wrong.returncode == 2
    for name in ("JSO8048104", "H2-6K-S2", "H2-10K-T2", "HS2-6K-S2", "AS2-6K-S", "HS3-8K-T2"):
        assert name in errors.decode()


async def test_time_is_changed_over_http() -> None:
    """Faster for a span; and the days that were written down are shown."""
    async with SimulatedPlant(speed=1) as plant, aiohttp.ClientSession() as session:
        over = asyncio.Event()
        plant.site.watchers.append(lambda _: over.set() if plant.site.now.hour == 11 else None)
        control = ControlServer(plant)
        await control.start(0)
        url = f"http://127.0.0.1:{control.port}"
        async with session.post(f"{url}/time", json={"speed": 1000, "span": 3600}) as answer:
            assert (await answer.json())["speed"] == 1000
        await over.wait()
        async with session.get(f"{url}/time") as answer:
            shown = await answer.json()
        assert (shown["speed"], shown["now"][:13]) == (1.0, "2026-06-21T11")
        async with session.get(f"{url}/days") as answer:
            days = await answer.json()
        assert list(days) == ["2026-06-21"]
        assert days["2026-06-21"]["pv"] > 1
        async with session.post(f"{url}/time", json={"speed": 0}) as answer:
            assert answer.status == 400
        await control.stop()


async def test_time_that_stands_still_is_left_alone() -> None:
    """Only `advance` moves it."""
    async with SimulatedPlant() as plant, aiohttp.ClientSession() as session:
        control = ControlServer(plant)
        await control.start(0)
        url = f"http://127.0.0.1:{control.port}/time"
        async with session.post(url, json={"speed": 2}) as answer:
            assert answer.status == 400
        async with session.get(url) as answer:
            assert await answer.json() == {"now": "2026-06-21T10:00:00", "speed": 0.0}
        await control.stop()
