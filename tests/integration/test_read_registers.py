"""The action that reads registers as they are, on simulated machines."""

from typing import Any

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer

from .helpers import load, network_entry, requests, unit_of
from .test_schedule_windows import set_up

INSTALLER = {"tier": "installer"}


async def read(
    hass: HomeAssistant, entry: MockConfigEntry, user_id: str | None = None, **data: Any
) -> list[dict[str, Any]]:
    """Call the action for the entry's only machine."""
    response = await hass.services.async_call(
        DOMAIN,
        "read_registers",
        {ATTR_DEVICE_ID: unit_of(entry).device_id, **data},
        blocking=True,
        return_response=True,
        context=Context(user_id=user_id),
    )
    assert response is not None
    registers = response["registers"]
    assert isinstance(registers, list)
    return registers


@pytest.fixture
async def installer(
    hass: HomeAssistant, plant: SimulatedPlant, few_entities: None
) -> MockConfigEntry:
    """Return the simulated JSO, set up with everything that an installer may change."""
    return await load(hass, network_entry(plant.tcp_port, options=INSTALLER))


@pytest.fixture
async def photographed(
    hass: HomeAssistant, pictured: MockConfigEntry, few_entities: None
) -> MockConfigEntry:
    """Return the machine of the fixture, set up with everything that an installer may change."""
    hass.config_entries.async_update_entry(pictured, options=INSTALLER)
    return await load(hass, pictured, background=True)


async def test_a_known_register_has_key_and_value_and_an_unknown_one_is_raw(
    hass: HomeAssistant, picture: FaultServer, photographed: MockConfigEntry
) -> None:
    """143 is the limit of what is sold, in watts; 144 is no row of the table, and holds what the fixture does."""
    picture.memory[1, 144] = 51966
    picture.requests.clear()
    assert await read(hass, photographed, register="0x8F", count=2) == [
        {
            "register": 143,
            "register_hex": "0x008F",
            "word": 5000,
            "word_hex": "0x1388",
            "values": {"max_sell_power": {"value": 5000, "unit": "W"}},
        },
        {"register": 144, "register_hex": "0x0090", "word": 51966, "word_hex": "0xCAFE"},
    ]
    assert [(one.function, one.address, one.count) for one in picture.requests] == [(3, 143, 2)]


async def test_a_value_of_several_registers_stands_at_each_of_them_once_all_are_read(
    hass: HomeAssistant, photographed: MockConfigEntry
) -> None:
    """516 and 517 are the low and the high word of the energy that was ever charged, in tenths of a kWh."""
    low, high = await read(hass, photographed, register=516, count=2)
    assert set(low["values"]) == set(high["values"]) == {"battery_charge_energy_total"}
    assert low["values"] == high["values"]
    (alone,) = await read(hass, photographed, register=517)
    assert "values" not in alone


async def test_no_request_is_longer_than_the_device_takes(
    hass: HomeAssistant, picture: FaultServer, photographed: MockConfigEntry
) -> None:
    """A JSO takes 100 registers at a time."""
    picture.requests.clear()
    assert len(await read(hass, photographed, register=10, count=125)) == 125
    asked = [(one.address, one.count) for one in picture.requests]
    assert asked == [(10, 100), (110, 25)]


async def test_a_serial_number_is_left_out(
    hass: HomeAssistant, photographed: MockConfigEntry
) -> None:
    """It lies at 3 to 7; a response is pasted into a report."""
    shown = await read(hass, photographed, register=2, count=7)
    assert [one["register"] for one in shown if "redacted" in one] == [3, 4, 5, 6, 7]
    assert all("word" not in one for one in shown[1:6])
    assert "word" in shown[0]
    assert "word" in shown[6]


