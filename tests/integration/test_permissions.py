"""Who may call an action: whoever has the permission for all entities of the device."""

from typing import Any, Final

from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import unit_of

WINDOW: Final[dict[str, Any]] = {
    "start": "01:00",
    "end": "05:00",
    "target": 80,
    "grid_charge": True,
}
SET: Final = ("set_schedule", {"windows": [WINDOW]})
UNDO: Final = ("undo_last_change", {})
GET: Final = ("get_schedule", {})


async def call(
    hass: HomeAssistant, entry: MockConfigEntry, action: tuple[str, dict[str, Any]], user_id: str
) -> Any:
    """Call an action as a user; nobody has no id."""
    name, data = action
    return await hass.services.async_call(
        DOMAIN,
        name,
        {ATTR_DEVICE_ID: unit_of(entry).device_id, **data},
        blocking=True,
        context=Context(user_id=user_id or None),
        return_response=name != "undo_last_change",
    )


def writes(plant: SimulatedPlant) -> int:
    """Return how many writes have arrived."""
    return len(plant.machine().writes)


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> list[str]:
    """Return the ids of all entities of the inverter's own device."""
    known = er.async_entries_for_device(
        er.async_get(hass), unit_of(entry).device_id, include_disabled_entities=True
    )
    return [entity.entity_id for entity in known]


@pytest.mark.parametrize("action", [SET, UNDO, ("set_schedule", {**SET[1], "dry_run": True})])
async def test_who_may_only_look_is_refused_by_every_action_that_writes(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    hass_read_only_user: MockUser,
    action: tuple[str, dict[str, Any]],
) -> None:
    """A change that could be undone stays, too."""
    await call(hass, loaded, SET, "")
    before = writes(plant)
    with pytest.raises(Unauthorized) as caught:
        await call(hass, loaded, action, hass_read_only_user.id)
    assert (caught.value.permission, caught.value.user_id) == ("control", hass_read_only_user.id)
    assert writes(plant) == before


async def test_who_may_only_look_may_look(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    """The schedule is read as its calendar is."""
    schedule = await call(hass, loaded, GET, hass_read_only_user.id)
    assert len(schedule["slots"]) == 6


async def test_who_may_not_look_is_refused(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """A user of no group."""
    user = MockUser(groups=[]).add_to_hass(hass)
    user.mock_policy({})
    for action, permission in ((GET, "read"), (SET, "control"), (UNDO, "control")):
        with pytest.raises(Unauthorized) as caught:
            await call(hass, loaded, action, user.id)
        assert caught.value.permission == permission


async def test_users_administrators_and_automations_may(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    hass_admin_user: MockUser,
    hass_owner_user: MockUser,
) -> None:
    """Everybody who may switch an entity of it."""
    group = await hass.auth.async_get_group(GROUP_ID_USER)
    assert group is not None
    user = MockUser(groups=[group]).add_to_hass(hass)
    for user_id in (user.id, hass_admin_user.id, hass_owner_user.id, ""):
        before = writes(plant)
        await call(hass, loaded, SET, user_id)
        await call(hass, loaded, UNDO, user_id)
        assert writes(plant) == before + 2


async def test_permission_for_some_entities_is_not_one_for_all(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A schedule is more than one of them; who may control all of them may set it."""
    known = entities(hass, loaded)
    user = MockUser(groups=[]).add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {known[0]: True}}})
    with pytest.raises(Unauthorized):
        await call(hass, loaded, SET, user.id)
    assert writes(plant) == 0
    user.mock_policy({"entities": {"entity_ids": dict.fromkeys(known, True)}})
    await call(hass, loaded, SET, user.id)
    assert writes(plant) == 1


async def test_a_user_who_is_gone_is_refused(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nobody knows what they were allowed to do."""
    with pytest.raises(UnknownUser):
        await call(hass, loaded, SET, "deleted")
    assert writes(plant) == 0
