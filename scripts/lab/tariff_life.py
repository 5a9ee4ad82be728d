"""The simulated house lives with prices and one automation, or with none."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
import tempfile
import time
from typing import Any, Final
from unittest.mock import patch

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .bare_home import bare_home
from .day_ahead import BEGIN, TARIFF, ZONE
from .lived_home import LivedHome, lived_home
from .moved_clock import MovedClock
from .tariff_cases import CASES, Case
from .tariff_rules import Rules

# How far the physics and what is looked at go at once: as long as they may without missing a time slot, and a quarter.
STEP: Final = 60.0
GRAIN: Final = 60.0
LOOK: Final = 15
OPTIONS: Final = {"power_interval": 3600}
DAY: Final = timedelta(days=1)
# But for what tells of orders: nobody looks at the others, and they would take most of the time.
NO_ENTITIES: Final = patch("custom_components.hybrid_inverter.PLATFORMS", [Platform.EVENT])


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """What a year came to: euros, kilowatt-hours, writes."""

    bill: float
    charged: float
    imported: float
    exported: float
    writes: int
    most_writes: int
    broken: dict[str, int]
    seconds: float


async def live(name: str, days: int, clock: MovedClock) -> Year:
    """Live so many days with one of the cases."""
    case = CASES[name]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="hybrid_inverter_") as folder, NO_ENTITIES:
        async with (
            bare_home(Path(folder), ZONE) as hass,
            lived_home(
                hass,
                BEGIN,
                clock.running_from(BEGIN),
                options=OPTIONS | case.options,
                step=STEP,
                grain=GRAIN,
                **case.house,
            ) as home,
        ):
            rules = Rules(home, case)
            await _furnish(hass, home, case)
            while home.now < BEGIN + days * DAY:
                await home.live(LOOK)
                _show_house(home, case)
                await _switch(home, case)
                rules.look()
            await rules.end()
            return _year(home, rules, time.perf_counter() - began)


async def _furnish(hass: HomeAssistant, home: LivedHome, case: Case) -> None:
    """Have sensors of the prices, and the automation."""
    home.prices(TARIFF.import_price, entity_id="sensor.price")
    home.prices(TARIFF.export_price, entity_id="sensor.export_price", shape="price_only")
    _show_house(home, case)
    if case.blueprint:
        inputs = {name: _filled(value, home.device_id) for name, value in case.inputs.items()}
        automation = {
            "id": case.blueprint,
            "alias": case.name,
            "use_blueprint": {
                "path": f"hybrid_inverter/{case.blueprint}.yaml",
                "input": inputs,
            },
        }
        await async_setup_component(hass, "automation", {"automation": [automation]})
        await home.live(1)
        await _switch(home, case)


async def _switch(home: LivedHome, case: Case) -> None:
    """Switch the automation on and off with the seasons."""
    for state in home.hass.states.async_all("automation"):
        wanted = "on" if home.now.month in case.months else "off"
        if state.state != wanted:
            target = {"entity_id": state.entity_id}
            await home.hass.services.async_call("automation", f"turn_{wanted}", target)


def _filled(value: Any, device_id: str) -> Any:
    return device_id if value == "DEVICE" else value


def _show_house(home: LivedHome, case: Case) -> None:
    """Show what the automations go by that is none of the inverter's: the car, and a warning on some days."""
    set_state = home.hass.states.async_set
    set_state("sensor.car", f"{home.plant.site.car_point.power:.0f}", {"unit_of_measurement": "W"})
    set_state("binary_sensor.warning", "on" if case.is_warned(home.now) else "off")


def _year(home: LivedHome, rules: Rules, seconds: float) -> Year:
    """What it came to; what is in the battery now and was not at the begin counts at the price that it costs on average."""
    bill = charged = imported = exported = prices = 0.0
    for number, quarter in home.log.quarters.items():
        start = datetime.fromtimestamp(number * 900, BEGIN.tzinfo)
        price = TARIFF.import_price(start.replace(minute=0))
        prices += price
        bill += quarter["grid_import"] * price
        bill -= quarter["grid_export"] * TARIFF.export_price(start.replace(minute=0))
        charged += quarter["battery_charge"]
        imported += quarter["grid_import"]
        exported += quarter["grid_export"]
    battery = home.machine.inverter.battery
    left = (battery.soc - rules.soc_before) * battery.cells.capacity / 1000
    bill -= left * prices / len(home.log.quarters)
    total, most = rules.writes()
    return Year(
        bill=round(bill, 2),
        charged=round(charged),
        imported=round(imported),
        exported=round(exported),
        writes=total,
        most_writes=most,
        broken=dict(rules.broken),
        seconds=round(seconds, 1),
    )
