"""Home Assistant dies while a blueprint controls the battery: what flows then, and what the next start puts right.

Each of them lives four nights in a dark house, with the hours of its order from one to three. In each it dies at another
moment, and starts again on the next evening.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.const import CONF_MAY_SELL
from lab.lived_home import LivedHome

from .blueprints import automations
from .dying import Life
from .lived_home import lived_home
from .ordered import JSO, KINDS, SAJ
from .test_control_crash import words_of
from .test_planner_evcc_week import set_up_evcc

MONDAY: Final = date(2026, 1, 26)
# 300 W that hang on the backup output. Nothing but an order has the grid charge the battery, which a JSO empties down to 35 %.
HOUSE: Final[dict[str, Any]] = {
    "sun": 0,
    "home": 0,
    "backup": 300,
    "options": {CONF_MAY_SELL: True},
}
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    JSO: {
        "grid_charge_enabled": False,
        "grid_charge_current": 80,
        **{f"tou_slot_{number}_soc": 35 for number in range(1, 7)},
        **{f"tou_slot_{number}_grid_charge": False for number in range(1, 7)},
    },
    SAJ: {},
}

# Minutes after midnight: before the hours of the order, twice in them, and after them.
_RANDOM: Final = Random(16)  # noqa: S311 - a seed is wanted
DEATHS: Final = tuple(
    _RANDOM.randrange(first, last) for first, last in ((30, 58), (62, 120), (120, 178), (190, 210))
)
# All orders are over by then, also those of four hours; what flows is looked at until ten.
OVER: Final = time(5, 15)

# Kilowatt-hours of 4.75 hours: out of the battery through 97 %, out of the grid, and into it.
type Flows = tuple[float, float, float]
OWN: Final[Flows] = (1.469, 0, 0)
HELD: Final[Flows] = (0, 1.425, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What somebody has chosen, and what has it order something from one to three."""

    # Of an automation; a script of evcc's has none.
    inputs: Mapping[str, Any] = field(default_factory=dict)
    # What a kilowatt-hour costs in these hours; 0.30 in all others.
    price: float = 0.30
    # What sensors show in these hours and otherwise; EMHASS publishes it each half-hour.
    shown: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    # What is run at the begin of these hours, and at their end.
    begun: str | None = None
    ended: str | None = None
    # What the sun gives to a full battery: watts.
    sun: int = 0
    # What flows without Home Assistant when the order is over, if it died in its hours.
    alone: Mapping[str, Flows] = field(default_factory=lambda: {JSO: OWN, SAJ: OWN})


PRICE: Final = {"prices": ["sensor.price"]}
NIGHTS: Final[Mapping[str, Night]] = {
    "cheapest_hours": Night(
        inputs=PRICE | {"earliest": "00:15:00", "latest": "03:30:00", "hours": 2, "target_soc": 95},
        price=0.10,
    ),
    # A JSO sells the same again on the next day, and so holds what is left until then.
    "sell_above_price": Night(
        inputs=PRICE | {"price_limit": 0.4, "power": 500, "target_soc": 40},
        price=0.50,
        alone={JSO: HELD, SAJ: OWN},
    ),
    # No inverter ends a limit of the export by itself; a JSO lets 20 W come from the grid meanwhile.
    "no_export_below_price": Night(
        inputs=PRICE, price=-0.05, sun=5000, alone={JSO: (0, 0.095, 0), SAJ: (0, 0, 0)}
    ),
    # Nor does a SAJ end what holds its battery.
    "hold_while_car_charges": Night(
        inputs={"charger": "sensor.car"},
        shown={"sensor.car": ("7000", "0")},
        alone={JSO: OWN, SAJ: HELD},
    ),
    "reserve": Night(
        inputs={"warnings": ["binary_sensor.storm"], "power": 1000},
        shown={"binary_sensor.storm": ("on", "off")},
    ),
    "monthly_full_charge": Night(
        inputs={"hours": 2, "power": 1000}, begun="automation.monthly_full_charge"
    ),
    "emhass": Night(
        shown={
            "sensor.p_batt_forecast": ("-1000", "0"),
            "sensor.p_grid_forecast": ("1331", "0"),
        },
    ),
    "evcc_charge": Night(begun="script.evcc_charge", ended="script.evcc_normal"),
    "evcc_hold": Night(
        begun="script.evcc_hold", ended="script.evcc_normal", alone={JSO: OWN, SAJ: HELD}
    ),
    "evcc_holdcharge": Night(begun="script.evcc_holdcharge", ended="script.evcc_normal"),
}
# What flows if it did not die in the hours of the order, where the sun shines: 5000 W through 97 %, but for 300 W.
SUNNY: Final[Flows] = (0, 0, 21.6)

