"""Home Assistant dies in the middle of something: what the machine holds after the next start is whole, and it is said."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import aiohttp

from .check_saj import PASSIVE, House, Inverter, device_id_of, enter_passive
from .checking import expect, run_checks, soon
from .home import RefusedError, home_assistant
from .plant import simulated_plant

MODEL: Final = "H2-10K-T2"
SERIAL: Final = "SAJSIM00000000000009"

# Home Assistant keeps what it registers in memory for some seconds before it is stored.
STORED_SECONDS: Final = 30
# From the start of Home Assistant until what was left undone is in order again.
MENDED_SECONDS: Final = 90

BACKUP_SOC: Final = 0x3651

HELD: Final = (
    {"start": "22:00", "end": "23:30", "mode": "charge", "power": 3000},
    {"start": "17:00", "end": "20:30", "mode": "discharge", "power": 2400},
)
WANTED: Final = (
    {"start": "01:00", "end": "04:00", "mode": "charge", "power": 4000},
    {"start": "12:00", "end": "13:30", "mode": "charge", "power": 1000},
    {"start": "18:00", "end": "21:00", "mode": "discharge", "power": 5000},
)


async def it_is_added_and_stored(house: House) -> None:
    """What was registered is on the disk, or the next start would begin from nothing."""
    inverter = house.inverters[MODEL]
    inverter.entry_id = (await house.home.add_inverter(inverter.plant.tcp))["entry_id"]
    await house.look_up(inverter)

    async def is_stored() -> bool:
        storage = house.home.config / ".storage"
        files = [storage / f"core.{kind}_registry" for kind in ("entity", "device")]
        return all(file.exists() and inverter.serial in file.read_text() for file in files)

    await soon(is_stored, "the registries were not stored", STORED_SECONDS)


async def a_killed_write_is_written_or_not(house: House) -> None:
    """The setting holds the old value or the new one, and that is what is shown."""
    home, inverter = house.home, house.inverters[MODEL]
    entity_id = inverter.entities["backup_reserve_soc"]
    for value, sent in ((45, 0), (50, 1)):
        before = await inverter.plant.word(BACKUP_SOC)
        await _killed(house, sent, "number", "set_value", entity_id=entity_id, value=value)
        held = await inverter.plant.word(BACKUP_SOC)
        expect(held in (before, value), f"{BACKUP_SOC:#06x} holds {held}")
        await home.start()
        await home.until(entity_id, str(held), MENDED_SECONDS)


async def a_killed_schedule_is_whole(house: House) -> None:
    """The windows are those that were wanted or those that were there, whichever request was the last one."""
    inverter = house.inverters[MODEL]
    await _set_schedule(house, HELD)
    for sent in (4, 9):
        await _set_schedule(house, HELD)
        before = await _windows(house)
        await _killed(
            house,
            sent,
            "hybrid_inverter",
            "set_schedule",
            device_id=await device_id_of(house, inverter),
            windows=WANTED,
        )
        await house.home.start()
        await _is_said(house, ("change_finished", "change_put_back"))

        async def is_whole(before: list[Any] = before) -> bool:
            windows = await _windows(house)
            return windows == before or _times(windows) == _times(WANTED)

        await soon(is_whole, f"after {sent} requests it is neither", MENDED_SECONDS)


async def a_forced_mode_does_not_outlive_a_crash(house: House) -> None:
    """The registers are as they were before passive mode, and somebody is told."""
    home, inverter = house.home, house.inverters[MODEL]
    before = await _words(inverter)
    await enter_passive(house, inverter)
    await home.kill()
    expect(await _words(inverter) != before, "passive mode was left before the start")
    await home.start()

    async def is_as_before() -> bool:
        return await _words(inverter) == before

    await soon(is_as_before, f"the registers were {before} before", MENDED_SECONDS)
    await _is_said(house, ("mode_left",))


CHECKS: Final = (
    it_is_added_and_stored,
    a_killed_write_is_written_or_not,
    a_killed_schedule_is_whole,
    a_forced_mode_does_not_outlive_a_crash,
)


async def check_crash() -> int:
    """Run all checks in order; return how many failed."""
    async with (
        simulated_plant(["--model", MODEL, "--serial-number", SERIAL]) as plant,
        home_assistant() as home,
    ):
        inverter = Inverter(model=MODEL, serial=SERIAL, plant=plant)
        return await run_checks(House(home=home, inverters={MODEL: inverter}), CHECKS, "killed")


async def _killed(house: House, sent: int, domain: str, action: str, **data: Any) -> None:
    """Kill Home Assistant while an action runs, when so many of its requests have reached the machine."""
    plant = house.inverters[MODEL].plant
    before = len(await plant.writes())
    running = asyncio.create_task(house.home.call(domain, action, **data))

    async def has_sent() -> bool:
        return len(await plant.writes()) >= before + sent

    await soon(has_sent, f"{action} did not send {sent} requests")
    await house.home.kill()
    with suppress(aiohttp.ClientError, RefusedError, TypeError):
        await running


async def _set_schedule(house: House, windows: Sequence[Mapping[str, Any]]) -> None:
    await house.home.call(
        "hybrid_inverter",
        "set_schedule",
        device_id=await device_id_of(house, house.inverters[MODEL]),
        windows=windows,
    )


async def _windows(house: House) -> list[dict[str, Any]]:
    """The windows that are in force, as the machine holds them."""
    answer = await house.home.command(
        "call_service",
        domain="hybrid_inverter",
        service="get_schedule",
        service_data={"device_id": await device_id_of(house, house.inverters[MODEL])},
        return_response=True,
    )
    windows: list[dict[str, Any]] = answer["response"]["windows"]
    return windows


def _times(windows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What tells windows apart."""
    return sorted((str(one["mode"]), str(one["start"]), str(one["end"])) for one in windows)


async def _words(inverter: Inverter) -> list[int]:
    """What passive mode is made of, as the machine holds it."""
    return [await inverter.plant.word(address) for address in PASSIVE]


async def _is_said(house: House, kinds: Collection[str]) -> None:
    """Wait until there is a repair issue of one of these kinds."""

    async def is_said() -> bool:
        listed = await house.home.command("repairs/list_issues")
        return any(
            one["domain"] == "hybrid_inverter" and one["translation_key"] in kinds
            for one in listed["issues"]
        )

    await soon(is_said, f"no repair issue is one of {kinds}", MENDED_SECONDS)
