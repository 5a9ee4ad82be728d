"""What happens to an entry: lost answers, updates asked for by hand, other options, and devices that are taken out of it."""

import asyncio
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import machine_tag
from simulator import SimulatedPlant

from .helpers import link_entry, load, load_plant, refresh, state, stick_data, unit_of
from .test_clock_watch import MORNING, issue, polls
from .test_control_life import CHARGE, HOLD, Home, home, make_home  # noqa: F401
from .test_repair_dialogs import OTHER, Post, looks, post, replace, told  # noqa: F401

WORK_MODE = "select.jso8048104_work_mode"


async def test_settings_asked_for_while_the_powers_were_not_answered_come_back(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """A stick loses three answers while the powers and the settings are polled."""
    async with SimulatedPlant(stick=True) as plant:
        plant.advance(60)
        entry = await load(
            hass, link_entry(stick_data("127.0.0.1", plant.stick_port)), background=True
        )
        await refresh(hass, entry, Group.SETTINGS)
        coordinators = unit_of(entry).coordinators
        powers, settings = coordinators[Group.POWER], coordinators[Group.SETTINGS]
        machine, sent = plant.machine(), [0]
        respond = machine.respond

        def lossy(pdu: bytes) -> bytes | None:
            sent[0] += 1
            return respond(pdu) if sent[0] > 3 else None

        machine.respond = lossy  # type: ignore[method-assign]
        await asyncio.gather(powers.async_refresh(), settings.async_refresh())
        assert not powers.last_update_success
        # Both are answered again, and polled once more each.
        await refresh(hass, entry, Group.POWER)
        await refresh(hass, entry, Group.SETTINGS)
        assert powers.last_update_success
        assert settings.last_update_success
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        gone = [one.entity_id for one in hass.states.async_all() if one.state == STATE_UNAVAILABLE]
        await hass.config_entries.async_unload(entry.entry_id)
        assert gone == []


async def test_without_polling_an_update_of_a_setting_brings_it_back(
    hass: HomeAssistant, entry: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """'Polling for changes' is off, and an automation updates it; one lost answer is no loss for good."""
    assert await async_setup_component(hass, "homeassistant", {})
    hass.config_entries.async_update_entry(entry, pref_disable_polling=True)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    settings = unit_of(entry).coordinators[Group.SETTINGS]

    async def update() -> str:
        # Ten seconds later: Home Assistant takes those in between together.
        settings._debounced_refresh.async_cancel()
        await hass.services.async_call(
            "homeassistant", "update_entity", {"entity_id": WORK_MODE}, blocking=True
        )
        await hass.async_block_till_done(wait_background_tasks=True)
        return state(hass, Platform.SELECT, "work_mode").state

    assert await update() == "zero_export_to_ct"
    plant.machine().trouble.silent = True
    assert await update() == STATE_UNAVAILABLE
    plant.machine().trouble.silent = False
    assert [await update() for _ in range(5)][-1] == "zero_export_to_ct"


@pytest.mark.freeze_time(MORNING)
@pytest.mark.usefixtures("in_berlin", "few_entities")
@pytest.mark.parametrize("silent", [False, True])
async def test_without_polling_an_order_ends_after_a_start_with_a_silent_inverter(
    hass: HomeAssistant,
    home: Home,  # noqa: F811
    silent: bool,
) -> None:
    """It is back a moment later, and the order ends 60 minutes after it was given."""
    hass.config_entries.async_update_entry(home.entry, pref_disable_polling=True)
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await home.order(**HOLD)
    assert home.words != home.before
    home.plant.machine().trouble.silent = silent
    await home.restart(timedelta(minutes=1))
    home.plant.machine().trouble.silent = False
    await home.wait(75)
    assert home.words == home.before


async def test_who_asked_for_an_update_and_is_cancelled_takes_no_control_away(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As an automation is that begins anew (mode: restart)."""
    assert await async_setup_component(hass, "homeassistant", {})
    await hass.async_block_till_done(wait_background_tasks=True)
    unit = unit_of(loaded)
    settings, started, poll = unit.coordinators[Group.SETTINGS], asyncio.Event(), unit.device.poll

    async def slow(keys: Any, until: float) -> Any:
        if keys == settings.keys:
            started.set()
            await asyncio.sleep(0.05)
        return await poll(keys, until)

    monkeypatch.setattr(unit.device, "poll", slow)
    call = asyncio.create_task(
        hass.services.async_call(
            "homeassistant", "update_entity", {"entity_id": WORK_MODE}, blocking=True
        )
    )
    await started.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    # The machine answers as always.
    await refresh(hass, loaded, Group.POWER)
    assert state(hass, Platform.SELECT, "work_mode").state == "zero_export_to_ct"
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": WORK_MODE, "option": "selling_first"},
        blocking=True,
    )
    assert plant.machine().writes != []


async def test_an_update_that_is_cancelled_shows_nothing_of_a_machine_that_has_fallen_silent(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The powers fail while the settings are still waited for; all is back with the next poll that is answered."""
    await hass.async_block_till_done(wait_background_tasks=True)
    unit = unit_of(loaded)
    settings, started, poll = unit.coordinators[Group.SETTINGS], asyncio.Event(), unit.device.poll

    async def endless(keys: Any, until: float) -> Any:
        if keys == settings.keys:
            started.set()
            await asyncio.Event().wait()
        return await poll(keys, until)

    with monkeypatch.context() as waiting:
        waiting.setattr(unit.device, "poll", endless)
        update = asyncio.create_task(settings.async_refresh())
        await started.wait()
        plant.machine().trouble.silent = True
        await unit.coordinators[Group.POWER].async_refresh()
        update.cancel()
        with pytest.raises(asyncio.CancelledError):
            await update
    assert not settings.last_update_success
    # Whoever writes the state now, as when the entity is renamed, finds nothing to show.
    er.async_get(hass).async_update_entity(WORK_MODE, name="Mode")
    await hass.async_block_till_done()
    assert hass.states.is_state(WORK_MODE, STATE_UNAVAILABLE)
    plant.machine().trouble.silent = False
    await refresh(hass, loaded, Group.POWER)
    assert hass.states.is_state(WORK_MODE, "zero_export_to_ct")
    assert settings.last_update_success


async def test_the_connection_is_off_when_a_machine_is_silent_of_which_nothing_else_is_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Its owner has disabled everything but the connection."""
    await hass.async_block_till_done(wait_background_tasks=True)
    registry = er.async_get(hass)
    for known in er.async_entries_for_config_entry(registry, loaded.entry_id):
        is_connection = known.unique_id.endswith("connectivity")
        if known.config_subentry_id and not known.disabled and not is_connection:
            registry.async_update_entity(known.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    plant.machine().trouble.silent = True
    await refresh(hass, loaded, Group.POWER)
    assert state(hass, Platform.BINARY_SENSOR, "connectivity").state == "off"


async def test_the_issue_of_an_inverter_that_was_exchanged_goes_with_it(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    post: Post,  # noqa: F811
) -> None:
    """Its owner takes the old one out of the entry; its dialog could only say that it is not loaded."""
    await replace(hass, loaded, plant)
    await looks(hass, 2)
    assert told(hass, OTHER) is not None
    hass.config_entries.async_remove_subentry(loaded, unit_of(loaded).subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert told(hass, OTHER) is None


@pytest.mark.freeze_time(MORNING)
@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("first", "then", "kind"),
    [("read_only", "everyday", "clock_off_elsewhere"), ("everyday", "read_only", "clock_off")],
)
async def test_a_clock_that_is_right_again_is_no_issue_in_another_tier_either(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
    first: str,
    then: str,
    kind: str,
) -> None:
    """The owner has changed what may be written in between, to set the clock for example."""
    entry = await load_plant(hass, plant, {"tier": first})
    await polls(hass, freezer, entry, plant, 420, 11, 5)
    assert issue(hass, kind) is not None
    hass.config_entries.async_update_entry(entry, options={"tier": then})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await polls(hass, freezer, entry, plant, 0, 11, 5, 1500, 1500)
    assert issue(hass, kind) is None


@pytest.mark.freeze_time(MORNING)
@pytest.mark.usefixtures("in_berlin", "few_entities")
async def test_the_dialog_does_not_say_that_it_has_put_back_what_may_only_be_read(
    hass: HomeAssistant,
    home: Home,  # noqa: F811
    post: Post,  # noqa: F811
) -> None:
    """The inverter does not let go of an order, and its owner chooses that it may only be read."""
    await home.order(**{**CHARGE, "duration": 10})
    home.plant.machine().trouble.locked = True
    await home.wait(25)
    assert home.issues == {"not_put_back"}
    begun = await post(
        "", {"handler": DOMAIN, "issue_id": f"{machine_tag(home.serial)}_control_not_put_back"}
    )
    options = {**home.entry.options, "tier": "read_only"}
    hass.config_entries.async_update_entry(home.entry, options=options)
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert home.issues == {"given_up"}
    # It was opened before.
    shown = await post(f"/{begun['flow_id']}", {})
    assert (shown["type"], shown["errors"]) == ("form", {"base": "not_put_back"})
