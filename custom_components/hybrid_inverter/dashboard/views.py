"""The views of the dashboard, each for whatever there is to be seen on it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from .cards import (
    TREND,
    Card,
    Texts,
    gauge,
    heading,
    history,
    rows,
    section,
    statistics,
    tile,
    view,
)
from .found import Found, Owner
from .words import in_words

# The powers of a house, each with its text, icon and colour.
POWERS: Final = (
    ("sensor.pv_power", "solar", "mdi:solar-power", "amber"),
    ("sensor.battery_power", "battery", "mdi:home-battery", "teal"),
    ("sensor.grid_power", "grid", "mdi:transmission-tower", "blue"),
    ("sensor.load_power", "home", "mdi:home", "deep-orange"),
)
SHARES: Final = ("sensor.autarky_today", "sensor.self_consumption_today")
ENERGIES_TODAY: Final = (
    ("sensor.pv_energy_today", "produced"),
    ("sensor.load_energy_today", "used"),
    ("sensor.grid_import_energy_today", "bought"),
    ("sensor.grid_export_energy_today", "sold"),
    ("sensor.battery_charge_energy_today", "charged"),
    ("sensor.battery_discharge_energy_today", "discharged"),
)
# Energy's own cards, which show what is set up there.
ENERGY_CARDS: Final = ("power-sankey", "power-sources-graph", "energy-distribution")

BATTERY_DETAILS: Final = (
    "sensor.battery_energy_stored",
    "sensor.battery_capacity_energy",
    "sensor.battery_voltage",
    "sensor.battery_current",
    "sensor.battery_temperature",
    "sensor.battery_soh",
)
SCHEDULE_SWITCHES: Final = ("switch.tou_enabled", "switch.grid_charge_enabled")
SCHEDULE_STATES: Final = (
    "sensor.active_slot",
    "sensor.active_window",
    "sensor.next_schedule_change",
)
# What an order of the battery is given by, and what is shown of one that is in force.
ORDERS: Final = ("select.battery_control", "number.control_power", "number.control_target_soc")
IN_FORCE: Final = ("sensor.control_until", "button.release_battery")
OTHER_ORDERS: Final = ("number.export_limit", "number.battery_reserve")
STATES: Final = (
    "sensor.status",
    "sensor.fault",
    "sensor.warning",
    "event.outage",
    "sensor.heatsink_temperature",
)
LINK: Final = ("sensor.bus_load", "sensor.link_latency", "sensor.success_rate")

# In the order in which they are shown.
SETTING_PLATFORMS: Final = ("select", "switch", "number", "time")
# What is on the schedule's view, or is an order, is not a setting of every day.
NO_SETTINGS: Final = frozenset({*ORDERS, *OTHER_ORDERS, *SCHEDULE_SWITCHES})
SLOT_KEYS: Final = ("tou_", "charge_slot_", "discharge_slot_")


def views(found: Found, text: Texts, *, with_energy: bool) -> list[Card]:
    """All views that have something on them; with what the Energy dashboard shows, if that is set up."""
    made = (
        view(text("now"), "now", "mdi:flash", _now(found, text, with_energy=with_energy)),
        view(text("battery"), "battery", "mdi:home-battery", _battery(found, text)),
        view(text("schedule"), "schedule", "mdi:calendar-clock", _schedule(found, text)),
        view(text("controls"), "controls", "mdi:tune", _controls(found)),
        view(text("health"), "health", "mdi:heart-pulse", _health(found, text)),
    )
    return [one for one in made if one is not None]


def _now(found: Found, text: Texts, *, with_energy: bool) -> Iterator[Card | None]:
    """What flows, and what has flowed today."""
    for house in found.houses:
        yield section(
            heading(house.name, "mdi:flash"),
            in_words(house, text),
            *(
                tile(house.entities[name], text(key), feature=TREND, icon=icon, color=color)
                for name, key, icon, color in POWERS
                if house.has(name)
            ),
        )
        yield section(
            heading(text("today"), "mdi:calendar-today"),
            *(
                gauge(house.entities[name], text(name.partition(".")[2]), yellow=40, green=70)
                for name in SHARES
                if house.has(name)
            ),
            *(
                tile(house.entities[name], text(key), color="accent")
                for name, key in ENERGIES_TODAY
                if house.has(name)
            ),
        )
    yield section(
        heading(text("meters"), "mdi:meter-electric"),
        *(
            tile(meter.entities["sensor.power"], meter.name, feature=TREND)
            for meter in found.meters
            if meter.has("sensor.power")
        ),
    )
    if with_energy:
        # Beside each other where there is room.
        yield section(
            heading(text("energy"), "mdi:lightning-bolt"),
            *({"type": kind, "grid_options": {"columns": 12}} for kind in ENERGY_CARDS),
            span=3,
        )


def _battery(found: Found, text: Texts) -> Iterator[Card | None]:
    """How full the batteries are, and how they were used."""
    owners = [one for one in found.inverters if one.has("sensor.battery_soc")]
    whole = [one for one in found.plants if one.has("sensor.battery_soc")]
    yield section(
        heading(text("state_of_charge"), "mdi:battery-high"),
        *(
            gauge(one.entities["sensor.battery_soc"], one.name, yellow=25, green=50)
            for one in (*whole, *owners)
        ),
        history(text("state_of_charge_day"), _named(owners, "sensor.battery_soc")),
    )
    yield section(
        heading(text("power_and_energy"), "mdi:battery-charging"),
        history(text("battery_power_day"), _named(owners, "sensor.battery_power")),
        statistics(
            text("battery_energy_hours"),
            (
                (one.entities[name], text(key) if len(owners) == 1 else f"{one.name}, {text(key)}")
                for one in owners
                for name, key in (
                    ("sensor.battery_charge_energy_total", "charged"),
                    ("sensor.battery_discharge_energy_total", "discharged"),
                )
                if one.has(name)
            ),
            kinds=["change"],
            chart="bar",
        ),
    )
    for one in owners:
        yield section(heading(one.name, "mdi:home-battery"), rows(one.those(BATTERY_DETAILS)))


def _schedule(found: Found, text: Texts) -> Iterator[Card | None]:
    """What the inverters will do by themselves."""
    owners = [one for one in found.inverters if one.has("calendar.schedule")]
    if owners:
        yield section(
            heading(text("schedule_ahead"), "mdi:calendar-clock"),
            {
                "type": "calendar",
                "initial_view": "listWeek",
                "grid_options": {"columns": "full", "rows": 9},
                "entities": [one.entities["calendar.schedule"] for one in owners],
            },
            span=2,
        )
    for one in owners:
        yield section(
            heading(one.name, "mdi:calendar-clock"),
            *(tile(entity, feature={"type": "toggle"}) for entity in one.those(SCHEDULE_SWITCHES)),
            rows([*one.those(SCHEDULE_STATES), *_settings(one, of_slots=True)]),
        )


def _controls(found: Found) -> Iterator[Card | None]:
    """Orders of the battery, and the settings of every day."""
    for one in (*found.plants, *found.inverters):
        yield section(
            heading(one.name, "mdi:tune"),
            rows(one.those(ORDERS)),
            _in_force(one),
            rows(one.those(OTHER_ORDERS)),
            *(_control(entity) for entity in _settings(one, of_slots=False)),
        )


def _in_force(owner: Owner) -> Card | None:
    """Until when an order is in force, and its release; nothing while there is none."""
    if not owner.has(*IN_FORCE) or (card := rows(owner.those(IN_FORCE))) is None:
        return None
    is_in_force = {
        "condition": "state",
        "entity": owner.entities[IN_FORCE[0]],
        "state_not": ["unknown", "unavailable"],
    }
    return card | {"visibility": [is_in_force]}


def _settings(owner: Owner, *, of_slots: bool) -> list[str]:
    """The settings that an owner has chosen to see: those of the schedule's slots, or the others."""
    return [
        entity
        for platform in SETTING_PLATFORMS
        for name, entity in owner.entities.items()
        if name.startswith(f"{platform}.")
        and name not in NO_SETTINGS
        and name.partition(".")[2].startswith(SLOT_KEYS) is of_slots
    ]


