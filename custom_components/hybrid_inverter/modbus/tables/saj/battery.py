"""The battery: at the inverter's terminals, what its packs report, and what their controller allows."""

from __future__ import annotations

from typing import Final

from ...model.derived import Derived, negative_while, total
from ...model.family import table
from ...model.features import (
    Feature,
    above,
    either,
    has_bit,
)
from ...model.part import Kind, Part
from ...model.presentation import Name, numbered
from ...model.register import Group, Register
from ..sheet import SILENT, THROUGH_DEVICE
from .page import (
    BATTERY_VOLTAGE,
    PERCENT,
    TEMPERATURE,
    SajPage,
)

FAST = SajPage(Group.POWER, Part.BATTERY, powers=THROUGH_DEVICE)
SLOW = SajPage(Group.ENERGY, Part.BATTERY)
UNPROVEN = SajPage(Group.ENERGY, Part.BATTERY, confidence="medium")

VOLTAGE: Final = 0x4069
# Amperes. Some report ten times as many as they mean, 300 where the maker's app shows 30: what is more is unknown.
CURRENT_LIMIT: Final = (0.0, 100.0)

PACKS: Final = range(1, 5)
PACK_WORDS: Final = 6

BATTERY_COUNT: Final = 0xA000
# A stack that is not heard has no packs.
STACK_PAGE = SLOW.beside(BATTERY_COUNT)

CHARGING: Final = "charging"

ROWS: tuple[Register, ...] = (
    UNPROVEN.choice(
        "active_battery_protocol",
        0x4028,
        {
            0: "no_battery",
            1: "rs485_1",
            2: "lead_acid",
            3: "saj_can",
            4: "dyness_48_v",
            5: "rs485_5",
            6: "gh_rs485",
            7: "gh_can",
            8: "pylontech_can",
            9: "weco",
            10: "uz_can",
            11: "easyli_can",
            12: "dyness_51_v",
            13: "saj_b2",
            20: "dyness_high_voltage",
            21: "pylontech_sc0500",
            22: "saj_can_b2",
        },
        diagnostic=True,
    ),
    UNPROVEN.u16("active_soc_high_limit", 0x4029, "%", plausible=PERCENT, diagnostic=True),
    UNPROVEN.u16("active_soc_low_limit", 0x402A, "%", plausible=PERCENT, diagnostic=True),
    UNPROVEN.u16("active_depth_of_discharge", 0x402B, "%", plausible=PERCENT, diagnostic=True),
    UNPROVEN.u16("active_reserved_soc", 0x402C, "%", plausible=PERCENT, diagnostic=True),
    FAST.u16("battery_voltage", VOLTAGE, "V", scale=0.1, plausible=BATTERY_VOLTAGE, shown=True),
    FAST.i16("battery_current", 0x406A, "A", scale=0.01, shown=True),
    FAST.i16("battery_current_1", 0x406B, "A", scale=0.01, confidence="medium", diagnostic=True),
    FAST.i16("battery_current_2", 0x406C, "A", scale=0.01, confidence="medium", diagnostic=True),
    FAST.i16("battery_power_dc_raw", 0x406D, "W", part=None),
    # Without a battery these are 0, and no power flows.
    FAST.beside(VOLTAGE).i16(
        "battery_temperature", 0x406E, "°C", scale=0.1, plausible=TEMPERATURE, shown=True
    ),
    FAST.beside(VOLTAGE).u16(
        "battery_soc",
        0x406F,
        "%",
        scale=0.01,
        plausible=PERCENT,
        shown=True,
        kind=Kind.STATE_OF_CHARGE,
    ),
    FAST.choice(
        "battery_direction", 0x4096, {0xFFFF: CHARGING, 0: "idle", 1: "discharging"}, shown=True
    ),
    FAST.i16("battery_power_raw", 0x40A6, "W", part=None),
)

# Some devices report the power without a sign, and the direction only in another register.
DERIVED: Final = {
    key: Derived(
        key=key,
        inputs=(f"{key}_raw", "battery_direction"),
        compute=negative_while(f"{key}_raw", "battery_direction", CHARGING),
        group=Group.POWER,
        unit="W",
        part=Part.BATTERY,
        shown=key == "battery_power",
    )
    for key in ("battery_power", "battery_power_dc")
}

# Bits of a pack's fault and warning words, which only the protocols of the older series list.
PACK_FAULTS: Final = {
    1: "over_voltage",
    2: "under_voltage",
    3: "over_temperature",
    4: "under_temperature",
    5: "mosfet_over_temperature",
    6: "ambient_over_temperature",
    7: "discharge_over_current",
    8: "charge_over_current",
    9: "short_circuit",
    11: "bms_internal_fault",
    12: "voltage_detection_failure",
    13: "current_detection_failure",
    14: "temperature_detection_failure",
    15: "mosfet_detection_failure",
}
PACK_WARNINGS: Final = {
    1: "high_voltage",
    2: "low_voltage",
    3: "high_temperature",
    4: "low_temperature",
    5: "mosfet_high_temperature",
    6: "ambient_high_temperature",
    7: "high_discharge_current",
    8: "high_charge_current",
    9: "short_circuit",
    11: "bms_internal_warning",
}

