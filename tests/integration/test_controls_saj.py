"""Every control of a SAJ inverter, set in Home Assistant and looked up in the machine's registers."""

from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from simulator import SimulatedPlant

from .helpers import find
from .test_schedule_windows import NIGHT, SERIAL, act, set_up, written

type Steps = list[tuple[int, int]]

SELECT: Final = (Platform.SELECT, "select_option", "option")
NUMBER: Final = (Platform.NUMBER, "set_value", "value")
TIME: Final = (Platform.TIME, "set_value", "time")
ON: Final = (Platform.SWITCH, "turn_on", None)
OFF: Final = (Platform.SWITCH, "turn_off", None)

# What is done with which setting, the value, the state after it, and the words that are written for it, by address;
# worked out by hand for a machine of 6 kW, where a thousandth of the rated power is 6 W.
SETTINGS: Final[tuple[tuple[tuple[Platform, str, str | None], str, Any, str, Steps], ...]] = (
    (SELECT, "work_mode", "time_of_use", "time_of_use", [(0x3647, 1)]),
    (SELECT, "work_mode", "self_consumption", "self_consumption", [(0x3647, 0)]),
    (NUMBER, "on_grid_discharge_floor", 100, "100", [(0x3644, 100)]),
    (NUMBER, "off_grid_discharge_floor", 5, "5", [(0x3645, 5)]),
    (NUMBER, "charge_upper_limit", 90, "90", [(0x3646, 90)]),
    (NUMBER, "backup_reserve_soc", 45, "45", [(0x3651, 45)]),
    (NUMBER, "battery_charge_power_limit", 3000, "3000", [(0x364D, 500)]),
    (NUMBER, "battery_discharge_power_limit", 2500, "2502", [(0x364E, 417)]),
    (NUMBER, "grid_charge_power_limit", 0, "0", [(0x364F, 0)]),
    (NUMBER, "grid_discharge_power_limit", 6000, "6000", [(0x3650, 1000)]),
    (SELECT, "export_limit_mode", "each_phase_power", "each_phase_power", [(0x365C, 3)]),
    (NUMBER, "export_limit_power", 0, "0", [(0x365A, 0)]),
    (SELECT, "export_limit_mode", "current", "current", [(0x365C, 2)]),
    (NUMBER, "export_limit_current", 12.34, "12.34", [(0x365B, 1234)]),
    (SELECT, "export_limit_mode", "total_power", "total_power", [(0x365C, 1)]),
    (SELECT, "export_limit_mode", "off", "off", [(0x365A, 1100), (0x365C, 0)]),
    (SELECT, "tou_outside_mode", "standby", "standby", [(0x365F, 0)]),
    (ON, "tou_export_from_battery", None, "on", [(0x3660, 1)]),
    (ON, "buzzer", None, "on", [(0x3632, 0)]),
    (SELECT, "work_mode", "passive", "passive", [(0x3647, 3)]),
    (SELECT, "passive_action", "discharge", "discharge", [(0x3636, 1)]),
    (NUMBER, "passive_grid_charge_power", 600, "600", [(0x3637, 100)]),
    (NUMBER, "passive_grid_discharge_power", 1200, "1200", [(0x3638, 200)]),
    (NUMBER, "passive_battery_charge_power", 1800, "1800", [(0x3639, 300)]),
    (NUMBER, "passive_battery_discharge_power", 2400, "2400", [(0x363A, 400)]),
)

# The words of a slot lie behind each other, three a slot: 7 slots that charge, and 7 that discharge.
FIRST_SLOTS: Final = {"charge": 0x3606, "discharge": 0x361B}
MASKS: Final = {"charge": 0x3604, "discharge": 0x3605}


async def perform(
    hass: HomeAssistant, how: tuple[Platform, str, str | None], key: str, value: Any
) -> str:
    """Set a control as a person does; return its state after that."""
    platform, action, field = how
    entity_id = find(hass, platform, key, SERIAL)
    assert entity_id is not None, key
    data = {ATTR_ENTITY_ID: entity_id} | ({field: value} if field else {})
    await hass.services.async_call(platform, action, data, blocking=True)
    shown = hass.states.get(entity_id)
    assert shown is not None
    return shown.state


