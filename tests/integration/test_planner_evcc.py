"""evcc's calls over HTTP, one by one, as its public source makes them: what flows, and who learns that one has failed.

Its meter for Home Assistant switches a script on, which is made of the blueprint. A custom meter calls the actions. Both are
set up here from the configuration that the action returns.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
import json
import logging
from pathlib import Path
import shutil
from typing import Any, Final

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import persistent_notification
from homeassistant.components.blueprint.importer import fetch_blueprint_from_github_url
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from .dying import Died, Life
from .ordered import JSO, KINDS, MORNING, SAJ, House, go_on, house_with
from .test_control_actions import act, device_of

BLUEPRINT: Final = (
    Path(__file__).parents[2] / "blueprints" / "script" / "hybrid_inverter" / "evcc.yaml"
)
# Everything that an order could change.
WORDS: Final = {JSO: (108, 177), SAJ: (0x3600, 0x3668)}

# evcc's own numbers of the modes of a battery.
MODES: Final = {"normal": "1", "hold": "2", "charge": "3", "holdcharge": "4"}
# Watts of battery and grid in the dark, and while 6000 W come from the roof. The house uses 1500 W, and 97 % of what passes
# through the inverter arrive. A JSO charges with 80 A at 52.86 V, or with more from the sun, a SAJ with 25 A at 212.4 V.
FLOWS: Final[dict[tuple[str, str], tuple[tuple[int, int], tuple[int, int]]]] = {
    (JSO, "normal"): ((1546, 0), (-4454, 0)),
    (JSO, "hold"): ((0, 1500), (-4454, 0)),
    (JSO, "charge"): ((-4229, 5859), (-4454, 0)),
    (JSO, "holdcharge"): ((1546, 0), (0, -4320)),
    (SAJ, "normal"): ((1546, 0), (-4454, 0)),
    (SAJ, "hold"): ((0, 1500), (-4454, 0)),
    (SAJ, "charge"): ((-5310, 6974), (-5310, 831)),
    (SAJ, "holdcharge"): ((1546, 0), (0, -4320)),
}

# How many requests each order takes.
WRITES: Final = {
    (JSO, "hold"): 1,
    (JSO, "charge"): 3,
    (JSO, "holdcharge"): 1,
    (SAJ, "hold"): 1,
    (SAJ, "charge"): 5,
    (SAJ, "holdcharge"): 5,
}

# And how many the hold that takes the place of a charge: the table, weekdays and switch of a JSO as they were; of a SAJ the
# floor, and all five requests of the charge taken back.
HELD_AFTER_CHARGE: Final = {JSO: 3, SAJ: 6}

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("socket_enabled", "quick_saj", "in_berlin"),
]


@dataclass(frozen=True, slots=True)
class Evcc:
    """What evcc does, at a house with an inverter."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    house: House
    client: TestClient[Any, Any]
    # By the number of the mode, the path and the body of its call.
    calls: dict[str, tuple[str, str]]
    # What the template for Home Assistant is given.
    template: dict[str, Any]

    async def switch_on(self, mode: str) -> ClientResponse:
        """Switch the script of a mode on, as its meter for Home Assistant does."""
        response = await self.client.post(
            "/api/services/script/turn_on",
            json={"entity_id": self.template[f"mode{MODE_NAMES[mode]}"]},
        )
        # The answer does not wait for what the script does.
        await self.hass.async_block_till_done(wait_background_tasks=True)
        return response

    async def call(self, mode: str) -> ClientResponse:
        """Call what a custom meter calls for a mode."""
        path, body = self.calls[MODES[mode]]
        return await self.client.post(path, data=body, headers={"content-type": "application/json"})

    async def read(self, name: str) -> float:
        """Read an entity as both meters do."""
        response = await self.client.get(f"/api/states/{self.template[name]}")
        return float((await response.json())["state"])

    async def go_on(self, minutes: float) -> None:
        """Let time pass."""
        await go_on(self.hass, self.freezer, self.house.plant, minutes * 60)

    @property
    def words(self) -> tuple[int, ...]:
        """What an order could change."""
        return self.house.words(*WORDS[self.house.machine.model])


# What its template calls them.
MODE_NAMES: Final = {
    "normal": "Normal",
    "hold": "Hold",
    "charge": "Charge",
    "holdcharge": "HoldCharge",
}

type Start = Callable[..., Any]
type Way = Callable[[Evcc, str], Awaitable[ClientResponse]]
WAYS: Final[tuple[Way, ...]] = (Evcc.switch_on, Evcc.call)