# What the packs' controller says of the whole stack. Devices with packs of another maker serve zeros here, which would
# read as a battery that may not be charged.
STACK: tuple[Register, ...] = (
    SLOW.u16("battery_count", BATTERY_COUNT, absent=SILENT),
    STACK_PAGE.u16("battery_capacity", 0xA001, "Ah", kind=Kind.FIXED),
    STACK_PAGE.u16("battery_usable_capacity", 0xA00A, confidence="medium"),
    STACK_PAGE.bits(
        "battery_online",
        0xA00B,
        labels={pack - 1: f"battery_{pack}" for pack in PACKS},
        confidence="medium",
    ),
    STACK_PAGE.u16(
        "bms_high_voltage_protection",
        0xA032,
        "V",
        scale=0.1,
        plausible=BATTERY_VOLTAGE,
        diagnostic=True,
    ),
    STACK_PAGE.u16(
        "bms_low_voltage_warning",
        0xA033,
        "V",
        scale=0.1,
        plausible=BATTERY_VOLTAGE,
        diagnostic=True,
    ),
    STACK_PAGE.u16(
        "bms_charge_voltage", 0xA034, "V", scale=0.1, plausible=BATTERY_VOLTAGE, diagnostic=True
    ),
    STACK_PAGE.u16(
        "bms_discharge_cutoff_voltage",
        0xA035,
        "V",
        scale=0.1,
        plausible=BATTERY_VOLTAGE,
        diagnostic=True,
    ),
    *(
        STACK_PAGE.u16(
            key,
            address,
            "A",
            scale=0.1,
            plausible=CURRENT_LIMIT,
            confidence="medium",
            diagnostic=True,
        )
        for key, address in (
            ("bms_discharge_current_limit", 0xA036),
            ("bms_charge_current_limit", 0xA037),
        )
    ),
)


def pack(number: int) -> list[Register]:
    """What one battery pack reports.

    One for which the controller of the stack speaks has a voltage and a health of 0, and so tells nothing.
    """
    first = 0xA00C + PACK_WORDS * (number - 1)
    voltage = first + 2
    # The first pack was seen in many houses, the others in one or two.
    page = (SLOW if number == PACKS[0] else UNPROVEN).beside(voltage)
    unproven = UNPROVEN.beside(voltage)
    alarms = 0xA002 + 2 * (number - 1)
    return [
        unproven.bits(numbered("battery_{}_fault", number, "pack"), alarms, labels=PACK_FAULTS),
        unproven.bits(
            numbered("battery_{}_warning", number, "pack"), alarms + 1, labels=PACK_WARNINGS
        ),
        page.u16(
            numbered("battery_{}_soc", number, "pack"),
            first,
            "%",
            scale=0.01,
            plausible=PERCENT,
            kind=Kind.STATE_OF_CHARGE,
        ),
        page.u16(
            numbered("battery_{}_soh", number, "pack"),
            first + 1,
            "%",
            scale=0.01,
            absent=SILENT,
            plausible=PERCENT,
            alive_at=(),
            diagnostic=True,
        ),
        page.u16(
            numbered("battery_{}_voltage", number, "pack"),
            voltage,
            "V",
            scale=0.1,
            absent=SILENT,
            plausible=BATTERY_VOLTAGE,
            alive_at=(),
        ),
        page.i16(numbered("battery_{}_current", number, "pack"), first + 3, "A", scale=0.01),
        page.i16(
            numbered("battery_{}_temperature", number, "pack"),
            first + 4,
            "°C",
            scale=0.1,
            plausible=TEMPERATURE,
        ),
        page.u16(numbered("battery_{}_cycles", number, "pack"), first + 5, kind=Kind.COUNT),
        unproven.u32(
            numbered("battery_{}_discharge_energy_total", number, "pack"),
            0xA02A + 2 * (number - 1),
            "kWh",
            kind=Kind.MAY_FALL,
        ),
    ]


FEATURES: Final = (
    Feature(
        key="battery_packs",
        proof=above(
            0,
            "battery_count",
            *(f"battery_{number}_{value}" for number in PACKS for value in ("soc", "voltage")),
        ),
        removable=Name("packs"),
        registers=table(*STACK),
    ),
    *(
        Feature(
            key=f"battery_{number}",
            # One controller may speak for the whole stack, and leave the other packs at zero.
            proof=either(
                has_bit("battery_online", number - 1),
                above(0, f"battery_{number}_soc", f"battery_{number}_voltage"),
            ),
            removable=Name("pack", {"number": str(number)}),
            registers=table(*pack(number)),
            derived={
                "battery_soh": Derived(
                    key="battery_soh",
                    inputs=("battery_1_soh",),
                    compute=total("battery_1_soh"),
                    group=Group.ENERGY,
                    unit="%",
                    part=Part.BATTERY,
                    shown=True,
                    diagnostic=True,
                )
            }
            if number == PACKS[0]
            else {},
        )
        for number in PACKS
    ),
)
