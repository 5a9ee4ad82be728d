"""The configuration of planners that an action returns, with the entities of the house, and what it says is missing."""

import json
from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol
import yaml

from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant
from simulator.steering import steer

from .helpers import SERIAL, entity, refresh
from .test_control_actions import act, device_of, home, street, windows  # noqa: F401 - fixtures
from .test_plant import TWIN_SERIAL
from .test_schedule_windows import SERIAL as SAJ_SERIAL

# Where Home Assistant is in the tests.
URL: Final = "http://10.10.10.10:8123"


async def files(
    hass: HomeAssistant, planner: str, target: str = SERIAL, **data: Any
) -> dict[str, Any]:
    """Return what is in the files that are returned for a device, of which nothing is missing."""
    answer = await act(hass, "get_planner_configuration", target, planner=planner, **data)
    assert answer["missing"] == []
    return read(answer)


def read(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what is in the files of an answer."""
    return {
        name: json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
        for name, text in answer["files"].items()
    }


async def test_emhass_gets_the_sensors_and_the_battery(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Of 600 Ah at 51.2 V, of which 35 % are kept, and which may be sold as the inverter exports freely."""
    pv, load = (entity(hass, Platform.SENSOR, key) for key in ("pv_power", "load_power"))
    assert await files(hass, "emhass") == {
        "config.json": {
            "sensor_power_photovoltaics": pv,
            "sensor_power_load_no_var_loads": load,
            "sensor_power_battery": entity(hass, Platform.SENSOR, "battery_power"),
            "sensor_battery_state_of_charge": entity(hass, Platform.SENSOR, "battery_soc"),
            "sensor_replace_zero": [pv],
            "sensor_linear_interp": [pv, load],
            "var_model": load,
            "method_ts_round": "first",
            "number_of_deferrable_loads": 0,
            "set_use_pv": True,
            "set_use_battery": True,
            "set_nodischarge_to_grid": False,
            "inverter_is_hybrid": True,
            "inverter_ac_output_max": 8000,
            "inverter_ac_input_max": 8000,
            "battery_charge_power_max": 8000,
            "battery_discharge_power_max": 8000,
            "battery_nominal_energy_capacity": 30700,
            "battery_minimum_state_of_charge": 0.35,
            "battery_target_state_of_charge": 0.35,
            "battery_maximum_state_of_charge": 1.0,
        }
    }


async def test_emhass_does_not_plan_to_sell_what_may_not_be_sold(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The option decides."""
    hass.config_entries.async_update_entry(loaded, options={"may_sell_from_battery": False})
    await hass.async_block_till_done(wait_background_tasks=True)
    made = await files(hass, "emhass")
    assert made["config.json"]["set_nodischarge_to_grid"] is True


async def test_predbat_gets_the_sensors_and_its_services(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """PredBat counts import as negative, and calls with scalars only; only orders are repeated."""
    device_id = device_of(hass, SERIAL)
    made = (await files(hass, "predbat"))["apps.yaml"]["pred_bat"]
    assert made["inverter_type"] == "HYBRID"
    assert made["inverter"]["has_service_api"] is True
    assert made["inverter"]["output_charge_control"] == "none"
    sensors = {
        "load_today": "load_energy_today",
        "import_today": "grid_import_energy_today",
        "export_today": "grid_export_energy_today",
        "pv_today": "pv_energy_today",
        "soc_percent": "battery_soc",
        "battery_power": "battery_power",
        "pv_power": "pv_power",
        "load_power": "load_power",
        "grid_power": "grid_power",
    }
    for name, key in sensors.items():
        assert made[name] == [entity(hass, Platform.SENSOR, key)]
    assert made["grid_power_invert"] == [True]
    assert (made["soc_max"], made["battery_min_soc"]) == ([30.7], [35])
    assert (made["inverter_limit"], made["battery_rate_max"]) == ([8000], [8000])
    order = {
        "service": "hybrid_inverter.control_battery",
        "device_id": device_id,
        "duration": 120,
        "owner": "predbat",
        "repeat": True,
    }
    filled = {"power": "{power}", "target_soc": "{target_soc}"}
    release = {
        "service": "hybrid_inverter.release_battery",
        "device_id": device_id,
        "owner": "predbat",
    }
    assert {name: made[name] for name in made if name.endswith("_service")} == {
        "charge_start_service": {**order, "mode": "charge", **filled},
        "charge_freeze_service": {**order, "mode": "hold"},
        "charge_stop_service": release,
        "discharge_start_service": {**order, "mode": "discharge", **filled},
        "discharge_freeze_service": {**order, "mode": "no_charge"},
        "discharge_stop_service": release,
    }


async def test_evcc_gets_meters_that_call_the_actions(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Each mode of its battery is one call, which is repeated in half of the watchdog's time unless the mode is normal."""
    device_id = device_of(hass, SERIAL)
    made = (await files(hass, "evcc"))["evcc.yaml"]
    grid, pv, battery = made["meters"]
    template = {"type": "template", "template": "homeassistant", "uri": URL}
    assert grid == {
        "name": "grid",
        **template,
        "usage": "grid",
        "power": entity(hass, Platform.SENSOR, "grid_power"),
        "energy": entity(hass, Platform.SENSOR, "grid_import_energy_total"),
        "returnEnergy": entity(hass, Platform.SENSOR, "grid_export_energy_total"),
    }
    assert pv == {
        "name": "pv",
        **template,
        "usage": "pv",
        "power": entity(hass, Platform.SENSOR, "pv_power"),
        "energy": entity(hass, Platform.SENSOR, "pv_energy_total"),
    }
    mode = battery.pop("batterymode")
    source = {"source": "homeassistant", "uri": URL}

    def read_from(key: str) -> dict[str, str]:
        return {**source, "entity": entity(hass, Platform.SENSOR, key)}

    assert battery == {
        "name": "battery",
        "type": "custom",
        "power": read_from("battery_power"),
        "energy": read_from("battery_discharge_energy_total"),
        "returnenergy": read_from("battery_charge_energy_total"),
        "soc": read_from("battery_soc"),
        "capacity": 30.7,
        "minsoc": 35,
        "maxsoc": 100,
        "maxchargepower": 8000,
        "maxdischargepower": 8000,
    }
    assert (mode["source"], mode["timeout"], mode["reset"]) == ("watchdog", "20m", "1")
    calls = {case["case"]: case["set"] for case in mode["set"]["switch"]}
    for call in calls.values():
        assert call["auth"] == source
        assert (call["method"], call["timeout"]) == ("POST", "60s")
    whose = {"device_id": device_id, "owner": "evcc"}
    assert {
        case: (call["uri"].removeprefix(f"{URL}/api/services/"), json.loads(call["body"]))
        for case, call in calls.items()
    } == {
        "1": ("hybrid_inverter/release_battery", whose),
        "2": (
            "hybrid_inverter/control_battery",
            {**whose, "mode": "hold", "duration": 60},
        ),
        "3": (
            "hybrid_inverter/control_battery",
            {**whose, "mode": "charge", "duration": 60},
        ),
        "4": (
            "hybrid_inverter/control_battery",
            {**whose, "mode": "no_charge", "duration": 60},
        ),
    }
    assert made["site"] == {"meters": {"grid": "grid", "pv": ["pv"], "battery": ["battery"]}}


async def test_evcc_may_switch_scripts_on_instead(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Its template names one script for each mode, and each script is made of the blueprint."""
    made = await files(hass, "evcc")
    _, _, battery = made["evcc.yaml with scripts"]["meters"]
    scripts = {
        "modeNormal": "script.evcc_normal",
        "modeHold": "script.evcc_hold",
        "modeCharge": "script.evcc_charge",
        "modeHoldCharge": "script.evcc_holdcharge",
    }
    assert {name: battery[name] for name in battery if name.startswith("mode")} == scripts
    assert (battery["template"], battery["usage"]) == ("homeassistant", "battery")
    assert made["scripts.yaml"] == {
        entity_id.removeprefix("script."): {
            "alias": f"evcc {entity_id.removeprefix('script.evcc_')}",
            "use_blueprint": {
                "path": "hybrid-inverter/evcc.yaml",
                "input": {
                    "battery": {"device_id": device_of(hass, SERIAL)},
                    "evcc_mode": entity_id.removeprefix("script.evcc_"),
                },
            },
        }
        for entity_id in scripts.values()
    }


async def test_a_plant_is_one_battery(
    hass: HomeAssistant,
    home: MockConfigEntry,  # noqa: F811 - a fixture
) -> None:
    """Of 30 and 10 kWh behind two inverters of 8000 W, with the entities of the plant."""
    made = (await files(hass, "predbat", home.entry_id))["apps.yaml"]["pred_bat"]
    assert made["soc_max"] == [40]
    assert made["inverter_limit"] == [16000]
    assert made["battery_min_soc"] == [35]
    assert made["battery_power"] == ["sensor.home_battery_power"]
    assert made["load_today"] == ["sensor.home_load_energy_today"]
    assert made["charge_stop_service"]["device_id"] == device_of(hass, home.entry_id)


async def test_a_limit_of_the_inverter_is_the_highest_state_of_charge(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    windows: MockConfigEntry,  # noqa: F811 - a fixture
) -> None:
    """Max SOC and Min SOC on grid of a SAJ, and its 6000 W."""
    made = (await files(hass, "emhass", SAJ_SERIAL))["config.json"]
    assert made["battery_minimum_state_of_charge"] == 0.2
    assert made["battery_maximum_state_of_charge"] == 1.0
    assert made["battery_charge_power_max"] == 6000
    await hass.services.async_call(
        "number",
        "set_value",
        {
            "entity_id": entity(hass, Platform.NUMBER, "charge_upper_limit", SAJ_SERIAL),
            "value": 90,
        },
        blocking=True,
    )
    made = (await files(hass, "emhass", SAJ_SERIAL))["config.json"]
    assert made["battery_maximum_state_of_charge"] == 0.9


async def test_what_is_missing_is_said_with_what_to_do(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A sensor that is disabled, one that is not there, an unknown reserve, and Home Assistant's own address."""
    registry = er.async_get(hass)
    soc = entity(hass, Platform.SENSOR, "battery_soc")
    reserve = entity(hass, Platform.NUMBER, "battery_reserve")
    registry.async_update_entity(soc, disabled_by=er.RegistryEntryDisabler.USER)
    registry.async_remove(entity(hass, Platform.SENSOR, "grid_power"))
    await hass.async_block_till_done(wait_background_tasks=True)
    hass.states.async_set(reserve, "unavailable")
    hass.config.internal_url = None
    hass.config.api = None
    answer = await act(hass, "get_planner_configuration", planner="evcc")
    assert answer["missing"] == [
        (
            "power is missing, as there is no sensor grid_power here. If another device measures it, enter its "
            "entity; without one, the planner does not know it."
        ),
        f"{soc} is disabled and has no state. Enable it in its settings.",
        (
            "Home Assistant does not know its own address in the house. Replace http://homeassistant.local:8123, or "
            "set the address in Settings, System, Network, and call the action again."
        ),
        f"The reserve is missing, as {reserve} has no state at the moment. Call the action again when the inverter answers.",
    ]
    grid, _, battery = read(answer)["evcc.yaml"]["meters"]
    assert "power" not in grid
    assert grid["uri"] == "http://homeassistant.local:8123"
    # It will be right once it is enabled.
    assert battery["soc"]["entity"] == soc
    assert "minsoc" not in battery


async def test_a_capacity_that_nobody_knows_is_asked_for(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Whatever a person says counts, be it a text."""
    assert (await files(hass, "evcc", capacity="14.3"))["evcc.yaml"]["meters"][2][
        "capacity"
    ] == 14.3
    steer(plant, plant.machine(), {"settings": {"battery_capacity": 0}})
    await refresh(hass, loaded, Group.SETTINGS)
    answer = await act(hass, "get_planner_configuration", planner="predbat")
    assert answer["missing"] == [
        "The capacity of the battery is missing, as it is not known. Call the action again with the capacity."
    ]
    assert "soc_max" not in read(answer)["apps.yaml"]["pred_bat"]


async def test_a_planner_has_one_battery(
    hass: HomeAssistant,
    home: MockConfigEntry,  # noqa: F811 - a fixture
) -> None:
    """Several inverters are one as a plant."""
    with pytest.raises(ServiceValidationError) as refused:
        await act(
            hass,
            "get_planner_configuration",
            {"device_id": [device_of(hass, SERIAL), device_of(hass, TWIN_SERIAL)]},
            planner="evcc",
        )
    assert refused.value.translation_key == "planner_one_target"


async def test_one_inverter_of_a_plant_is_not_for_a_planner(
    hass: HomeAssistant,
    home: MockConfigEntry,  # noqa: F811 - a fixture
) -> None:
    """What it sells, the other one would store: such an order is refused."""
    answer = await act(hass, "get_planner_configuration", planner="predbat")
    assert answer["missing"] == [
        (
            "JSO8048104 is an inverter of the plant Home, whose other batteries would take what it gives. Choose the "
            "plant instead."
        )
    ]


async def test_only_who_may_read_the_inverter_gets_it(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    """As of what is in force."""
    hass_read_only_user.mock_policy({})
    with pytest.raises(Unauthorized):
        await act(hass, "get_planner_configuration", user=hass_read_only_user, planner="evcc")


@pytest.mark.parametrize("data", [{"planner": "other"}, {"planner": "evcc", "capacity": 0}])
async def test_what_makes_no_sense_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any]
) -> None:
    """An unknown planner, and no capacity at all."""
    with pytest.raises(vol.Invalid):
        await act(hass, "get_planner_configuration", **data)