@pytest.fixture
def start(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Start:
    """Return what sets up a house and evcc in it."""
    # The log of requests cannot tell the time while it stands still.
    caplog.set_level(logging.CRITICAL, "aiohttp.access")

    @asynccontextmanager
    async def started(model: str, **around: Any) -> AsyncIterator[Evcc]:
        async with house_with(hass, model, **around) as house:
            answer = await act(hass, "get_planner_configuration", house.serial, planner="evcc")
            files = {name: yaml.safe_load(text) for name, text in answer["files"].items()}
            await set_up_scripts(hass, tmp_path, files["scripts.yaml"])
            assert await async_setup_component(hass, "api", {})
            # evcc is authorised at a page, like a browser.
            token = await hass.auth.async_create_refresh_token(
                hass_admin_user,
                client_id="http://evcc.local:7070",
                access_token_expiration=timedelta(days=2),
            )
            yield Evcc(
                hass=hass,
                freezer=freezer,
                house=house,
                client=await hass_client(hass.auth.async_create_access_token(token)),
                calls=_calls(files["evcc.yaml"]),
                template=files["evcc.yaml with scripts"]["meters"][-1],
            )

    return started


async def set_up_scripts(hass: HomeAssistant, folder: Path, scripts: dict[str, Any]) -> None:
    """Have these scripts, and the blueprint where Home Assistant puts it when it is imported."""
    hass.config.config_dir = str(folder)
    blueprint = folder / "blueprints" / "script" / "hybrid-inverter" / "evcc.yaml"
    blueprint.parent.mkdir(parents=True)
    shutil.copy(BLUEPRINT, blueprint)
    assert await async_setup_component(hass, "script", {"script": scripts})
    await hass.async_block_till_done()


def _calls(made: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the calls of a custom meter by the numbers of the modes."""
    switch = made["meters"][-1]["batterymode"]["set"]["switch"]
    return {
        one["case"]: ("/" + one["set"]["uri"].split("/", 3)[3], one["set"]["body"])
        for one in switch
    }


# ---------------------------------------------------------------------- what flows


@pytest.mark.parametrize("way", WAYS, ids=["scripts", "actions"])
@pytest.mark.parametrize("model", KINDS)
async def test_each_mode_is_carried_out_and_normal_is_what_was_set(
    start: Start, model: str, way: Way
) -> None:
    """Also when evcc is stopped, as it sends normal then."""
    async with start(model) as evcc:
        before = evcc.words
        for mode in ("hold", "charge", "holdcharge", "normal", "hold", "normal"):
            response = await way(evcc, mode)
            assert response.status == HTTPStatus.OK
            # A release waits ten seconds for the next order.
            await evcc.go_on(0.5)
            for sun, flows in zip((0, 6000), FLOWS[model, mode], strict=True):
                evcc.house.steer(sun=sun, soc=60)
                assert evcc.house.flows() == pytest.approx(flows, abs=2), (mode, sun)
            if mode != "normal":
                told = await act(evcc.hass, "get_control", evcc.house.serial)
                assert (told["owner"], told["of_person"]) == ("evcc", False)
        assert evcc.words == before


@pytest.mark.parametrize("model", KINDS)
async def test_evcc_reads_the_house_with_its_own_signs(
    hass: HomeAssistant, start: Start, model: str
) -> None:
    """A battery that discharges is positive, and so is what comes from the grid."""
    async with start(model) as evcc:
        assert await evcc.read("power") == pytest.approx(1546, abs=2)
        assert await evcc.read("soc") == pytest.approx(60, abs=0.5)
        await evcc.call("charge")
        await evcc.go_on(0.5)
        assert await evcc.read("power") == pytest.approx(FLOWS[model, "charge"][0][0], abs=2)
        for name in ("energy", "returnEnergy"):
            assert await evcc.read(name) > 0


# ---------------------------------------------------------------------- when somebody is gone


@pytest.mark.parametrize("mode", ["hold", "charge", "holdcharge"])
@pytest.mark.parametrize(("way", "lease"), [(Evcc.switch_on, 240), (Evcc.call, 60)])
@pytest.mark.parametrize("model", KINDS)
async def test_without_evcc_an_order_ends_within_its_time(
    start: Start, model: str, way: Way, lease: int, mode: str
) -> None:
    """Four hours of a script, one of a call that evcc would repeat: from 10:01 on, and to the next full five minutes."""
    async with start(model) as evcc:
        before = evcc.words
        await way(evcc, mode)
        await evcc.go_on(lease - 10)
        assert evcc.words != before
        await evcc.go_on(15)
        assert evcc.words == before
        evcc.house.steer(sun=0, soc=60)
        assert evcc.house.flows() == pytest.approx(FLOWS[model, "normal"][0], abs=2)


@pytest.mark.parametrize("model", KINDS)
async def test_what_evcc_repeats_goes_on_and_costs_little(start: Start, model: str) -> None:
    """Every ten minutes for eight hours, the battery is held; the table of a JSO is written once in forty minutes."""
    async with start(model) as evcc:
        before = evcc.words
        for _ in range(48):
            assert (await evcc.call("hold")).status == HTTPStatus.OK
            await evcc.go_on(10)
            assert evcc.house.flows() == pytest.approx((0, 1500), abs=2)
        assert len(evcc.house.sent) == {JSO: 12, SAJ: 1}[model]
        await evcc.call("normal")
        await evcc.go_on(0.5)
        assert evcc.words == before


@pytest.mark.parametrize("model", KINDS)
async def test_hold_in_every_cycle_is_written_once(start: Start, model: str) -> None:
    """As evcc says it every half minute while it charges from the grid and the battery has its highest state of charge."""
    async with start(model) as evcc:
        await evcc.switch_on("charge")
        charged = len(evcc.house.sent)
        for _ in range(20):
            await evcc.switch_on("hold")
            await evcc.go_on(0.5)
        assert evcc.house.flows() == pytest.approx((0, 1500), abs=2)
        assert len(evcc.house.sent) - charged == HELD_AFTER_CHARGE[model]


@pytest.mark.parametrize("model", KINDS)
async def test_home_assistant_dies_before_normal_is_carried_out(
    hass: HomeAssistant,
    start: Start,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    """In the ten seconds that a release waits: the next start carries it out."""
    async with start(model) as evcc:
        life = Life(hass, hass_storage, monkeypatch)
        before = evcc.words
        order = {"owner": "evcc"}
        await act(hass, "control_battery", evcc.house.serial, mode="charge", duration=60, **order)
        await act(hass, "release_battery", evcc.house.serial, **order)
        assert evcc.words != before
        await life.end(evcc.house.entry)
        evcc.house.plant.advance(60)
        evcc.freezer.tick(timedelta(minutes=1))
        await life.begin(evcc.house.entry)
        assert evcc.words == before


@pytest.mark.parametrize("mode", ["hold", "charge", "holdcharge"])
@pytest.mark.parametrize("model", KINDS)
async def test_home_assistant_dies_after_any_write_and_comes_back(
    hass: HomeAssistant,
    start: Start,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    model: str,
    mode: str,
) -> None:
    """When the order's time is over, the inverter has ended it, but for a SAJ that is held; the start puts back what stays."""
    async with start(model) as evcc:
        life = Life(hass, hass_storage, monkeypatch)
        before = evcc.words
        _, body = evcc.calls[MODES[mode]]
        order = {name: value for name, value in json.loads(body).items() if name != "device_id"}
        for writes in range(WRITES[model, mode] + 1):
            life.die_after(writes)
            with suppress(Died):
                await act(hass, "control_battery", evcc.house.serial, **order)
            assert life.is_over
            await life.end(evcc.house.entry)
            evcc.house.plant.advance(65 * 60)
            evcc.freezer.tick(timedelta(minutes=65))
            evcc.house.steer(sun=0, soc=60)
            alone = "hold" if (model, mode) == (SAJ, "hold") and writes else "normal"
            assert evcc.house.flows() == pytest.approx(FLOWS[model, alone][0], abs=2)
            await life.begin(evcc.house.entry)
            assert evcc.words == before
            evcc.house.plant.advance(1)
            assert evcc.house.flows() == pytest.approx(FLOWS[model, "normal"][0], abs=2)


# ---------------------------------------------------------------------- when a call fails


async def test_a_refusal_is_the_answer_to_a_call_and_evcc_tries_again(start: Start) -> None:
    """Of an inverter that is set to have no battery; evcc changes its mode only when the call was taken."""
    async with start(JSO) as evcc:
        evcc.house.steer(settings={"battery_operation_mode": "no_battery"})
        response = await evcc.call("hold")
        assert response.status == HTTPStatus.BAD_REQUEST
        assert await response.json() == {
            "message": "Nothing was changed: the inverter is set up without a battery"
        }
        assert evcc.house.sent == []
        evcc.house.steer(settings={"battery_operation_mode": "state_of_charge"})
        assert (await evcc.call("hold")).status == HTTPStatus.OK


async def test_an_inverter_that_does_not_answer_is_the_answer_to_a_call(start: Start) -> None:
    """And nothing is ordered later, without evcc."""
    async with start(JSO) as evcc:
        before = evcc.words
        evcc.house.machine.trouble.silent = True
        assert (await evcc.call("hold")).status == HTTPStatus.INTERNAL_SERVER_ERROR
        evcc.house.machine.trouble.silent = False
        await evcc.go_on(1)
        assert evcc.words == before


@pytest.mark.parametrize("mode", ["hold", "normal"])
async def test_of_a_script_that_fails_the_owner_is_told(
    hass: HomeAssistant, start: Start, mode: str
) -> None:
    """As evcc is answered before the script has done anything: its own mode has changed for it."""
    notified: list[persistent_notification.Notification] = []

    def note(
        _: persistent_notification.UpdateType,
        notifications: dict[str, persistent_notification.Notification],
    ) -> None:
        notified.extend(notifications.values())

    assert await async_setup_component(hass, "persistent_notification", {})
    persistent_notification.async_register_callback(hass, note)
    async with start(JSO) as evcc:
        if mode == "normal":
            # Somebody else's order is not evcc's to end.
            await act(hass, "control_battery", evcc.house.serial, mode="hold", duration=60)
        else:
            evcc.house.steer(settings={"battery_operation_mode": "no_battery"})
        assert (await evcc.switch_on(mode)).status == HTTPStatus.OK
        (told,) = notified
        assert (told["notification_id"], told["title"]) == (f"script.evcc_{mode}", "evcc")
        assert told["message"].startswith(
            f"The battery mode {mode} of evcc has failed. The traces of"
        )


# ---------------------------------------------------------------------- the blueprint


async def test_home_assistant_imports_the_blueprint_to_where_the_scripts_look_for_it(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker
) -> None:
    """From the page that it names as its source."""
    content = BLUEPRINT.read_text(encoding="utf-8")
    page = yaml_util.parse_yaml(content)["blueprint"]["source_url"]
    at = "hybrid-inverter/hybrid-inverter"
    path = "main/blueprints/script/hybrid_inverter/evcc.yaml"
    assert page == f"https://github.com/{at}/blob/{path}"
    aioclient_mock.get(f"https://raw.githubusercontent.com/{at}/{path}", text=content)
    imported = await fetch_blueprint_from_github_url(hass, page)
    assert imported.suggested_filename == "hybrid-inverter/evcc"
    assert imported.blueprint.domain == "script"
    assert imported.blueprint.validate() is None


async def test_a_charge_may_be_weaker_and_end_earlier(hass: HomeAssistant, tmp_path: Path) -> None:
    """With 2000 W up to 80 %, for an hour, in a name of one's own."""
    details = {"duration": 60, "power": 2000, "target_soc": 80, "owner": "my evcc"}
    async with house_with(hass, JSO) as house:
        await set_up_scripts(hass, tmp_path, {"charge": _script(hass, house, "charge", **details)})
        await hass.services.async_call("script", "charge", blocking=True)
        told = await act(hass, "get_control", house.serial)
        assert (told["mode"], told["target_soc"], told["owner"]) == ("charge", 80, "my evcc")
        # 38 A at 51.54 V.
        assert told["power"] == 1959
        assert told["seconds_left"] == 3840


async def test_what_is_done_when_it_fails_may_be_chosen(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    """Instead of the notification."""
    events = async_capture_events(hass, "evcc_failed")
    async with house_with(hass, JSO) as house:
        if_failed = [{"event": "evcc_failed", "event_data": {"mode": "{{ evcc_mode }}"}}]
        script = _script(hass, house, "hold", if_failed=if_failed)
        await set_up_scripts(hass, tmp_path, {"hold": script})
        house.steer(settings={"battery_operation_mode": "no_battery"})
        await hass.services.async_call("script", "hold", blocking=True)
        assert [event.data for event in events] == [{"mode": "hold"}]


def _script(hass: HomeAssistant, house: House, mode: str, **details: Any) -> dict[str, Any]:
    """Return a script of the blueprint."""
    battery = {"device_id": device_of(hass, house.serial)}
    return {
        "use_blueprint": {
            "path": "hybrid-inverter/evcc.yaml",
            "input": {"battery": battery, "evcc_mode": mode, **details},
        }
    }
