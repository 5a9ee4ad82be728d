"""The Energy dashboard: what it is offered, what is added to it, and that nothing there is lost or counted twice."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import DTSU666, IDENTITY, SERIAL, network_data, refresh
from .test_plant import plant_entry

COUNTERS: Final = {
    "grid_import_energy_total": "Imported total",
    "grid_export_energy_total": "Exported total",
    "pv_energy_total": "Energy total",
    "battery_charge_energy_total": "Charged total",
    "battery_discharge_energy_total": "Discharged total",
    "load_energy_total": "Load total",
    "grid_power": "Power",
    "pv_power": "Power",
    "battery_power": "Power",
    "battery_soc": "SOC",
    "load_power": "Power",
}
METER: Final = {
    "import_energy_total": "Imported total",
    "export_energy_total": "Exported total",
    "power": "Power",
}
# What a grid source holds of prices; nothing is known of them.
NO_PRICES: Final = {
    "stat_cost": None,
    "entity_energy_price": None,
    "number_energy_price": None,
    "stat_compensation": None,
    "entity_energy_price_export": None,
    "number_energy_price_export": None,
    "cost_adjustment_day": 0.0,
}


@pytest.fixture
async def dashboard(hass: HomeAssistant) -> EnergyManager:
    """Return the preferences of an Energy dashboard in which nothing is configured."""
    hass.config.components.add("energy")
    return await async_get_manager(hass)


@pytest.fixture
def with_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the sources of the newest Home Assistant, of which the oldest one that is served lacks the home."""
    module = "homeassistant.components.energy.data"
    home = vol.Schema(
        {
            vol.Required("type"): "home",
            vol.Required("stat_energy_to"): str,
            vol.Optional("stat_rate"): str,
        }
    )
    monkeypatch.setattr(f"{module}.HOME_SOURCE_SCHEMA", home, raising=False)
    monkeypatch.setattr(f"{module}.ENERGY_SOURCE_SCHEMA", list)


def device(
    hass: HomeAssistant,
    serial: str,
    title: str,
    *,
    role: str | None = None,
    without: Iterable[str] = (),
) -> MockConfigEntry:
    """Have an entry with a device that is not loaded, but has its sensors; `role` makes it a meter."""
    identity = {**(IDENTITY if role is None else DTSU666), "serial": serial}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=title,
        data=network_data(5000 + len(hass.config_entries.async_entries(DOMAIN))),
        subentries_data=[
            {
                "data": {
                    "unit_id": 1,
                    "identity": identity,
                    **({} if role is None else {"role": role, "inverted": False}),
                },
                "subentry_type": "inverter" if role is None else "meter",
                "title": title,
                "unique_id": serial,
            }
        ],
    )
    entry.add_to_hass(hass)
    sensors(hass, entry, serial, title, COUNTERS if role is None else METER, without)
    return entry


def sensors(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    prefix: str,
    title: str,
    names: Mapping[str, str],
    without: Iterable[str] = (),
) -> None:
    """Register sensors as the platforms do; `without` are disabled."""
    for key, name in names.items():
        er.async_get(hass).async_get_or_create(
            Platform.SENSOR,
            DOMAIN,
            f"{prefix}_{key}",
            config_entry=entry,
            suggested_object_id=f"{title}_{key}",
            original_name=name,
            disabled_by=er.RegistryEntryDisabler.INTEGRATION if key in without else None,
        )


