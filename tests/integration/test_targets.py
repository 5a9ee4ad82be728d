"""What Home Assistant offers for each kind of device, and what the actions make of a target."""

from typing import Any, Final

from homeassistant.components.websocket_api.automation import (
    async_get_conditions_for_target,
    async_get_services_for_target,
    async_get_triggers_for_target,
)
from homeassistant.const import ATTR_AREA_ID, ATTR_DEVICE_ID, ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.setup import async_setup_component
import pytest

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.runtime.lookup import unit_of_device
from custom_components.hybrid_inverter.runtime.targets import selected_devices
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, link_entry, load, network_data, state
from .test_entities_meters import meters_entry
from .test_plant import TWIN_SERIAL, plant_entry

METER: Final = "grid meter"
PLANT: Final = "plant"
LINK: Final = "link"

REGISTERS: Final = {"read_registers"}
UPKEEP: Final = {*REGISTERS, "adopt_entities"}
SCHEDULE: Final = {"get_schedule", "set_schedule", "undo_last_change", "test_wiring"}
FAULTS: Final = {"fault_appeared", "fault_cleared"}
GRID: Final = {"grid_lost", "grid_back"}
ORDERS: Final = {
    "battery_control_started",
    "battery_control_target_reached",
    "battery_control_not_followed",
    "battery_control_ended",
}
CONTROL: Final = {
    "control_battery",
    "get_control",
    "get_planner_configuration",
    "release_battery",
}
NIGHT: Final[dict[str, Any]] = {"start": "01:00", "end": "05:00", "target": 80, "grid_charge": True}


def device_of(hass: HomeAssistant, identifier: str) -> dr.DeviceEntry:
    """Return the device with this identifier."""
    return next(
        device
        for device in dr.async_get(hass).devices
        if (DOMAIN, identifier) in device.identifiers
    )


async def kinds(hass: HomeAssistant, house: SimulatedPlant, tier: str) -> dict[str, dr.DeviceEntry]:
    """Set up an inverter, a meter and a plant, and return the devices of each kind."""
    options = {"tier": tier}
    link = await load(hass, link_entry(network_data(house.tcp_port), options=options))
    meters = await load(hass, meters_entry(house.tcp_port, 11))
    plant = await load(hass, plant_entry({SERIAL: "JSO"}, {SERIAL: 30}, SERIAL))
    (meter,) = meters.runtime_data.units.values()
    parts = {
        part: device_of(hass, f"{SERIAL}_{part}")
        for part in ("battery", "pv", "grid", "load", "generator")
    }
    return {
        "inverter": device_of(hass, SERIAL),
        **parts,
        METER: device_of(hass, meter.identity.serial),
        LINK: device_of(hass, link.entry_id),
        PLANT: device_of(hass, plant.entry_id),
    }


def ours(offered: set[str]) -> set[str]:
    """Return what is ours of what is offered."""
    return {name.removeprefix(f"{DOMAIN}.") for name in offered if name.startswith(f"{DOMAIN}.")}


# For each kind of device: the actions, the triggers and the conditions, but for those that only a tier with orders has.
OFFERED: Final[dict[str, tuple[set[str], set[str], set[str]]]] = {
    "inverter": (
        {*SCHEDULE, *CONTROL, *UPKEEP, "limit_export"},
        {*FAULTS, *GRID, *ORDERS, "device_silent", "slot_started", "battery_reserve_reached"},
        {"grid_is_present", "slot_is_active"},
    ),
    "battery": (
        {*SCHEDULE, *CONTROL, "limit_export"},
        {*ORDERS, "battery_reserve_reached"},
        {"battery_is_controlled"},
    ),
    "pv": (set(), set(), set()),
    "grid": ({*REGISTERS, "limit_export"}, {*GRID, *ORDERS}, {"grid_is_present"}),
    "load": (set(), set(), set()),
    "generator": (set(), set(), set()),
    METER: (REGISTERS, {"device_silent"}, set()),
    LINK: (set(), {"device_silent"}, set()),
    PLANT: ({*CONTROL, "limit_export"}, ORDERS, {"battery_is_controlled"}),
}
# What may be changed can be changed elsewhere, and has orders.
CHANGEABLE: Final = {
    "inverter": (set[str](), {"setting_changed"}, {"battery_is_controlled"}),
    PLANT: (set[str](), {"setting_changed"}, set[str]()),
}


