"""What a person is told when an order cannot be ended, was ended late, or is fought over; and the dialog that tries again."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import ConfirmRepairFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter import repairs
from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.control.driver import Driver
from custom_components.hybrid_inverter.control.request import OrderRequest
from custom_components.hybrid_inverter.control.setup import driver_of
from custom_components.hybrid_inverter.modbus.control.order import ControlMode
from custom_components.hybrid_inverter.runtime.issues import machine_tag
from simulator import SimulatedPlant

from .helpers import unit_of
from .test_schedule_windows import SERIAL, set_up

# 10:00:05 in Berlin.
MORNING: Final = "2026-06-21 08:00:05+00:00"
# The minimum state of charge on the grid: as its owner has set it, and while the battery is held.
FLOOR: Final = 0x3644
OWNERS: Final = 20
HELD: Final = 100

TAG: Final = machine_tag(SERIAL)
NOT_PUT_BACK: Final = f"{TAG}_control_not_put_back"
PUT_BACK: Final = f"{TAG}_control_put_back"
TWO_MASTERS: Final = f"{TAG}_control_two_masters"
LEFT_ALONE: Final = f"{TAG}_control_left_alone"

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


@pytest.fixture
async def loaded(hass: HomeAssistant, saj: SimulatedPlant) -> MockConfigEntry:
    """Return the entry of a SAJ that serves its house."""
    return await set_up(hass, saj, "discharge_slots")


def driver(hass: HomeAssistant, entry: MockConfigEntry) -> Driver:
    """Return what drives the orders of the only inverter."""
    found = driver_of(hass, unit_of(entry))
    assert found is not None
    return found


async def hold(hass: HomeAssistant, entry: MockConfigEntry, minutes: int = 30) -> None:
    """Hold the battery for some minutes, for an automation."""
    await driver(hass, entry).keeper.async_order(
        OrderRequest(
            mode=ControlMode.HOLD,
            until=dt_util.utcnow() + timedelta(minutes=minutes),
            owner="Cheap hours",
            of_person=False,
        )
    )


async def limit_export(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Have nothing flow into the grid for half an hour, for an automation."""
    await driver(hass, entry).keeper.async_order(
        OrderRequest(
            mode=ControlMode.EXPORT_LIMIT,
            until=dt_util.utcnow() + timedelta(minutes=30),
            owner="Low prices",
            of_person=False,
            power=0,
        )
    )


async def wait(hass: HomeAssistant, freezer: FrozenDateTimeFactory, minutes: float) -> None:
    """Let some minutes pass at once, also for timers, which wait by the time of the event loop."""
    some = timedelta(minutes=minutes)
    freezer.tick(some)
    async_fire_time_changed(hass, dt_util.utcnow() + some)
    await hass.async_block_till_done(wait_background_tasks=True)


def issues(hass: HomeAssistant) -> dict[str, dict[str, str] | None]:
    """Return the issues with what their texts are given."""
    registry = ir.async_get(hass)
    return {issue.issue_id: issue.translation_placeholders for issue in registry.issues.values()}


async def is_confirmed(hass: HomeAssistant, issue_id: str) -> bool:
    """Return whether an issue is read and confirmed."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.is_fixable
    assert issue.is_persistent
    dialog = await repairs.async_create_fix_flow(hass, issue_id, issue.data)
    return isinstance(dialog, ConfirmRepairFlow)


# ---------------------------------------------------------------------- it cannot be ended


async def locked_at_the_end(
    hass: HomeAssistant, entry: MockConfigEntry, saj: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """Hold the battery, and have the inverter ignore what is written when that is over."""
    await hold(hass, entry, 10)
    assert saj.machine().word(FLOOR) == HELD
    saj.machine().trouble.locked = True
    await wait(hass, freezer, 10)
    assert issues(hass) == {}
    await wait(hass, freezer, 5)


async def test_an_inverter_that_does_not_let_go_of_an_order_is_told_until_it_does(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After five minutes, with the names of the settings that remain."""
    await locked_at_the_end(hass, loaded, saj, freezer)
    assert issues(hass) == {NOT_PUT_BACK: {"name": "H2-6K-S2", "settings": "Min SOC on grid"}}
    issue = ir.async_get(hass).async_get_issue(DOMAIN, NOT_PUT_BACK)
    assert issue is not None
    assert issue.severity is ir.IssueSeverity.ERROR
    saj.machine().trouble.locked = False
    await wait(hass, freezer, 5)
    assert saj.machine().word(FLOOR) == OWNERS
    assert issues(hass) == {}


