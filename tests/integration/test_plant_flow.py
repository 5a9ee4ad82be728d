"""The dialog of a plant: its members, who sees the grid, how large each battery is."""

from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.find.probe import Failure, ProbeError
from simulator import SimulatedPlant

from .helpers import IDENTITY, SERIAL, network_data
from .test_plant import plant_entry, shown


@pytest.fixture
def no_setup() -> Iterator[None]:
    """Keep entries from being set up."""
    with patch("custom_components.hybrid_inverter.async_setup_entry", return_value=True):
        yield


def machines(hass: HomeAssistant, *titles: str, role: str | None = None, first: int = 1) -> None:
    """Have an entry for each of these machines, inverters or meters; their serial numbers count up."""
    for number, title in enumerate(titles, first):
        serial = f"JSO000000{number}" if role is None else f"METER{number}"
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=f"Bus {number}",
            data=network_data(5000 + number),
            subentries_data=[
                {
                    "data": {
                        "unit_id": 1,
                        "identity": {**IDENTITY, "serial": serial},
                        **({} if role is None else {"role": role}),
                    },
                    "subentry_type": "inverter" if role is None else "meter",
                    "title": title,
                    "unique_id": serial,
                }
            ],
        )
        entry.add_to_hass(hass)


async def start(hass: HomeAssistant) -> dict[str, Any]:
    """Open the dialog and choose a plant."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert "plant" in result["menu_options"]
    return await submit(hass, dict(result), {"next_step_id": "plant"})


async def submit(
    hass: HomeAssistant, result: Mapping[str, Any], user_input: dict[str, Any]
) -> dict[str, Any]:
    """Send a form, or choose from a menu."""
    result = dict(await hass.config_entries.flow.async_configure(result["flow_id"], user_input))
    await hass.async_block_till_done()
    return result


def offered(result: Mapping[str, Any], field: str) -> dict[str, str]:
    """Return what a form offers in a field."""
    options = result["data_schema"].schema[field].config["options"]
    return {option["value"]: option["label"] for option in options}


def suggested(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form is filled with."""
    return {
        str(marker): marker.description["suggested_value"]
        for marker in result["data_schema"].schema
        if marker.description
    }


async def test_plant_of_one_inverter_is_set_up_with_its_reported_capacity(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """From nothing to the values; the inverter tells of its 600 Ah at 51.2 V itself."""
    result = await start(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "plant")
    assert offered(result, "members") == {SERIAL: "JSO8048104"}
    result = await submit(hass, result, {"name": "Home", "members": [SERIAL]})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "plant_battery")
    assert result["description_placeholders"] == {"inverter": "JSO8048104"}
    assert suggested(result) == {"capacity": 30.7}
    result = await submit(hass, result, {"capacity": 30.7})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Home"
    assert result["description"] == "plant"
    assert result["description_placeholders"] == {"plant": "Home"}
    assert result["data"] == {
        "type": "plant",
        "members": {SERIAL: "JSO8048104"},
        "capacities": {SERIAL: 30.7},
    }
    (home,) = [entry for entry in hass.config_entries.async_entries(DOMAIN) if entry is not loaded]
    assert shown(hass, home)["load_power"] == "420"
    assert home.supports_options
    assert home.supports_reconfigure
    assert loaded.supports_options


