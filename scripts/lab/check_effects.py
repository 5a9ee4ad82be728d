"""Cause and effect, tried on a real Home Assistant: what is changed there changes the flows as the manuals say."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
import time
from typing import Any, Final

from .checking import CheckError, expect, run_checks, soon, suspicious_lines
from .effects import Bench, Case, Flows
from .effects_jso import BENCHES as JSO_BENCHES
from .effects_saj import BENCHES as SAJ_BENCHES
from .home import RELOAD_SECONDS, Home, home_assistant
from .plant import Plant, simulated_plant

# A Monday, as the time-of-use tables know weekdays; from midnight on nothing has to be lived through before.
START: Final = ("--start", "2026-06-22T00:00")
# Three phases are rounded each, and the battery's voltage moves a little while we look.
CLOSE_WATTS: Final = 12
# An effect has to be there after so many polls of a second each, however busy the computer is.
POLLS: Final = 2
DEFAULT_TIMEOUT: Final = 15
OPTIONS: Final = {
    "power_interval": 1,
    "energy_interval": 3600,
    "settings_interval": 3600,
    "tier": "installer",
}
# Home Assistant waits until nobody has enabled anything for half a minute, on none of the machines.
LAST_SECONDS: Final = 2 * RELOAD_SECONDS
CONTROLS: Final = ("number", "select", "switch", "time")


@dataclass(kw_only=True)
class Tried:
    """A bench with its machine, as Home Assistant has it."""

    bench: Bench
    plant: Plant
    home: Home
    # Entity ids by canonical key; what a mode brings exists in that mode.
    entities: dict[str, str] = field(default_factory=dict)

    def flow(self, name: str) -> str:
        """The sensor of a flow."""
        return self.entities[f"{name}_power"]

    async def look_up(self) -> Mapping[str, Mapping[str, Any]]:
        """Learn the entity ids of the machine, and return what the registry knows of them."""
        prefix = f"{self.bench.serial}_"
        known = {
            one["unique_id"].removeprefix(prefix): one
            for one in await self.home.command("config/entity_registry/list")
            if one["unique_id"].startswith(prefix)
            and one["entity_id"].split(".")[0] in ("sensor", *CONTROLS)
        }
        self.entities = {key: one["entity_id"] for key, one in known.items()}
        return known


async def check_effects() -> int:
    """Try all cases, the machines beside each other; return how many failed."""
    benches = (*JSO_BENCHES, *SAJ_BENCHES)
    async with AsyncExitStack() as stack:
        plants = await asyncio.gather(
            *(stack.enter_async_context(_plant_of(bench)) for bench in benches)
        )
        home = await stack.enter_async_context(home_assistant())
        failed = await asyncio.gather(
            *(
                _try_bench(Tried(bench=bench, plant=plant, home=home))
                for bench, plant in zip(benches, plants, strict=True)
            )
        )
        return sum(failed) + await run_checks(home, (the_log_is_clean,), "Cause and effect")


def _plant_of(bench: Bench) -> AbstractAsyncContextManager[Plant]:
    """The machine of a bench, in a house of its own."""
    return simulated_plant(["--model", bench.model, "--serial-number", bench.serial, *START])


async def the_log_is_clean(home: Home) -> None:
    """All of that was no reason to complain."""
    lines = suspicious_lines(home.log)
    expect(not lines, "\n".join(lines))


async def _try_bench(tried: Tried) -> int:
    """Add the machine and try its cases one after the other; return how many failed."""
    checks = [is_added, *map(_check_of, tried.bench.cases)]
    return await run_checks(tried, checks, tried.bench.title)


async def is_added(tried: Tried) -> None:
    """Add the machine as an installer would, with everything switched on that its cases need."""
    await tried.plant.post("steer", {"settings": tried.bench.display})
    entry = await tried.home.add_inverter(tried.plant.tcp)
    await tried.home.set_options(entry["entry_id"], **OPTIONS)
    wanted = {case.key for case in tried.bench.cases}
    await soon(lambda: _may_be_set(tried, wanted), "the tier brought no controls", RELOAD_SECONDS)
    entry_id = entry["entry_id"]
    await soon(lambda: tried.home.is_loaded(entry_id), "the entry is not loaded", RELOAD_SECONDS)
    await tried.look_up()
    mode = [tried.entities["work_mode"]]
    await soon(lambda: _are_there(tried.home, mode), "no settings were read", RELOAD_SECONDS)
    # With them come the controls that exist in some modes only.
    await asyncio.sleep(1)
    known = await tried.look_up()
    hidden = [known[key] for key in wanted & known.keys() if known[key]["disabled_by"]]
    connections = await _connections(tried)
    for one in hidden:
        await tried.home.command(
            "config/entity_registry/update", entity_id=one["entity_id"], disabled_by=None
        )
    if hidden:
        # Half a minute after the last one, Home Assistant loads the entry again.
        await soon(
            lambda: _is_loaded_again(tried, connections), "it was not loaded again", LAST_SECONDS
        )
    ready = [tried.entities[key] for key in wanted & tried.entities.keys()]
    await soon(
        lambda: _are_there(tried.home, ready), "some controls did not appear", RELOAD_SECONDS
    )


async def _connections(tried: Tried) -> int:
    """How often the machine was connected to."""
    return int((await tried.plant.get("statistics"))["tcp"]["connections"])


async def _is_loaded_again(tried: Tried, before: int) -> bool:
    """Whether the machine was connected to since then."""
    return await _connections(tried) > before


def _check_of(case: Case) -> Callable[[Tried], Awaitable[None]]:
    """A check of a case, with the name of the case."""

    async def check(tried: Tried) -> None:
        await _try_case(tried, case)

    check.__name__ = case.name
    return check


async def _try_case(tried: Tried, case: Case) -> None:
    """Lay the situation down, see the flows of before, make the change, and see those that follow within two polls."""
    await _lay_down(tried)
    settings = {**tried.bench.settings, **case.settings}
    if case.earlier:
        await tried.plant.post("steer", {**case.earlier, "settings": settings})
    await tried.plant.post("steer", {**case.situation, "settings": settings})
    await _until_flows(tried, case.before, "before the change")
    await _change(tried, case.key, case.value)
    if case.later:
        await tried.plant.post("steer", {"advance": case.later})
    await _until_flows(tried, case.after, f"after {case.key} = {case.value}", POLLS)


async def _lay_down(tried: Tried) -> None:
    """Bring the machine and its house into the situation in which all cases begin."""
    await tried.plant.post("steer", {**tried.bench.situation, "settings": tried.bench.settings})


async def _change(tried: Tried, key: str, value: Any) -> None:
    """Set a control as a person would."""
    if key not in tried.entities:
        await tried.look_up()
    entity_id = tried.entities[key]
    platform = entity_id.split(".")[0]
    action, data = {
        "number": ("set_value", {"value": value}),
        "select": ("select_option", {"option": value}),
        "time": ("set_value", {"time": value}),
        "switch": (f"turn_{value}", {}),
    }[platform]
    await tried.home.call(platform, action, entity_id=entity_id, **data)


async def _until_flows(tried: Tried, wanted: Flows, when: str, polls: int | None = None) -> None:
    """Wait until the sensors show flows, at most for so many polls that begin from now on."""
    deadline = time.monotonic() + DEFAULT_TIMEOUT
    begun = await _polls(tried)
    while True:
        passed = len(await _polls(tried) - begun)
        shown = {name: await tried.home.value(tried.flow(name)) for name in wanted}
        unlike = [
            f"{name} {shown[name]} W, not {watts} W"
            for name, watts in wanted.items()
            if not _is_close(shown[name], watts)
        ]
        if not unlike:
            return
        # What the last one brings is shown before the next one begins.
        if time.monotonic() > deadline or (polls is not None and passed > polls):
            raise CheckError(f"{when}, {passed} polls: {', '.join(unlike)}")
        await asyncio.sleep(0.1)


async def _polls(tried: Tried) -> set[float]:
    """The times of the last polls of the powers."""
    polled = tried.bench.polled
    return {
        read["time"]
        for read in await tried.plant.get("reads")
        if read["address"] <= polled < read["address"] + read["count"]
    }


def _is_close(shown: str, watts: float) -> bool:
    """Whether a state is a number of watts, as close as can be expected."""
    try:
        return abs(float(shown) - watts) <= CLOSE_WATTS
    except ValueError:
        return False


async def _may_be_set(tried: Tried, keys: Iterable[str]) -> bool:
    """Whether those of these that exist are controls, and not what only shows a setting."""
    known = await tried.look_up()
    return all(known[key]["entity_id"].split(".")[0] in CONTROLS for key in keys if key in known)


async def _are_there(home: Home, entity_ids: Iterable[str]) -> bool:
    """Whether these have a state."""
    states = await home.states()
    return all(
        states.get(one, {}).get("state") not in (None, "unavailable", "unknown")
        for one in entity_ids
    )
