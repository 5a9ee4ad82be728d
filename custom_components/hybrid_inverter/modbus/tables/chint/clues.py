"""What reveals which of the two meters an inverter polls."""

from __future__ import annotations

from typing import Final

from ...model.clues import Clues, MeterFingerprint

CT_RATIO_ADDRESS: Final = 0x0006

THREE_PHASE: Final = Clues(
    # Energies and primary values, and what lies behind the single-phase meter's frequency and its reserved registers.
    own_registers=((0x1000, 0x1FFF), (0x2012, 0x2051)),
    # Line voltages, then phase voltages, in tenths of a volt.
    fingerprints=(
        *(MeterFingerprint(address, 1500, 6000) for address in (0x2000, 0x2002, 0x2004)),
        *(MeterFingerprint(address, 800, 3500) for address in (0x2006, 0x2008, 0x200A)),
    ),
    ct_ratio_address=CT_RATIO_ADDRESS,
)
SINGLE_PHASE: Final = Clues(
    # V, A, kW, kvar, kVA, power factor.
    fingerprints=(
        MeterFingerprint(0x2000, 80, 350),
        *(MeterFingerprint(address, -100, 100) for address in (0x2002, 0x2004, 0x2006, 0x2008)),
        MeterFingerprint(0x200A, -1.01, 1.01),
    ),
)
