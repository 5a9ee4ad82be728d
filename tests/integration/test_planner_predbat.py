"""A day of PredBat: what its service templates send every five minutes, what flows then, and how often it is written.

PredBat itself is not run. How it fills and calls its templates is in its documents: text is put where braces are, what is
empty is left out, a stop comes before every start, and only what is to be repeated is called again while nothing changes.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
import logging
from typing import Any, Final

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from .ordered import JSO, KINDS, SAJ, House, go_on, house_with
from .test_control_actions import act

# 00:01 in Berlin on a Sunday, and what the inverter's clock shows then.
MIDNIGHT: Final = "2026-06-20 22:01:00+00:00"
SHOWN: Final = datetime(2026, 6, 21, 0, 1)  # noqa: DTZ001 - the machine knows no zone
# Minutes between two runs, and the runs of a day.
RUN: Final = 5
DAY: Final = 287

# Everything that an order could change.
WORDS: Final = {JSO: (108, 177), SAJ: (0x3600, 0x3668)}

# By the hour at which it begins: what PredBat plans, and the sun.
PLAN: Final[tuple[tuple[int, str, dict[str, int], int], ...]] = (
    (0, "demand", {}, 0),
    (2, "charge", {"target_soc": 85, "power": 3000}, 0),
    (5, "charge freeze", {"target_soc": 60, "power": 3000}, 0),
    (7, "demand", {}, 0),
    (10, "discharge freeze", {"target_soc": 60, "power": 3000}, 6000),
    (13, "demand", {}, 6000),
    (17, "discharge", {"target_soc": 40, "power": 3000}, 0),
    (19, "charge freeze", {"target_soc": 60, "power": 3000}, 0),
    (20, "discharge", {"target_soc": 40, "power": 3000}, 0),
    (22, "demand", {}, 0),
)
# Watts of battery and grid. The house uses 1500 W, and 97 % of what passes through the inverter arrive. 58 A at 52.6 V, or
# half of 6000 W, are charged; of a discharge 2910 W arrive, or 25 % of 6000 W beside the house.
FLOWS: Final[dict[str, dict[str, tuple[int, int]]]] = {
    JSO: {
        "charge": (-3051, 4645),
        "charge freeze": (0, 1500),
        "discharge": (3000, -1410),
        "discharge freeze": (0, -4320),
    },
    SAJ: {
        "charge": (-3000, 4593),
        "charge freeze": (0, 1500),
        "discharge": (3093, -1500),
        "discharge freeze": (0, -4320),
    },
}
# Without an order, in the dark and in the sun.
DEMAND: Final = {0: (1546, 0), 6000: (-4454, 0)}

pytestmark = [
    # A day takes its time on a busy computer.
    pytest.mark.timeout(240),
    pytest.mark.freeze_time(MIDNIGHT),
    pytest.mark.usefixtures("few_entities", "socket_enabled", "quick_saj", "in_berlin"),
]


@dataclass(slots=True)
class PredBat:
    """What calls the services of its configuration."""

    client: TestClient[Any, Any]
    templates: dict[str, dict[str, Any]]
    # What was called last for charging, and for discharging.
    last: dict[str, tuple[str, str]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    async def run(self, what: str, data: dict[str, int]) -> None:
        """Carry out what is planned now."""
        kind, _, freeze = what.partition(" ")
        if kind == "demand":
            await self._call("charge_stop_service", "charge", {})
            await self._call("discharge_stop_service", "discharge", {})
            return
        other = {"charge": "discharge", "discharge": "charge"}[kind]
        await self._call(f"{other}_stop_service", other, {})
        await self._call(f"{kind}_{freeze or 'start'}_service", kind, data)

    async def _call(self, name: str, kind: str, data: dict[str, int]) -> None:
        """Call a service, unless it was the last of its kind and is not to be repeated."""
        this = (name, str(data))
        is_last, self.last[kind] = self.last.get(kind) == this, this
        template = dict(self.templates[name])
        action, repeat = template.pop("service"), template.pop("repeat", False)
        if is_last and not repeat:
            return
        filled = {
            key: value.format(**data) if isinstance(value, str) else value
            for key, value in template.items()
        }
        response = await self.client.post(
            f"/api/services/{action.replace('.', '/')}",
            json={key: value for key, value in filled.items() if value},
        )
        assert response.status == HTTPStatus.OK, await response.text()
        self.calls[name] += 1


@pytest.fixture(params=KINDS)
async def house(hass: HomeAssistant, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """Return a house whose battery nothing but PredBat charges from the grid."""
    settings = {"tou_slot_1_soc": 40, "tou_slot_1_grid_charge": False}
    async with house_with(
        hass,
        request.param,
        start=SHOWN,
        options={"may_sell_from_battery": True},
        settings=settings if request.param == JSO else None,
    ) as house:
        yield house


@pytest.fixture
async def predbat(
    hass: HomeAssistant,
    house: House,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    caplog: pytest.LogCaptureFixture,
) -> PredBat:
    """Return PredBat with the configuration that the action returns, and a token."""
    # The log of requests cannot tell the time while it stands still.
    caplog.set_level(logging.CRITICAL, "aiohttp.access")
    assert await async_setup_component(hass, "api", {})
    token = await hass.auth.async_create_refresh_token(
        hass_admin_user,
        client_name="PredBat",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=3650),
    )
    answer = await act(hass, "get_planner_configuration", house.serial, planner="predbat")
    made = yaml.safe_load(answer["files"]["apps.yaml"])["pred_bat"]
    return PredBat(
        client=await hass_client(hass.auth.async_create_access_token(token)),
        templates={name: made[name] for name in made if name.endswith("_service")},
    )


def planned(minute: float) -> tuple[str, dict[str, int], int]:
    """Return what is planned for a minute of the day."""
    *_, (_, what, data, sun) = (one for one in PLAN if one[0] * 60 <= minute)
    return what, data, sun


def noise() -> Iterator[int]:
    """Return how many watts each power is off what was planned: up to 3 %."""
    while True:
        yield from (0, 80, -60, 90, -90, 40)


def words(house: House) -> tuple[int, ...]:
    """Return everything that an order could change."""
    return house.words(*WORDS[house.machine.model])


async def test_a_day_of_predbat(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, house: House, predbat: PredBat
) -> None:
    """What is planned flows within a minute of each run, the day costs little, and all is as it was set in the end."""
    # Where every future was made is of no interest, and takes most of the time.
    hass.loop.set_debug(False)
    before, model = words(house), house.machine.model
    more = noise()
    for run in range(DAY):
        what, data, sun = planned(1 + run * RUN)
        if "power" in data:
            data = {**data, "power": data["power"] + next(more)}
        # The battery is so large that a day does not change it.
        house.steer(sun=sun, soc=60)
        await predbat.run(what, data)
        # A release waits ten seconds for the next order.
        for _ in range(2):
            await go_on(hass, freezer, house.plant, 30)
        flows = FLOWS[model].get(what, DEMAND[sun])
        # The power that was sent is off by 3 %, and half an ampere.
        assert house.flows() == pytest.approx(flows, rel=0.04, abs=2), (run, what)
        await go_on(hass, freezer, house.plant, 60 * (RUN - 1) - 1)
    assert words(house) == before
    # Twelve in an hour of an order, and a stop where one ends or the other kind begins.
    assert predbat.calls == {
        "charge_start_service": 36,
        "charge_freeze_service": 36,
        "charge_stop_service": 3,
        "discharge_start_service": 48,
        "discharge_freeze_service": 36,
        "discharge_stop_service": 4,
    }
    written = Counter(address for address, _ in house.sent)
    assert (len(house.sent), max(written.values())) == {JSO: (28, 11), SAJ: (60, 9)}[model]


async def test_without_predbat_an_order_ends_within_two_hours(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, house: House, predbat: PredBat
) -> None:
    """From 00:01 on, and to the next full five minutes."""
    before = words(house)
    await predbat.run("discharge", {"target_soc": 40, "power": 3000})
    await go_on(hass, freezer, house.plant, 110 * 60)
    house.steer(soc=60)
    assert house.flows() == pytest.approx(FLOWS[house.machine.model]["discharge"], abs=2)
    await go_on(hass, freezer, house.plant, 15 * 60)
    assert words(house) == before
    house.steer(soc=60)
    assert house.flows() == pytest.approx(DEMAND[0], abs=2)
