"""The house that lives a year with prices, and the automations that it lives it with."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from custom_components.hybrid_inverter.const import CONF_MAY_SELL

# Self-consumption: the battery serves the house at any hour down to 20 %, and what the sun has too much is sold. The grid
# could charge it with 5 kW.
HOUSE: Final[Mapping[str, Any]] = {
    "settings": {
        "battery_shutdown_soc": 10,
        "battery_low_soc": 20,
        "battery_restart_soc": 30,
        "grid_charge_enabled": False,
        "grid_charge_current": 100,
        **{f"tou_slot_{number}_soc": 20 for number in range(1, 7)},
        **{f"tou_slot_{number}_power": 8000 for number in range(1, 7)},
        **{f"tou_slot_{number}_grid_charge": False for number in range(1, 7)},
    },
}
FLOOR: Final = 20
# Where the sun fills the battery each day, and where it does not.
SUMMER: Final = range(4, 10)
WINTER: Final = (10, 11, 12, 1, 2, 3)
# Days of the year with a weather warning, from noon to midnight.
WARNED: Final = frozenset({40, 75, 121, 152, 169, 183, 204, 219, 233, 301, 330})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A blueprint, and what somebody has chosen in it; DEVICE stands for the inverter."""

    name: str
    blueprint: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    # The months in which its owner has it switched on.
    months: Container[int] = range(1, 13)
    # Whether the house has an electric car, which is charged in the evening.
    car: bool = False
    # Whether it has panels.
    sun: bool = True

    @property
    def beside(self) -> str:
        """The case without an automation that it is compared with."""
        if not self.sun:
            return "none_without_sun"
        return "none_with_car" if self.car else "none"

    @property
    def house(self) -> dict[str, Any]:
        """The house, as a lived home takes it."""
        return {**HOUSE, "car": self.car} | ({} if self.sun else {"sun": 0})

    def is_warned(self, moment: datetime) -> bool:
        """Whether there is a weather warning."""
        return moment.timetuple().tm_yday in WARNED and moment.hour >= 12


CASES: Final[Mapping[str, Case]] = {
    "none": Case(name="No automation"),
    "none_with_car": Case(name="No automation, with a car", car=True),
    "none_without_sun": Case(name="No automation, without sun", sun=False),
    "cheapest_hours": Case(
        name="Cheapest hours",
        blueprint="cheapest_hours",
        inputs={
            "inverter": "DEVICE",
            "prices": ["sensor.price"],
            "hours": 3,
            "power": 4000,
            "target_soc": 60,
            "earliest": "00:00:00",
        },
        months=WINTER,
    ),
    "cheapest_hours_without_sun": Case(
        name="Cheapest hours, without sun",
        blueprint="cheapest_hours",
        inputs={
            "inverter": "DEVICE",
            "prices": ["sensor.price"],
            "hours": 5,
            "power": 4500,
            "earliest": "00:00:00",
        },
        sun=False,
    ),
    "sell_above_price": Case(
        name="Sell above a price",
        blueprint="sell_above_price",
        inputs={
            "inverter": "DEVICE",
            "prices": ["sensor.export_price"],
            "price_limit": 0.10,
            "power": 4000,
            "target_soc": 50,
        },
        months=SUMMER,
        options={CONF_MAY_SELL: True},
    ),
    "no_export_below_price": Case(
        name="No export below a price",
        blueprint="no_export_below_price",
        inputs={"inverter": "DEVICE", "prices": ["sensor.export_price"], "price_limit": 0},
    ),
    "hold_while_car_charges": Case(
        name="Hold while the car charges",
        blueprint="hold_while_car_charges",
        inputs={"inverter": "DEVICE", "charger": "sensor.car"},
        car=True,
    ),
    "reserve": Case(
        name="Reserve before a storm",
        blueprint="reserve",
        inputs={"inverter": "DEVICE", "warnings": ["binary_sensor.warning"]},
    ),
    "monthly_full_charge": Case(
        name="Monthly full charge",
        blueprint="monthly_full_charge",
        inputs={"inverter": "DEVICE"},
    ),
}