def _control(entity: str) -> Card:
    """A setting with what changes it, which says the value, too."""
    match entity.partition(".")[0]:
        case "select":
            return tile(entity, feature={"type": "select-options"}, wide=True, hide_state=True)
        case "switch":
            return _beside(entity, {"type": "toggle"})
        case "number":
            return _beside(entity, {"type": "numeric-input", "style": "buttons"})
        case _:
            return tile(entity, wide=True)


def _beside(entity: str, feature: Mapping[str, Any]) -> Card:
    """A setting with what changes it beside its name, which has room there."""
    return tile(entity, feature=feature, wide=True, hide_state=True, features_position="inline")


def _health(found: Found, text: Texts) -> Iterator[Card | None]:
    """Whether everything is connected and in order."""
    yield section(
        heading(text("devices"), "mdi:connection"),
        *(
            tile(one.entities["binary_sensor.connectivity"], one.name, color="green")
            for one in (*found.inverters, *found.meters)
            if one.has("binary_sensor.connectivity")
        ),
        *chain.from_iterable(_link(link) for link in found.links),
    )
    for one in found.inverters:
        yield section(
            heading(one.name, "mdi:alert-circle-outline"),
            *(tile(entity, color="red") for entity in one.those(["binary_sensor.problem"])),
            rows(one.those(STATES)),
        )
    yield section(
        heading(text("temperatures_and_grid"), "mdi:thermometer"),
        history(
            text("temperatures"),
            [
                *_named(found.inverters, "sensor.heatsink_temperature"),
                *(
                    (entity, f"{name}, {text('battery')}")
                    for entity, name in _named(found.inverters, "sensor.battery_temperature")
                ),
            ],
        ),
        statistics(
            text("frequency_hours"),
            [
                *_named(found.meters, "sensor.frequency"),
                *_named(found.inverters, "sensor.grid_frequency"),
            ][:1],
            kinds=["mean", "min", "max"],
        ),
    )


def _link(link: Owner) -> tuple[Card, ...]:
    """How well a link works, below its name; nothing where that is not known."""
    card = rows(link.those(LINK))
    return (heading(link.name, small=True), card) if card else ()


def _named(owners: Iterable[Owner], name: str) -> Iterator[tuple[str, str]]:
    """An entity of each owner that has it, by the owner's name."""
    for one in owners:
        if one.has(name):
            yield one.entities[name], one.name