pytestmark = pytest.mark.timeout(600)


def at(home: LivedHome, day: date, hour: int, minute: int = 0) -> datetime:
    """Return a time of a day as the clock on the wall shows it."""
    return datetime.combine(day, time(hour, minute), home.now.tzinfo)


@pytest.mark.parametrize("name", NIGHTS)
@pytest.mark.parametrize("model", KINDS)
async def test_a_home_assistant_that_dies_leaves_the_battery_to_its_owner(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    model: str,
    name: str,
) -> None:
    """At any moment: from the end of the order until midnight, what flows is what the owner has set.

    But for what an inverter does not end by itself. The next start puts everything back.
    """
    night = NIGHTS[name]
    house = HOUSE | {"settings": SETTINGS[model], "sun": night.sun}
    begin = datetime.combine(MONDAY, time(23, 40))
    async with lived_home(hass, devices={1: model}, begin=begin, **house) as home:
        before = words_of(home.plant)
        life = Life(hass, hass_storage, monkeypatch)
        home.prices(lambda moment: night.price if 1 <= moment.hour < 3 else 0.30)
        show(home, night, is_on=False)
        made = {}
        if name.startswith("evcc"):
            await set_up_evcc(home, tmp_path)
        else:
            made[name] = {"inverter": home.device_id, **night.inputs}
        async with automations(hass, made):
            for number, death in enumerate(DEATHS):
                day = MONDAY + timedelta(days=number + 1)
                await home.live_until(at(home, day, 0))
                home.steer(soc=100 if night.sun else 90)
                await live_until_death(home, night, at(home, day, 0) + timedelta(minutes=death))
                is_ordered = 60 < death < 180
                assert (words_of(home.plant) != before) == is_ordered
                life.die()
                await hass.services.async_call(
                    "automation", "turn_off", {"entity_id": "all"}, blocking=True
                )
                await life.end(home.entries[0])
                written = len(home.machine.writes)
                await home.live_until(at(home, day, 10))
                own = SUNNY if night.sun else OWN
                flows = home.energy(datetime.combine(day, OVER, home.now.tzinfo), home.now)
                assert (
                    flows["battery_discharge"],
                    flows["grid_import"],
                    flows["grid_export"],
                ) == pytest.approx(night.alone[model] if is_ordered else own, abs=0.02)
                assert flows["battery_charge"] == 0
                assert len(home.machine.writes) == written
                await home.live_until(at(home, day, 23, 40))
                show(home, night, is_on=False)
                await life.begin(home.entries[0])
                await hass.services.async_call(
                    "automation", "turn_on", {"entity_id": "all"}, blocking=True
                )
                hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
                await home.live(10)
                assert words_of(home.plant) == before


async def live_until_death(home: LivedHome, night: Night, death: datetime) -> None:
    """Let the night pass until then, with what happens each half-hour."""
    begin = death.replace(hour=1, minute=0)
    for half_hour in range(5):
        moment = begin + timedelta(minutes=30 * half_hour)
        if moment > death:
            break
        await home.live_until(moment)
        show(home, night, is_on=half_hour < 4)
        if entity_id := {0: night.begun, 4: night.ended}.get(half_hour):
            domain = entity_id.split(".")[0]
            action = "trigger" if domain == "automation" else "turn_on"
            await home.hass.services.async_call(domain, action, {"entity_id": entity_id})
    await home.live_until(death)


def show(home: LivedHome, night: Night, *, is_on: bool) -> None:
    """Have the sensors show that it is time for the order, or not."""
    for entity_id, (during, otherwise) in night.shown.items():
        state = during if is_on else otherwise
        home.hass.states.async_set(entity_id, state, {"unit_of_measurement": "W"})