async def test_an_inverter_that_does_not_answer(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """A person knows the capacity, too."""
    await plant.tcp.stop()
    result = await submit(hass, await start(hass), {"name": "Home", "members": [SERIAL]})
    assert result["step_id"] == "plant_battery"
    assert suggested(result) == {"capacity": None}


async def test_three_inverters_are_asked_for_grid_and_each_battery(
    hass: HomeAssistant, no_setup: None
) -> None:
    """They are asked who sees the grid, and for their batteries one after the other."""
    machines(hass, "East", "West", "Barn")
    result = await submit(
        hass,
        await start(hass),
        {"name": "Farm", "members": ["JSO0000001", "JSO0000002", "JSO0000003"]},
    )
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "plant_grid")
    assert offered(result, "grid_inverter") == {
        "JSO0000001": "East",
        "JSO0000002": "West",
        "JSO0000003": "Barn",
    }
    result = await submit(hass, result, {"grid_inverter": "JSO0000002"})
    for inverter, capacity in (("East", 30), ("West", 10.5), ("Barn", 0)):
        assert result["step_id"] == "plant_battery"
        assert result["description_placeholders"] == {"inverter": inverter}
        # Their entries are not loaded.
        assert suggested(result) == {"capacity": None}
        result = await submit(hass, result, {"capacity": capacity})
    assert result["data"] == {
        "type": "plant",
        "members": {"JSO0000001": "East", "JSO0000002": "West", "JSO0000003": "Barn"},
        "grid_inverter": "JSO0000002",
        "capacities": {"JSO0000001": 30, "JSO0000002": 10.5, "JSO0000003": 0},
    }


async def test_devices_with_the_same_name_are_told_apart_by_their_links(
    hass: HomeAssistant, no_setup: None
) -> None:
    """A person may have given two of them one name; the others need nothing but theirs."""
    machines(hass, "Roof", "Roof", "Barn")
    assert offered(await start(hass), "members") == {
        "JSO0000001": "Roof, Bus 1",
        "JSO0000002": "Roof, Bus 2",
        "JSO0000003": "Barn",
    }


async def test_nobody_sees_the_grid(hass: HomeAssistant, no_setup: None) -> None:
    """The question may stay open."""
    machines(hass, "East", "West")
    result = await submit(
        hass, await start(hass), {"name": "Farm", "members": ["JSO0000001", "JSO0000002"]}
    )
    result = await submit(hass, result, {})
    result = await submit(hass, await submit(hass, result, {"capacity": 5}), {"capacity": 5})
    assert "grid_inverter" not in result["data"]


async def test_plant_with_a_grid_meter_asks_for_no_grid_inverter(
    hass: HomeAssistant, no_setup: None
) -> None:
    """Then nobody asks which inverter sees the grid; a meter of a part of the house is not offered."""
    machines(hass, "East", "West")
    machines(hass, "Grid", role="grid", first=3)
    machines(hass, "Heat pump", role="load", first=4)
    # A meter that has not been given a serial number yet, as its entry was never loaded.
    nameless = MockConfigEntry(
        domain=DOMAIN,
        data=network_data(6000),
        subentries_data=[
            {
                "data": {"unit_id": 1, "identity": {**IDENTITY, "serial": ""}, "role": "grid"},
                "subentry_type": "meter",
                "title": "New",
                "unique_id": None,
            }
        ],
    )
    nameless.add_to_hass(hass)
    result = await start(hass)
    assert list(offered(result, "members")) == ["JSO0000001", "JSO0000002", "METER3"]
    result = await submit(
        hass, result, {"name": "Farm", "members": ["JSO0000001", "JSO0000002", "METER3"]}
    )
    assert result["step_id"] == "plant_battery"


async def test_plant_of_a_solar_meter_alone_asks_nothing_more(
    hass: HomeAssistant, no_setup: None
) -> None:
    """A house with another maker's inverter only: nothing is asked any more."""
    machines(hass, "Roof", role="solar")
    result = await submit(hass, await start(hass), {"name": "House", "members": ["METER1"]})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {"type": "plant", "members": {"METER1": "Roof"}, "capacities": {}}


