"""Settings of the generator port: generator input, smart load output, micro inverter input."""

from __future__ import annotations

from ...model.condition import BY_STATE_OF_CHARGE, BY_VOLTAGE
from ...model.part import Kind, Part
from ...model.register import (
    Group,
    Limits,
    Ref,
    Register,
)
from .conditions import (
    GENERATOR_INPUT,
    MICRO_INVERTER,
    SMART_LOAD,
    SWITCHED_PORT,
)
from .page import (
    CONNECTION,
    EVERYDAY,
    INSTALLER,
    POWER,
    JsoPage,
)

PORT = JsoPage(Group.SETTINGS, Part.GENERATOR, "manual 5.9 Gen port use, Port Set1")
ADVANCED = JsoPage(Group.SETTINGS, Part.GENERATOR, "manual 5.10 Advanced function")
PROTOCOL = JsoPage(Group.SETTINGS, Part.GENERATOR, confidence="medium")

ROWS: tuple[Register, ...] = (
    PORT.u16(
        "ac_couple_frequency_high",
        131,
        "Hz",
        scale=0.01,
        tier=INSTALLER,
        limits=Limits(50, 65, 0.01),
        when=(MICRO_INVERTER,),
    ),
    PORT.choice(
        "generator_port_mode",
        133,
        {0: "generator_input", 1: "smart_load_output", 2: "micro_inverter_input"},
        tier=INSTALLER,
        shown=True,
    ),
    # The smart load is switched on above the one threshold and off below the other, a micro inverter the other way round.
    PORT.u16(
        "smart_load_off_voltage",
        134,
        "V",
        scale=0.01,
        tier=EVERYDAY,
        limits=Limits(
            38, Ref("smart_load_on_voltage", offset=-0.01, default=63, when=SMART_LOAD), 0.01
        ),
        confidence="medium",
        when=(SWITCHED_PORT, BY_VOLTAGE),
    ),
    PORT.u16(
        "smart_load_off_soc",
        135,
        "%",
        kind=Kind.CHARGE_LEVEL,
        tier=EVERYDAY,
        limits=Limits(0, Ref("smart_load_on_soc", offset=-1, default=100, when=SMART_LOAD)),
        shown=True,
        when=(SWITCHED_PORT, BY_STATE_OF_CHARGE),
    ),
    PORT.u16(
        "smart_load_on_voltage",
        136,
        "V",
        scale=0.01,
        tier=EVERYDAY,
        limits=Limits(
            Ref("smart_load_off_voltage", offset=0.01, default=38, when=SMART_LOAD), 63, 0.01
        ),
        confidence="medium",
        when=(SWITCHED_PORT, BY_VOLTAGE),
    ),
    PORT.u16(
        "smart_load_on_soc",
        137,
        "%",
        kind=Kind.CHARGE_LEVEL,
        tier=EVERYDAY,
        limits=Limits(Ref("smart_load_off_soc", offset=1, default=0, when=SMART_LOAD), 100),
        shown=True,
        when=(SWITCHED_PORT, BY_STATE_OF_CHARGE),
    ),
    PORT.u16(
        "smart_load_min_solar_power",
        139,
        "W",
        tier=EVERYDAY,
        limits=POWER,
        confidence="medium",
        shown=True,
        when=(SMART_LOAD,),
    ),
    PORT.pair(
        "microinverter_export_cutoff", 178, mask=0x0003, tier=EVERYDAY, when=(MICRO_INVERTER,)
    ),
    ADVANCED.pair("generator_peak_shaving", 178, mask=0x000C, tier=EVERYDAY),
    PORT.pair("on_grid_always_on", 178, mask=0x00C0, tier=EVERYDAY, shown=True, when=(SMART_LOAD,)),
    PORT.switch("generator_on_grid_input", 189, tier=INSTALLER),
    PORT.u16(
        "generator_rated_power",
        190,
        "W",
        tier=INSTALLER,
        limits=CONNECTION,
        when=(GENERATOR_INPUT,),
    ),
    PROTOCOL.u16(
        "smart_load_open_delay",
        192,
        "min",
        tier=EVERYDAY,
        limits=Limits(1, 120),
        when=(SMART_LOAD,),
    ),
    PROTOCOL.switch("ac_couple_grid_side", 234, mask=0x0001, part=Part.GRID),
    PROTOCOL.switch("ac_couple_load_side", 234, mask=0x0002, part=Part.LOAD),
)
