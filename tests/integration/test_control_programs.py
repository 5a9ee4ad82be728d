"""Programs that order something of the battery over the interface of Home Assistant, with a token of somebody's."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import SERIAL, unit_of
from .test_control_actions import HELD, MORNING, TABLE, act, device_of, refused, table

HOLD: Final[dict[str, Any]] = {"mode": "hold", "duration": 60}

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]

type Call = Callable[..., Awaitable[Any]]


@pytest.fixture
async def token(hass: HomeAssistant, hass_admin_user: MockUser) -> str:
    """Return the long-lived access token that a person has made for evcc."""
    made = await hass.auth.async_create_refresh_token(
        hass_admin_user,
        client_name="evcc",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=3650),
    )
    return hass.auth.async_create_access_token(made)


@pytest.fixture
async def rest(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_client: ClientSessionGenerator, token: str
) -> Call:
    """Return what calls an action over REST with that token: the answer, or the message of a refusal."""
    assert await async_setup_component(hass, "api", {})
    client = await hass_client(token)

    async def call(action: str, **data: Any) -> Any:
        response = await client.post(
            f"/api/services/{DOMAIN}/{action}?return_response",
            json={"device_id": device_of(hass, SERIAL), **data},
        )
        answer = await response.json()
        if response.status == HTTPStatus.BAD_REQUEST:
            return answer["message"]
        assert response.status == HTTPStatus.OK
        return answer["service_response"]

    return call


@pytest.fixture
async def sockets(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> Call:
    """Return what calls an action over a WebSocket with a token; the answer, or the message of a refusal."""

    async def call(access_token: str, action: str, **data: Any) -> Any:
        client = await hass_ws_client(hass, access_token)
        await client.send_json_auto_id(
            {
                "type": "call_service",
                "domain": DOMAIN,
                "service": action,
                "service_data": {"device_id": device_of(hass, SERIAL), **data},
                "return_response": True,
            }
        )
        answer = await client.receive_json()
        return answer["result"]["response"] if answer["success"] else answer["error"]["message"]

    return call


async def test_a_program_with_a_token_is_no_person(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    hass_access_token: str,
    rest: Call,
    sockets: Call,
    token: str,
) -> None:
    """It does not end what a person has ordered, be it over REST or over a WebSocket; its own order bears the token's name."""
    await sockets(hass_access_token, "control_battery", **HOLD)
    shown = await act(hass, "get_control")
    assert (shown["owner"], shown["of_person"]) == ("Mock User", True)
    assert "Mock User" in await rest("release_battery")
    assert "Mock User" in await sockets(token, "release_battery")
    assert table(plant) == HELD
    await rest("control_battery", **HOLD)
    shown = await act(hass, "get_control")
    assert (shown["owner"], shown["of_person"]) == ("evcc", False)
    assert await sockets(token, "release_battery") == {"mode": "auto", "releases_in": 10}
    # A person ends it at once.
    assert (await sockets(hass_access_token, "release_battery"))["writes"] == 1
    assert table(plant) == TABLE


async def test_a_program_has_the_budget_of_automations_and_is_named(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    hass_access_token: str,
    rest: Call,
    sockets: Call,
) -> None:
    """Seventy writes a day; the person whose token it is has ten more."""
    unit_of(loaded).device.wear.restore(
        {"total": 70, "day": "2026-06-21", "registers": {"148": 70}, "settings": {}}
    )
    assert "70 times" in await rest("control_battery", **HOLD)
    assert table(plant) == TABLE
    (issue,) = (issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN)
    assert issue.translation_placeholders == {
        "name": "JSO8048104",
        "entity": "Battery control",
        "limit": "70",
        "automation": "evcc",
    }
    assert (await sockets(hass_access_token, "control_battery", **HOLD))["left_today"] == 9


async def test_an_add_on_is_no_person(
    hass: HomeAssistant, *, sockets: Call, hass_supervisor_access_token: str
) -> None:
    """It calls as the Supervisor, who is nobody."""
    await sockets(hass_supervisor_access_token, "control_battery", **HOLD)
    shown = await act(hass, "get_control")
    assert shown["of_person"] is False


async def test_whoever_names_an_owner_speaks_for_that_one(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    hass_admin_user: MockUser,
) -> None:
    """Also a person, who starts a planner's script by hand; without a name they end any order."""
    await act(hass, "control_battery", user=hass_admin_user, owner="predbat", **HOLD)
    assert (await act(hass, "get_control"))["of_person"] is False
    assert await refused(hass, "release_battery", user=hass_admin_user, owner="evcc") == (
        "control_not_yours",
        {"owner": "predbat"},
    )
    await act(hass, "release_battery", user=hass_admin_user)
    assert table(plant) == TABLE