async def opened(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Open the options, and choose the Energy dashboard; a plant has nothing else."""
    manager = hass.config_entries.options
    result = await manager.async_init(entry.entry_id)
    if result["type"] is FlowResultType.MENU:
        assert result["menu_options"] == ["settings", "energy", "mirror"]
        result = await manager.async_configure(result["flow_id"], {"next_step_id": "energy"})
    return dict(result)


def offered(result: Mapping[str, Any]) -> dict[str, str]:
    """Return what can be ticked, by what it is."""
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "energy")
    options = result["data_schema"].schema["sources"].config["options"]
    return {option["value"]: option["label"] for option in options}


def ticked(result: Mapping[str, Any]) -> list[str]:
    """Return what is ticked when the form opens."""
    (field,) = result["data_schema"].schema
    return list(field.default())


async def added(hass: HomeAssistant, result: Mapping[str, Any], *chosen: str) -> dict[str, Any]:
    """Send the form, as it is or with other ticks, and return what is said then."""
    answers = {"sources": list(chosen)} if chosen else {}
    return dict(await hass.config_entries.options.async_configure(result["flow_id"], answers))


async def test_one_inverter_is_added_with_power_charge_and_capacity_in_one_step(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant, dashboard: EnergyManager
) -> None:
    """The whole way of a new owner: the form as it opens is right; what was there stays."""
    water = {"type": "water", "stat_energy_from": "sensor.water"}
    other = {"stat_consumption": "sensor.fridge"}
    await dashboard.async_update({"energy_sources": [water], "device_consumption": [other]})  # type: ignore[typeddict-item,list-item]
    await refresh(hass, loaded, Group.SETTINGS)
    form = await opened(hass, loaded)
    names = offered(form)
    assert names == {
        f"grid_{SERIAL}": "Grid of JSO8048104: Imported total, Exported total, Power",
        f"solar_{SERIAL}": "Solar production of JSO8048104: Energy total, Power",
        f"battery_{SERIAL}": (
            "Battery of JSO8048104: Discharged total, Charged total, Power, SOC,"
            " capacity of 30.7 kWh"
        ),
    }
    assert ticked(form) == list(names)
    result = await added(hass, form)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "energy_added")
    assert result["description_placeholders"] == {
        "energy_url": "/energy",
        "sources": "\n".join(f"- {label}" for label in names.values()),
    }
    assert dashboard.data is not None
    assert dashboard.data["device_consumption"] == [other]
    assert dashboard.data["energy_sources"] == [
        water,
        {
            "type": "grid",
            **NO_PRICES,
            "stat_energy_from": "sensor.jso8048104_grid_imported_total",
            "stat_energy_to": "sensor.jso8048104_grid_exported_total",
            "stat_rate": "sensor.jso8048104_grid_power",
        },
        {
            "type": "solar",
            "config_entry_solar_forecast": None,
            "stat_energy_from": "sensor.jso8048104_pv_energy_total",
            "stat_rate": "sensor.jso8048104_pv_power",
        },
        {
            "type": "battery",
            "stat_energy_from": "sensor.jso8048104_battery_discharged_total",
            "stat_energy_to": "sensor.jso8048104_battery_charged_total",
            "stat_rate": "sensor.jso8048104_battery_power",
            "stat_soc": "sensor.jso8048104_battery_soc",
            # 600 Ah at 51.2 V.
            "capacity": 30.7,
        },
    ]
    # Whoever comes again is told that there is nothing more.
    result = await opened(hass, loaded)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "energy_complete")
    assert result["description_placeholders"] == {
        "energy_url": "/energy",
        "sources": "- Grid of JSO8048104\n- Solar production of JSO8048104\n- Battery of JSO8048104",
    }


async def test_the_home_is_offered_where_the_dashboard_knows_it_and_there_is_one(
    hass: HomeAssistant, dashboard: EnergyManager, with_home: None
) -> None:
    """Home Assistant 2026.11 has it; of two inverters nobody knows which one sees all of the house."""
    entry = device(hass, SERIAL, "East")
    form = await opened(hass, entry)
    assert offered(form)[f"home_{SERIAL}"] == "Home consumption of East: Load total, Power"
    await added(hass, form, f"home_{SERIAL}")
    assert dashboard.data is not None
    assert dashboard.data["energy_sources"] == [
        {
            "type": "home",
            "stat_energy_to": "sensor.east_load_energy_total",
            "stat_rate": "sensor.east_load_power",
        }
    ]
    assert f"home_{SERIAL}" not in offered(await opened(hass, entry))
    # There is room for one only, whosever it is.
    await dashboard.async_update(
        {"energy_sources": [{"type": "home", "stat_energy_to": "sensor.panel"}]}
    )  # type: ignore[typeddict-item]
    assert f"home_{SERIAL}" not in offered(await opened(hass, entry))
    await dashboard.async_update(EnergyManager.default_preferences())  # type: ignore[arg-type]
    device(hass, "JSO0000002", "West")
    assert not any(key.startswith("home") for key in offered(await opened(hass, entry)))


async def test_meters_speak_for_what_they_measure(
    hass: HomeAssistant, dashboard: EnergyManager
) -> None:
    """The grid meter takes the place of the inverter's grid; a load is a device with its power and its name."""
    entry = device(hass, SERIAL, "Inverter")
    device(hass, "METER1", "Grid meter", role="grid")
    device(hass, "METER2", "Barn roof", role="solar")
    device(hass, "METER3", "Heat pump", role="load")
    form = await opened(hass, entry)
    assert ticked(form) == list(offered(form))
    assert set(offered(form)) == {
        "grid_METER1",
        f"solar_{SERIAL}",
        f"battery_{SERIAL}",
        "solar_METER2",
        "device_METER3",
    }
    assert offered(form)["device_METER3"] == "Heat pump as a device: Imported total, Power"
    await added(hass, form, "grid_METER1", "solar_METER2", "device_METER3")
    assert dashboard.data is not None
    assert dashboard.data["energy_sources"] == [
        {
            "type": "grid",
            **NO_PRICES,
            "stat_energy_from": "sensor.grid_meter_import_energy_total",
            "stat_energy_to": "sensor.grid_meter_export_energy_total",
            "stat_rate": "sensor.grid_meter_power",
        },
        {
            "type": "solar",
            "config_entry_solar_forecast": None,
            "stat_energy_from": "sensor.barn_roof_import_energy_total",
            "stat_rate": "sensor.barn_roof_power",
        },
    ]
    assert dashboard.data["device_consumption"] == [
        {
            "stat_consumption": "sensor.heat_pump_import_energy_total",
            "stat_rate": "sensor.heat_pump_power",
            "name": "Heat pump",
        }
    ]
    assert set(offered(await opened(hass, entry))) == {f"solar_{SERIAL}", f"battery_{SERIAL}"}


async def test_a_meter_with_one_counter_for_both_ways_is_no_grid(
    hass: HomeAssistant, dashboard: EnergyManager
) -> None:
    """What it counts is what was imported and exported together."""
    entry = device(hass, "METER1", "Grid meter", role="grid", without={"export_energy_total"})
    device(hass, "METER2", "Heat pump", role="load", without={"export_energy_total"})
    assert set(offered(await opened(hass, entry))) == {"device_METER2"}


async def test_a_plant_speaks_for_its_members(
    hass: HomeAssistant, dashboard: EnergyManager, with_home: None
) -> None:
    """Never both: its sensors are offered, or those of its members are in use already."""
    east = device(hass, SERIAL, "East")
    device(hass, "JSO0000002", "West")
    device(hass, "METER3", "Heat pump", role="load")
    plant = plant_entry({SERIAL: "East", "JSO0000002": "West"}, {SERIAL: 30.7, "JSO0000002": 10.0})
    plant.add_to_hass(hass)
    sensors(hass, plant, plant.entry_id, "Home", COUNTERS)
    form = await opened(hass, plant)
    own = {f"{flow}_{plant.entry_id}" for flow in ("grid", "solar", "battery", "home")}
    assert set(offered(form)) == own | {"device_METER3"}
    assert offered(form)[f"battery_{plant.entry_id}"] == (
        "Battery of Home: Discharged total, Charged total, Power, SOC, capacity of 40.7 kWh"
    )
    # The same from wherever it is asked.
    assert set(offered(await opened(hass, east))) == set(offered(form))
    # An owner has used the counters of one member before there was a plant.
    await dashboard.async_update(
        {
            "energy_sources": [
                {"type": "solar", "stat_energy_from": "sensor.west_pv_energy_total"}  # type: ignore[typeddict-item]
            ]
        }
    )
    form = await opened(hass, plant)
    assert set(offered(form)) == own - {f"solar_{plant.entry_id}"} | {"device_METER3"}


async def test_what_is_missing_in_a_source_is_filled_and_nothing_else_touched(
    hass: HomeAssistant, dashboard: EnergyManager
) -> None:
    """Dashboards of the years before know neither powers nor the state of charge."""
    entry = device(hass, SERIAL, "East", without=("pv_power", "grid_export_energy_total"))
    grid = {
        "type": "grid",
        **NO_PRICES,
        "stat_energy_from": "sensor.east_grid_import_energy_total",
        "stat_energy_to": None,
        "number_energy_price": 0.3,
        "power_config": {"stat_rate_inverted": "sensor.clamp"},
        "stat_rate": "sensor.clamp_inverted",
    }
    solar = {"type": "solar", "stat_energy_from": "sensor.east_pv_energy_total", "name": "Roof"}
    battery = {
        "type": "battery",
        "stat_energy_from": "sensor.east_battery_discharge_energy_total",
        "stat_energy_to": "sensor.east_battery_charge_energy_total",
        "stat_rate": "sensor.my_own_power",
        "name": "Cellar",
    }
    await dashboard.async_update({"energy_sources": [grid, solar, battery]})  # type: ignore[typeddict-item,list-item]
    assert dashboard.data is not None
    before = [dict(source) for source in dashboard.data["energy_sources"]]
    form = await opened(hass, entry)
    assert offered(form) == {
        f"battery_{SERIAL}": "Battery of East, which is already there, gets: SOC"
    }
    await added(hass, form)
    assert dashboard.data["energy_sources"] == [
        *before[:2],
        {**battery, "stat_soc": "sensor.east_battery_soc"},
    ]


async def test_a_grid_that_may_be_counted_twice_is_not_ticked(
    hass: HomeAssistant, dashboard: EnergyManager
) -> None:
    """The supplier's meter is there already, or two inverters each say that they see the grid."""
    entry = device(hass, SERIAL, "East")
    supplier = {"type": "grid", **NO_PRICES, "stat_energy_from": "sensor.supplier"}
    await dashboard.async_update({"energy_sources": [supplier]})  # type: ignore[typeddict-item,list-item]
    form = await opened(hass, entry)
    assert ticked(form) == [f"solar_{SERIAL}", f"battery_{SERIAL}"]
    await dashboard.async_update(EnergyManager.default_preferences())  # type: ignore[arg-type]
    device(hass, "JSO0000002", "West")
    form = await opened(hass, entry)
    assert set(offered(form)) - set(ticked(form)) == {f"grid_{SERIAL}", "grid_JSO0000002"}
    # Nothing ticked is no answer.
    with pytest.raises(InvalidData):
        await added(hass, form, "grid_of_nobody")
    form = dict(await hass.config_entries.options.async_configure(form["flow_id"], {"sources": []}))
    assert form["errors"] == {"sources": "nothing_chosen"}


async def test_what_another_integration_may_count_already_is_not_ticked(
    hass: HomeAssistant, dashboard: EnergyManager
) -> None:
    """The sun is in the dashboard by another integration, the battery by another inverter of this one."""
    entry = device(hass, SERIAL, "East")
    device(hass, "JSO0000002", "West")
    charged, discharged = (
        f"sensor.west_battery_{way}_energy_total" for way in ("charge", "discharge")
    )
    solar = {"type": "solar", "stat_energy_from": "sensor.other", "config_entry_solar_forecast": []}
    battery = {"type": "battery", "stat_energy_from": discharged, "stat_energy_to": charged}
    await dashboard.async_update({"energy_sources": [solar, battery]})  # type: ignore[typeddict-item,list-item]
    shown = set(ticked(await opened(hass, entry)))
    assert shown == {f"battery_{SERIAL}", "battery_JSO0000002"}
    other = {**battery, "stat_energy_to": "sensor.other_charged"}
    await dashboard.async_update({"energy_sources": [other]})  # type: ignore[typeddict-item,list-item]
    shown = set(ticked(await opened(hass, entry)))
    assert shown == {f"solar_{SERIAL}", "solar_JSO0000002", "battery_JSO0000002"}


async def test_what_the_dashboard_would_not_accept_is_not_added(
    hass: HomeAssistant, dashboard: EnergyManager
) -> None:
    """The power of the grid belongs to another source there; what was there stays as it was."""
    entry = device(hass, SERIAL, "East")
    theirs = {
        "type": "grid",
        **NO_PRICES,
        "stat_energy_from": "sensor.supplier",
        "stat_rate": "sensor.east_grid_power",
    }
    await dashboard.async_update({"energy_sources": [theirs]})  # type: ignore[typeddict-item,list-item]
    form = await opened(hass, entry)
    result = await added(hass, form, f"grid_{SERIAL}", f"solar_{SERIAL}")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "energy_not_accepted")
    assert dashboard.data is not None
    assert dashboard.data["energy_sources"] == [theirs]


async def test_nothing_to_add_and_no_dashboard_are_said(hass: HomeAssistant) -> None:
    """The component may be missing, and a device that never answered has no counters."""
    entry = device(hass, SERIAL, "East", without=COUNTERS)
    result = await opened(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_energy_dashboard")
    hass.config.components.add("energy")
    result = await opened(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "energy_nothing")
