"""The first screen of the demo: yesterday and today until now were lived, and every page has something to show."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import os
import time
from typing import Any, Final
from urllib.parse import quote, urlencode

from .browse import BROWSER
from .browse_house import dashboard_of, entity_ids, look_at_all
from .checking import expect, run_checks, soon, suspicious_lines
from .energy_days import expect_days
from .house import JSO, LIVED_DAYS, SAJ, SUMMER, House, house, order_something

# On the computer that decides about a change there has to be one.
HAS_BROWSER: Final = BROWSER is not None or bool(os.environ.get("CI"))
MAX_UP_SECONDS: Final = 60
# Where three other Home Assistants run on the same two cores.
MAX_UP_SECONDS_BESIDE_OTHERS: Final = 120
# Registers of the JSO: whether it charges from the grid at all, and the first of six slots that say when; their lowest bit.
GRID_CHARGE: Final = 130
FIRST_SLOT_CHARGES: Final = 172
# Kilowatts that a counter of this house may grow with.
MAX_POWER: Final = 24.0
# Its past has a value every five minutes. From the last of them to the first that is polled it may be as long, and the start.
SLOT: Final = timedelta(minutes=5)
MAX_GAP: Final = timedelta(minutes=8)


@dataclass(kw_only=True)
class Lived:
    """What the checks look at."""

    house: House
    up_seconds: float
    max_up_seconds: float

    @property
    def midnight(self) -> datetime:
        """When the day of today has begun."""
        return self.house.began.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)


async def it_is_up_soon(lived: Lived) -> None:
    """With all machines, the plant, the Energy dashboard, our own, and the past."""
    expect(lived.up_seconds < lived.max_up_seconds, f"it took {lived.up_seconds:.0f} s")
    print(f"        up in {lived.up_seconds:.0f} s", flush=True)


async def the_day_before_agrees_with_the_physics(lived: Lived) -> None:
    """Each figure of the Energy dashboard."""
    begin = lived.midnight - timedelta(days=LIVED_DAYS)
    first = SUMMER.date() - timedelta(days=LIVED_DAYS)
    await expect_days(lived.house, begin, LIVED_DAYS, first)


async def its_clock_is_that_of_this_computer(lived: Lived) -> None:
    """The hours of the house and Home Assistant's zone; only the sun is that of June."""
    shown = datetime.fromisoformat((await lived.house.plant.get("time"))["now"])
    now = datetime.now().astimezone()
    apart = abs((shown - now.replace(tzinfo=None)).total_seconds()) % 86400
    expect(min(apart, 86400 - apart) < 5, f"in the house it is {shown:%H:%M:%S}")
    zone = (await lived.house.home.request("GET", "config"))["time_zone"]
    template = {"template": "{{ now().utcoffset().total_seconds() }}"}
    offset = await lived.house.home.request("POST", "template", template)
    expect(float(offset) == _offset(now), f"Home Assistant's zone is {zone}")


def _offset(moment: datetime) -> float:
    """The seconds that a local time is ahead of UTC."""
    offset = moment.utcoffset()
    return 0.0 if offset is None else offset.total_seconds()


async def counters_go_on_without_a_jump(lived: Lived) -> None:
    """From the day that was lived to the machines that are polled."""
    home, since = lived.house.home, lived.midnight - timedelta(days=LIVED_DAYS)
    counters = [
        entity_id
        for entity_id, state in (await home.states()).items()
        if state["attributes"].get("state_class") == "total_increasing"
        and state["attributes"].get("device_class") == "energy"
    ]
    expect(len(counters) > 20, f"counters: {counters}")
    query = urlencode(
        {
            "filter_entity_id": ",".join(counters),
            "end_time": datetime.now(UTC).isoformat(),
            "minimal_response": "",
            "no_attributes": "",
        }
    )
    found: list[list[dict[str, Any]]] = await home.request(
        "GET", f"history/period/{quote(since.isoformat())}?{query}"
    )
    jumps = []
    for states in found:
        numbers = [one for one in states if one["state"].replace(".", "").isdigit()]
        for former, latter in pairwise(numbers):
            before, after = float(former["state"]), float(latter["state"])
            begins_again = after < 1
            if after - before > _most_between(former, latter) or (
                after < before and not begins_again
            ):
                jumps.append(f"{states[0]['entity_id']}: from {before} to {after} kWh")
    expect(not jumps, "\n".join(jumps))
    print(f"        {len(found)} of {len(counters)} counters have a past", flush=True)


