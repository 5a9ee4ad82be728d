"""What meters show: values worked out by hand from the pictured registers, and nothing that could be changed."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import entity, find, load, network_data, state, status
from .pictured import PicturedMachine

THREE: Final = "three"
ONE: Final = "one"
IDENTITIES: Final[dict[int, dict[str, Any]]] = {
    11: {
        "family": "dtsu666",
        "serial": THREE,
        "manufacturer": "CHINT",
        "model": "DTSU666",
        "firmware": "207",
        "facts": {"rated_power": 172500, "ct_ratio": 1, "pt_ratio": 1.0},
        "features": ["new_counters", "new_net_counters", "new_reactive_counters"],
    },
    12: {
        "family": "ddsu666",
        "serial": ONE,
        "manufacturer": "CHINT",
        "model": "DDSU666",
        "firmware": "102",
        "facts": {"rated_power": 23000},
        "features": [
            "apparent_power",
            "counter_block",
            "export_counter",
            "export_tariffs",
            "import_tariffs",
            "reactive_counters",
        ],
    },
}
TITLES: Final = {11: "Grid meter", 12: "Solar meter"}
ROLES: Final = {11: "grid", 12: "solar"}


def meters_entry(port: int, *unit_ids: int, **settings: Any) -> MockConfigEntry:
    """Return an entry with meters of the pictured line."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Meters",
        data=network_data(port),
        subentries_data=[
            {
                "data": {
                    "unit_id": unit_id,
                    "identity": IDENTITIES[unit_id],
                    "role": ROLES[unit_id],
                    "inverted": False,
                    **settings,
                },
                "subentry_type": "meter",
                "title": TITLES[unit_id],
                "unique_id": IDENTITIES[unit_id]["serial"],
            }
            for unit_id in unit_ids
        ],
    )


async def set_up(
    hass: HomeAssistant, house: SimulatedPlant, *unit_ids: int, **settings: Any
) -> MockConfigEntry:
    """Set up an entry with meters of the pictured line."""
    entry = meters_entry(house.tcp_port, *unit_ids, **settings)
    await load(hass, entry, background=True)
    assert status(entry) is ConfigEntryState.LOADED
    return entry


def values(hass: HomeAssistant, serial: str) -> dict[str, str]:
    """Return the states of all sensors of a meter that are shown, by key."""
    registry = er.async_get(hass)
    return {
        known.unique_id.removeprefix(f"{serial}_"): shown.state
        for known in registry.entities.values()
        if known.platform == DOMAIN
        and known.domain == Platform.SENSOR
        and known.unique_id.startswith(f"{serial}_")
        and (shown := hass.states.get(known.entity_id)) is not None
    }


