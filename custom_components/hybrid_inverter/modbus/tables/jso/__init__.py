"""JUSTSTANDOUT JSO8048104 and its twins, the low-voltage three-phase hybrids SUN-xK-SG04LP3.

Addresses are decimal and zero based. What the rows rest on is in their source: a page of the manual, or the maker's
three-phase storage protocol V105.4 where the manual's display does not show the value.
"""

from __future__ import annotations

from typing import Final

from ...derive import Derived, any_bit, total
from ...family import Family, Model, table
from ...recognise import by_code
from ...register import Group
from . import (
    battery,
    energy,
    faults,
    generator,
    grid_code,
    identity,
    packs,
    power,
    system,
    work_mode,
)

STRINGS: Final = ("pv1_power", "pv2_power", "pv3_power", "pv4_power")

JSO: Final = Family(
    key="jso",
    kind="inverter",
    what="a low-voltage three-phase hybrid inverter",
    registers=table(
        *identity.ROWS,
        *system.ROWS,
        *battery.ROWS,
        *work_mode.ROWS,
        *generator.ROWS,
        *grid_code.ROWS,
        *energy.ROWS,
        *power.ROWS,
    ),
    derived={
        "pv_power": Derived(
            key="pv_power",
            inputs=STRINGS,
            compute=total(*STRINGS),
            group=Group.POWER,
            unit="W",
        ),
        "problem": Derived(
            key="problem",
            inputs=("fault",),
            # An outage is not a defect.
            compute=any_bit("fault", except_bits={faults.NO_GRID_BIT}),
            group=Group.POWER,
        ),
    },
    readable=(
        # Proven on machines of several firmwares: unused registers read 0 or 0xFFFF.
        (0, 237),
        (336, 341),
        (500, 708),
        # Not on every firmware, so that a refusal takes nothing else along: wind turbine, meter, grid protection.
        (310, 334),
        (342, 347),
        (350, 424),
        (480, 493),
        *packs.READABLE,
    ),
    max_read=100,
    max_write=30,
    # Function code 6 is not served.
    single_write=False,
    spacing=0.05,
    settle=1.0,
    marker="device_type",
    # Two spellings of the same type exist, one with the bytes swapped; likewise for the strangers.
    recognise=by_code(
        0,
        frozenset({0x0005, 0x0500}),
        {
            0x0002: "a string inverter",
            0x0200: "a string inverter",
            0x0003: "a single-phase hybrid inverter",
            0x0300: "a single-phase hybrid inverter",
            0x0004: "a micro inverter",
            0x0400: "a micro inverter",
            0x0006: "a high-voltage three-phase hybrid inverter",
            0x0600: "a high-voltage three-phase hybrid inverter",
            0x0601: "a high-voltage three-phase hybrid inverter",
            0x0106: "a high-voltage three-phase hybrid inverter",
            0x0103: "an off-grid inverter",
            0x0104: "an energy storage system",
            0x0800: "a 100 kW power conversion system",
            0x0900: "a balcony storage system",
        },
    ),
    models={8000: Model(manufacturer="JUSTSTANDOUT", name="JSO8048104")},
    other_model=Model(manufacturer="Deye", name="SUN-{kilowatts}K-SG04LP3"),
    identity=(
        "device_type",
        "protocol_version",
        "serial_number",
        "main_firmware",
        "hmi_firmware",
        "rated_power",
        "mppt_count",
        "phase_count",
    ),
    firmware=("main_firmware", "hmi_firmware"),
    rated_powers=(5000, 20000),
    assumed={"mppt_count": 2, "phase_count": 3},
    faults=faults.RULES,
    features=packs.FEATURES,
)