@pytest.mark.parametrize(("tier", "more"), [("read_only", {}), ("everyday", CHANGEABLE)])
async def test_what_is_offered_for_each_kind_of_device(
    hass: HomeAssistant,
    house: SimulatedPlant,
    tier: str,
    more: dict[str, tuple[set[str], set[str], set[str]]],
) -> None:
    """By clicking it in the editor, whatever may be written; nothing that it is not for."""
    for domain in ("automation", "script"):
        assert await async_setup_component(hass, domain, {})
    devices = await kinds(hass, house, tier)

    async def offered(device: dr.DeviceEntry) -> tuple[set[str], ...]:
        target = {ATTR_DEVICE_ID: [device.id]}
        return (
            ours(await async_get_services_for_target(hass, target, expand_group=True)),
            ours(await async_get_triggers_for_target(hass, target, expand_group=True)),
            ours(await async_get_conditions_for_target(hass, target, expand_group=True)),
        )

    assert {kind: await offered(device) for kind, device in devices.items()} == {
        kind: tuple(
            one | other for one, other in zip(what, more.get(kind, (set(),) * 3), strict=True)
        )
        for kind, what in OFFERED.items()
    }


# ---------------------------------------------------------------------- what a target means


@pytest.fixture
async def street(hass: HomeAssistant, socket_enabled: None) -> Any:
    """Return the entry of two JSO8048104, with the unit ids 1 and 2."""
    async with SimulatedPlant(units=(1, 2)) as simulated:
        simulated.advance(60)
        serials = {1: SERIAL, 2: TWIN_SERIAL}
        await load(hass, link_entry(network_data(simulated.tcp_port), serials))
        yield simulated


async def act(hass: HomeAssistant, action: str, target: dict[str, Any], **data: Any) -> Any:
    """Call an action for a target, and return its response."""
    return await hass.services.async_call(
        DOMAIN,
        action,
        data,
        target=target,
        blocking=True,
        return_response=action != "undo_last_change",
    )


async def test_one_inverter_is_told_flat_whatever_names_it(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """Its device, a part, an entity, both, and an area in which there are meters and a plant, too."""
    devices = await kinds(hass, house, "everyday")
    area = ar.async_get(hass).async_create("Cellar")
    for device in devices.values():
        dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    soc = entity(hass, Platform.SENSOR, "battery_soc")
    for target in (
        {ATTR_DEVICE_ID: devices["inverter"].id},
        {ATTR_DEVICE_ID: [devices["battery"].id]},
        {ATTR_ENTITY_ID: soc},
        {ATTR_ENTITY_ID: [soc], ATTR_DEVICE_ID: [devices["grid"].id]},
        {ATTR_AREA_ID: area.id},
    ):
        assert len((await act(hass, "get_schedule", target))["slots"]) == 6, target
    # A string among the data, as automations have it from before there were targets.
    told = await act(hass, "get_schedule", {}, device_id=devices["inverter"].id)
    assert len(told["slots"]) == 6


async def test_several_inverters_are_told_and_set_by_their_devices(
    hass: HomeAssistant, street: SimulatedPlant
) -> None:
    """All is checked before anything is written to one of them, and undone for all of them."""
    first, second = (device_of(hass, serial).id for serial in (SERIAL, TWIN_SERIAL))
    both = {ATTR_DEVICE_ID: [first, second]}
    # 8 kW is what either is built for.
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "set_schedule", both, windows=[{**NIGHT, "power": 9000}])
    assert caught.value.translation_key == "schedule_power"
    assert [street.machine(unit_id).writes for unit_id in (1, 2)] == [[], []]
    told = await act(hass, "set_schedule", both, windows=[NIGHT])
    assert {device_id: answer["write_requests"] for device_id, answer in told.items()} == {
        first: 1,
        second: 1,
    }
    assert [len(street.machine(unit_id).writes) for unit_id in (1, 2)] == [1, 1]
    await act(hass, "undo_last_change", both)
    assert [len(street.machine(unit_id).writes) for unit_id in (1, 2)] == [2, 2]
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "undo_last_change", both)
    assert caught.value.translation_key == "nothing_to_undo"