@pytest.mark.usefixtures("few_entities")
async def test_values_of_a_meter_follow_its_transformer_ratios(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """What is kept of a meter follows the ratios that it is set to: it measures more now, and counts faster."""
    entry = await set_up(hass, house, 11)
    meter = house.machines[11]
    assert isinstance(meter, PicturedMachine)
    (subentry_id,) = entry.subentries

    async def told() -> dict[str, Any]:
        (unit,) = entry.runtime_data.units.values()
        await unit.coordinators[Group.IDENTITY].async_refresh()
        await hass.async_block_till_done(wait_background_tasks=True)
        (now,) = entry.runtime_data.units.values()
        kept: dict[str, Any] = entry.subentries[subentry_id].data["identity"]
        assert now.identity.facts == kept["facts"]
        assert {**kept, "facts": IDENTITIES[11]["facts"]} == IDENTITIES[11]
        return {**kept["facts"], "again": now is not unit}

    assert await told() == {"rated_power": 172500, "ct_ratio": 1, "pt_ratio": 1, "again": False}
    # 100 * 6 A at 230 V on three phases, and 2.0 times that.
    meter.words[0x0006] = 100
    assert await told() == {"rated_power": 414000, "ct_ratio": 100, "pt_ratio": 1, "again": True}
    meter.words[0x0007] = 20
    assert await told() == {"rated_power": 828000, "ct_ratio": 100, "pt_ratio": 2, "again": True}
    # No meter has a ratio of 0.
    meter.words[0x0006] = 0
    assert await told() == {"rated_power": 828000, "ct_ratio": 100, "pt_ratio": 2, "again": False}


THREE_PHASE: Final = {
    # 0.1 W, 0.1 V, 0.001 A, 0.01 Hz; the ratios are 1.
    "power": "1234.5",
    "l1_power": "1251.2",
    "l2_power": "-16.7",
    "l3_power": "0.0",
    "l1_voltage": "233.4",
    "l2_voltage": "234.1",
    "l3_voltage": "228.8",
    "l1_current": "5.432",
    "l2_current": "0.123",
    "l3_current": "0.0",
    "frequency": "49.98",
    "import_energy_total": "12345.678",
    "export_energy_total": "567.891",
}
THREE_PHASE_HIDDEN: Final = {
    "l1_l2_voltage": "404.6",
    "l2_l3_voltage": "400.9",
    "l3_l1_voltage": "399.8",
    "power_factor": "0.983",
    "l1_power_factor": "0.985",
    "l2_power_factor": "-0.512",
    "l3_power_factor": "1.0",
    "reactive_power": "-231.0",
    "l1_reactive_power": "-229.8",
    "l2_reactive_power": "-1.2",
    "l3_reactive_power": "0.0",
    "l1_import_energy_total": "9000.125",
    "l2_import_energy_total": "2345.553",
    "l3_import_energy_total": "1000.0",
    "l1_export_energy_total": "500.111",
    "l2_export_energy_total": "60.78",
    "l3_export_energy_total": "7.0",
    "net_import_energy_total": "12100.5",
    "net_export_energy_total": "322.713",
    "reactive_energy_q1_total": "10.5",
    "reactive_energy_q2_total": "0.0",
    "reactive_energy_q3_total": "0.0",
    "reactive_energy_q4_total": "250.25",
    "ct_ratio": "1",
    "pt_ratio": "1.0",
    "software_version": "207",
    "network_type": "three_phase_four_wire",
    "baud_code": "9600",
    "unit_address": "1",
    "protocol": "5",
    "display_rotation": "0",
    "backlight_or_type": "10",
    "word_order_or_reserved": "0",
    "rejected_samples": "0",
}
SINGLE_PHASE: Final = {
    # kW, V, A, Hz.
    "power": "1002.1",
    "voltage": "234.5",
    "current": "4.321",
    "frequency": "49.97",
    "import_energy_total": "100.5",
    "export_energy_total": "50.0",
}
SINGLE_PHASE_HIDDEN: Final = {
    "reactive_power": "-154.2",
    "apparent_power": "1013.9",
    "power_factor": "0.988",
    "import_energy_t1_total": "40.25",
    "import_energy_t2_total": "30.0",
    "import_energy_t3_total": "20.0",
    "import_energy_t4_total": "10.25",
    "export_energy_t1_total": "20.5",
    "export_energy_t2_total": "15.0",
    "export_energy_t3_total": "10.0",
    "export_energy_t4_total": "4.5",
    "reactive_energy_q1_total": "1.25",
    "reactive_energy_q2_total": "2.5",
    "reactive_energy_q3_total": "3.75",
    "reactive_energy_q4_total": "5.0",
    "ct_ratio": "1",
    "pt_ratio": "1.0",
    "software_version": "102",
    "network_type": "single_phase",
    "baud_code": "9600",
    "unit_address": "1",
    "protocol": "2",
    "oem_type": "0",
    "rejected_samples": "0",
}


async def test_usual_values_of_both_meters_are_enabled_by_default(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """What nearly everybody wants to see, of both meters."""
    await set_up(hass, house, 11, 12)
    assert values(hass, THREE) == THREE_PHASE
    assert values(hass, ONE) == SINGLE_PHASE


@pytest.mark.usefixtures("all_shown")
async def test_meter_shows_everything_it_reports_when_enabled(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """Everything that the meters tell, when it is switched on."""
    entry = await set_up(hass, house, 11, 12)
    for unit in entry.runtime_data.units.values():
        for coordinator in unit.coordinators.values():
            await coordinator.async_refresh()
    assert values(hass, THREE) == {**THREE_PHASE, **THREE_PHASE_HIDDEN}
    assert values(hass, ONE) == {**SINGLE_PHASE, **SINGLE_PHASE_HIDDEN}


async def test_meter_has_sensors_and_a_connection_and_no_controls(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """Sensors and whether it answers: no control, no calendar, no button, no fault, no part below the meter."""
    entry = await set_up(hass, house, 11)
    known = [
        known
        for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        # The others are the link's.
        if known.config_subentry_id is not None
    ]
    assert {entity.unique_id for entity in known if entity.domain != Platform.SENSOR} == {
        "three_connectivity"
    }
    assert state(hass, Platform.BINARY_SENSOR, "connectivity", THREE).state == "on"
    # Rows of the table, and how many readings were not believed.
    assert {entity.unique_id for entity in known if entity.domain == Platform.SENSOR} == {
        f"three_{key}" for key in (*THREE_PHASE, *THREE_PHASE_HIDDEN)
    }
    settings = {"ct_ratio", "pt_ratio", "software_version", "network_type", "baud_code"}
    settings |= {"unit_address", "protocol", "display_rotation", "rejected_samples"}
    settings |= {"backlight_or_type", "word_order_or_reserved"}
    assert {
        entity.unique_id for entity in known if entity.entity_category is EntityCategory.DIAGNOSTIC
    } == {"three_connectivity", *(f"three_{key}" for key in settings)}
    link, meter = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert (meter.name, meter.via_device_id) == ("Grid meter", link.id)
    assert set(house.machine(11).functions) == {3}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("grid", ("Imported total", "Exported total")),
        ("solar", ("Produced total", "Standby total")),
        ("load", ("Consumed total", "Fed back total")),
    ],
)
async def test_counters_are_named_by_the_role(
    hass: HomeAssistant, house: SimulatedPlant, role: str, names: tuple[str, str]
) -> None:
    """What is counted as import is bought, produced or consumed; the unique ids are the same."""
    await set_up(hass, house, 12, role=role)
    shown = [
        state(hass, Platform.SENSOR, f"{way}_energy_total", ONE) for way in ("import", "export")
    ]
    assert tuple(each.name.removeprefix("Solar meter ") for each in shown) == names
    assert [each.state for each in shown] == ["100.5", "50.0"]


async def test_inverted_meter_changes_signs_and_swaps_counters(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """Signs change, and the counters change places."""
    await set_up(hass, house, 11, inverted=True)
    shown = values(hass, THREE)
    assert shown["power"] == "-1234.5"
    assert shown["l2_power"] == "16.7"
    assert shown["l1_voltage"] == "233.4"
    assert shown["import_energy_total"] == "567.891"
    assert shown["export_energy_total"] == "12345.678"


async def test_a_glitch_of_a_counter(hass: HomeAssistant, house: SimulatedPlant) -> None:
    """A counter that is 0 for a moment is held, and so is one that jumps further than a house can."""
    entry = await set_up(hass, house, 12)
    (unit,) = entry.runtime_data.units.values()
    meter = house.machine(12)
    assert isinstance(meter, PicturedMachine)
    for number, shown in ((0.0, "100.5"), (9999.0, "100.5"), (100.6, "100.6")):
        meter.put(0x4000, number)
        await unit.coordinators[Group.ENERGY].async_refresh()
        assert state(hass, Platform.SENSOR, "import_energy_total", ONE).state == shown
    assert unit.rejections.total() == 2


@pytest.mark.parametrize(
    ("inverted", "shown"),
    [
        # Before the restart it had counted on: what is read is behind that, and not believed at once.
        (False, "100.7"),
        # It was the other counter then, which says nothing of this one.
        (True, "100.5"),
    ],
)
async def test_a_counter_after_it_was_turned_round(
    hass: HomeAssistant, house: SimulatedPlant, *, inverted: bool, shown: str
) -> None:
    """What was shown before a restart is gone on from, unless the meter counts the other way round now."""
    mock_restore_cache_with_extra_data(
        hass,
        [
            (
                State("sensor.solar_meter_produced_total", "100.7"),
                {
                    "native_value": 100.7,
                    "native_unit_of_measurement": "kWh",
                    "inverted": inverted,
                },
            )
        ],
    )
    await set_up(hass, house, 12)
    assert entity(hass, Platform.SENSOR, "import_energy_total", ONE) == (
        "sensor.solar_meter_produced_total"
    )
    assert state(hass, Platform.SENSOR, "import_energy_total", ONE).state == shown


@pytest.mark.parametrize(
    ("action", "reason"),
    [("undo_last_change", "nothing_to_undo"), ("get_schedule", "schedule_not_supported")],
)
async def test_meter_picked_for_an_inverter_action_is_rejected_with_a_message(
    hass: HomeAssistant, house: SimulatedPlant, action: str, reason: str
) -> None:
    """A meter that somebody picks for an action of inverters is refused in words."""
    entry = await set_up(hass, house, 12)
    (unit,) = entry.runtime_data.units.values()
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": unit.device_id},
            blocking=True,
            return_response=action == "get_schedule",
        )
    assert raised.value.translation_key == reason


async def test_compact_meter_has_no_export_counter(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """It has no export counter, and no entity for one; what cannot be true is unknown."""
    house.machines[12] = PicturedMachine("chint_ddsu666_compact")  # type: ignore[assignment]
    entry = meters_entry(house.tcp_port, 12)
    (subentry,) = entry.subentries.values()
    entry.add_to_hass(hass)
    hass.config_entries.async_update_subentry(
        entry,
        subentry,
        data={**subentry.data, "identity": {**IDENTITIES[12], "features": ["apparent_power"]}},
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert find(hass, Platform.SENSOR, "export_energy_total", ONE) is None
    counted = state(hass, Platform.SENSOR, "import_energy_total", ONE)
    assert counted.state == "42.07"
    # What flows back is counted by it as well.
    assert counted.name.endswith("Combined total")
    assert state(hass, Platform.SENSOR, "voltage", ONE).state == "221.9"


async def test_silent_meter_is_unavailable_and_the_other_one_is_not(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """It is unavailable, and says so; the other one is not."""
    entry = await set_up(hass, house, 11, 12)
    del house.machines[11]
    for unit in entry.runtime_data.units.values():
        await unit.coordinators[Group.POWER].async_refresh()
    assert state(hass, Platform.BINARY_SENSOR, "connectivity", THREE).state == "off"
    assert state(hass, Platform.SENSOR, "power", THREE).state == "unavailable"
    assert state(hass, Platform.SENSOR, "power", ONE).state == "1002.1"


async def test_diagnostics_of_a_meter_show_role_and_direction_but_not_whose_it_is(
    hass: HomeAssistant, house: SimulatedPlant, hass_client: ClientSessionGenerator
) -> None:
    """What it measures and which way round, and nothing that tells whose it is."""
    entry = await set_up(hass, house, 12, inverted=True)
    told = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    (unit,) = told["units"]  # type: ignore[index,misc]
    assert unit["role"] == "solar"  # type: ignore[index]
    assert unit["inverted"] is True  # type: ignore[index]
    assert unit["identity"]["serial"] == "**REDACTED**"  # type: ignore[index]
    assert unit["values"]["power"] == -1002.1  # type: ignore[index]
    # The code of the keypad is its owner's.
    assert "1234" not in str(told)
    assert entry.entry_id not in str(told)
