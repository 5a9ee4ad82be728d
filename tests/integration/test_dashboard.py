"""The dashboard that an action makes for what is set up, and the configuration of two power flow cards."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.template import Template
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import yaml

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import DTSU666, entity, load, load_plant, network_data
from .test_plant import compute, machine_entry, plant_entry, set_up

SAJ: Final = "SAJSIM000000000001"
METER: Final = "METER_1"


async def get(hass: HomeAssistant, kind: str | None = None) -> dict[str, Any]:
    """Return what the action answers."""
    answer = await hass.services.async_call(
        DOMAIN, "get_dashboard", {"kind": kind} if kind else {}, blocking=True, return_response=True
    )
    assert answer is not None
    return answer


async def views_of(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return the views of the dashboard by their paths; whatever they name exists, is enabled and has a state."""
    answer = await get(hass)
    assert yaml.safe_load(answer["yaml"]) == answer["dashboard"]
    registry = er.async_get(hass)
    for entity_id in entity_ids(answer["dashboard"]):
        known = registry.async_get(entity_id)
        assert known is not None, entity_id
        assert not known.disabled_by, entity_id
        assert hass.states.get(entity_id) is not None, entity_id
    return {view["path"]: view for view in answer["dashboard"]["views"]}


def entity_ids(part: Any) -> Iterator[str]:
    """Return every entity id in a part of a dashboard."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "entity":
                yield value
            elif key == "entities" and all(isinstance(one, str) for one in value):
                yield from value
            else:
                yield from entity_ids(value)
    elif isinstance(part, list):
        for one in part:
            yield from entity_ids(one)


def headings(view: dict[str, Any]) -> list[str]:
    """Return what is above the sections of a view."""
    return [section["cards"][0]["heading"] for section in view["sections"]]


def cards(view: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the cards of a kind."""
    return [card for one in view["sections"] for card in one["cards"] if card["type"] == kind]


def said(hass: HomeAssistant, view: dict[str, Any]) -> list[list[str]]:
    """Return the lines of each card that is in words, without the icons."""
    return [
        [
            line.rpartition("</ha-icon> ")[2]
            for line in Template(card["content"], hass).async_render(parse_result=False).split("\n")
            if line
        ]
        for card in cards(view, "markdown")
    ]


