"""The command, and the HTTP service that another process looks into it with."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
import json
from pathlib import Path
import signal
import sys
from typing import Any

import aiohttp
import pytest

from simulator import SimulatedPlant
from simulator.__main__ import main
from simulator.control import ControlServer

pytestmark = pytest.mark.usefixtures("socket_enabled")

ROOT = Path(__file__).parents[2]


async def test_registers_trouble_writes_and_statistics_are_accessible_over_http() -> None:
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
            "slow_registers": [],
            "reverting": 0.0,
            "locked": True,
            "busy": False,
            "silent": False,
            "faults": [63],
            "outage": False,
            "ignored_writes": [],
            "refused_writes": [],
            "lost_answers": 0,
            "rewrites": [],
            "without_effect": [],
            "daily_table": False,
            "slot_limits_grid_charge": False,
            "slot_charges_fully": False,
            "silent_blocks": [],
            "refused_blocks": [],
            "longest_read": 125,
            "zero_packs": False,
            "torn_reads": 0,
            "shifted_reads": 0,
            "reversed_phases": [],
            "phase_order": [1, 2, 3],
            "clamp_ratio": 1.0,
            "clamp_place": "grid",
            "internal_clamp": False,
            "meters_exchanged": False,
            "solar_meter_lost": False,
            "battery_ratio": 1.0,
            "string_light": [],
            "spikes": [],
        }
        assert plant.machine(1).trouble.locked
        assert await get("/trouble") == trouble

        plant.machine(1).respond(bytes.fromhex("10008e0001020001"))
        assert await get("/writes") == [
            {"function": 16, "address": 142, "values": [1], "time": 0.0, "exception": 0}
        ]
        assert (await get("/statistics"))["tcp"]["requests"] == 0

        steered = {"soc": 70, "settings": {"work_mode": "zero_export_to_load"}}
        status, shown = await post("/steer?unit=3", steered)
        assert (status, shown["battery_soc"]) == (200, 70)
        assert plant.machine(3).word(142) == 1

        for path, body in (
            ("/trouble", {"no_such": 1}),
            ("/steer", {"no_such": 1}),
            ("/steer", {"settings": {"no_such": 1}}),
            ("/trouble", []),
            ("/registers", {"address": 9999, "values": [0]}),
            ("/registers", {"address": 142, "values": [65536]}),
            ("/registers?unit=9", {"address": 142, "values": [0]}),
        ):
            status, answer = await post(path, body)
            assert status == 400, path
            assert "error" in answer
        await control.stop()


class Forms(HTMLParser):
    """The forms of a page: where each is sent, and its fields."""

    def __init__(self, text: str) -> None:
        """Take the page."""
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a form, or of a field of the last one."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((given["action"], {}))
        elif tag == "input":
            self.found[-1][1][given["name"]] = given["value"]


async def test_every_form_on_the_browser_page_works_and_it_loads_nothing_from_elsewhere() -> None:
    """A browser gets a page on which every button and every field does something; nothing comes from elsewhere."""
    devices = {1: "JSO8048104", 11: "DTSU666", 12: "DDSU666"}
    async with SimulatedPlant(devices=devices) as plant, aiohttp.ClientSession() as session:
        plant.advance(60)
        control = ControlServer(plant)
        await control.start(0)
        url = f"http://127.0.0.1:{control.port}"

        browser = {"Accept": "text/html,*/*;q=0.8"}

        async def page() -> str:
            async with session.get(url, headers=browser) as answer:
                assert answer.content_type == "text/html"
                return await answer.text()

        text = await page()
        assert "Sunday 21 June 2026, 10:01:00" in text
        assert "Unit 1: JSO8048104" in text
        assert "<th>battery_soc</th><td>60</td>" in text
        assert "http" not in text
        async with session.get(url) as answer:
            assert (await answer.json())["machines"].keys() == {"1", "11", "12"}

        forms = Forms(text).found
        assert len(forms) > 60
        # Two units that answer for each other come last: the page was made before.
        for path, fields in sorted(forms, key=lambda form: "exchanged_units" in form[1]):
            # What the examples need, not every machine has; and the link of this plant is wanted until the end.
            if fields.keys() & {"spikes", "restarted_counters", "panel", "rewrites", "lost_link"}:
                continue
            async with session.post(url + path, data=fields, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (303, "/"), (path, fields)

        field = {"reversed_phases": "[2]"}
        path = f"{url}/trouble?unit=11"
        async with session.post(path, data=field, headers=browser) as answer:
            assert "&quot;reversed_phases&quot;: [2]" in await answer.text()
        assert plant.machine(11).trouble.reversed_phases == {2}
        in_order = next(fields for path, fields in forms if path.endswith("11") and len(fields) > 1)
        async with session.post(f"{url}/trouble?unit=11", data=in_order) as answer:
            assert answer.status == 200
        assert plant.machine(11).trouble.reversed_phases == frozenset()
        async with session.post(f"{url}/trouble", data={"outage": "maybe"}) as answer:
            assert answer.status == 400
        headers = {"Origin": "http://elsewhere.example"}
        async with session.post(f"{url}/trouble", json={"busy": True}, headers=headers) as answer:
            assert answer.status == 403
        async with session.post(f"{url}/trouble", json={"busy": True}, headers={"Origin": url}) as (
            answer
        ):
            assert answer.status == 200
        await control.stop()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:5022", 200),
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("elsewhere.example:5022", 403),
        ("127.0.0.1.elsewhere.example", 403),
        ("127.0.0.1@elsewhere.example", 403),
        ("", 403),
    ],
)
async def test_a_page_whose_own_name_leads_here_learns_nothing(host: str, status: int) -> None:
    """A browser believes a name that has been moved to this computer; the page answers to its own names only."""
    async with SimulatedPlant() as plant, aiohttp.ClientSession() as session:
        control = ControlServer(plant)
        await control.start(0)
        url = f"http://127.0.0.1:{control.port}"
        for asked in (
            session.get(f"{url}/registers?address=3&count=5", headers={"Host": host}),
            session.post(f"{url}/trouble", json={"busy": True}, headers={"Host": host}),
        ):
            async with asked as answer:
                assert answer.status == status
        assert plant.machine().trouble.busy is (status == 200)
        await control.stop()


async def test_the_command_replays_a_file_with_initial_and_scheduled_trouble(
    tmp_path: Path,
) -> None:
    """It replays a file, with something wrong from the start on, and something that happens later."""
    download = tmp_path / "download.json"
    unit = {"unit_id": 4, "registers": {"588": "003E 003D"}}
    identity = {"family": "jso", "model": "JSO8048104", "features": [], "facts": {}}
    download.write_text(json.dumps({"data": {"units": [{**unit, "identity": identity}]}}))
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps([{"at": 0, "spikes": [{"register": 589, "value": 7}]}]))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--tcp-port", "0", "--rtu-port", "none"),
        *("--control-port", "none", "--start", "2026-06-21", "--replay", str(download)),
        *("--trouble", '4:spikes=[{"register": 588, "value": 0, "reads": 1}]'),
        *("--scenario", str(scenario)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            port = json.loads(await process.stdout.readline())["tcp"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes.fromhex("0001 0000 0006 04 03 024c 0002"))
        # The scenario's has taken the place of the other one.
        assert (await reader.readexactly(13)).hex() == "00010000000704" + "0304" + "003e" + "0007"
        writer.close()
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--trouble", "no_such"), "no such trouble: no_such"),
        (("--replay", __file__), "not a diagnostics download of Hybrid Inverter"),
        (("--replay", "no_such.json"), "No such file"),
    ],
)
def test_command_that_cannot_start(
    arguments: tuple[str, str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It says in a line why."""
    ports = ("--tcp-port", "none", "--rtu-port", "none", "--control-port", "none")
    monkeypatch.setattr(sys, "argv", ["simulator", *ports, "--start", "2026-06-21", *arguments])
    assert main() == 1
    errors = capsys.readouterr().err
    assert told in errors
    assert errors.count("\n") == 1


