"""What comes after adding an entry: one page that says what is next, and leads there."""

from typing import Any

from homeassistant.config_entries import SOURCE_USER, FlowType
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import SERIAL, past_maker, unit_of
from .test_energy import device, offered
from .test_plant import plant_entry

DOCS = "https://github.com/hybrid-inverter/hybrid-inverter/blob/main/docs"
LINKS = {
    "control_url": f"{DOCS}/battery-control.md",
    "dashboard_url": f"{DOCS}/dashboard.md",
    "plant_url": f"{DOCS}/plant.md",
    "schedule_url": f"{DOCS}/schedule.md",
}


async def choose(hass: HomeAssistant, flow_id: str, step: str) -> dict[str, Any]:
    """Choose from the page about what is next."""
    manager = hass.config_entries.options
    return dict(await manager.async_configure(flow_id, {"next_step_id": step}))


async def test_an_inverter_that_was_added_is_in_the_energy_dashboard_two_clicks_later(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """The entry is set up when the page opens, so its sensors can be offered."""
    hass.config.components.add("energy")
    flows = hass.config_entries.flow
    result: Any = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "network"})
    result = await past_maker(
        flows,
        await flows.async_configure(
            result["flow_id"], {"host": "127.0.0.1", "port": plant.tcp_port}
        ),
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    kind, flow_id = result["next_flow"]
    assert kind is FlowType.OPTIONS_FLOW
    told: Any = await hass.config_entries.options.async_configure(flow_id)
    assert told["step_id"] == "next_inverter"
    entry = result["result"]
    # The page opens a flow of its own for the one that it is told of.
    manager = hass.config_entries.options
    shown: Any = await manager.async_init(entry.entry_id)
    assert [flow["flow_id"] for flow in manager.async_progress()] == [shown["flow_id"]]
    flow_id = shown["flow_id"]
    assert (shown["type"], shown["step_id"]) == (FlowResultType.MENU, "next_inverter")
    assert shown["menu_options"] == ["energy", "settings", "finish"]
    assert shown["description_placeholders"] == LINKS | {"model": "JSO8048104", "serial": SERIAL}
    form = await choose(hass, flow_id, "energy")
    assert set(offered(form)) == {f"{flow}_{SERIAL}" for flow in ("grid", "solar", "battery")}
    added: Any = await hass.config_entries.options.async_configure(flow_id, {})
    assert added["reason"] == "energy_added"
    await hass.async_block_till_done(wait_background_tasks=True)
    # A person may as well leave it at that, and nothing is loaded again.
    unit = unit_of(entry)
    page = await hass.config_entries.options.async_init(entry.entry_id, context={"source": "added"})
    assert (await choose(hass, page["flow_id"], "finish"))["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert unit_of(entry) is unit
    assert entry.options == {}
    assert (await manager.async_init(entry.entry_id))["step_id"] == "init"


@pytest.mark.parametrize(
    ("kind", "placeholders", "choices"),
    [
        ("meter", {"model": "DTSU666"}, ["energy", "settings", "finish"]),
        ("plant", {"plant": "Home"}, ["energy", "finish"]),
    ],
)
async def test_a_meter_and_a_plant_have_pages_of_their_own(
    hass: HomeAssistant, kind: str, placeholders: dict[str, str], choices: list[str]
) -> None:
    """A meter has no schedule, and a plant no settings."""
    if kind == "meter":
        entry = device(hass, "METER1", "Grid meter", role="grid")
    else:
        entry = plant_entry({}, {})
        entry.add_to_hass(hass)
    page = await hass.config_entries.options.async_init(entry.entry_id, context={"source": "added"})
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, f"next_{kind}")
    assert page["menu_options"] == choices
    assert page["description_placeholders"] == LINKS | placeholders
