"""SAJ H2, HS2, AS2 and HS3: single- and three-phase hybrids with a high-voltage battery.

Addresses are those on the wire; of two words the high one comes first. The rows rest on the protocol document of the
H2, and on what several projects measured; what the devices have of them differs, and is found by looking.
"""

from __future__ import annotations

from typing import Final

from ...model.family import Family, Model, table
from . import (
    battery,
    energy,
    faults,
    identity,
    inputs,
    meters,
    phases,
    power,
    protection,
    settings,
    slots,
)

SAJ: Final = Family(
    key="saj",
    kind="inverter",
    registers=table(
        *identity.ROWS,
        *faults.ROWS,
        *power.ROWS,
        *battery.ROWS,
        *energy.ROWS,
        *settings.ROWS,
        *slots.ROWS,
        *protection.ROWS,
    ),
    derived={**battery.DERIVED, **faults.DERIVED},
    features=(
        *identity.FEATURES,
        *inputs.FEATURES,
        *phases.FEATURES,
        *battery.FEATURES,
        *meters.FEATURES,
        *settings.FEATURES,
        *slots.FEATURES,
    ),
    readable=(
        (0x3604, 0x362F),
        (0x3630, 0x3660),
        (0x3661, 0x367C),
        (0x4000, 0x4003),
        (0x4004, 0x4030),
        (0x4031, 0x4066),
        # Some devices refuse a read that runs across 0x4087.
        (0x4067, 0x4086),
        (0x408D, 0x40AD),
        (0x40BC, 0x40DE),
        (0x40DF, 0x40FE),
        # Refused by many single-phase devices, and by some in part.
        (0x4137, 0x4154),
        (0x4155, 0x4166),
        (0x4167, 0x4176),
        *(
            (first, first + identity.CONTROLLER_WORDS - 1)
            for first in range(0x8E00, 0x8E64, identity.CONTROLLER_WORDS)
        ),
        (0x8F00, 0x8F1C),
        (0xA000, 0xA037),
        (0xA03C, 0xA065),
    ),
    max_read=56,
    # Some HS2 serve no more.
    fallback_read_length=30,
    max_write=1,
    single_write=True,
    spacing=0.2,
    settle=0.3,
    write_spacing=1.0,
    # Busy, and a refusal that is only for the moment.
    write_retry=frozenset({6, 51}),
    recovery=12.0,
    baudrate=115200,
    presence_register="device_type",
    recognise=identity.recognise,
    surely=identity.KNOWN_TYPES,
    models={
        85: Model(manufacturer="SAJ", name="AS2-{kilowatts}K-S"),
        86: Model(manufacturer="SAJ", name="AS2-{kilowatts}K-S"),
        90: Model(manufacturer="SAJ", name="H2-{kilowatts}K-S2"),
        91: Model(manufacturer="SAJ", name="H2-{kilowatts}K-S3"),
        92: Model(manufacturer="SAJ", name="HS2-{kilowatts}K-S2"),
        93: Model(manufacturer="SAJ", name="HS2-{kilowatts}K-S3"),
    },
    model_key="device_type",
    # The codes of the three-phase ones and of the HS3 are not public.
    other_model=Model(manufacturer="SAJ", name="Hybrid {kilowatts}K"),
    identity=(
        "device_type",
        "device_subtype",
        "protocol_version",
        "serial_number",
        "product_code",
        "display_software_version",
        "master_software_version",
        "slave_software_version",
        "display_hardware_version",
        "control_hardware_version",
        "power_hardware_version",
        "rated_power",
        "grid_type",
    ),
    firmware=("display_software_version", "master_software_version", "slave_software_version"),
    rated_powers=identity.RATED_POWERS,
    sizes=identity.SIZES,
    asks_rated_power=True,
    faults=faults.RULES,
    # The limit is lifted before it is switched off.
    prerequisites={("export_limit_mode", "off"): (("export_limit_power", None),)},
    residues=settings.RESIDUES,
    reserves=settings.RESERVES,
    export_limit=settings.EXPORT_LIMIT,
)
