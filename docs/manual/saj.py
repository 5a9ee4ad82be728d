"""The items of the SAJ configuration instructions (H2, HS2/AS2, HS3), section by section, written down by hand.

What a person wires, or finds on a page of the maker's app, and the canonical keys of the values that are behind it. An
item without an entity has a reason. `scripts/docs` makes docs/saj.md of it, and test_manual.py holds it to the integration.
"""

from typing import Final

from custom_components.hybrid_inverter.modbus.model.slots import WINDOW_SLOTS

from . import Page, at, fault, no

# Why an item has no entity, or why its entity only shows what the app can change.
REASONS: Final = {
    "not_public": "The manufacturer has not published a register for it. Use the manufacturer's app.",
    "app": "Part of the manufacturer's app and cloud. Home Assistant needs neither.",
    "hardware": "Wiring and hardware. There is nothing to read or set.",
    "commissioning": "Read-only: set once in the manufacturer's app when the meter or CT is wired.",
    "battery_type": "Read-only: with the wrong protocol the battery is not monitored. Set it in the manufacturer's app.",
    "parallel": "Read-only: a wrong role stops the whole group. Set it in the manufacturer's app.",
    "bus_address": "Read-only: changing it would cut the connection. Set it in the manufacturer's app.",
    "protection": "Read-only: protection is reserved for the installer and the grid operator.",
    "module": "A setting of the communication module, which has no register for it. Use the manufacturer's app.",
    "clock": "Not written: the protocol of 2022 has a register for it among those of the factory, but nobody has tried it on these inverters. Use *Auto Time Sync* in the app.",
    "device_page": "Shown on the device's page in Home Assistant, not as an entity.",
    "home_assistant": "Home Assistant provides this itself: history, statistics and the Energy dashboard.",
}

PHASES: Final = (1, 2, 3)
PACKS: Final = (1, 2, 3, 4)


def of_phases(pattern: str) -> tuple[str, ...]:
    """Return the keys of all three phases."""
    return tuple(pattern.format(f"l{phase}") for phase in PHASES)


def of_slots(pattern: str) -> tuple[str, ...]:
    """Return the keys of all slots of one kind."""
    return tuple(pattern.format(slot) for slot in WINDOW_SLOTS)


def of_packs(pattern: str) -> tuple[str, ...]:
    """Return the keys of all battery packs."""
    return tuple(pattern.format(pack) for pack in PACKS)


DEVICES: Final = (
    Page(
        "1",
        "Required devices",
        (
            at(
                "H2, HS2 or HS3 inverter: connection and status",
                "connectivity",
                "status",
            ),
            no(
                "Its type, serial number and firmware",
                "device_page",
                "serial_number",
                "device_type",
            ),
            at("BU2, BU3 or another battery", "battery_soc", "battery_power", "battery_voltage"),
            at("BC2, BC3: several batteries", "battery_count", *of_packs("battery_{}_soc")),
            at("Meter 1, at the grid", "meter_a_status", "meter_a_power"),
            at("Meter 2, at the solar inverter", "meter_b_status", "meter_b_power"),
            at("External CT at the grid", "grid_ct_power"),
            at("External CT at the solar inverter", "pv_ct_power"),
            no("EMS (eManager)", "not_public"),
        ),
    ),
    Page(
        "2",
        "Meter addresses",
        (
            no("2 Meter 1 has address 1: the meter at the grid", "commissioning", "meter_address"),
            no("2 Meter 2 has address 2: the meter at the solar inverter", "hardware"),
            no("2.1, 2.2 Setting the address on the meter", "hardware"),
            at("Communication with meter 1", "meter_a_status"),
            at("Communication with meter 2", "meter_b_status"),
            at(
                "Communication lost",
                "fault",
                note="Code E66, with a repair issue that says what to check.",
            ),
            at("2.1 Three-phase meter: power of each phase", *of_phases("meter_a_{}_power")),
            at("2.1 Three-phase meter: voltage of each phase", *of_phases("meter_a_{}_voltage")),
            at("2.1 Three-phase meter: current of each phase", *of_phases("meter_a_{}_current")),
            at(
                "2.2 Single-phase meter",
                "meter_a_l1_power",
                "meter_a_l1_voltage",
                "meter_a_l1_current",
            ),
        ),
        intro="The *grid meter* in Home Assistant is meter 1, the *solar meter* is meter 2. They appear if they answer.",
    ),
)

