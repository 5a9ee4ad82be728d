"""The battery: at the inverter's terminals, what its packs report, and what their controller allows."""

from __future__ import annotations

from typing import Final

from ...derive import Derived, negative_while, total
from ...family import table
from ...features import Feature, above, either, has_bit
from ...register import Group, Register
from ..sheet import NOT_AVAILABLE
from .page import BATTERY_VOLTAGE, PERCENT, TEMPERATURE, Page

FAST = Page(Group.POWER)
SLOW = Page(Group.ENERGY)
UNPROVEN = Page(Group.ENERGY, confidence="medium")

PACKS: Final = range(1, 5)
PACK_WORDS: Final = 6

# No pack in use has a voltage or a health of 0: it is one for which the controller of the stack speaks.
SILENT: Final = NOT_AVAILABLE | {0}

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
    ),
    UNPROVEN.u16("active_soc_high_limit", 0x4029, "%", plausible=PERCENT),
    UNPROVEN.u16("active_soc_low_limit", 0x402A, "%", plausible=PERCENT),
    UNPROVEN.u16("active_depth_of_discharge", 0x402B, "%", plausible=PERCENT),
    UNPROVEN.u16("active_reserved_soc", 0x402C, "%", plausible=PERCENT),
    FAST.u16("battery_voltage", 0x4069, "V", scale=0.1, plausible=BATTERY_VOLTAGE),
    FAST.i16("battery_current", 0x406A, "A", scale=0.01),
    FAST.i16("battery_current_1", 0x406B, "A", scale=0.01, confidence="medium"),
    FAST.i16("battery_current_2", 0x406C, "A", scale=0.01, confidence="medium"),
    FAST.i16("battery_power_dc_raw", 0x406D, "W"),
    FAST.i16("battery_temperature", 0x406E, "degC", scale=0.1, plausible=TEMPERATURE),
    FAST.u16("battery_soc", 0x406F, "%", scale=0.01, plausible=PERCENT),
    FAST.choice("battery_direction", 0x4096, {0xFFFF: CHARGING, 0: "idle", 1: "discharging"}),
    FAST.i16("battery_power_raw", 0x40A6, "W"),
)

# Some machines tell how much, and only beside it that it goes into the battery.
DERIVED: Final = {
    key: Derived(
        key=key,
        inputs=(f"{key}_raw", "battery_direction"),
        compute=negative_while(f"{key}_raw", "battery_direction", CHARGING),
        group=Group.POWER,
        unit="W",
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

# What the packs' controller says of the whole stack. Machines with packs of another maker serve zeros here, which would
# read as a battery that may not be charged.
STACK: tuple[Register, ...] = (
    SLOW.u16("battery_count", 0xA000),
    SLOW.u16("battery_capacity", 0xA001, "Ah"),
    UNPROVEN.u16("battery_usable_capacity", 0xA00A),
    UNPROVEN.bits("battery_online", 0xA00B, labels={pack - 1: f"battery_{pack}" for pack in PACKS}),
    SLOW.u16("bms_high_voltage_protection", 0xA032, "V", scale=0.1, plausible=BATTERY_VOLTAGE),
    SLOW.u16("bms_low_voltage_warning", 0xA033, "V", scale=0.1, plausible=BATTERY_VOLTAGE),
    SLOW.u16("bms_charge_voltage", 0xA034, "V", scale=0.1, plausible=BATTERY_VOLTAGE),
    SLOW.u16("bms_discharge_cutoff_voltage", 0xA035, "V", scale=0.1, plausible=BATTERY_VOLTAGE),
    SLOW.u16("bms_discharge_current_limit", 0xA036, "A", scale=0.1),
    SLOW.u16("bms_charge_current_limit", 0xA037, "A", scale=0.1),
)


def pack(number: int) -> list[Register]:
    """Return what one battery pack reports."""
    first = 0xA00C + PACK_WORDS * (number - 1)
    # The first pack was seen in many houses, the others in one or two.
    page = SLOW if number == PACKS[0] else UNPROVEN
    alarms = 0xA002 + 2 * (number - 1)
    return [
        UNPROVEN.bits(f"battery_{number}_fault", alarms, labels=PACK_FAULTS),
        UNPROVEN.bits(f"battery_{number}_warning", alarms + 1, labels=PACK_WARNINGS),
        page.u16(f"battery_{number}_soc", first, "%", scale=0.01, plausible=PERCENT),
        page.u16(
            f"battery_{number}_soh",
            first + 1,
            "%",
            scale=0.01,
            absent=SILENT,
            plausible=PERCENT,
        ),
        page.u16(
            f"battery_{number}_voltage",
            first + 2,
            "V",
            scale=0.1,
            absent=SILENT,
            plausible=BATTERY_VOLTAGE,
        ),
        page.i16(f"battery_{number}_current", first + 3, "A", scale=0.01),
        page.i16(
            f"battery_{number}_temperature", first + 4, "degC", scale=0.1, plausible=TEMPERATURE
        ),
        page.u16(f"battery_{number}_cycles", first + 5),
        UNPROVEN.u32(f"battery_{number}_discharge_energy_total", 0xA02A + 2 * (number - 1), "kWh"),
    ]


FEATURES: Final = (
    Feature(
        key="battery_packs",
        proof=above(
            0,
            "battery_count",
            *(f"battery_{number}_{value}" for number in PACKS for value in ("soc", "voltage")),
        ),
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
            registers=table(*pack(number)),
            derived={
                "battery_soh": Derived(
                    key="battery_soh",
                    inputs=("battery_1_soh",),
                    compute=total("battery_1_soh"),
                    group=Group.ENERGY,
                    unit="%",
                )
            }
            if number == PACKS[0]
            else {},
        )
        for number in PACKS
    ),
)
