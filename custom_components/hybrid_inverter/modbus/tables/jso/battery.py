"""Settings of the battery page: type, charge stages, currents, thresholds, generator and grid charging."""

from __future__ import annotations

from ...model.condition import BY_STATE_OF_CHARGE, BY_VOLTAGE
from ...model.part import Kind, Part
from ...model.register import (
    Group,
    Limits,
    Ref,
    Register,
)
from ...model.reserve import Reserve
from ..sheet import NOT_AVAILABLE
from .page import (
    BATTERY_CURRENT,
    EVERYDAY,
    INSTALLER,
    JsoPage,
)

SETUP = JsoPage(Group.SETTINGS, Part.BATTERY, "manual 5.6 Battery setup")
PROTOCOL = JsoPage(Group.SETTINGS, Part.BATTERY)

ROWS: tuple[Register, ...] = (
    SETUP.choice("battery_chemistry", 98, {0: "lead_acid", 1: "lithium"}, tier=INSTALLER),
    # A lead battery is charged to the first one now and then, to the second one always, and then kept at the third one.
    SETUP.u16(
        "equalization_voltage",
        99,
        "V",
        scale=0.01,
        tier=INSTALLER,
        limits=Limits(Ref("absorption_voltage", default=38), 61, 0.01),
    ),
    SETUP.u16(
        "absorption_voltage",
        100,
        "V",
        scale=0.01,
        tier=INSTALLER,
        limits=Limits(
            Ref("float_voltage", default=38), Ref("equalization_voltage", default=61), 0.01
        ),
    ),
    SETUP.u16(
        "float_voltage",
        101,
        "V",
        scale=0.01,
        tier=INSTALLER,
        limits=Limits(38, Ref("absorption_voltage", default=61), 0.01),
    ),
    SETUP.u16("battery_capacity", 102, "Ah", tier=INSTALLER, limits=Limits(0, 2000)),
    PROTOCOL.u16(
        "battery_empty_voltage", 103, "V", scale=0.01, tier=INSTALLER, limits=Limits(38, 61, 0.01)
    ),
    SETUP.u16("equalization_days", 105, "d", tier=INSTALLER, limits=Limits(0, 90)),
    SETUP.u16(
        "equalization_time",
        106,
        "h",
        scale=0.5,
        tier=INSTALLER,
        limits=Limits(0, 10, 0.5),
        confidence="medium",
    ),
    SETUP.i16(
        "tempco",
        107,
        "mV/°C/cell",
        absent=NOT_AVAILABLE,
        tier=INSTALLER,
        limits=Limits(0, 50),
        confidence="medium",
    ),
    SETUP.u16("battery_max_charge_current", 108, "A", tier=INSTALLER, limits=BATTERY_CURRENT),
    SETUP.u16("battery_max_discharge_current", 109, "A", tier=INSTALLER, limits=BATTERY_CURRENT),
    SETUP.choice(
        "battery_operation_mode",
        111,
        {0: "voltage", 1: "state_of_charge", 2: "no_battery"},
        # Where there is a battery, it stops the device with F13.
        shown_only=frozenset({2}),
        tier=INSTALLER,
    ),
    SETUP.switch("battery_1_wake_up", 112, mask=0x0001, tier=INSTALLER, confidence="low"),
    SETUP.u16("battery_resistance", 113, "mΩ", tier=INSTALLER, limits=Limits(0, 6000)),
    SETUP.u16(
        "battery_charge_efficiency", 114, "%", scale=0.1, tier=INSTALLER, limits=Limits(0, 100, 0.1)
    ),
    SETUP.u16(
        "battery_shutdown_soc",
        115,
        "%",
        kind=Kind.CHARGE_LEVEL,
        tier=EVERYDAY,
        limits=Limits(0, Ref("battery_low_soc", offset=-1, default=100)),
        shown=True,
        when=(BY_STATE_OF_CHARGE,),
    ),
    SETUP.u16(
        "battery_restart_soc",
        116,
        "%",
        kind=Kind.CHARGE_LEVEL,
        tier=EVERYDAY,
        limits=Limits(Ref("battery_low_soc", offset=1, default=0), 100),
        shown=True,
        when=(BY_STATE_OF_CHARGE,),
    ),
    SETUP.u16(
        "battery_low_soc",
        117,
        "%",
        kind=Kind.CHARGE_LEVEL,
        tier=EVERYDAY,
        limits=Limits(
            Ref("battery_shutdown_soc", offset=1, default=0),
            Ref("battery_restart_soc", offset=-1, default=100),
        ),
        shown=True,
        when=(BY_STATE_OF_CHARGE,),
    ),
    SETUP.u16(
        "battery_shutdown_voltage",
        118,
        "V",
        scale=0.01,
        tier=INSTALLER,
        limits=Limits(38, Ref("battery_low_voltage", offset=-0.01, default=61), 0.01),
        when=(BY_VOLTAGE,),
    ),
    SETUP.u16(
        "battery_restart_voltage",
        119,
        "V",
        scale=0.01,
        tier=INSTALLER,
        limits=Limits(Ref("battery_low_voltage", offset=0.01, default=38), 61, 0.01),
        when=(BY_VOLTAGE,),
    ),
    SETUP.u16(
        "battery_low_voltage",
        120,
        "V",
        scale=0.01,
        tier=INSTALLER,
        limits=Limits(
            Ref("battery_shutdown_voltage", offset=0.01, default=38),
            Ref("battery_restart_voltage", offset=-0.01, default=61),
            0.01,
        ),
        when=(BY_VOLTAGE,),
    ),
    SETUP.u16(
        "generator_max_run_time",
        121,
        "h",
        scale=0.1,
        tier=EVERYDAY,
        limits=Limits(0, 24, 0.1),
        part=Part.GENERATOR,
    ),
    SETUP.u16(
        "generator_down_time",
        122,
        "h",
        scale=0.1,
        tier=EVERYDAY,
        limits=Limits(0, 24, 0.1),
        part=Part.GENERATOR,
    ),
    SETUP.u16(
        "generator_charge_start_voltage",
        123,
        "V",
        scale=0.01,
        tier=EVERYDAY,
        limits=Limits(0, 63, 0.01),
        part=Part.GENERATOR,
        when=(BY_VOLTAGE,),
    ),
    SETUP.u16(
        "generator_charge_start_soc",
        124,
        "%",
        kind=Kind.CHARGE_LEVEL,
        tier=EVERYDAY,
        limits=Limits(0, 100),
        part=Part.GENERATOR,
        when=(BY_STATE_OF_CHARGE,),
    ),
    SETUP.u16(
        "generator_charge_current",
        125,
        "A",
        tier=INSTALLER,
        limits=BATTERY_CURRENT,
        part=Part.GENERATOR,
    ),
    SETUP.u16(
        "grid_charge_start_voltage",
        126,
        "V",
        scale=0.01,
        tier=EVERYDAY,
        limits=Limits(0, 63, 0.01),
        when=(BY_VOLTAGE,),
    ),
    SETUP.u16(
        "grid_charge_start_soc",
        127,
        "%",
        kind=Kind.CHARGE_LEVEL,
        tier=EVERYDAY,
        limits=Limits(0, 100),
        when=(BY_STATE_OF_CHARGE,),
    ),
    SETUP.u16("grid_charge_current", 128, "A", tier=INSTALLER, limits=BATTERY_CURRENT),
    # The low bit alone decides; other programs also set bits above it, which stay as they are found.
    SETUP.switch("generator_charge_enabled", 129, mask=0x0001, tier=EVERYDAY, part=Part.GENERATOR),
    SETUP.switch("grid_charge_enabled", 130, mask=0x0001, tier=EVERYDAY, shown=True),
    PROTOCOL.switch("generator_force", 132, tier=EVERYDAY, part=Part.GENERATOR),
    SETUP.switch("grid_signal", 140, mask=0x0001, tier=EVERYDAY),
    SETUP.switch("generator_signal", 140, mask=0x0002, tier=EVERYDAY, part=Part.GENERATOR),
    SETUP.u16(
        "lithium_protocol",
        223,
        labels={
            0: "can_pylon",
            1: "rs485_modbus_tianbangda",
            2: "kok",
            3: "keith",
            4: "tuopai",
            5: "rs485_pylon",
            6: "rs485_jelis",
            7: "rs485_sunwoda",
            8: "rs485_xinruineng",
            9: "rs485_tianbangda",
            10: "can_shenggao",
        },
        tier=INSTALLER,
        limits=Limits(0, 19),
    ),
)

# With the grid the battery is left alone below the low state of charge; the device shuts down at the other one, without
# the grid. They keep shutdown < low < restart at any moment, each in a request of its own (protocol V105.4, 115 to 117).
RESERVES: tuple[Reserve, ...] = (
    Reserve(
        key="battery_low_soc",
        limits=Limits(Ref("battery_shutdown_soc", offset=1, default=0), 99),
        above="battery_restart_soc",
        margin=1,
    ),
)
