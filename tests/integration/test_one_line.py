"""Two inverters of different makers and two meters on one line, added one after the other as a person would."""

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import add_unit, answer, choose, network_data, state, status


@pytest.mark.usefixtures("socket_enabled", "quick_saj", "few_entities")
async def test_four_devices_on_one_line_have_their_values_in_any_order(hass: HomeAssistant) -> None:
    """Each has its device and its values, whoever came first, and one entry has them all."""
    devices = {11: "DTSU666", 1: "JSO8048104", 3: "H2-6K-S2", 12: "DDSU666"}
    async with SimulatedPlant(devices=devices) as plant:
        plant.advance(60)
        flow = hass.config_entries.flow
        result = dict(await flow.async_init(DOMAIN, context={"source": SOURCE_USER}))
        for user_input in (
            {"next_step_id": "network"},
            {"host": "127.0.0.1", "port": plant.tcp_port, "advanced": {"unit_id": 11}},
            {"next_step_id": "direct"},
            {"role": "grid", "inverted": False},
        ):
            result = dict(await flow.async_configure(result["flow_id"], user_input))
        entry = result["result"]
        await hass.async_block_till_done(wait_background_tasks=True)
        for unit_id in (1, 3):
            form = await choose(hass, await add_unit(hass, entry, "inverter"), "unit_id")
            added = await answer(hass, form, {"unit_id": unit_id})
            assert added["type"] is FlowResultType.CREATE_ENTRY
        form = await choose(hass, await add_unit(hass, entry, "meter"), "direct", "unit_id")
        form = await answer(hass, form, {"unit_id": 12})
        added = await answer(hass, form, {"role": "solar", "inverted": False})
        assert added["type"] is FlowResultType.CREATE_ENTRY
        assert status(entry) is ConfigEntryState.LOADED
        assert entry.data == network_data(plant.tcp_port)
        assert [(unit.title, unit.data["unit_id"]) for unit in entry.subentries.values()] == [
            ("Grid meter", 11),
            ("JSO8048104", 1),
            ("H2-6K-S2", 3),
            ("Solar meter", 12),
        ]
        for serial in (
            f"{entry.entry_id}_11",
            "JSO0000001",
            "SAJSIM000000000001",
            f"{entry.entry_id}_12",
        ):
            shown = state(hass, Platform.BINARY_SENSOR, "connectivity", serial)
            assert shown.state == "on", serial
        units = {unit.unit_id: unit for unit in entry.runtime_data.units.values()}
        assert units[1].device.values["battery_soc"] == 60
        assert units[3].device.values["battery_soc"] == 60.75
        # Each phase is rounded to a tenth of a watt.
        grid = units[11].device.values
        assert grid["power"] == pytest.approx(
            grid["l1_power"] + grid["l2_power"] + grid["l3_power"], abs=0.3
        )
        assert units[12].device.values["power"] > 0
        await hass.config_entries.async_unload(entry.entry_id)
