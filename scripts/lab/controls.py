"""Every control of an inverter, set in a real Home Assistant and looked up in the machine's registers, bit by bit."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from .home import RELOAD_SECONDS, Home, RefusedError
from .plant import Plant
from .stations import Control, Station

DOMAIN: Final = "hybrid_inverter"
PLATFORMS: Final = ("number", "select", "switch", "time")
# First and last address of what holds settings and nothing that changes by itself.
SETTINGS_AREAS: Final = ((65, 209), (223, 223), (228, 237), (340, 341))
# What is unknown until the first order of the battery.
BEFORE_AN_ORDER: Final = ("_control_until", "_control_target")


class UnlikeError(Exception):
    """Something is not in the registers as it was set."""


@dataclass(kw_only=True)
class RunningStation:
    """A station whose machine runs and is set up."""

    station: Station
    plant: Plant
    entry_id: str = ""
    # The entity ids by canonical key.
    entities: dict[str, str] = field(default_factory=dict)


async def prepare(home: Home, running: RunningStation) -> None:
    """Add the machine of a station, and enable every control that it has in the installer's tier."""
    for address, word in running.station.display.items():
        await running.plant.post("registers", {"address": address, "values": [word]})
    entry = await home.add_inverter(running.plant.tcp)
    running.entry_id = entry["entry_id"]
    await home.set_options(
        running.entry_id,
        power_interval=60,
        energy_interval=60,
        settings_interval=3600,
        tier="installer",
    )
    wanted = {control.key for control in running.station.controls}
    async with asyncio.timeout(RELOAD_SECONDS):
        while not wanted <= (known := await controls_of(home, running)).keys():
            await asyncio.sleep(0.2)
    running.entities = {key: entity["entity_id"] for key, entity in known.items()}
    for key in wanted:
        if known[key]["disabled_by"] is not None:
            await home.command(
                "config/entity_registry/update", entity_id=running.entities[key], disabled_by=None
            )


async def controls_of(home: Home, running: RunningStation) -> dict[str, dict[str, Any]]:
    """What the entity registry knows of the controls of a station's machine, by canonical key."""
    return {
        entity["unique_id"].removeprefix(f"{running.station.serial}_"): entity
        for entity in await home.command("config/entity_registry/list")
        if entity["config_entry_id"] == running.entry_id
        and entity["entity_id"].split(".")[0] in PLATFORMS
    }


async def settings(plant: Plant) -> dict[int, int]:
    """The raw words of all settings."""
    image: dict[int, int] = {}
    for first, last in SETTINGS_AREAS:
        words = await plant.words(first, last - first + 1)
        image.update(zip(range(first, last + 1), words, strict=True))
    return image


async def try_all(home: Home, running: RunningStation) -> list[str]:
    """Set the controls of a station, each to another value; return what was not as it should be, in words."""
    await until_ready(home, running)
    wrong = []
    for control in running.station.controls:
        try:
            await try_one(home, running, control)
        except (UnlikeError, RefusedError) as err:
            wrong.append(f"{control.key}: {err}")
    return wrong


async def until_ready(home: Home, running: RunningStation) -> None:
    """Wait until all controls of a station are there; TimeoutError when they are not in the end."""
    wanted = {running.entities[control.key] for control in running.station.controls}
    async with asyncio.timeout(RELOAD_SECONDS):
        while True:
            states = await home.states()
            if all(
                states.get(one, {}).get("state", "unavailable") != "unavailable" for one in wanted
            ):
                return
            await asyncio.sleep(0.5)


async def try_one(home: Home, running: RunningStation, control: Control) -> None:
    """Set one control; UnlikeError when its bits, or any others, are not as they should be."""
    entity_id = running.entities[control.key]
    before = await settings(running.plant)
    if before[control.address] & control.mask == control.word:
        raise UnlikeError("it is set to that already")
    action, data = control.action
    await home.call(control.platform, action, entity_id=entity_id, **data)
    expected = {
        **before,
        control.address: before[control.address] & ~control.mask | control.word,
    }
    after = await settings(running.plant)
    unlike = [
        f"register {address} holds {after[address]:#06x}, not {word:#06x}"
        for address, word in expected.items()
        if after[address] != word
    ]
    if unlike:
        raise UnlikeError("; ".join(unlike))
    state = await home.value(entity_id)
    if not control.is_shown_as(state):
        raise UnlikeError(f"{entity_id} shows {state}, not {control.value}")