def _most_between(former: dict[str, Any], latter: dict[str, Any]) -> float:
    """The kilowatt-hours that a counter may grow by from one state to the next."""
    begin, end = (datetime.fromisoformat(one["last_changed"]) for one in (former, latter))
    step = SLOT
    if _is_of_the_past(begin) and not _is_of_the_past(end):
        step = min(max(end - begin, SLOT), MAX_GAP)
    return MAX_POWER * (step / timedelta(hours=1))


def _is_of_the_past(moment: datetime) -> bool:
    """Whether a state is one of every five minutes that were put there, and not one that was polled."""
    return not moment.timestamp() % SLOT.total_seconds()


async def automations_can_be_made(lived: Lived) -> None:
    """The editor of Home Assistant stores one, and it is there."""
    home = lived.house.home
    wanted = {
        "alias": "Hold in the evening",
        "triggers": [{"trigger": "time", "at": "17:00:00"}],
        "actions": [{"action": "persistent_notification.create", "data": {"message": "Evening"}}],
    }
    await home.request("POST", "config/automation/config/evening", wanted)

    async def is_on() -> bool:
        automation = (await home.states()).get("automation.hold_in_the_evening", {})
        return automation.get("state") == "on"

    await soon(is_on, "the automation is not there", 20)


async def an_order_is_at_work(lived: Lived) -> None:
    """For the cards of battery control: the inverters and the house show it, and nothing wants to be repaired."""
    home = lived.house.home
    await order_something(lived.house)
    serials = [
        subentry["unique_id"]
        for unit in (JSO, SAJ)
        for subentry in (await home.subentries(lived.house.entries[unit])).values()
    ]
    selects = [
        await home.entity_id(f"{owner}_battery_control", "select")
        for owner in (*serials, lived.house.together)
    ]

    async def is_shown() -> bool:
        shown = {await home.value(entity_id) for entity_id in selects}
        return len(shown) == 1 and shown <= {"charge", "hold"}

    await soon(is_shown, "not all cards show the order", 30)


async def nothing_wants_to_be_repaired(lived: Lived) -> None:
    """No issue is open, and none is on its way: no slot of the JSO charges from the grid while that is switched off."""
    listed = await lived.house.home.command("repairs/list_issues")
    issues = [
        one["translation_key"] for one in listed["issues"] if one["domain"] == "hybrid_inverter"
    ]
    expect(not issues, f"issues: {issues}")
    slots = await lived.house.plant.words(FIRST_SLOT_CHARGES, 6)
    is_on = await lived.house.plant.word(GRID_CHARGE)
    expect(
        is_on == 1 or not any(word & 1 for word in slots),
        f"slots {slots} charge, and {is_on} is off",
    )


async def the_dashboard_has_its_entities(lived: Lived) -> None:
    """Each that it names is there."""
    home = lived.house.home
    states = await home.states()
    missing = sorted({name for name in entity_ids(await dashboard_of(home)) if name not in states})
    expect(not missing, f"not there: {missing}")


async def the_dashboard_is_whole(lived: Lived) -> None:
    """No card of it is an error or a warning, in a real browser."""
    if HAS_BROWSER:
        await look_at_all(lived.house.home)
    else:
        print("        no browser is installed: nobody has looked", flush=True)


async def the_log_is_clean(lived: Lived) -> None:
    """No warning, no error, no deprecation."""
    lines = suspicious_lines(lived.house.home.log)
    expect(not lines, "\n".join(lines[:20]))


CHECKS: Final = (
    it_is_up_soon,
    the_day_before_agrees_with_the_physics,
    its_clock_is_that_of_this_computer,
    automations_can_be_made,
    nothing_wants_to_be_repaired,
    an_order_is_at_work,
    the_dashboard_has_its_entities,
    the_dashboard_is_whole,
    counters_go_on_without_a_jump,
    the_log_is_clean,
)


async def check_lived(max_up_seconds: float = MAX_UP_SECONDS) -> int:
    """Run all checks in order; return how many failed."""
    started = time.monotonic()
    async with house() as one:
        lived = Lived(
            house=one, up_seconds=time.monotonic() - started, max_up_seconds=max_up_seconds
        )
        return await run_checks(lived, CHECKS, "First screen")