@pytest.mark.usefixtures("all_shown")
async def test_each_setting_is_written_with_function_code_6_and_shown_as_held(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """Each is written with function code 6, in the order of the facts, and shown as it is held."""
    await set_up(hass, saj, "discharge_slots")
    sent = 0
    for how, key, value, state, steps in SETTINGS:
        assert (key, await perform(hass, how, key, value)) == (key, state)
        assert (key, written(saj)[sent:]) == (key, steps)
        sent += len(steps)


@pytest.mark.usefixtures("all_shown")
@pytest.mark.parametrize("kind", ["charge", "discharge"])
@pytest.mark.parametrize("slot", range(1, 8))
async def test_slot_has_its_own_words_and_bit_and_leaves_others_alone(
    hass: HomeAssistant, saj: SimulatedPlant, kind: str, slot: int
) -> None:
    """A slot has its own words and its own bit, and leaves those of the others alone."""
    machine = saj.machine()
    await set_up(hass, saj, "discharge_slots")
    name, first, bit = f"{kind}_slot_{slot}", FIRST_SLOTS[kind] + 3 * (slot - 1), 1 << slot - 1
    # Every bit of the others is set at the display.
    machine.panel_change(MASKS[kind], 0x7F & ~bit)
    machine.panel_change(first + 2, 0)
    assert await perform(hass, TIME, f"{name}_start", "06:05") == "06:05:00"
    assert await perform(hass, TIME, f"{name}_end", "23:59") == "23:59:00"
    assert await perform(hass, NUMBER, f"{name}_power", 77) == "77"
    assert await perform(hass, SELECT, f"{name}_days", "weekdays") == "weekdays"
    assert await perform(hass, ON, f"{name}_enabled", None) == "on"
    assert machine.word(MASKS[kind]) == 0x7F
    assert await perform(hass, OFF, f"{name}_enabled", None) == "off"
    # Hours in the high byte; Monday to Friday are the bits 0 to 4 of the high byte; 77 percent.
    assert [machine.word(first + n) for n in range(3)] == [0x0605, 0x173B, 0x1F4D]
    assert written(saj) == [
        (first, 0x0605),
        (first + 1, 0x173B),
        (first + 2, 0x004D),
        (first + 2, 0x1F4D),
        (MASKS[kind], 0x7F),
        (MASKS[kind], 0x7F & ~bit),
    ]


def test_none_is_left_out() -> None:
    """What is set here is everything that may be written."""
    family = FAMILIES["saj"]
    writable = {row.key for row in family.every_row() if row.writable}
    slots = {
        f"{kind}_slot_{slot}_{value}"
        for kind in FIRST_SLOTS
        for slot in range(1, 8)
        for value in ("start", "end", "power", "days", "enabled")
    }
    assert writable == {key for _, key, *_ in SETTINGS} | slots


async def test_an_export_limit_is_switched_off_on_an_inverter_that_takes_no_more_than_its_rated_power(
    hass: HomeAssistant, saj: SimulatedPlant, all_shown: None
) -> None:
    """110 % are refused, 100 % are not: that is as far as the limit is lifted before it is switched off."""
    await set_up(hass, saj, "discharge_slots")
    machine = saj.machine()
    machine.panel_change(0x365A, 300)
    machine.panel_change(0x365C, 1)
    respond = machine.respond

    def limited(pdu: bytes) -> bytes | None:
        # Function code 6, the address and the word.
        address, word = int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        if pdu[0] == 6 and address == 0x365A and word > 1000:
            return bytes([0x86, 3])
        return respond(pdu)

    machine.respond = limited  # type: ignore[method-assign]
    assert await perform(hass, SELECT, "export_limit_mode", "off") == "off"
    assert (machine.word(0x365A), machine.word(0x365C)) == (1000, 0)


async def test_a_refusal_names_the_register_that_was_refused(
    hass: HomeAssistant, saj: SimulatedPlant, all_shown: None
) -> None:
    """The schedule was asked for, and the start of its first slot is refused."""
    entry = await set_up(hass, saj, "discharge_slots")
    machine = saj.machine()
    respond = machine.respond

    def refusing(pdu: bytes) -> bytes | None:
        start = pdu[0] == 6 and int.from_bytes(pdu[1:3]) == 0x3606
        return bytes([0x86, 4]) if start else respond(pdu)

    machine.respond = refusing  # type: ignore[method-assign]
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, entry, "set_schedule", windows=[NIGHT])
    assert caught.value.translation_key == "part_rejected"
    placeholders = caught.value.translation_placeholders
    assert placeholders is not None
    assert (placeholders["entity"], placeholders["part"], placeholders["address"]) == (
        "Schedule",
        "Charge slot 1 start",
        "13830",
    )