CONNECTION: Final = (
    Page(
        "3",
        "System connection: single-phase inverter",
        (
            at("3.1 One inverter, single-phase grid", "grid_power", "grid_l1_voltage"),
            no(
                "3.1.1 One inverter in a three-phase grid: its meter",
                "commissioning",
                "meter_wiring",
            ),
            at("3.1.1 One inverter in a three-phase grid: meter power", "meter_a_power"),
            at(
                "3.2, 3.3 With a solar inverter, internal or external CT",
                "pv_ct_power",
                "meter_b_power",
            ),
            at("3.2, 3.3 AS2: all PV power", "pv_power"),
            at(
                "3.4.1 RS485 connection of several inverters",
                "connectivity",
                note="One connection in Home Assistant for each.",
            ),
            no("3.4.1 Address on the RS485 line", "bus_address", "rs485_address"),
            no("3.4.1 Baud rate of the RS485 line", "bus_address", "rs485_baud_rate"),
            no("3.4.1 Pins 7 and 8 of the RS485 or EMS/Meter port", "hardware"),
            no("3.4 eManager: its own values and settings", "not_public"),
            no("3.4.2 LAN connection of several inverters", "not_public"),
        ),
        intro="The wiring of the RS485 port and of the communication module: [wiring](wiring.md#saj-h2-hs2-as2-and-hs3).",
    ),
    Page(
        "4",
        "System connection: three-phase inverter",
        (
            at("4.1 One inverter: the grid", "grid_power", *of_phases("grid_{}_voltage")),
            at(
                "4.1 One inverter: its own terminal",
                "grid_internal_power",
                *of_phases("grid_{}_internal_power"),
            ),
            at("4.1 Backup load", "backup_power", *of_phases("backup_{}_power")),
            at("4.1 On-grid load", "load_power"),
            at(
                "4.2 With a solar inverter, internal or external CT", "pv_ct_power", "meter_b_power"
            ),
            no("4.2 Ratio of the CTs", "hardware"),
            at(
                "4.3.1 RS485 connection of several inverters",
                "connectivity",
                note="One connection in Home Assistant for each.",
            ),
            no("4.3 eManager: its own values and settings", "not_public"),
            no("4.3.2 LAN connection of several inverters", "not_public"),
        ),
    ),
)

