"""What a person is told when an order cannot be ended, was ended late, or is fought over; and the dialog that tries again."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
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
from custom_components.hybrid_inverter.modbus.control.order import ControlMode
from custom_components.hybrid_inverter.runtime.issues import machine_tag
from simulator import SimulatedPlant

from .helpers import driver_in
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
GIVEN_UP: Final = f"{TAG}_control_given_up"

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


async def wait(hass: HomeAssistant, freezer: FrozenDateTimeFactory, minutes: float) -> None:
    """Let some minutes pass at once, also for timers, which wait by the time of the event loop."""
    some = timedelta(minutes=minutes)
    freezer.tick(some)
    async_fire_time_changed(hass, dt_util.utcnow() + some)
    await hass.async_block_till_done(wait_background_tasks=True)


@dataclass(frozen=True, slots=True)
class Scene:
    """A SAJ that serves its house, its loaded entry, and the time."""

    hass: HomeAssistant
    saj: SimulatedPlant
    entry: MockConfigEntry
    freezer: FrozenDateTimeFactory

    @property
    def driver(self) -> Driver:
        """What drives the orders of the inverter."""
        return driver_in(self.entry)

    @property
    def floor(self) -> int:
        """The minimum state of charge on the grid that the inverter holds."""
        return self.saj.machine().word(FLOOR)

    @property
    def arrived(self) -> int:
        """How many writes have reached the inverter."""
        return len(self.saj.machine().writes)

    def lock(self, *, locked: bool = True) -> None:
        """Have the inverter ignore what is written, or keep it again."""
        self.saj.machine().trouble.locked = locked

    async def hold(self, minutes: int = 30) -> None:
        """Hold the battery for some minutes, for an automation."""
        await self.driver.keeper.async_order(
            OrderRequest(
                mode=ControlMode.HOLD,
                until=dt_util.utcnow() + timedelta(minutes=minutes),
                owner="Cheap hours",
                of_person=False,
            )
        )

    async def limit_export(self) -> None:
        """Have nothing flow into the grid for half an hour, for an automation."""
        await self.driver.keeper.async_order(
            OrderRequest(
                mode=ControlMode.EXPORT_LIMIT,
                until=dt_util.utcnow() + timedelta(minutes=30),
                owner="Low prices",
                of_person=False,
                power=0,
            )
        )

    async def wait(self, minutes: float) -> None:
        """Let some minutes pass at once."""
        await wait(self.hass, self.freezer, minutes)

    async def end_locked(self) -> None:
        """Hold the battery, and have the inverter ignore what is written when that is over."""
        await self.hold(10)
        assert self.floor == HELD
        self.lock()
        await self.wait(10)
        assert self.issues() == {}
        await self.wait(5)

    async def crash(self, away: timedelta) -> None:
        """End everything without ending the order, and start again after some time."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        self.freezer.tick(away)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def take_over(self) -> None:
        """Order that the battery is held, and change that at the inverter."""
        await self.hold()
        self.saj.machine().panel_change(FLOOR, 30)
        await self.wait(1)
        assert self.driver.keeper.leases == ()

    def issues(self) -> dict[str, dict[str, str] | None]:
        """Return the issues with what their texts are given."""
        known = ir.async_get(self.hass).issues.values()
        return {issue.issue_id: issue.translation_placeholders for issue in known}

    def issue(self, issue_id: str) -> ir.IssueEntry:
        """Return an issue that there is."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, issue_id)
        assert issue is not None
        return issue

    async def dialog(self, issue_id: str, data: dict[str, Any] | None) -> RepairsFlow:
        """Return the dialog that mends an issue."""
        dialog = await repairs.async_create_fix_flow(self.hass, issue_id, data)
        dialog.hass, dialog.issue_id, dialog.data = self.hass, issue_id, data
        return dialog

    async def is_confirmed(self, issue_id: str) -> bool:
        """Return whether an issue is read and confirmed."""
        issue = self.issue(issue_id)
        assert issue.is_fixable
        assert issue.is_persistent
        return isinstance(await self.dialog(issue_id, issue.data), ConfirmRepairFlow)


@pytest.fixture
async def scene(hass: HomeAssistant, saj: SimulatedPlant, freezer: FrozenDateTimeFactory) -> Scene:
    """Return the scene with nothing ordered yet."""
    return Scene(hass, saj, await set_up(hass, saj, "discharge_slots"), freezer)


# ---------------------------------------------------------------------- it cannot be ended


async def test_an_inverter_that_does_not_let_go_of_an_order_is_told_until_it_does(
    scene: Scene,
) -> None:
    """After five minutes, with the names of the settings that remain."""
    await scene.end_locked()
    assert scene.issues() == {NOT_PUT_BACK: {"name": "H2-6K-S2", "settings": "Min SOC on grid"}}
    issue = scene.issue(NOT_PUT_BACK)
    assert issue.severity is ir.IssueSeverity.ERROR
    scene.lock(locked=False)
    await scene.wait(5)
    assert scene.floor == OWNERS
    assert scene.issues() == {}


async def test_an_inverter_that_does_not_let_go_is_written_to_less_and_less(scene: Scene) -> None:
    """At the end, and then after pauses of 30 s, 1, 2, 4, 8 and 16 min; each time it is tried twice."""
    await scene.hold()
    scene.lock()
    arrived = scene.arrived
    await scene.wait(30)
    for _ in range(60):
        await scene.wait(1)
    written = scene.saj.machine().writes[arrived:]
    assert {write.address for write in written} == {FLOOR}
    assert len(written) == 2 * 7


async def test_the_dialog_tries_again_and_says_why_it_was_in_vain(
    scene: Scene, hass_client: ClientSessionGenerator
) -> None:
    """Once the inverter keeps what is written, the settings are the owner's, and the issue is gone."""
    assert await async_setup_component(scene.hass, "repairs", {})
    await scene.end_locked()
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
    scene.lock(locked=False)
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["type"] == "create_entry"
    assert scene.floor == OWNERS
    assert scene.issues() == {}