async def test_nothing_is_set_up(hass: HomeAssistant) -> None:
    """A plant has no machines of its own."""
    result = await start(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_machines")


async def test_members_that_make_no_plant(hass: HomeAssistant, no_setup: None) -> None:
    """Each with its message, and what was typed is kept; then it goes on."""
    machines(hass, *(f"Inverter {number}" for number in range(1, 10)))
    many = [f"JSO000000{number}" for number in range(1, 10)]
    machines(hass, "Grid", role="grid", first=10)
    machines(hass, "Tenth", "Eleventh", first=10)
    many += ["JSO00000010", "JSO00000011"]
    taken = plant_entry({"JSO0000005": "Inverter 5"}, {"JSO0000005": 10}, title="Barn")
    taken.add_to_hass(hass)

    result = await start(hass)
    for members, error, said in (
        ([], "no_source", {}),
        (["METER10"], "no_source", {}),
        (
            ["JSO0000004", "JSO0000005"],
            "in_another_plant",
            {"machine": "Inverter 5", "plant": "Barn"},
        ),
    ):
        result = await submit(hass, result, {"name": "Farm", "members": members})
        assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "plant")
        assert result["errors"] == {"members": error}
        assert result["description_placeholders"] == said
        assert suggested(result) == {"name": "Farm", "members": members}
    await hass.config_entries.async_remove(taken.entry_id)
    result = await submit(hass, result, {"name": "Farm", "members": many})
    assert result["errors"] == {"members": "too_many_inverters"}
    assert result["description_placeholders"] == {"most": "10"}
    result = await submit(hass, result, {"name": "Farm", "members": many[:10]})
    assert result["step_id"] == "plant_grid"


async def test_a_machine_that_is_gone_meanwhile(hass: HomeAssistant, no_setup: None) -> None:
    """It was removed while the form was open."""
    machines(hass, "East", "West")
    result = await start(hass)
    (_, west) = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_remove(west.entry_id)
    result = await submit(hass, result, {"name": "Farm", "members": ["JSO0000001", "JSO0000002"]})
    result = await submit(hass, result, {"capacity": 5})
    assert result["data"]["members"] == {"JSO0000001": "East"}


async def test_reconfiguring_fills_in_what_is_known_and_offers_own_members(
    hass: HomeAssistant, no_setup: None
) -> None:
    """What is known is filled in, but for what is not set up any more; its own members are no other plant's."""
    machines(hass, "East", "West")
    machines(hass, "Grid", role="grid", first=3)
    farm = plant_entry(
        {"JSO0000001": "East", "JSO0000009": "Sold"},
        {"JSO0000001": 12, "JSO0000009": 5},
        "JSO0000001",
        title="Farm",
    )
    farm.add_to_hass(hass)
    result = dict(await farm.start_reconfigure_flow(hass))
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "plant")
    assert suggested(result) == {"name": "Farm", "members": ["JSO0000001"]}
    result = await submit(hass, result, {"name": "Home", "members": ["JSO0000001", "JSO0000002"]})
    assert result["step_id"] == "plant_grid"
    assert suggested(result) == {"grid_inverter": "JSO0000001"}
    result = await submit(hass, result, {"grid_inverter": "JSO0000002"})
    assert suggested(result) == {"capacity": 12}
    result = await submit(hass, result, {"capacity": 12})
    assert suggested(result) == {"capacity": None}
    result = await submit(hass, result, {"capacity": 8})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert farm.title == "Home"
    assert farm.data == {
        "type": "plant",
        "members": {"JSO0000001": "East", "JSO0000002": "West"},
        "grid_inverter": "JSO0000002",
        "capacities": {"JSO0000001": 12, "JSO0000002": 8},
    }


async def test_a_new_link_beside_a_plant(hass: HomeAssistant, no_setup: None) -> None:
    """A plant has no address that another entry could have."""
    plant_entry({"JSO0000001": "East"}, {"JSO0000001": 12}).add_to_hass(hass)
    machines(hass, "East")
    for port, outcome in ((5001, ("reason", "already_configured")), (1, ("step_id", "network"))):
        result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        result = await submit(hass, result, {"next_step_id": "network"})
        with patch(
            "custom_components.hybrid_inverter.flow.probe.probe",
            side_effect=ProbeError(Failure.UNRESOLVED),
        ):
            result = await submit(
                hass, result, {"host": "127.0.0.1", "port": port, "framing": "tcp"}
            )
        key, value = outcome
        assert result[key] == value