INITIALIZATION: Final = (
    Page(
        "5.1, 5.2",
        "The app",
        (
            no("Installing the app, account, login", "app"),
            no("Network node, language", "app"),
        ),
    ),
    Page(
        "5.3",
        "Initialization: parallel connection",
        (
            no("Parallel mode", "parallel", "parallel_mode"),
            no("Total number of parallel devices", "parallel", "parallel_count"),
            no("Parallel ID", "parallel", "parallel_role"),
            no("Multi-machine connection method", "not_public"),
        ),
    ),
    Page(
        "5.3",
        "Initialization: battery brand and settings",
        (
            no("Battery brand", "battery_type", "battery_protocol"),
            at("Charge up to", "charge_upper_limit"),
            at("Discharge down to, with the grid", "on_grid_discharge_floor"),
            at("Discharge down to, without the grid", "off_grid_discharge_floor"),
            at("Charge power", "battery_charge_power_limit"),
            at("Discharge power", "battery_discharge_power_limit"),
            at("Charge power from the grid", "grid_charge_power_limit"),
            at("Discharge power into the grid", "grid_discharge_power_limit"),
        ),
    ),
    Page(
        "5.3",
        "Initialization: meter and system schematic",
        (
            no("Wiring: which meters are installed", "commissioning", "meter_wiring"),
            at(
                "What the schematic shows",
                "pv_power",
                "battery_power",
                "grid_power",
                "load_power",
                "backup_power",
            ),
        ),
    ),
    Page(
        "5.3",
        "Initialization: export limit",
        (
            at("Off, total power, current, each phase power", "export_limit_mode"),
            at("Total power mode: power", "export_limit_power", note="For the whole system."),
            at("Current mode: current", "export_limit_current", note="For each phase."),
            at("Each phase power mode: power", "export_limit_power", note="For each phase."),
        ),
    ),
    Page(
        "5.3",
        "Initialization: working mode",
        (
            at("Self-consumption mode", "work_mode"),
            at("Time-of-use pricing mode", "work_mode"),
            at("Back-up mode", "work_mode"),
            at("Back-up mode: state of charge", "backup_reserve_soc"),
            at(
                "Time of use: outside all periods",
                "tou_outside_mode",
                note="The manual says self-consumption; the inverter also supports standby.",
            ),
            at("Time of use: battery export", "tou_export_from_battery"),
            *(
                item
                for kind in ("charge", "discharge")
                for item in (
                    at(
                        f"Time of use: {kind} periods: in use",
                        *of_slots(f"{kind}_slot_{{}}_enabled"),
                    ),
                    at(
                        f"Time of use: {kind} periods: from, to",
                        *of_slots(f"{kind}_slot_{{}}_start"),
                        *of_slots(f"{kind}_slot_{{}}_end"),
                    ),
                    at(f"Time of use: {kind} periods: power", *of_slots(f"{kind}_slot_{{}}_power")),
                    at(f"Time of use: {kind} periods: days", *of_slots(f"{kind}_slot_{{}}_days")),
                )
            ),
            at("Time of use: active period", "active_window"),
            at("Time of use: start of the next period", "next_schedule_change"),
            at(
                "Time of use: all periods",
                "schedule",
                note="The action *Set schedule* writes them all at once.",
            ),
            at(
                "Not in the manual: passive mode",
                "work_mode",
                "passive_action",
                "passive_grid_charge_power",
                "passive_grid_discharge_power",
                "passive_battery_charge_power",
                "passive_battery_discharge_power",
                note="The mode begins at standby unless the action was set before. The settings changed for it are restored when"
                " the mode is left.",
            ),
            at(
                "Not in the manual: peak shaving, AI saving",
                "work_mode",
                note="Shown if selected in the app, but cannot be selected here.",
            ),
        ),
        intro="Modes that are not in this list are shown if selected in the app, but cannot be selected here.",
    ),
    Page(
        "5.3",
        "Initialization: charging pile, AFCI, country",
        (
            no("Charging pile setting", "not_public"),
            no("AFCI function (arc detection)", "protection", "function_word_extended"),
            no("Country", "not_public"),
            no("Grid compliance", "not_public"),
            no("Auto time sync", "clock", "system_time"),
            at("Not in the manual: buzzer", "buzzer"),
            at(
                "Device information: versions",
                "display_software_version",
                "master_software_version",
                "slave_software_version",
            ),
            at("Device information: rated power", "rated_power"),
        ),
    ),
    Page(
        "5.4",
        "Communication module",
        (
            no("Module mode: auto, Wi-Fi, Ethernet", "module"),
            no("Wi-Fi configuration", "module"),
            at("Is it online", "connectivity"),
        ),
    ),
    Page(
        "5.5",
        "Creating a plant",
        (no("Plant, owner's account, serial numbers", "app"),),
    ),
    Page(
        "5.6",
        "Viewing the plant",
        (
            at("Data update time", "connectivity"),
            at("Working mode", "work_mode", "active_work_mode"),
            at("Energy statistics: PV", "pv_energy_today", "pv_energy_total"),
            no(
                "Energy statistics: month and year",
                "home_assistant",
                "pv_energy_month",
                "pv_energy_year",
            ),
            at(
                "Energy statistics: battery",
                "battery_charge_energy_today",
                "battery_charge_energy_total",
                "battery_discharge_energy_today",
                "battery_discharge_energy_total",
            ),
            at(
                "Energy statistics: grid",
                "grid_import_energy_today",
                "grid_import_energy_total",
                "grid_export_energy_today",
                "grid_export_energy_total",
            ),
            at(
                "Consumption statistics",
                "load_energy_today",
                "load_energy_total",
                "backup_energy_today",
                "backup_energy_total",
            ),
            no("Environmental benefits", "app"),
            at(
                "Inverter: power, temperature",
                "inverter_power",
                "heatsink_temperature",
                "ambient_temperature",
            ),
            at("Inverter: PV strings", "pv1_power", "pv2_power", "pv3_power", "pv4_power"),
            at("Inverter: alarms", "fault", "problem", "error_count"),
            no("Inverter: history of alarms", "not_public", "fault_record_serial"),
            at("Battery: state of charge, state of health", "battery_soc", "battery_soh"),
            at(
                "Battery: voltage, current, temperature",
                "battery_voltage",
                "battery_current",
                "battery_temperature",
            ),
            at("Battery packs: state of charge", *of_packs("battery_{}_soc")),
            at("Battery packs: state of health", *of_packs("battery_{}_soh")),
            at(
                "Battery packs: faults and warnings",
                *of_packs("battery_{}_fault"),
                *of_packs("battery_{}_warning"),
            ),
            at("Battery packs: cycles", *of_packs("battery_{}_cycles")),
            at(
                "Battery: limits of the BMS",
                "bms_charge_current_limit",
                "bms_discharge_current_limit",
                "bms_charge_voltage",
            ),
            no("EV charger: mode, duration, energy, alarms", "not_public"),
        ),
    ),
)

