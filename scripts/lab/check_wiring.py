"""The wiring doctor on a real Home Assistant over real sockets: a clamp is reversed and mended, and its owner tests it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .checking import expect, run_checks, soon, suspicious_lines
from .home import Home, home_assistant
from .house import time_options
from .plant import Plant, simulated_plant

SERIAL: Final = "JSO0000016"
# From here on time is the computer's own: what is compared are steps of seconds.
OPTIONS: Final = {"power_interval": 1, "energy_interval": 60, "settings_interval": 30}
# A dark house whose battery is below what its slots leave in it: a load on the backup output is drawn from the grid.
DARK: Final[dict[str, Any]] = {"sun": 0, "home": 400, "backup": 300, "soc": 20}
# W on the backup output, one after the other, and for how many seconds each.
KETTLE: Final = (2100, 300)
BOILING: Final = 8.0
# So many steps are enough for a verdict, and as many to take it back; a verdict comes twice a minute.
STEPS: Final = 10
VERDICT_SECONDS: Final = 45
# Percent of a battery that may take and give.
HALF: Final = 50
# The test of an owner, and what it may take.
TEST_SECONDS: Final = 180
# The settings that an order may change: JSO 102 to 109, and 111 to 177.
WORDS: Final = ((102, 8), (111, 67))


@dataclass(kw_only=True)
class House:
    """What the checks look at."""

    plant: Plant
    home: Home
    # Its entities.
    wiring: str
    button: str
    charge_level: str

    async def repairs(self) -> list[str]:
        """The kinds of the open repairs about the wiring."""
        issues = (await self.home.command("repairs/list_issues"))["issues"]
        kinds = [str(issue["translation_key"]) for issue in issues]
        return [kind for kind in kinds if kind.startswith("wiring_")]

    async def words(self) -> list[int]:
        """All that an order may change, as the machine holds it."""
        blocks: Sequence[list[int]] = [await self.plant.words(*block) for block in WORDS]
        return [word for block in blocks for word in block]

    async def boil_water(self) -> None:
        """Switch a kettle on the backup output on and off until enough is known."""
        for number in range(STEPS):
            await self.plant.post("steer", {"backup": KETTLE[number % len(KETTLE)]})
            await asyncio.sleep(BOILING)


async def a_reversed_clamp_is_told_by_a_repair(house: House) -> None:
    """The clamp of L2, from what is polled anyway, while a kettle boils a few times."""
    await house.plant.post("steer", DARK)
    await house.plant.trouble(reversed_phases=[2])
    await asyncio.sleep(BOILING)
    await house.boil_water()
    await house.home.until(house.wiring, "clamp_reversed", VERDICT_SECONDS)
    causes = (await house.home.state(house.wiring))["attributes"]["causes"]
    expect(causes == [{"cause": "clamp_reversed", "places": ["l2"], "ratio": None}], str(causes))
    expect(await house.repairs() == ["wiring_clamp_reversed"], str(await house.repairs()))


async def the_repair_goes_when_the_clamp_is_turned_round(house: House) -> None:
    """Nobody has to confirm anything."""
    await house.plant.trouble(reversed_phases=[])
    await asyncio.sleep(BOILING)
    await house.boil_water()
    await house.home.until(house.wiring, "right", VERDICT_SECONDS)

    async def is_gone() -> bool:
        return not await house.repairs()

    await soon(is_gone, "the repair stays")


async def the_owners_test_finds_a_clamp_in_three_minutes_and_leaves_no_trace(house: House) -> None:
    """By its button: the battery is charged and discharged, and all settings are as before."""
    await house.plant.post("steer", DARK | {"soc": 60})
    await house.plant.trouble(reversed_phases=[3])
    before = await house.words()
    await house.home.until(house.charge_level, lambda shown: float(shown) > HALF)
    await house.home.call("button", "press", entity_id=house.button)

    async def is_over() -> bool:
        shown = await house.home.state(house.wiring)
        return bool(shown["attributes"]["last_test"])

    await soon(is_over, "the test has not come to its end", TEST_SECONDS)
    shown = await house.home.state(house.wiring)
    expect(shown["attributes"]["last_test"] == "wrong", str(shown))
    notifications = await house.home.command("persistent_notification/get")
    (text,) = [one["message"] for one in notifications if "clamp (L3)" in one["message"]]
    expect("clamp (L1): right" in text and "clamp (L3): Grid clamp reversed" in text, text)
    expect(await house.words() == before, "settings are not as before the test")
    expect(shown["state"] == "clamp_reversed", str(shown))
    expect(shown["attributes"]["causes"][0]["places"] == ["l3"], str(shown))
    expect(await house.repairs() == ["wiring_clamp_reversed"], str(await house.repairs()))


async def a_test_of_the_mended_clamp_ends_the_repair(house: House) -> None:
    """Nobody has to wait for steps of the house."""
    await house.plant.trouble(reversed_phases=[])
    await house.home.call("button", "press", entity_id=house.button)

    async def is_over() -> bool:
        shown = await house.home.state(house.wiring)
        return bool(shown["attributes"]["last_test"] == "right")

    await soon(is_over, "the test has not come to its end", TEST_SECONDS)
    expect(await house.home.value(house.wiring) == "right", "it is not told to be right")
    expect(await house.repairs() == [], "the repair stays")


async def the_log_is_clean(house: House) -> None:
    """Nothing of it is worth a warning."""
    lines = suspicious_lines(house.home.log)
    expect(not lines, "\n".join(lines))


async def check_wiring() -> int:
    """Wiring: a clamp is reversed, mended, and tested by its owner."""
    now = time_options(datetime.now(UTC).astimezone())
    async with (
        simulated_plant(["--serial-number", SERIAL, *now]) as plant,
        home_assistant() as home,
    ):
        entry = await home.add_inverter(plant.tcp)
        await home.set_options(entry["entry_id"], **OPTIONS)
        wiring = await home.entity_id(f"{SERIAL}_wiring")
        await home.until(wiring, "gathering", 60)
        house = House(
            plant=plant,
            home=home,
            wiring=wiring,
            button=await home.entity_id(f"{SERIAL}_test_wiring"),
            charge_level=await home.entity_id(f"{SERIAL}_battery_soc"),
        )
        return await run_checks(
            house,
            (
                a_reversed_clamp_is_told_by_a_repair,
                the_repair_goes_when_the_clamp_is_turned_round,
                the_owners_test_finds_a_clamp_in_three_minutes_and_leaves_no_trace,
                a_test_of_the_mended_clamp_ends_the_repair,
                the_log_is_clean,
            ),
            "wiring",
        )