async def test_the_command_prints_its_ports_answers_and_exits_cleanly_on_sigterm() -> None:
    """It prints its ports as one line of JSON, answers, and ends cleanly on SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--tcp-port", "0", "--rtu-port", "none", "--control-port", "0"),
        *("--unit", "7", "--serial-number", "JSO0000042", "--start", "2026-06-21T12:00"),
        *("--clock", "2026-11-29T20:25"),
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
        url = f"http://127.0.0.1:{ports['control']}/registers?address=62&count=3"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            # Its own clock is in November, in the evening, where the sun is in June, at noon.
            year_month, day_hour, _ = (await response.json())["values"]
            assert (year_month, day_hour) == (26 << 8 | 11, 29 << 8 | 20)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert errors == b""


async def test_the_command_accepts_a_model_name_and_lists_them_all_for_a_wrong_one() -> None:
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


async def test_plant_time_passes_at_once_over_http() -> None:
    """More than a day in one request, whether or not the time passes by itself; nothing else is a time."""
    async with SimulatedPlant() as plant, aiohttp.ClientSession() as session:
        control = ControlServer(plant)
        await control.start(0)
        url = f"http://127.0.0.1:{control.port}/time"
        async with session.post(url, json={"advance": 90000}) as answer:
            assert await answer.json() == {"now": "2026-06-22T11:00:00", "speed": 0.0}
        for wrong in (-1, "soon", None):
            async with session.post(url, json={"advance": wrong}) as answer:
                assert answer.status == 400
        assert plant.site.now.isoformat() == "2026-06-22T11:00:00"
        await control.stop()
    async with SimulatedPlant(speed=1) as plant, aiohttp.ClientSession() as session:
        control = ControlServer(plant)
        await control.start(0)
        url = f"http://127.0.0.1:{control.port}/time"
        async with session.post(url, json={"advance": 3600, "speed": 2}) as answer:
            shown = await answer.json()
        assert (shown["speed"], shown["now"][:16]) == (2.0, "2026-06-21T11:00")
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