GRID_CODE: Final = (
    Page(
        "5.7",
        "AFCI",
        (
            no("AFCI (arc detection): on or off", "protection", "function_word_extended"),
            at("Arc detected", "fault", note="Code E21."),
            no("AFCI: result of the self-test, details", "not_public"),
        ),
    ),
    Page(
        "5.8",
        "Fixed power factor and fixed reactive power",
        (
            no("Capacitive, inductive power factor adjustment", "not_public"),
            no("Capacitive, inductive adjustment (Var)", "not_public"),
        ),
    ),
    Page(
        "5.9",
        "Australia and New Zealand",
        (
            no("5.9.1 V-Watt", "not_public"),
            no("5.9.1 Volt-Var", "not_public"),
            no("5.9.2 DRM settings", "not_public"),
            at("5.9.2 DRM: requested response", "drm_hardware_status", "drm_software_status"),
        ),
    ),
    Page(
        "5.10",
        "Germany and Austria",
        (no("5.10.1 RCR power control (ripple control receiver)", "not_public"),),
    ),
    Page(
        "5.11",
        "United Kingdom",
        (no("5.11.1 G100 settings", "not_public"),),
    ),
    Page(
        "5.12",
        "Italy",
        (
            no("5.12.1 Self-test (CEI 0-21)", "not_public"),
            at("5.12.1 Self-test: running", "status"),
        ),
    ),
)

FAULTS: Final = (
    Page(
        "6",
        "Not in the manual: fault codes",
        (
            *(
                fault(code, meaning)
                for code, meaning in (
                    ("E03", "grid phase error"),
                    ("E04", "PV voltage high"),
                    ("E15", "grid neutral to earth voltage"),
                    ("E17", "fan 1"),
                    ("E18", "fan 2"),
                    ("E19", "fan 3"),
                    ("E20", "fan 4"),
                    ("E21", "arc fault"),
                    ("E26", "battery overload"),
                    ("E28", "output overload"),
                    ("E29", "battery open circuit"),
                    ("E30", "battery discharge voltage low"),
                    ("E35", "temperature high"),
                    ("E36", "temperature low"),
                    ("E41", "phase 1 voltage high"),
                    ("E42", "phase 1 voltage low"),
                    ("E43", "phase 2 voltage high"),
                    ("E44", "phase 2 voltage low"),
                    ("E45", "phase 3 voltage high"),
                    ("E46", "phase 3 voltage low"),
                    ("E47", "10-minute average voltage high"),
                    ("E50", "grid frequency high"),
                    ("E51", "grid frequency low"),
                )
            ),
            at(
                "E56, E88: no grid",
                "outage",
                "grid_connected",
                "last_outage",
                "last_outage_duration",
                note="An outage is not a defect: it has no repair issue.",
            ),
            *(
                fault(code, meaning)
                for code, meaning in (
                    ("E59", "leakage current (GFCI)"),
                    ("E63", "insulation (ISO)"),
                    ("E66", "meter communication lost"),
                    ("E69", "BMS device error"),
                    ("E70", "BMS communication lost"),
                    ("E76", "R phase voltage high"),
                    ("E77", "R phase voltage low"),
                    ("E78", "S phase voltage high"),
                    ("E79", "S phase voltage low"),
                    ("E80", "T phase voltage high"),
                    ("E81", "T phase voltage low"),
                    ("E82", "grid frequency high"),
                    ("E83", "grid frequency low"),
                    ("E89", "PV input mode"),
                    ("E91", "PV voltage high"),
                )
            ),
            at(
                "E01 to E92: every other code",
                "fault",
                "problem",
                note="Only the meaning, without instructions.",
            ),
        ),
        intro="The manual has no table of faults. The names come from the manufacturer's 2022 protocol. "
        "While the fault lasts, a repair issue in Home Assistant's settings says what to check; codes whose names do not "
        "say that have none.",
    ),
)

PAGES: Final = (*DEVICES, *CONNECTION, *INITIALIZATION, *GRID_CODE, *FAULTS)
