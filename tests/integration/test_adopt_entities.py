"""Entity ids of another integration that is gone: told first, then taken by ours, so that history goes on."""

from typing import Any, Final

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.history import get_significant_states
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID, ATTR_RESTORED, STATE_UNAVAILABLE, Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.maintenance.adoption import Obstacle, read_table
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from simulator import SimulatedPlant

from .helpers import entity, load_plant, unit_of
from .test_schedule_windows import set_up

FORMER: Final = (
    "sensor.inverter_battery",
    "sensor.inverter_battery_power",
    "sensor.inverter_grid_power",
    "sensor.inverter_total_energy_import",
    "number.inverter_program_1_soc",
    "switch.inverter_export_surplus",
    "select.inverter_work_mode",
)


@pytest.fixture
async def mock_recorder_before_hass(async_test_recorder: RecorderInstanceContextManager) -> None:
    """Have a recorder before there is a Home Assistant."""


def former(
    hass: HomeAssistant,
    *ids: str,
    platform: str = "solarman",
    entry: MockConfigEntry | None = None,
    removed: bool = True,
) -> None:
    """Have had these entities of another integration, which are removed or still registered."""
    registry = er.async_get(hass)
    for entity_id in ids:
        domain, name = entity_id.split(".")
        known = registry.async_get_or_create(
            domain, platform, f"old_{name}", config_entry=entry, suggested_object_id=name
        )
        assert known.entity_id == entity_id
        if removed:
            registry.async_remove(entity_id)


async def adopt(
    hass: HomeAssistant, entry: MockConfigEntry, user_id: str | None = None, **data: Any
) -> dict[str, Any]:
    """Call the action for the entry's only inverter."""
    response = await hass.services.async_call(
        DOMAIN,
        "adopt_entities",
        {ATTR_DEVICE_ID: unit_of(entry).device_id, "integration": "solarman", **data},
        blocking=True,
        return_response=True,
        context=Context(user_id=user_id),
    )
    await hass.async_block_till_done()
    assert response is not None
    return dict(response)