async def test_registers_of_several_devices_are_told_by_their_devices(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """One is told flat, whatever names it. In a tier in which nothing is read like this, nothing is sent."""
    async with SimulatedPlant(units=(1, 2)) as simulated:
        simulated.advance(60)
        serials = {1: SERIAL, 2: TWIN_SERIAL}
        data = network_data(simulated.tcp_port)
        entry = await load(hass, link_entry(data, serials, options={"tier": "installer"}))
        first, second = (device_of(hass, serial).id for serial in (SERIAL, TWIN_SERIAL))
        both = {ATTR_DEVICE_ID: [first, second]}
        for unit_id, soc in ((1, 47), (2, 63)):
            simulated.machine(unit_id).panel_change(588, soc)
        told = await act(hass, "read_registers", both, register=588)
        assert {
            device_id: answer["registers"][0]["word"] for device_id, answer in told.items()
        } == {
            first: 47,
            second: 63,
        }
        alone = await act(hass, "read_registers", {}, device_id=second, register=588)
        assert alone == told[second]
        battery = {ATTR_ENTITY_ID: entity(hass, Platform.SENSOR, "battery_soc")}
        assert await act(hass, "read_registers", battery, register=588) == told[first]
        hass.config_entries.async_update_entry(entry, options={"tier": "everyday"})
        assert await hass.config_entries.async_reload(entry.entry_id)
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, "read_registers", both, register=588)
        assert caught.value.translation_key == "registers_need_tier"


async def test_ids_are_adopted_for_one_inverter_at_a_time(
    hass: HomeAssistant, street: SimulatedPlant
) -> None:
    """Whose were the ids otherwise? One of them is looked for, whatever names it."""
    both = {ATTR_DEVICE_ID: [device_of(hass, serial).id for serial in (SERIAL, TWIN_SERIAL)]}
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "adopt_entities", both, integration="solarman")
    assert caught.value.translation_key == "adopt_several_devices"
    battery = {ATTR_DEVICE_ID: device_of(hass, f"{SERIAL}_battery").id}
    for target, data in ((battery, {}), ({}, battery)):
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, "adopt_entities", target, integration="solarman", **data)
        assert caught.value.translation_key == "adopt_no_prefix"


async def test_an_inverter_that_is_left_out_is_not_meant_by_its_parts(
    hass: HomeAssistant, street: SimulatedPlant
) -> None:
    """Of an area with two inverters; leaving out the link on which both are leaves nothing."""
    area = ar.async_get(hass).async_create("Cellar")
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        dr.async_get(hass).async_update_device(device.id, area_id=area.id)

    def meant(**excluded: Any) -> set[str]:
        data = {ATTR_AREA_ID: [area.id], "exclude": excluded}
        around = selected_devices(hass, data).around
        link = device_of(hass, entry.entry_id).id
        return {unit_of_device(hass, one).identity.serial for one in around if one != link}

    assert meant() == {SERIAL, TWIN_SERIAL}
    second, link = (device_of(hass, one).id for one in (TWIN_SERIAL, entry.entry_id))
    assert meant(device_id=[second]) == {SERIAL}
    assert meant(device_id=[link]) == set()
    assert meant(area_id=[area.id]) == set()


