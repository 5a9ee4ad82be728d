"""Values that are made of several registers, while one of these is refused."""

from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.modbus.device import quarantine
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant
from simulator.trouble import Spike

from .helpers import refresh, state
from .test_schedule_windows import SERIAL, set_up

# The power of a SAJ's battery, its direction, and the status.
POWER, DIRECTION, STATUS = 0x40A6, 0x4096, 0x4004
CHARGING = 0xFFFF
OFF_GRID = 3


@pytest.mark.parametrize("is_loaded_again", [False, True])
@pytest.mark.parametrize(
    ("platform", "key", "group", "spikes", "refused", "shown"),
    [
        (
            Platform.SENSOR,
            "battery_power",
            Group.POWER,
            [Spike(POWER, 2000), Spike(DIRECTION, CHARGING)],
            DIRECTION,
            "-2000",
        ),
        (
            Platform.BINARY_SENSOR,
            "grid_connected",
            Group.FAULTS,
            [Spike(STATUS, OFF_GRID)],
            STATUS,
            "off",
        ),
    ],
    ids=["a battery that charges without a sign", "an outage that only the status tells of"],
)
async def test_without_a_part_there_is_no_value_however_often_it_is_refused(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    monkeypatch: pytest.MonkeyPatch,
    platform: Platform,
    key: str,
    group: Group,
    spikes: list[Spike],
    refused: int,
    shown: str,
    is_loaded_again: bool,
) -> None:
    """It would be another one: a battery that is discharged, and a grid that is there."""
    now = [1000.0]
    monkeypatch.setattr(quarantine, "_now", lambda: now[0])
    trouble = saj.machine().trouble
    trouble.spikes = spikes
    entry = await set_up(hass, saj)
    await refresh(hass, entry, group)
    assert state(hass, platform, key, SERIAL).state == shown
    trouble.refused_blocks = ((refused, refused, 2),)
    if is_loaded_again:
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    for _ in range(5):
        now[0] += 15
        await refresh(hass, entry, group)
        assert state(hass, platform, key, SERIAL).state in (shown, STATE_UNAVAILABLE)
    assert state(hass, platform, key, SERIAL).state == STATE_UNAVAILABLE
