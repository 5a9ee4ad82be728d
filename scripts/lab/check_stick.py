"""The way through a Wi-Fi stick, tried on a real Home Assistant: found, set up, obeyed as over Modbus TCP, followed."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
import json
from typing import Any, Final

from .check import (
    NAME,
    OBEYED,
    SHOWN,
    Inhabited,
    Journal,
    diagnostics_tell_no_secrets,
    the_entry_can_be_removed,
    the_log_is_clean,
    what_was_done_is_kept,
)
from .checking import expect, run_checks, soon
from .home import home_assistant
from .plant import simulated_plant
from .process import free_port

# Where sticks listen, and are searched for; what is found has no other port.
STICK_PORT: Final = 8899
SEARCH_PORT: Final = 48899
LOGGER_SERIAL: Final = 1700000001
WRONG_LOGGER_SERIAL: Final = 1700000009
HERE: Final = "127.0.0.1"
THERE: Final = "127.0.0.2"

# What a stick does all the time, and nobody may notice.
USUAL: Final = {"unsolicited": 0.2, "duplicate": 0.1, "trailing_zeros": 0.2}
# What a stick does when it is unwell; the answers that are late are given up before they come.
UNWELL: Final = {
    "wrong_sequence": 0.03,
    "late": 0.03,
    "error_frames": 0.03,
    "garbage": 0.03,
    "truncated": 0.03,
    "disconnect": 0.03,
}
UNWELL_SECONDS: Final = 8


@dataclass(kw_only=True)
class StickHouse(Inhabited):
    """What the checks look at."""

    # The process of the stick with its machine, which ends when the stick moves.
    running: AsyncExitStack
    # What comes of the same checks over Modbus TCP, which go on beside them.
    expected: asyncio.Future[Journal]


def _stick(host: str) -> tuple[str, ...]:
    """The options of a plant with a stick at an address."""
    return (
        *("--host", host, "--stick-port", str(STICK_PORT), "--stick-udp-port", str(SEARCH_PORT)),
        *("--logger-serial", str(LOGGER_SERIAL)),
    )


def _form(**answers: Any) -> dict[str, Any]:
    """The filled-in form of a stick, with some answers replaced."""
    form = {"host": HERE, "port": STICK_PORT, "logger_serial": LOGGER_SERIAL}
    return {**form, "advanced": {"unit_id": 1}, **answers}


async def refusals_name_what_is_wrong(house: StickHouse) -> None:
    """A wrong serial number, a port that is closed, a unit id that nobody has."""
    flow_id = await house.home.start_flow("stick")

    async def error_of(form: dict[str, Any]) -> str:
        result = await house.home.answer_flow(flow_id, form)
        errors = ", ".join((result.get("errors") or {}).values())
        return errors or str(result.get("step_id", json.dumps(result)))

    for wanted, form in (
        ("wrong_logger_serial", _form(logger_serial=WRONG_LOGGER_SERIAL)),
        ("no_local_port", _form(port=free_port())),
        # What answers instead is offered.
        ("unit", _form(advanced={"unit_id": 9})),
    ):
        found = await error_of(form)
        expect(found == wanted, f"expected {wanted}, got {found}")
    await house.home.request("DELETE", f"config/config_entries/flow/{flow_id}")


async def the_search_finds_it(house: StickHouse) -> None:
    """What is found is chosen already; one click sets it up. From then on it is polled as often as possible."""
    result = await house.home.choose("search")
    expect(result.get("step_id") == "search", f"nothing was found: {json.dumps(result)}")
    (field,) = result["data_schema"]
    shown = json.dumps(field)
    expect(HERE in shown and str(LOGGER_SERIAL) in shown, f"the form does not say what: {shown}")
    answers = {field["name"]: field["default"]}
    result = await house.home.answer_flow(result["flow_id"], answers)
    expect(result["type"] == "create_entry", f"no entry was created: {json.dumps(result)}")
    house.entry = result["result"]
    await house.home.until(f"sensor.{NAME}_battery_soc", str.isdecimal, 5)
    await house.home.set_options(
        house.entry["entry_id"],
        power_interval=1,
        energy_interval=10,
        settings_interval=30,
        tier="everyday",
    )
    await house.home.until(f"binary_sensor.{NAME}_connection", "on")
    await house.plant.post("stick", USUAL)


async def it_is_not_added_twice(house: StickHouse) -> None:
    """Neither as a stick, nor by its address, nor its machine over another link; and it is not found again."""
    network = {"host": HERE, "framing": "tcp", "advanced": {"unit_id": 1}}
    for choice, form, reason in (
        ("stick", _form(), "stick_already_configured"),
        ("network", {**network, "port": STICK_PORT}, "stick_already_configured"),
        ("network", {**network, "port": house.plant.tcp}, "machine_already_configured"),
    ):
        result = await house.home.answer_flow(await house.home.start_flow(choice), form)
        expect(result.get("reason") == reason, f"expected {reason}, got {json.dumps(result)}")
    result = await house.home.choose("search")
    expect(result.get("step_id") == "nothing_found", f"found again: {json.dumps(result)}")
    await house.home.request("DELETE", f"config/config_entries/flow/{result['flow_id']}")


async def all_is_as_over_modbus_tcp(house: StickHouse) -> None:
    """The same entities, the same settings, and the machine has received the same writes in the same order."""
    mine, other = house.journal, await house.expected
    expect(mine.entities == other.entities, f"only once: {sorted(mine.entities ^ other.entities)}")
    apart = [k for k, state in mine.settings.items() if other.settings.get(k) != state]
    expect(not apart, f"settings that differ: {sorted(apart)}")
    expect(mine.writes == other.writes, f"written: {mine.writes}, over TCP: {other.writes}")


async def an_unwell_stick_is_survived(house: StickHouse) -> None:
    """Whatever is shown meanwhile is true, and everything is available again at once when it is well."""
    entity_id = f"select.{NAME}_work_mode"
    await house.plant.post("stick", UNWELL)
    shown = set()
    for _ in range(UNWELL_SECONDS * 5):
        shown.add(await house.home.value(entity_id))
        await asyncio.sleep(0.2)
    await house.plant.post("stick", dict.fromkeys(UNWELL, 0))
    expect(shown <= {"zero_export_to_ct", "unavailable"}, f"what was never true was shown: {shown}")
    await house.home.until(f"binary_sensor.{NAME}_connection", "on", 30)
    await house.home.until(entity_id, "zero_export_to_ct", 30)


async def a_moved_stick_is_followed(house: StickHouse) -> None:
    """The router has given it another address."""
    await house.running.aclose()
    house.plant = await house.running.enter_async_context(simulated_plant(_stick(THERE)))
    entry_id = house.entry["entry_id"]

    async def is_followed() -> bool:
        entries = await house.home.command("config_entries/get", domain="hybrid_inverter")
        (entry,) = (one for one in entries if one["entry_id"] == entry_id)
        return entry["state"] == "loaded" and THERE in entry["title"]

    await soon(is_followed, f"the entry does not lead to {THERE}", 75)
    await house.home.until(f"binary_sensor.{NAME}_connection", "on", 30)
    served = (await house.plant.get("statistics"))["stick"]["requests"]
    expect(served > 0, "nobody polls it there")


async def its_diagnostics_tell_no_secrets(house: StickHouse) -> None:
    """Neither those of every machine, nor who and where the stick is."""
    await diagnostics_tell_no_secrets(house)
    path = f"diagnostics/config_entry/{house.entry['entry_id']}"
    text = json.dumps((await house.home.request("GET", path))["data"]).lower()
    for secret in (str(LOGGER_SERIAL), THERE, "02:a5:65:53:f1:01", "01f15365", "01 f1 53 65"):
        expect(secret not in text, f"{secret} is in the diagnostics")


CHECKS: Final[tuple[Callable[[StickHouse], Awaitable[None]], ...]] = (
    refusals_name_what_is_wrong,
    the_search_finds_it,
    it_is_not_added_twice,
    *SHOWN,
    *OBEYED,
    what_was_done_is_kept,
    all_is_as_over_modbus_tcp,
    the_log_is_clean,
    an_unwell_stick_is_survived,
    a_moved_stick_is_followed,
    its_diagnostics_tell_no_secrets,
    the_entry_can_be_removed,
)


async def check_stick(expected: asyncio.Future[Journal]) -> int:
    """Run all checks in order, and compare with what comes of them over Modbus TCP; return how many failed."""
    async with AsyncExitStack() as running:
        plant = await running.enter_async_context(simulated_plant(_stick(HERE)))
        async with home_assistant() as home:
            house = StickHouse(plant=plant, home=home, running=running, expected=expected)
            return await run_checks(house, CHECKS, "stick")
