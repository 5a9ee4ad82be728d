"""JUSTSTANDOUT JSO8048104 and its twins, the low-voltage three-phase hybrids SUN-xK-SG04LP3 and SG05LP3.

Addresses are decimal and zero based. What the rows rest on is in their source: a page of the manual, or the maker's
three-phase storage protocol V105.4 where the manual's display does not show the value.
"""

from __future__ import annotations

from typing import Final

from ...model.derived import Derived, total
from ...model.family import Family, table
from ...model.part import Part
from ...model.recognition import by_code
from ...model.register import Group
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
    registers=table(
        *identity.ROWS,
        *system.ROWS,
        *battery.ROWS,
        *work_mode.ROWS,
        *generator.ROWS,
        *grid_code.ROWS,
        *energy.ROWS,
        *faults.ROWS,
        *power.ROWS,
    ),
    derived={
        "pv_power": Derived(
            key="pv_power",
            inputs=STRINGS,
            compute=total(*STRINGS),
            may_lack_some=True,
            group=Group.POWER,
            unit="W",
            part=Part.PV,
            shown=True,
        ),
        **faults.DERIVED,
    },
    readable=(
        # Proven on devices of several firmwares: unused registers read 0 or 0xFFFF.
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
    presence_register="device_type",
    # Two spellings of the same type exist, one with the bytes swapped; likewise for the other devices.
    recognise=by_code(
        0,
        frozenset({0x0005, 0x0500}),
        {
            0x0002: "string_inverter",
            0x0200: "string_inverter",
            0x0003: "single_phase_hybrid",
            0x0300: "single_phase_hybrid",
            0x0004: "micro_inverter",
            0x0400: "micro_inverter",
            0x0006: "high_voltage_hybrid",
            0x0600: "high_voltage_hybrid",
            0x0601: "high_voltage_hybrid",
            0x0106: "high_voltage_hybrid",
            0x0103: "off_grid_inverter",
            0x0104: "storage_system",
            0x0800: "power_conversion_system",
            0x0900: "balcony_storage",
        },
    ),
    models={8000: identity.JSO8048104},
    other_model=identity.DEYE,
    series=identity.series,
    makers=identity.MAKERS,
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
    features=(*work_mode.FEATURES, *packs.FEATURES),
    reserves=battery.RESERVES,
    export_limit=work_mode.EXPORT_LIMIT,
)