async def test_what_is_no_inverter_is_refused(hass: HomeAssistant, house: SimulatedPlant) -> None:
    """Each with what to do instead."""
    devices = await kinds(hass, house, "everyday")
    area = ar.async_get(hass).async_create("Attic")
    dr.async_get(hass).async_update_device(devices[METER].id, area_id=area.id)
    hass.states.async_set("sensor.other", "1")
    for target, reason in (
        ({}, "no_target"),
        ({ATTR_AREA_ID: area.id}, "no_target"),
        ({ATTR_ENTITY_ID: "sensor.other"}, "no_device"),
        ({ATTR_DEVICE_ID: devices[PLANT].id}, "no_such_unit"),
        ({ATTR_DEVICE_ID: devices[METER].id}, "schedule_not_supported"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, "set_schedule", target, windows=[NIGHT])
        assert caught.value.translation_key == reason, target


# ---------------------------------------------------------------------- Home Assistant's own actions for a whole device


async def test_a_number_for_a_whole_device_sets_what_is_for_every_day_only(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """One number of the battery and one of the grid; the other settings need to be named.

    Of an inverter it is the power of an order or its target: no number but 100 is within the bounds of both.
    """
    devices = await kinds(hass, house, "everyday")

    async def set_number(kind: str, value: float) -> dict[str, str]:
        before = {state.entity_id: state.state for state in hass.states.async_all("number")}
        target = {ATTR_DEVICE_ID: devices[kind].id}
        await hass.services.async_call(
            "number", "set_value", {"value": value}, target=target, blocking=True
        )
        return {
            state.entity_id: state.state
            for state in hass.states.async_all("number")
            if state.state != before[state.entity_id]
        }

    # The reserve of a JSO is its low state of charge, which an entity of its own shows, too.
    reserve = entity(hass, Platform.NUMBER, "battery_reserve")
    assert await set_number("battery", 30) == {
        reserve: "30",
        entity(hass, Platform.NUMBER, "battery_low_soc"): "30",
        # With one inverter it is that of the plant.
        "number.home_battery_reserve": "30",
    }
    export_limit = entity(hass, Platform.NUMBER, "export_limit")
    assert await set_number("grid", 3000) == {
        export_limit: "3000",
        entity(hass, Platform.NUMBER, "max_sell_power"): "3000",
        "number.home_export_limit": "3000",
    }
    for value, other in ((3000, "control_target_soc"), (80, "control_power")):
        with pytest.raises(ServiceValidationError) as caught:
            await set_number("inverter", value)
        assert caught.value.translation_key == "out_of_range"
        assert caught.value.translation_placeholders is not None
        named = caught.value.translation_placeholders["entity_id"]
        assert named == entity(hass, Platform.NUMBER, other)
        # A plant is one device, of which its limits and its reserve need to be named.
        with pytest.raises(ServiceValidationError) as caught:
            await set_number(PLANT, value)
        assert caught.value.translation_key == "out_of_range"
    assert state(hass, Platform.NUMBER, "battery_reserve").state == "30"
    assert state(hass, Platform.NUMBER, "export_limit").state == "3000"


async def test_an_option_for_an_area_does_not_reach_a_switch(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """The work mode is for every day; what is switched is a setting, which "turn everything off" leaves alone."""
    devices = await kinds(hass, house, "everyday")
    area = ar.async_get(hass).async_create("Cellar")
    dr.async_get(hass).async_update_device(devices["inverter"].id, area_id=area.id)
    await hass.services.async_call(
        "switch", "turn_off", {}, target={ATTR_AREA_ID: area.id}, blocking=True
    )
    assert house.machine().writes == []
    work_mode = entity(hass, Platform.SELECT, "work_mode")
    with pytest.raises(ServiceValidationError):
        # No other select has this option.
        await hass.services.async_call(
            "select",
            "select_option",
            {"option": "selling_first"},
            target={ATTR_AREA_ID: area.id},
            blocking=True,
        )
    shown = hass.states.get(work_mode)
    assert shown is not None
    assert shown.state == "selling_first"