async def test_an_inverter_that_does_not_let_go_is_written_to_less_and_less(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At the end, and then after pauses of 30 s, 1, 2, 4, 8 and 16 min; each time it is tried twice."""
    await hold(hass, loaded)
    saj.machine().trouble.locked = True
    arrived = len(saj.machine().writes)
    await wait(hass, freezer, 30)
    for _ in range(60):
        await wait(hass, freezer, 1)
    written = saj.machine().writes[arrived:]
    assert {write.address for write in written} == {FLOOR}
    assert len(written) == 2 * 7


async def test_the_dialog_tries_again_and_says_why_it_was_in_vain(
    hass: HomeAssistant,
    *,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
) -> None:
    """Once the inverter keeps what is written, the settings are the owner's, and the issue is gone."""
    assert await async_setup_component(hass, "repairs", {})
    await locked_at_the_end(hass, loaded, saj, freezer)
    client = await hass_client()

    async def post(path: str, data: dict[str, Any]) -> Any:
        answer = await client.post(f"/api/repairs/issues/fix{path}", json=data)
        assert answer.status == HTTPStatus.OK
        return await answer.json()

    shown = await post("", {"handler": DOMAIN, "issue_id": NOT_PUT_BACK})
    assert (shown["type"], shown["step_id"]) == ("form", "confirm")
    assert shown["description_placeholders"] == {
        "name": "H2-6K-S2",
        "settings": "Min SOC on grid",
    }
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["errors"] == {"base": "not_put_back"}
    assert shown["description_placeholders"]["error"] == (
        "the device did not keep what was written to register 13892"
    )
    saj.machine().trouble.locked = False
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["type"] == "create_entry"
    assert saj.machine().word(FLOOR) == OWNERS
    assert issues(hass) == {}


async def test_the_dialog_leaves_alone_what_is_still_ordered(
    hass: HomeAssistant,
    *,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An export limit that ends later than the order that could not be ended."""
    await limit_export(hass, loaded)
    await locked_at_the_end(hass, loaded, saj, freezer)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, NOT_PUT_BACK)
    assert issue is not None
    saj.machine().trouble.locked = False
    dialog = await repairs.async_create_fix_flow(hass, NOT_PUT_BACK, issue.data)
    dialog.hass, dialog.issue_id, dialog.data = hass, NOT_PUT_BACK, issue.data
    assert isinstance(dialog, repairs.PutBackDialog)
    result = await dialog.async_step_confirm({})
    assert result["type"] == "create_entry"
    assert saj.machine().word(FLOOR) == OWNERS
    (left,) = driver(hass, loaded).keeper.leases
    assert (left.order.mode, left.owner) == (ControlMode.EXPORT_LIMIT, "Low prices")


async def test_the_dialog_says_when_the_inverter_is_not_loaded(
    hass: HomeAssistant,
    *,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nobody can put anything back then."""
    await locked_at_the_end(hass, loaded, saj, freezer)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, NOT_PUT_BACK)
    assert issue is not None
    assert await hass.config_entries.async_unload(loaded.entry_id)
    dialog = await repairs.async_create_fix_flow(hass, NOT_PUT_BACK, issue.data)
    assert isinstance(dialog, repairs.PutBackDialog)
    dialog.hass, dialog.issue_id, dialog.data = hass, NOT_PUT_BACK, issue.data
    result = await dialog.async_step_confirm({})
    assert (result["type"], result["reason"]) == ("abort", "not_loaded")


# ---------------------------------------------------------------------- it was ended late, or not at all


async def crash(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory, away: timedelta
) -> None:
    """End everything without ending the order, and start again after some time."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(away)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_what_was_put_back_at_a_start_is_told_with_whose_it_was(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The order was over while nobody was there."""
    await hold(hass, loaded)
    await crash(hass, loaded, freezer, timedelta(hours=2))
    assert saj.machine().word(FLOOR) == OWNERS
    assert issues(hass) == {PUT_BACK: {"name": "H2-6K-S2", "mode": "Hold", "owner": "Cheap hours"}}
    assert await is_confirmed(hass, PUT_BACK)


async def test_an_order_that_goes_on_after_a_start_is_no_issue(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The inverter holds what it should."""
    await hold(hass, loaded)
    await crash(hass, loaded, freezer, timedelta(minutes=5))
    assert saj.machine().word(FLOOR) == HELD
    assert issues(hass) == {}


async def test_what_is_left_of_an_order_of_last_week_is_told_and_not_written(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nobody knows whose words these are."""
    await hold(hass, loaded)
    arrived = len(saj.machine().writes)
    await crash(hass, loaded, freezer, timedelta(days=8))
    assert len(saj.machine().writes) == arrived
    assert issues(hass) == {
        LEFT_ALONE: {
            "name": "H2-6K-S2",
            "mode": "Hold",
            "owner": "Cheap hours",
            "until": "2026-06-21 10:30",
            "settings": "Min SOC on grid",
        }
    }
    assert await is_confirmed(hass, LEFT_ALONE)


async def test_what_a_removed_inverter_has_not_let_go_of_is_told(
    hass: HomeAssistant, saj: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nobody is going to try again."""
    await hold(hass, loaded)
    saj.machine().trouble.locked = True
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert saj.machine().word(FLOOR) == HELD
    told = issues(hass)[LEFT_ALONE]
    assert told is not None
    assert told["settings"] == "Min SOC on grid"


# ---------------------------------------------------------------------- somebody else is in charge


async def test_who_takes_over_three_times_a_day_is_an_issue(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With the settings that were changed; twice may be chance."""
    take_over = taker(hass, saj, loaded, freezer)
    await take_over()
    await take_over()
    assert issues(hass) == {}
    await take_over()
    assert saj.machine().word(FLOOR) == 30
    assert issues(hass) == {
        TWO_MASTERS: {
            "name": "H2-6K-S2",
            "times": "3",
            "owner": "Cheap hours",
            "settings": "Min SOC on grid",
        }
    }
    assert await is_confirmed(hass, TWO_MASTERS)


async def test_who_ends_two_orders_at_once_has_taken_over_once(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """One change of the floor ends the order of the battery and the export limit beside it."""
    take_over = taker(hass, saj, loaded, freezer)
    happened: list[tuple[str, str]] = []
    keeper = driver(hass, loaded).keeper
    keeper.async_add_event_listener(
        lambda event: happened.append((event.type.value, event.attributes["mode"]))
    )
    for _ in range(2):
        await limit_export(hass, loaded)
        await take_over()
    assert happened[-2:] == [("overridden", "hold"), ("overridden", "export_limit")]
    assert issues(hass) == {}
    await take_over()
    told = issues(hass)[TWO_MASTERS]
    assert told is not None
    assert told["times"] == "3"


async def test_who_takes_over_once_a_day_is_none(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each of them may be a person at the display."""
    take_over = taker(hass, saj, loaded, freezer)
    for _ in range(4):
        await take_over()
        freezer.tick(timedelta(hours=13))
    assert issues(hass) == {}


def taker(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> Callable[[], Awaitable[None]]:
    """Return what orders that the battery is held, and changes that at the inverter."""

    async def take_over() -> None:
        await hold(hass, entry)
        saj.machine().panel_change(FLOOR, 30)
        await wait(hass, freezer, 1)
        assert driver(hass, entry).keeper.leases == ()

    return take_over