async def test_what_the_device_refuses_is_told_apart_from_what_it_serves(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """Two registers in the middle, which take no other one along."""
    plant.machine().trouble.refused_blocks = ((205, 206, 2),)
    shown = await read(hass, installer, register=200, count=12)
    assert [one["register"] for one in shown if one.get("refused")] == [205, 206]
    assert sum("word" in one for one in shown) == 10


@pytest.mark.parametrize(("register", "count"), [(230, 20), (238, 1), (65000, 1)])
async def test_only_readable_areas_are_read(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    installer: MockConfigEntry,
    register: int,
    count: int,
) -> None:
    """The message names the areas; nothing is sent."""
    before = requests(plant)
    with pytest.raises(ServiceValidationError) as caught:
        await read(hass, installer, register=register, count=count)
    assert requests(plant) == before
    assert caught.value.translation_key == "registers_not_readable"
    assert caught.value.translation_placeholders is not None
    assert caught.value.translation_placeholders["areas"] == (
        "0-237, 310-334, 336-347, 350-424, 480-493, 500-708, 0x2710-0x2712, 0x2730-0x285F"
    )


@pytest.mark.parametrize("options", [{"tier": "read_only"}, {}])
async def test_a_lower_tier_than_the_installers_reads_nothing(
    hass: HomeAssistant, plant: SimulatedPlant, few_entities: None, options: dict[str, str]
) -> None:
    """It says what to choose."""
    entry = await load(hass, network_entry(plant.tcp_port, options=options))
    before = requests(plant)
    with pytest.raises(ServiceValidationError) as caught:
        await read(hass, entry, register=587)
    assert requests(plant) == before
    assert str(caught.value) == (
        "No register of JSO8048104 was read: this is only possible with "
        '"Everyday and installer settings". Select it in the options of the integration'
    )


@pytest.mark.parametrize(
    "data",
    [
        {"register": "battery"},
        {"register": 65536},
        {"register": -1},
        {"register": 587, "count": 0},
        {"register": 587, "count": 126},
        {},
    ],
)
async def test_nonsense_is_refused(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry, data: dict[str, Any]
) -> None:
    """Before anything is sent."""
    before = requests(plant)
    with pytest.raises(vol.Invalid):
        await read(hass, installer, **data)
    assert requests(plant) == before


async def test_who_may_only_look_does_not_read_registers(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    installer: MockConfigEntry,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    """An administrator does."""
    before = requests(plant)
    with pytest.raises(Unauthorized):
        await read(hass, installer, hass_read_only_user.id, register=587)
    assert requests(plant) == before
    assert len(await read(hass, installer, hass_admin_user.id, register=587)) == 1


async def test_a_device_that_does_not_answer_is_named(
    hass: HomeAssistant, plant: SimulatedPlant, installer: MockConfigEntry
) -> None:
    """With the reason, and what to do."""
    plant.machine().trouble.refused_blocks = ((0, 708, 6),)
    with pytest.raises(HomeAssistantError) as caught:
        await read(hass, installer, register=587)
    assert caught.value.translation_key == "registers_not_read"
    assert caught.value.translation_placeholders == {
        "device": "JSO8048104",
        "error": "the device is busy, probably with another program; stop that program or try "
        "again later (Modbus exception 6)",
    }


async def test_a_saj_is_read_at_the_addresses_of_its_manual(
    hass: HomeAssistant, saj: SimulatedPlant, few_entities: None
) -> None:
    """0x406F is the state of charge in hundredths of a percent; what lies around it is read along."""
    entry = await set_up(hass, saj)
    hass.config_entries.async_update_entry(entry, options=INSTALLER)
    await hass.config_entries.async_reload(entry.entry_id)
    shown = await read(hass, entry, register="0x406F", count=2)
    assert [one["register_hex"] for one in shown] == ["0x406F", "0x4070"]
    word, values = shown[0]["word"], shown[0]["values"]
    assert values == {"battery_soc": {"value": word / 100, "unit": "%"}}
    with pytest.raises(ServiceValidationError):
        await read(hass, entry, register="0x4080", count=16)
