"""Houses that are built right, of ten shapes, and the days that they live through: data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from custom_components.hybrid_inverter.modbus.model.codec import Value

from .physics import Weather

JSO: Final = "JSO8048104"
SAJ: Final = "H2-10K-T2"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltHouse:
    """The machines by unit id, what else is there (fields of the plant's options), and settings by unit id and key."""

    devices: Mapping[int, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[int, Mapping[str, Value]] = field(default_factory=dict)


HOUSES: Final[Mapping[str, BuiltHouse]] = {
    "jso_plain": BuiltHouse(devices={1: JSO}),
    "saj_plain": BuiltHouse(devices={1: SAJ}),
    "jso_car": BuiltHouse(devices={1: JSO}, options={"car": True}),
    "saj_heat_pump": BuiltHouse(devices={1: SAJ}, options={"heat_pump": True}),
    # The sun of micro inverters comes in at the generator port.
    "jso_micro": BuiltHouse(
        devices={1: JSO}, settings={1: {"generator_port_mode": "micro_inverter_input"}}
    ),
    # The inverter's own meter B is at the solar inverter; a further meter, at the grid, is nobody's but the owner's.
    "saj_solar": BuiltHouse(devices={1: SAJ, 2: "DTSU666"}, options={"solar": True}),
    # Its PV is that of a solar inverter, seen through a clamp.
    "single_phase": BuiltHouse(devices={1: "AS2-6K-S"}),
    # In parallel.
    "two_jso": BuiltHouse(devices={1: JSO, 2: JSO}, options={"car": True}),
    "jso_smart_load": BuiltHouse(
        devices={1: JSO},
        settings={
            1: {
                "generator_port_mode": "smart_load_output",
                "smart_load_on_soc": 70,
                "smart_load_off_soc": 60,
            }
        },
    ),
    "two_makes": BuiltHouse(devices={1: JSO, 2: SAJ, 3: "DTSU666", 4: "DDSU666"}),
}


@dataclass(frozen=True, slots=True)
class Day:
    """When a day begins to be looked at, and its weather."""

    start: datetime
    weather: Weather


DAYS: Final[Mapping[str, Day]] = {
    "clear": Day(datetime(2026, 6, 21, 8), Weather.CLEAR),  # noqa: DTZ001 - a plant knows no zone
    "grey": Day(datetime(2026, 11, 12, 8), Weather.GREY),  # noqa: DTZ001
    "broken": Day(datetime(2026, 3, 10, 8), Weather.BROKEN),  # noqa: DTZ001
}
