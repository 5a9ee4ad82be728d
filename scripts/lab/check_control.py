"""Battery control on a real Home Assistant: wishes that end by themselves, and orders in the middle of which it is killed.

Home Assistant's clock is that of the simulated houses, and begins again at what they show. So an hour, or a day, passes
for an order as well while Home Assistant is dead.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import aiohttp

from .check_blueprints import try_blueprints
from .checking import CheckError, expect, run_checks, soon, suspicious_lines
from .control_wishes import JSO, SAJ, SETTINGS, SITUATION, WISHES, OwnersWish
from .effects import Flows
from .home import Home, RefusedError, home_assistant
from .house import ENERGY_INTERVAL, POWER_INTERVAL, SETTINGS_INTERVAL
from .plant import Plant, simulated_plant

# A Monday at two o'clock.
START: Final = "2026-06-22T02:00"
SERIALS: Final = {JSO: "JSO0000014", SAJ: "SAJSIM00000000000014"}
# Kilowatt-hours of the SAJ's battery, which it does not report.
CAPACITY: Final = 20.5
OWNER: Final = "the check"

# All that an order may change, and the settings around it.
WORDS: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    JSO: ((102, 8), (111, 67)),
    SAJ: ((0x3604, 23), (0x3644, 4), (0x364D, 5), (0x365A, 3), (0x365F, 2)),
}
# What no order may ever write: shutdown, restart and low SOC, the discharge current; the off-grid floor and the battery's
# own limits.
FORBIDDEN: Final[Mapping[str, frozenset[int]]] = {
    JSO: frozenset({109, 115, 116, 117}),
    SAJ: frozenset({0x3645, 0x364D, 0x364E}),
}

# How many seconds of the house pass in a second of a check.
SPEED: Final = 360.0
CLOSE_WATTS: Final = 25
HOUR: Final = 3600
# From a start until what was left undone is in order again, and said.
MENDED_SECONDS: Final = 60
# Beyond the end of an order: what the inverter keeps of it is up to five minutes later.
AFTERWARDS: Final = timedelta(seconds=90)
# Behind the backup output: 600 / 0.97.
BACKUP_WATTS: Final = 619


@dataclass(kw_only=True)
class Inverter:
    """A simulated inverter in a house of its own, and what Home Assistant has made of it."""

    model: str
    plant: Plant
    entry_id: str = ""
    device_id: str = ""
    event: str = ""
    charge_level: str = ""
    # What its owner has set.
    before: list[int] = field(default_factory=list)

    @property
    def serial(self) -> str:
        """Its serial number."""
        return SERIALS[self.model]

    async def words(self) -> list[int]:
        """All that an order may change, as the machine holds it."""
        blocks = [await self.plant.words(*block) for block in WORDS[self.model]]
        return [word for block in blocks for word in block]

    async def glance(self) -> dict[str, Any]:
        """What flows."""
        machines: dict[str, dict[str, Any]] = (await self.plant.get(""))["machines"]
        return machines["1"]

    async def expect_flows(self, wanted: Flows, when: str) -> None:
        """Wait a moment until these flow."""
        found: dict[str, float] = {}

        async def do() -> bool:
            nonlocal found
            glance = await self.glance()
            found = {name: glance[f"{name}_power"] for name in wanted}
            return all(abs(found[name] - watts) <= CLOSE_WATTS for name, watts in wanted.items())

        with suppress(CheckError):
            await soon(do, "", 3)
        expect(await do(), f"{self.model} {when}: {found}, not {dict(wanted)}")


@dataclass(kw_only=True)
class House:
    """What the checks look at."""

    home: Home
    inverters: dict[str, Inverter]

    async def lay_down(self, **situation: Any) -> None:
        """Bring both houses into a situation, with all settings as their owners have them."""
        for one in self.inverters.values():
            wanted = {**SITUATION, **situation, "settings": SETTINGS[one.model]}
            await one.plant.post("steer", wanted)
            if one.charge_level:
                # No battery is charged in a moment, so an order goes by the last reading.
                await self.home.call("homeassistant", "update_entity", entity_id=one.charge_level)
                await self.home.until(one.charge_level, partial(_is_about, wanted["soc"]))

    async def now(self) -> datetime:
        """What time it is in the houses."""
        shown = (await self.inverters[JSO].plant.get("time"))["now"]
        return datetime.fromisoformat(shown).replace(tzinfo=UTC)

    async def hurry_past(self, end: datetime) -> None:
        """Let time pass fast until a moment, for all at once."""
        span = (end - await self.now()).total_seconds()
        plants = [
            one.plant.post("time", {"speed": SPEED, "span": span})
            for one in self.inverters.values()
        ]
        await asyncio.gather(
            *plants, self.home.call("fast_clock", "change", speed=SPEED, span=span)
        )
        await asyncio.sleep(span / SPEED)

    async def advance(self, seconds: float) -> None:
        """Let time pass at once while Home Assistant is dead."""
        posts = (one.plant.post("time", {"advance": seconds}) for one in self.inverters.values())
        await asyncio.gather(*posts)

    async def start(self) -> None:
        """Start Home Assistant at what the clocks of the houses show."""
        self.home.start_time = (await self.now()).timestamp()
        await self.home.start()

    async def order(self, one: Inverter, action: str, **data: Any) -> dict[str, Any]:
        """Call an action for an inverter, and return its answer."""
        answer = await self.home.command(
            "call_service",
            domain="hybrid_inverter",
            service=action,
            service_data={"device_id": one.device_id, **data},
            return_response=True,
        )
        told: dict[str, Any] = answer["response"]
        return told

    async def release(self, one: Inverter) -> None:
        """End the order of the battery, as a person does."""
        await self.order(one, "release_battery")

    async def is_as_before(self, one: Inverter) -> None:
        """Wait until the machine holds what its owner has set."""

        async def is_it() -> bool:
            return await one.words() == one.before

        await soon(
            is_it, f"{one.model} holds {await one.words()}, before {one.before}", MENDED_SECONDS
        )

    async def is_told(self, one: Inverter, kind: str) -> None:
        """Wait for the event of an order."""

        async def is_it() -> bool:
            state = await self.home.state(one.event)
            return bool(state["attributes"].get("event_type") == kind)

        await soon(is_it, f"{one.model} does not tell {kind}", MENDED_SECONDS)

    async def confirm_repair(self, kind: str) -> None:
        """Wait for a repair issue, and confirm it as a person does."""
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            listed = await self.home.command("repairs/list_issues")
            found[:] = [one for one in listed["issues"] if one["translation_key"] == kind]
            return bool(found)

        await soon(is_there, f"there is no repair issue {kind}", MENDED_SECONDS)
        for issue in found:
            path = "repairs/issues/fix"
            form = {"handler": "hybrid_inverter", "issue_id": issue["issue_id"]}
            flow = await self.home.request("POST", path, form)
            done = await self.home.request("POST", f"{path}/{flow['flow_id']}", {})
            expect(done["type"] == "create_entry", f"{kind} was not confirmed: {done}")


async def both_are_added(house: House) -> None:
    """With an owner who sells from the battery; the SAJ with the capacity that it does not report."""
    home = house.home
    await house.lay_down()
    for model in (SAJ, JSO):
        one = house.inverters[model]
        one.entry_id = (await home.add_inverter(one.plant.tcp))["entry_id"]
        if model == SAJ:
            await home.add_plant("Shed", (CAPACITY,))
    for one in house.inverters.values():
        await home.set_options(
            one.entry_id,
            power_interval=POWER_INTERVAL,
            energy_interval=ENERGY_INTERVAL,
            settings_interval=SETTINGS_INTERVAL,
            tier="everyday",
            may_sell_from_battery=True,
        )
    for one in house.inverters.values():
        await soon(lambda one=one: home.is_loaded(one.entry_id), f"{one.model} is not loaded", 60)  # type: ignore[misc]
        await _look_up(house, one)
        one.before = await one.words()


async def _look_up(house: House, one: Inverter) -> None:
    """Learn its ids from the registries."""
    for device in await house.home.command("config/device_registry/list"):
        if ["hybrid_inverter", one.serial] in device["identifiers"]:
            one.device_id = device["id"]
    for known in await house.home.command("config/entity_registry/list"):
        is_ours = known["unique_id"] == f"{one.serial}_battery_control"
        if is_ours and known["entity_id"].startswith("event."):
            one.event = known["entity_id"]
    one.charge_level = await house.home.entity_id(f"{one.serial}_battery_soc")
    expect(bool(one.device_id and one.event), f"{one.model} has no device, or no event")


def _is_about(wanted: float, shown: str) -> bool:
    """Whether a state is this charge level: a moment later there may be a little less."""
    try:
        return abs(float(shown) - wanted) < 1
    except ValueError:
        return False


def _check_of(wish: OwnersWish) -> Callable[[House], Awaitable[None]]:
    """A check of a wish, with its name."""

    async def check(house: House) -> None:
        await _fulfil(house, wish)

    check.__name__ = wish.name
    return check


async def _fulfil(house: House, wish: OwnersWish) -> None:
    """Order it of both, see what flows, and that it ends by itself and leaves nothing."""
    await house.lay_down(**wish.situation)
    ends = []
    for one in house.inverters.values():
        told = await house.order(one, wish.action, owner=OWNER, **wish.data)
        ends.append(datetime.fromisoformat(told["until"]))
        await one.expect_flows(wish.flows[one.model], f"{wish.name}, just ordered")
    await house.hurry_past(min(ends) - AFTERWARDS)
    for one in house.inverters.values():
        expect(await one.words() != one.before, f"{one.model}: {wish.name} was over too early")
        soc = (await one.glance())["battery_soc"]
        if wish.soc is not None:
            wanted = wish.soc[one.model]
            expect(abs(soc - wanted) <= 1, f"{one.model}: {soc} % and not {wanted} %")
    await house.hurry_past(max(ends) + AFTERWARDS)
    for one in house.inverters.values():
        await house.is_as_before(one)
        await house.is_told(one, "ended")


CHARGE: Final = {"mode": "charge", "power": 1000, "target_soc": 90, "duration": 60}
SELL: Final = {"mode": "discharge", "power": 3000, "at": "grid", "target_soc": 30, "duration": 60}


async def killed_while_one_is_ordered_and_one_sells(house: House) -> None:
    """In the middle of the writes of the SAJ; the JSO is in its window."""
    await _dead_for_a_day(house, sells=house.inverters[JSO], middle=house.inverters[SAJ], sent=2)


async def killed_the_other_way_round(house: House) -> None:
    """In the middle of the writes of the JSO; the SAJ is in its window."""
    await _dead_for_a_day(house, sells=house.inverters[SAJ], middle=house.inverters[JSO], sent=1)


async def _dead_for_a_day(house: House, *, sells: Inverter, middle: Inverter, sent: int) -> None:
    """Kill Home Assistant while `middle` is written to, have it dead for 25 hours, and see what is left of it."""
    await house.lay_down()
    await house.order(sells, "control_battery", owner=OWNER, **SELL)
    await _killed(house, middle, sent, CHARGE)
    expect(await middle.words() != middle.before, f"{middle.model} was not written to")
    await sells.expect_flows({"grid": -3000}, "in its window")
    await _sells_nothing(middle, "in its window")
    # The window is over, then it is the same hour of the next day, then that is over.
    for hours in (1.1, 23, 0.9):
        await house.advance(hours * HOUR)
        for one in house.inverters.values():
            await _sells_nothing(one, f"{hours:g} hours later")
            await _serves_in_an_outage(one)
    for one in house.inverters.values():
        tomorrow = list((await one.plant.get("days")).values())[-1]
        expect(tomorrow["grid_export"] < 0.01, f"{one.model} has sold: {tomorrow}")
    await house.start()
    for one in house.inverters.values():
        await house.is_as_before(one)
        await house.is_told(one, "restored_at_start")
    await house.confirm_repair("control_put_back")


async def an_order_whose_time_is_not_over_goes_on(house: House) -> None:
    """It is adopted where it is whole, and put back where it is not; a release puts everything back."""
    whole, half = house.inverters[JSO], house.inverters[SAJ]
    await house.lay_down()
    await house.order(whole, "control_battery", owner=OWNER, mode="hold", duration=60)
    ordered = await whole.words()
    await _killed(house, half, 2, CHARGE)
    await house.start()
    await house.is_told(whole, "adopted_at_start")
    expect(await whole.words() == ordered, f"{whole.model} does not hold its order any more")
    await house.is_as_before(half)
    await house.is_told(half, "restored_at_start")
    await house.confirm_repair("control_put_back")
    await house.release(whole)
    await house.is_as_before(whole)
    await house.is_told(whole, "released")


async def each_blueprint_becomes_an_automation_that_runs(house: House) -> None:
    """Imported, filled in and run by hand; afterwards everything is as before."""
    await house.lay_down()
    one = house.inverters[JSO]
    await try_blueprints(house.home, one.device_id, await house.now())
    await house.is_as_before(one)


async def what_is_never_written_was_not(house: House) -> None:
    """Neither by an order nor by its end."""
    for one in house.inverters.values():
        written = {
            write["address"] + place
            for write in await one.plant.writes()
            for place in range(len(write["values"]))
        }
        expect(bool(written), f"{one.model} was never written to")
        found = written & FORBIDDEN[one.model]
        expect(not found, f"{one.model} was written to at {sorted(found)}")


async def the_log_is_clean(house: House) -> None:
    """All of that was no reason to complain."""
    lines = list(_complaints(house.home.log))
    expect(not lines, "\n".join(lines))


def _complaints(log: str) -> Iterable[str]:
    """What Home Assistant complains about, but for what a killed one leaves behind."""
    return (line for line in suspicious_lines(log) if "recorder" not in line)


CHECKS: Final = (
    both_are_added,
    *map(_check_of, WISHES),
    each_blueprint_becomes_an_automation_that_runs,
    killed_while_one_is_ordered_and_one_sells,
    killed_the_other_way_round,
    an_order_whose_time_is_not_over_goes_on,
    what_is_never_written_was_not,
    the_log_is_clean,
)


async def check_control() -> int:
    """Run all checks in order; return how many failed."""
    start = datetime.fromisoformat(START).replace(tzinfo=UTC).timestamp()
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(home_assistant(start_time=start))
        inverters = {}
        for model, serial in SERIALS.items():
            options = ["--model", model, "--serial-number", serial, "--start", START]
            plant = await stack.enter_async_context(simulated_plant(options))
            inverters[model] = Inverter(model=model, plant=plant)
        return await run_checks(House(home=home, inverters=inverters), CHECKS, "Battery control")


async def _killed(house: House, one: Inverter, sent: int, data: Mapping[str, Any]) -> None:
    """Kill Home Assistant while an order is written, when so many of its requests have reached the machine."""
    plant = one.plant
    before = len(await plant.writes())
    # The JSO takes a request in no time: its answers come late, so that there is a time between two of them.
    await plant.trouble(late_answers=0.5)
    running = asyncio.create_task(house.order(one, "control_battery", owner=OWNER, **data))
    while len(await plant.writes()) < before + sent:
        if running.done():
            raise CheckError(f"{one.model} answered before it was killed: {await running}")
        await asyncio.sleep(0.02)
    await house.home.kill()
    await plant.trouble(late_answers=0)
    with suppress(aiohttp.ClientError, RefusedError, TypeError):
        await running
    found = len(await plant.writes())
    expect(
        found == before + sent, f"{one.model} has received {found - before} requests, not {sent}"
    )


async def _sells_nothing(one: Inverter, when: str) -> None:
    """Nothing flows into the grid."""
    grid = (await one.glance())["grid_power"]
    expect(grid > -CLOSE_WATTS, f"{one.model} sells {-grid} W, {when}")


async def _serves_in_an_outage(one: Inverter) -> None:
    """The battery feeds what is behind the backup output as soon as the grid is gone."""
    await one.plant.post("steer", {"grid": False})
    await one.expect_flows({"battery": BACKUP_WATTS}, "in an outage")
    await one.plant.post("steer", {"grid": True, "advance": 120})