async def test_ids_of_a_removed_integration_are_told_and_then_taken(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """A select has other options: what automations choose would not be there. The rest goes on under its id."""
    former(hass, *FORMER)
    entry = await load_plant(hass, plant)
    ours = {
        "sensor.inverter_battery": entity(hass, Platform.SENSOR, "battery_soc"),
        "sensor.inverter_battery_power": entity(hass, Platform.SENSOR, "battery_power"),
        "sensor.inverter_grid_power": entity(hass, Platform.SENSOR, "grid_power"),
        "sensor.inverter_total_energy_import": entity(
            hass, Platform.SENSOR, "grid_import_energy_total"
        ),
        "number.inverter_program_1_soc": entity(hass, Platform.NUMBER, "tou_slot_1_soc"),
        "switch.inverter_export_surplus": entity(hass, Platform.SWITCH, "solar_sell"),
    }
    mode = entity(hass, Platform.SELECT, "work_mode")
    told = await adopt(hass, entry)
    assert told["dry_run"] is True
    assert told["prefix"] == "inverter"
    assert {one["to"]: one["from"] for one in told["adopted"]} == ours
    assert told["refused"] == [
        {
            "entity_id": mode,
            "not_to": "select.inverter_work_mode",
            "reason": "options",
            "explanation": "It had other options, so automations would choose what is not there.",
        }
    ]
    # So far nothing has happened.
    assert entity(hass, Platform.SENSOR, "battery_soc") == ours["sensor.inverter_battery"]

    before = hass.states.get(ours["sensor.inverter_battery"])
    assert before is not None
    done = await adopt(hass, entry, dry_run=False)
    assert done == {**told, "dry_run": False}
    assert entity(hass, Platform.SENSOR, "battery_soc") == "sensor.inverter_battery"
    assert entity(hass, Platform.SELECT, "work_mode") == mode
    after = hass.states.get("sensor.inverter_battery")
    assert after is not None
    assert after.state == before.state == "60"
    assert hass.states.get(ours["sensor.inverter_battery"]) is None
    # What is done is not told again.
    assert (await adopt(hass, entry, prefix="Inverter"))["adopted"] == []


async def test_an_entity_that_is_still_set_up_keeps_its_id(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """Whether its integration is loaded or only away; one that its integration does not make any more is gone."""
    other = MockConfigEntry(domain="solarman", state=ConfigEntryState.LOADED)
    other.add_to_hass(hass)
    away = MockConfigEntry(domain="solarman", state=ConfigEntryState.SETUP_RETRY)
    away.add_to_hass(hass)
    restored = {ATTR_RESTORED: True}
    former(hass, "sensor.inverter_battery_power", entry=other, removed=False)
    hass.states.async_set("sensor.inverter_battery_power", "1500")
    former(hass, "sensor.inverter_grid_power", entry=away, removed=False)
    hass.states.async_set("sensor.inverter_grid_power", STATE_UNAVAILABLE, restored)
    former(hass, "sensor.inverter_battery", entry=other, removed=False)
    hass.states.async_set("sensor.inverter_battery", STATE_UNAVAILABLE, restored)
    # An entity of a YAML platform, which has no entry, and something that took an id in the meantime.
    former(hass, "sensor.inverter_grid_frequency", removed=False)
    former(hass, "sensor.inverter_battery_voltage")
    hass.states.async_set("sensor.inverter_battery_voltage", "52")
    entry = await load_plant(hass, plant)
    told = await adopt(hass, entry, dry_run=False)
    assert {one["to"] for one in told["adopted"]} == {
        "sensor.inverter_battery",
        "sensor.inverter_grid_frequency",
    }
    assert {one["not_to"]: one["reason"] for one in told["refused"]} == {
        "sensor.inverter_battery_power": "in_use",
        "sensor.inverter_grid_power": "in_use",
        "sensor.inverter_battery_voltage": "taken",
    }
    assert entity(hass, Platform.SENSOR, "battery_soc") == "sensor.inverter_battery"
    # There is nothing to unload of them.
    for one in (other, away):
        one.mock_state(hass, ConfigEntryState.NOT_LOADED)


async def test_the_prefix_is_asked_for_where_it_is_not_sure(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """Two former inverters, and none."""
    entry = await load_plant(hass, plant)
    with pytest.raises(ServiceValidationError) as caught:
        await adopt(hass, entry)
    assert caught.value.translation_key == "adopt_no_prefix"
    for name in ("east", "west"):
        former(hass, *(one.replace("inverter", name) for one in FORMER))
    with pytest.raises(ServiceValidationError) as caught:
        await adopt(hass, entry)
    assert caught.value.translation_key == "adopt_which_prefix"
    assert (caught.value.translation_placeholders or {})["prefixes"] == "east, west"
    told = await adopt(hass, entry, prefix="west")
    assert "sensor.west_battery_power" in {one["to"] for one in told["adopted"]}
    with pytest.raises(ServiceValidationError) as caught:
        await adopt(hass, entry, prefix="north")
    assert caught.value.translation_key == "adopt_nothing"


async def test_only_an_administrator_renames(
    hass: HomeAssistant, plant: SimulatedPlant, hass_read_only_user: MockUser
) -> None:
    """Like on the page of an entity."""
    former(hass, *FORMER)
    entry = await load_plant(hass, plant)
    with pytest.raises(Unauthorized):
        await adopt(hass, entry, hass_read_only_user.id)


async def test_the_battery_power_of_a_saj_has_another_sign(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """The register has no direction, which lies in another one. What is summed over three phases is none of this inverter's."""
    former(
        hass,
        "sensor.saj_battery_power",
        "sensor.saj_battery_energy_percent",
        "sensor.saj_pv1_power",
        "sensor.saj_sum_all_phases_sell_total",
        platform="saj_h2_modbus",
    )
    entry = await set_up(hass, saj)
    told = await adopt(hass, entry, integration="saj_h2_modbus")
    assert {one["to"] for one in told["adopted"]} == {
        "sensor.saj_battery_energy_percent",
        "sensor.saj_pv1_power",
    }
    assert {one["not_to"]: one["reason"] for one in told["refused"]} == {
        "sensor.saj_battery_power": "sign",
        "sensor.saj_sum_all_phases_sell_total": "meaning",
    }


@pytest.mark.usefixtures("recorder_mock")
async def test_history_and_statistics_go_on_where_the_unit_fits(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """Also where only the recorder remembers the id; one that was recorded in watt-hours stays as it is."""
    hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    for statistic_id, unit in (
        ("sensor.inverter_total_energy_import", "kWh"),
        ("sensor.inverter_total_energy_export", "Wh"),
    ):
        async_import_statistics(
            hass,
            {
                "mean_type": StatisticMeanType.NONE,
                "has_sum": True,
                "name": None,
                "source": "recorder",
                "statistic_id": statistic_id,
                "unit_class": "energy",
                "unit_of_measurement": unit,
            },
            [{"start": hour, "state": 1000, "sum": 1000}],
        )
    hass.states.async_set("sensor.inverter_total_energy_import", "1000")
    await async_wait_recording_done(hass)
    hass.states.async_remove("sensor.inverter_total_energy_import")
    entry = await load_plant(hass, plant)
    await hass.async_block_till_done(wait_background_tasks=True)
    told = await adopt(hass, entry, prefix="inverter", dry_run=False)
    assert [one["to"] for one in told["adopted"]] == ["sensor.inverter_total_energy_import"]
    assert [(one["not_to"], one["reason"]) for one in told["refused"]] == [
        ("sensor.inverter_total_energy_export", "unit")
    ]
    await async_wait_recording_done(hass)
    history = await get_instance(hass).async_add_executor_job(
        get_significant_states,
        hass,
        hour,
        None,
        ["sensor.inverter_total_energy_import"],
    )
    states = [one.state for one in history["sensor.inverter_total_energy_import"]]
    assert states[0] == "1000"
    now = hass.states.get("sensor.inverter_total_energy_import")
    assert now is not None
    assert states[-1] == now.state != "1000"


def test_the_table_is_about_rows_that_exist() -> None:
    """Every key lies at its register in a table of ours, and no id stands twice for one integration."""
    families = {"solarman": "jso", "sunsynk": "jso", "saj_h2_modbus": "saj"}
    for name, source in read_table().items():
        rows = [(row.key, min(row.addresses)) for row in FAMILIES[families[name]].every_row()]
        ids = [(one.domain, one.suffix) for one in source.entities]
        assert len(set(ids)) == len(ids), name
        for one in source.entities:
            if one.obstacle is not Obstacle.SIGN:
                assert (one.key, one.register) in rows, (name, one)