async def test_one_jso_gets_five_views(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """All that an inverter has, in words and with what changes it."""
    views = await views_of(hass)
    assert list(views) == ["now", "battery", "schedule", "controls", "health"]
    assert headings(views["now"]) == ["JSO8048104", "Today"]
    assert [card["name"] for card in cards(views["now"], "tile")] == [
        *("Solar", "Battery", "Grid", "Home"),
        *("Produced", "Used", "Bought", "Sold", "Charged", "Discharged"),
    ]
    # 4247 W and 1994 W of sun, 5808 W into the battery, nothing at the clamps, 420 W used.
    assert said(hass, views["now"]) == [
        [
            "Solar: Producing **6.2 kW**",
            "Battery: Charging **5.8 kW**, 60 %",
            "Grid: Neither buying nor selling",
            "Home: Using **0.4 kW**",
        ]
    ]
    # Only a plant knows its shares of today, and Energy is not set up.
    assert not cards(views["now"], "gauge")
    assert not cards(views["now"], "power-sankey")
    assert [card["entity"] for card in cards(views["battery"], "gauge")] == [
        entity(hass, Platform.SENSOR, "battery_soc")
    ]
    (calendar,) = cards(views["schedule"], "calendar")
    assert calendar["entities"] == [entity(hass, Platform.CALENDAR, "schedule")]
    assert [card["entity"] for card in cards(views["schedule"], "tile")] == [
        entity(hass, Platform.SWITCH, key) for key in ("tou_enabled", "grid_charge_enabled")
    ]
    orders, in_force, others = cards(views["controls"], "entities")
    assert [row["entity"] for row in orders["entities"]] == [
        entity(hass, Platform.SELECT, "battery_control"),
        entity(hass, Platform.NUMBER, "control_power"),
        entity(hass, Platform.NUMBER, "control_target_soc"),
    ]
    # It is there while an order is in force.
    assert in_force["visibility"] == [
        {
            "condition": "state",
            "entity": entity(hass, Platform.SENSOR, "control_until"),
            "state_not": ["unknown", "unavailable"],
        }
    ]
    assert [row["entity"] for row in others["entities"]] == [
        entity(hass, Platform.NUMBER, "export_limit"),
        entity(hass, Platform.NUMBER, "battery_reserve"),
    ]
    settings = [card["entity"] for card in cards(views["controls"], "tile")]
    assert set(settings) == {
        entity(hass, Platform.SELECT, "work_mode"),
        entity(hass, Platform.SELECT, "energy_pattern"),
        entity(hass, Platform.SWITCH, "solar_sell"),
        *(
            entity(hass, Platform.NUMBER, key)
            for key in (
                *("battery_low_soc", "battery_restart_soc", "battery_shutdown_soc"),
                *("max_sell_power", "zero_export_power"),
            )
        ),
    }
    assert [one.partition(".")[0] for one in settings] == ["select"] * 2 + ["switch"] + [
        "number"
    ] * 5
    assert headings(views["health"]) == ["Devices", "JSO8048104", "Temperatures and grid"]


@pytest.mark.parametrize(
    ("key", "watts", "unit", "line"),
    [
        ("battery_power", "6180", "W", "Battery: Discharging **6.2 kW**, 60 %"),
        ("battery_power", "-49", "W", "Battery: Idle, 60 %"),
        ("battery_power", "-0.05", "kW", "Battery: Charging **0.1 kW**, 60 %"),
        ("grid_power", "-8.02", "kW", "Grid: Selling **8.0 kW**"),
        ("grid_power", "2500", "W", "Grid: Buying **2.5 kW**"),
        ("pv_power", "0", "W", "Solar: No production"),
        ("load_power", "unavailable", "W", "Home: Unknown"),
    ],
)
async def test_flows_are_said_in_words(
    hass: HomeAssistant, loaded: MockConfigEntry, key: str, watts: str, unit: str, line: str
) -> None:
    """Whichever way they go, and in whichever unit the owner wants to see them."""
    views = await views_of(hass)
    hass.states.async_set(entity(hass, Platform.SENSOR, key), watts, {"unit_of_measurement": unit})
    assert line in said(hass, views["now"])[0]


async def test_an_order_is_said_in_words(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Until when it is in force, in Home Assistant's time."""
    views = await views_of(hass)
    await hass.config.async_set_time_zone("Europe/Vienna")
    hass.states.async_set(
        entity(hass, Platform.SENSOR, "control_until"), "2026-06-21T02:00:00+00:00"
    )
    hass.states.async_set(entity(hass, Platform.SELECT, "battery_control"), "hold")
    assert said(hass, views["now"])[0][-1] == "Battery control: Hold until 04:00"


async def test_read_only_owner_gets_no_controls(hass: HomeAssistant, plant: SimulatedPlant) -> None:
    """What only shows a setting is not offered to change it."""
    await load_plant(hass, plant, {"tier": "read_only"})
    views = await views_of(hass)
    assert list(views) == ["now", "battery", "schedule", "health"]
    assert not cards(views["schedule"], "tile")


async def test_one_saj_gets_its_own_settings(hass: HomeAssistant, saj: SimulatedPlant) -> None:
    """By the same tables as any other inverter."""
    await set_up(hass, await machine_entry(saj.tcp_port))
    views = await views_of(hass)
    assert list(views) == ["now", "battery", "schedule", "controls", "health"]
    tiles = [card["entity"] for card in cards(views["controls"], "tile")]
    assert entity(hass, Platform.SELECT, "export_limit_mode", SAJ) in tiles
    assert entity(hass, Platform.NUMBER, "on_grid_discharge_floor", SAJ) in tiles
    assert cards(views["health"], "history-graph")


async def test_two_inverters_without_a_plant_are_shown_one_by_one(
    hass: HomeAssistant, plant: SimulatedPlant, saj: SimulatedPlant
) -> None:
    """Nobody knows whether they are in the same house."""
    await set_up(
        hass,
        await machine_entry(plant.tcp_port, title="One"),
        await machine_entry(saj.tcp_port, title="Two"),
    )
    views = await views_of(hass)
    assert headings(views["now"]) == ["One", "Today", "Two", "Today"]
    assert headings(views["controls"]) == ["One", "Two"]
    assert [card["name"] for card in cards(views["battery"], "gauge")] == ["One", "Two"]


async def test_plant_stands_for_its_members(
    hass: HomeAssistant, plant: SimulatedPlant, saj: SimulatedPlant
) -> None:
    """The flows and the shares are those of the plant; what is set is set by inverter."""
    members = {"JSO0000001": "One", SAJ: "Two"}
    home = plant_entry(members, {"JSO0000001": 30.7, SAJ: 20.0}, "JSO0000001")
    await set_up(
        hass,
        await machine_entry(plant.tcp_port, title="One"),
        await machine_entry(saj.tcp_port, title="Two"),
        home,
    )
    await compute(hass)
    views = await views_of(hass)
    assert headings(views["now"]) == ["Home", "Today"]
    assert [card["name"] for card in cards(views["now"], "gauge")] == [
        "Self-sufficiency",
        "Self-consumption",
    ]
    assert [card["name"] for card in cards(views["battery"], "gauge")] == ["Home", "One", "Two"]
    assert {"One", "Two"} <= set(headings(views["controls"]))
    plus = await get(hass, "power_flow_card_plus")
    (card,) = plus["cards"]
    assert card["title"] == "Home"
    assert len((await get(hass, "sunsynk_power_flow_card"))["cards"]) == 2


@pytest.fixture
async def meter(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return a DTSU666 on unit id 11, alone on its line."""
    async with SimulatedPlant(devices={11: "DTSU666-2019"}) as simulated:
        simulated.advance(60)
        yield simulated


async def test_meter_alone_gets_what_it_measures(
    hass: HomeAssistant, meter: SimulatedPlant
) -> None:
    """Without an inverter there is no battery, no schedule and nothing to set."""
    settings = {"unit_id": 11, "role": "grid", "inverted": False}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Line",
        data=network_data(meter.tcp_port),
        subentries_data=[
            {
                "data": {**settings, "identity": {**DTSU666, "serial": METER}},
                "subentry_type": "meter",
                "title": "Grid meter",
                "unique_id": METER,
            }
        ],
    )
    await load(hass, entry, background=True)
    views = await views_of(hass)
    assert list(views) == ["now", "health"]
    assert headings(views["now"]) == ["Meters"]
    with pytest.raises(ServiceValidationError) as refused:
        await get(hass, "sunsynk_power_flow_card")
    assert refused.value.translation_key == "nothing_to_show"


async def test_energy_cards_are_there_when_energy_is_set_up(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """They show what its dashboard knows."""
    from homeassistant.components.energy.data import async_get_manager

    hass.config.components.add("energy")
    manager = await async_get_manager(hass)
    assert not cards((await views_of(hass))["now"], "power-sankey")
    await manager.async_update(
        {
            "energy_sources": [
                {
                    "type": "solar",
                    "stat_energy_from": entity(hass, Platform.SENSOR, "pv_energy_total"),
                    "config_entry_solar_forecast": None,
                }
            ]
        }
    )
    now = (await views_of(hass))["now"]
    assert [card["type"] for card in now["sections"][-1]["cards"]] == [
        *("heading", "power-sankey", "power-sources-graph", "energy-distribution"),
    ]


async def test_sunsynk_card_gets_the_entities_of_an_inverter(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """By the keys of its document; what the inverter does not have is said to be missing."""
    answer = await get(hass, "sunsynk_power_flow_card")
    (card,) = answer["cards"]
    assert yaml.safe_load(answer["yaml"]) == card
    assert card["type"] == "custom:sunsynk-power-flow-card"
    assert card["inverter"] == {"three_phase": True}
    assert card["solar"] == {"mppts": 2, "show_daily": True}
    assert card["battery"]["shutdown_soc"] == entity(hass, Platform.NUMBER, "battery_reserve")
    wanted = {
        "battery_power_190": "battery_power",
        "battery_soc_184": "battery_soc",
        "battery_current_191": "battery_current",
        "grid_ct_power_172": "grid_l1_power",
        "grid_ct_power_L3": "grid_l3_power",
        "essential_power": "load_power",
        "pv1_power_186": "pv1_power",
        "day_pv_energy_108": "pv_energy_today",
    }
    assert {key: card["entities"][key] for key in wanted} == {
        key: entity(hass, Platform.SENSOR, name) for key, name in wanted.items()
    }
    assert card["entities"]["pv3_power_188"] == "none"
    assert card["entities"]["use_timer_248"] == entity(hass, Platform.SWITCH, "tou_enabled")


async def test_plus_card_gets_the_entities_of_an_inverter(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It expects the signs that ours have."""
    (card,) = (await get(hass, "power_flow_card_plus"))["cards"]
    power = {
        key: entity(hass, Platform.SENSOR, f"{key}_power")
        for key in ("battery", "grid", "pv", "load")
    }
    assert card == {
        "type": "custom:power-flow-card-plus",
        "title": "JSO8048104",
        "entities": {
            "battery": {
                "entity": power["battery"],
                "state_of_charge": entity(hass, Platform.SENSOR, "battery_soc"),
            },
            "grid": {"entity": power["grid"]},
            "solar": {"entity": power["pv"]},
            "home": {"entity": power["load"]},
        },
        "clickable_entities": True,
        "watt_threshold": 1000,
    }


async def test_nothing_is_made_of_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, loaded: MockConfigEntry
) -> None:
    """While no entry is loaded, the action says what to do next."""
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as refused:
        await get(hass)
    assert refused.value.translation_key == "nothing_to_show"