async def test_the_dialog_leaves_alone_what_is_still_ordered(scene: Scene) -> None:
    """An export limit that ends later than the order that could not be ended."""
    await scene.limit_export()
    await scene.end_locked()
    issue = scene.issue(NOT_PUT_BACK)
    scene.lock(locked=False)
    dialog = await scene.dialog(NOT_PUT_BACK, issue.data)
    assert isinstance(dialog, repairs.PutBackDialog)
    result = await dialog.async_step_confirm({})
    assert result["type"] == "create_entry"
    assert scene.floor == OWNERS
    (left,) = scene.driver.keeper.leases
    assert (left.order.mode, left.owner) == (ControlMode.EXPORT_LIMIT, "Low prices")


async def test_the_dialog_says_when_the_inverter_is_not_loaded(scene: Scene) -> None:
    """Nobody can put anything back then."""
    await scene.end_locked()
    issue = scene.issue(NOT_PUT_BACK)
    assert await scene.hass.config_entries.async_unload(scene.entry.entry_id)
    dialog = await scene.dialog(NOT_PUT_BACK, issue.data)
    assert isinstance(dialog, repairs.PutBackDialog)
    result = await dialog.async_step_confirm({})
    assert (result["type"], result["reason"]) == ("abort", "not_loaded")


# ---------------------------------------------------------------------- it was ended late, or not at all


async def test_what_was_put_back_at_a_start_is_told_with_whose_it_was(scene: Scene) -> None:
    """The order was over while nobody was there."""
    await scene.hold()
    await scene.crash(timedelta(hours=2))
    assert scene.floor == OWNERS
    assert scene.issues() == {
        PUT_BACK: {"name": "H2-6K-S2", "mode": "Hold", "owner": "Cheap hours"}
    }
    assert await scene.is_confirmed(PUT_BACK)


async def test_an_order_that_goes_on_after_a_start_is_no_issue(scene: Scene) -> None:
    """The inverter holds what it should."""
    await scene.hold()
    await scene.crash(timedelta(minutes=5))
    assert scene.floor == HELD
    assert scene.issues() == {}


async def test_what_is_left_of_an_order_of_last_week_is_told_and_not_written(scene: Scene) -> None:
    """Nobody knows whose words these are."""
    await scene.hold()
    arrived = scene.arrived
    await scene.crash(timedelta(days=8))
    assert scene.arrived == arrived
    assert scene.issues() == {
        LEFT_ALONE: {
            "name": "H2-6K-S2",
            "mode": "Hold",
            "owner": "Cheap hours",
            "until": "2026-06-21 10:30",
            "settings": "Min SOC on grid",
        }
    }
    assert await scene.is_confirmed(LEFT_ALONE)


async def test_what_a_removed_inverter_has_not_let_go_of_is_told(scene: Scene) -> None:
    """Nobody is going to try again."""
    await scene.hold()
    scene.lock()
    await scene.hass.config_entries.async_remove(scene.entry.entry_id)
    await scene.hass.async_block_till_done(wait_background_tasks=True)
    assert scene.floor == HELD
    told = scene.issues()[GIVEN_UP]
    assert told is not None
    assert told["settings"] == "Min SOC on grid"


# ---------------------------------------------------------------------- somebody else is in charge


async def test_who_takes_over_three_times_a_day_is_an_issue(scene: Scene) -> None:
    """With the settings that were changed; twice may be chance."""
    await scene.take_over()
    await scene.take_over()
    assert scene.issues() == {}
    await scene.take_over()
    assert scene.floor == 30
    assert scene.issues() == {
        TWO_MASTERS: {
            "name": "H2-6K-S2",
            "times": "3",
            "owner": "Cheap hours",
            "settings": "Min SOC on grid",
        }
    }
    assert await scene.is_confirmed(TWO_MASTERS)


async def test_who_ends_two_orders_at_once_has_taken_over_once(scene: Scene) -> None:
    """One change of the floor ends the order of the battery and the export limit beside it."""
    happened: list[tuple[str, str]] = []
    keeper = scene.driver.keeper
    keeper.async_add_event_listener(
        lambda event: happened.append((event.type.value, event.attributes["mode"]))
    )
    for _ in range(2):
        await scene.limit_export()
        await scene.take_over()
    assert happened[-2:] == [("overridden", "hold"), ("overridden", "export_limit")]
    assert scene.issues() == {}
    await scene.take_over()
    told = scene.issues()[TWO_MASTERS]
    assert told is not None
    assert told["times"] == "3"


async def test_who_takes_over_once_a_day_is_none(scene: Scene) -> None:
    """Each of them may be a person at the display."""
    for _ in range(4):
        await scene.take_over()
        scene.freezer.tick(timedelta(hours=13))
    assert scene.issues() == {}
