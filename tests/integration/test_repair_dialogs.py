"""Repairs that a person fixes in a dialog: a schedule that cannot charge, and another machine at an inverter's address."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import freezegun
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import issue_id
from simulator import SimulatedPlant

from .helpers import SERIAL, load_plant, refresh, unit_of

# Whether the battery is charged from the grid (bit 0), and what the first slot charges from (bit 0: the grid).
GRID_CHARGE: Final = 130
SLOT_1: Final = 172
CHARGE_OFF: Final = issue_id(SERIAL, "charge_off", "grid_charge_enabled")
OTHER: Final = issue_id(SERIAL, "other_machine")

type Post = Callable[[str, dict[str, Any]], Awaitable[Any]]


@pytest.fixture
async def post(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Post:
    """Return how to open the dialog of a repair, and how to go on in it."""
    assert await async_setup_component(hass, "repairs", {})

    async def send(path: str, data: dict[str, Any]) -> Any:
        # Nothing can be added to the server once there is a client.
        client = await hass_client()
        answer = await client.post(f"/api/repairs/issues/fix{path}", json=data)
        assert answer.status == HTTPStatus.OK
        return await answer.json()

    return send


def told(hass: HomeAssistant, issue: str) -> dict[str, str] | None:
    """Return what an issue names; None while there is none."""
    found = ir.async_get(hass).async_get_issue(DOMAIN, issue)
    return None if found is None else dict(found.translation_placeholders or {})


# ---------------------------------------------------------------------- a schedule that cannot charge


async def later(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: MockConfigEntry, minutes: float
) -> None:
    """Poll the settings some minutes later."""
    freezer.tick(timedelta(minutes=minutes))
    await refresh(hass, entry, Group.SETTINGS)


@pytest.mark.freeze_time("2026-06-21 08:00:05+00:00")
async def test_a_schedule_that_cannot_charge_is_told_after_a_quarter_of_an_hour_and_mended(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    post: Post,
) -> None:
    """Not while the slot does not charge, the schedule is off, or the switch is on."""
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)
    machine = plant.machine()
    machine.panel_change(GRID_CHARGE, machine.word(GRID_CHARGE) & ~1)
    machine.panel_change(SLOT_1, machine.word(SLOT_1) | 1)
    entry = await load_plant(hass, plant)
    await later(hass, freezer, entry, 14)
    assert told(hass, CHARGE_OFF) is None
    await later(hass, freezer, entry, 2)
    assert told(hass, CHARGE_OFF) == {"name": "JSO8048104", "setting": "Grid charge"}

    shown = await post("", {"handler": DOMAIN, "issue_id": CHARGE_OFF})
    assert (shown["type"], shown["step_id"]) == ("form", "confirm")
    machine.trouble.locked = True
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["errors"] == {"base": "not_switched_on"}
    assert (
        "the inverter acknowledged On but still holds Off (register 130)"
        in (shown["description_placeholders"]["error"])
    )
    machine.trouble.locked = False
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["type"] == "create_entry"
    assert machine.word(GRID_CHARGE) & 1
    assert told(hass, CHARGE_OFF) is None
    await later(hass, freezer, entry, 20)
    assert told(hass, CHARGE_OFF) is None


@pytest.mark.freeze_time("2026-06-21 08:00:05+00:00")
async def test_the_issue_goes_with_its_reason_but_one_that_is_ignored_stays_so(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some owners turn grid charge off for the summer, and leave the slots as they are."""
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)
    machine = plant.machine()
    off, on = machine.word(GRID_CHARGE) & ~1, machine.word(GRID_CHARGE) | 1
    machine.panel_change(GRID_CHARGE, off)
    machine.panel_change(SLOT_1, machine.word(SLOT_1) | 1)
    entry = await load_plant(hass, plant)
    await later(hass, freezer, entry, 16)
    assert told(hass, CHARGE_OFF) is not None
    machine.panel_change(GRID_CHARGE, on)
    await later(hass, freezer, entry, 5)
    assert told(hass, CHARGE_OFF) is None
    machine.panel_change(GRID_CHARGE, off)
    await later(hass, freezer, entry, 5)
    await later(hass, freezer, entry, 16)
    ir.async_ignore_issue(hass, DOMAIN, CHARGE_OFF, ignore=True)
    machine.panel_change(GRID_CHARGE, on)
    await later(hass, freezer, entry, 5)
    machine.panel_change(GRID_CHARGE, off)
    await later(hass, freezer, entry, 5)
    await later(hass, freezer, entry, 16)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, CHARGE_OFF)
    assert issue is not None
    assert issue.dismissed_version is not None


# ---------------------------------------------------------------------- another machine


async def replace(hass: HomeAssistant, entry: MockConfigEntry, plant: SimulatedPlant) -> None:
    """Have the machine fall silent, and another one answer at its unit id."""
    plant.machine().trouble.silent = True
    await refresh(hass, entry, Group.POWER)
    plant.machine().trouble.silent = False
    # The last character of the serial number.
    plant.machine().panel_change(7, 0x3039)
    await refresh(hass, entry, Group.POWER)


async def looks(hass: HomeAssistant, times: int) -> None:
    """Let so many minutes pass for the watch."""
    for minute in range(times):
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61 * (minute + 1)))
        await hass.async_block_till_done()


async def test_another_machine_is_told_when_it_stays_and_withdrawn_when_it_is_gone(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """While a line is rewired, anything may answer for a moment."""
    await replace(hass, loaded, plant)
    await looks(hass, 1)
    assert told(hass, OTHER) is None
    await looks(hass, 2)
    assert told(hass, OTHER) == {
        "name": "JSO8048104",
        "unit_id": "1",
        "found": "a device with another serial number",
    }
    plant.machine().panel_change(7, 0x3031)
    await refresh(hass, loaded, Group.POWER)
    assert told(hass, OTHER) is None
    await looks(hass, 3)
    assert told(hass, OTHER) is None


async def test_an_inverter_with_another_unit_id_is_found_by_its_serial_number(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, post: Post
) -> None:
    """It is read and written there from then on; one that is nowhere is searched for in vain."""
    await replace(hass, loaded, plant)
    await looks(hass, 2)
    shown = await post("", {"handler": DOMAIN, "issue_id": OTHER})
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["errors"] == {"base": "not_found"}
    assert shown["description_placeholders"]["error"].startswith(
        "JSO8048104 was not found: it answers at none of the unit ids 1 to 16 on this line."
    )
    # The right one at unit id 5, and nobody at 1.
    plant.machine().panel_change(7, 0x3031)
    plant.machines[5] = plant.machines.pop(1)
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert told(hass, OTHER) is None
    assert unit_of(loaded).unit_id == 5
    assert unit_of(loaded).coordinators[Group.POWER].last_update_success
