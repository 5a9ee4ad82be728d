"""The items of the JSO8048104's manual, page by page, written down by hand while reading it.

What a person finds on a page of the display, and the canonical keys of the values that are behind it. An item without
an entity has a reason. `scripts/docs` makes docs/jso8048104.md of it, and test_manual.py holds it to the integration.
"""

from typing import Final

from custom_components.hybrid_inverter.modbus.model.slots import START_SLOTS

from . import Page, at, fault, no

# Why an item has no entity, or why its entity only shows what the display can change.
REASONS: Final = {
    "no_register": "The inverter has no register for it.",
    "grid_code": "Grid code: read-only.",
    "factory": "A factory function: never written.",
    "us_market": "For the US market: read-only.",
    "parallel": "Read-only: a wrong role stops the whole group. Set it on the display.",
    "bus_address": "Read-only: changing it would cut the connection. Set it on the display.",
    "commissioning": "Read-only: set once on the display when the meter or CT is wired.",
    "without_effect": "No effect: this inverter is wired three-phase.",
    "unconfirmed": "Read-only: what the register does on this inverter has not been confirmed.",
    "hardware": "A property of the hardware. There is nothing to read or set.",
    "device_page": "Shown on the device's page in Home Assistant, not as an entity.",
    "home_assistant": "Home Assistant provides this itself: history, statistics and the Energy dashboard.",
    "advice": "Advice in the manual about the settings above, not a separate setting.",
    "cloud_stick": "A stick that speaks Modbus TCP can be used for the connection. Others only report to the manufacturer's cloud.",
}

WIRING: Final = (
    Page(
        "2.1",
        "Product overview",
        (
            at("Power on/off button: position", "power_switch_state"),
            at("Switching the inverter on and off", "inverter_enabled"),
            no("DC switch", "hardware"),
            at(
                "Fan",
                "warning",
                note="Code W02 is the fan.",
            ),
            no("BMS 485 port, BMS CAN port", "hardware"),
            at("DRMs port", "drm_state"),
            at("Generator input", "generator_power", "relay_generator"),
            no("WiFi interface", "cloud_stick"),
        ),
    ),
    Page(
        "3",
        "Installation",
        (
            at(
                "3.3.2 Function port: relay contacts",
                "relay_dry_contact_1",
                "relay_dry_contact_2",
            ),
            at("3.3.3 Temperature sensor of a lead-acid battery", "battery_temperature"),
            at("3.4 Grid connection: is the grid present", "grid_connected"),
            at("3.4 Backup load connection: inverter relay", "relay_inverter"),
            at("3.5.1 PV input voltage, 150 V to 800 V", "pv1_voltage", "pv2_voltage"),
            at("3.5.1 Number of MPP trackers", "mppt_count"),
            at("3.6 CT connection: are the CTs oriented correctly", "ct_self_check_result"),
            no("3.7 Earth connection", "hardware"),
            no("3.8 WiFi plug", "cloud_stick"),
            no("3.10 Breakers", "hardware"),
            no("3.11 Parallel (tick)", "parallel", "parallel_enabled"),
            no("3.11 Master / Slave", "parallel", "parallel_role"),
            no("3.11 A, B, C phase", "parallel", "parallel_phase"),
            no("3.11 Modbus SN", "bus_address", "modbus_address"),
        ),
    ),
)

PANEL: Final = (
    Page(
        "4.2",
        "Panel LEDs",
        (
            at("DC: PV connected", "pv1_voltage", "pv2_voltage"),
            at("AC: grid connected", "grid_connected"),
            at("Normal: operating", "status"),
            at("Alarm: fault or warning", "problem", "fault", "warning"),
        ),
    ),
    Page(
        "5.1",
        "Main screen",
        (
            at("Icon in the middle: normal, fault", "status"),
            at("Icon in the middle: FXX", "fault"),
            at("Icon in the middle: comm.", "connectivity"),
            at("Time at the top", "clock_drift"),
            at("Solar", "pv_power"),
            at("Grid, positive on import", "grid_power"),
            at("Load", "load_power", "load_l1_power", "load_l2_power", "load_l3_power"),
            at("Battery power, positive while discharging", "battery_power"),
            at("Battery state of charge", "battery_soc"),
            at("Arrows", "grid_power", "battery_power", note="The sign is the direction."),
            at("System alarms", "warning", "fault"),
        ),
    ),
    Page(
        "5.2",
        "Solar page",
        (
            at("Solar generation", "pv_power"),
            at("MPPT 1 voltage", "pv1_voltage"),
            at("MPPT 1 current", "pv1_current"),
            at("MPPT 1 power", "pv1_power"),
            at("MPPT 2 voltage", "pv2_voltage"),
            at("MPPT 2 current", "pv2_current"),
            at("MPPT 2 power", "pv2_power"),
            at("Energy today", "pv_energy_today"),
            at("Total energy", "pv_energy_total"),
        ),
    ),
    Page(
        "5.2",
        "Inverter page",
        (
            at("Inverter generation", "inverter_power"),
            at("L1 voltage", "inverter_l1_voltage"),
            at("L2 voltage", "inverter_l2_voltage"),
            at("L3 voltage", "inverter_l3_voltage"),
            at("L1 current", "inverter_l1_current"),
            at("L2 current", "inverter_l2_current"),
            at("L3 current", "inverter_l3_current"),
            at("L1 power", "inverter_l1_power"),
            at("L2 power", "inverter_l2_power"),
            at("L3 power", "inverter_l3_power"),
            at("DC-T", "dc_temperature"),
            at("AC-T", "heatsink_temperature"),
        ),
    ),
    Page(
        "5.2",
        "Back-up load page",
        (
            at("Back-up power", "backup_power"),
            at("L1 voltage", "backup_l1_voltage"),
            at("L2 voltage", "backup_l2_voltage"),
            at("L3 voltage", "backup_l3_voltage"),
            at("L1 power", "backup_l1_power"),
            at("L2 power", "backup_l2_power"),
            at("L3 power", "backup_l3_power"),
            at("Consumption today", "load_energy_today"),
            at("Total consumption", "load_energy_total"),
        ),
    ),
    Page(
        "5.2",
        "Grid page",
        (
            at("Status", "grid_connected"),
            at("Power", "grid_power"),
            at("Frequency", "grid_frequency"),
            at("L1 voltage", "grid_l1_voltage"),
            at("L2 voltage", "grid_l2_voltage"),
            at("L3 voltage", "grid_l3_voltage"),
            at("L1 power", "grid_l1_power"),
            at("L2 power", "grid_l2_power"),
            at("L3 power", "grid_l3_power"),
            at("CT, total", "grid_ct_power"),
            at("CT1", "grid_l1_ct_power"),
            at("CT2", "grid_l2_ct_power"),
            at("CT3", "grid_l3_ct_power"),
            at("LD, total", "grid_internal_power"),
            at("LD1", "grid_l1_internal_power"),
            at("LD2", "grid_l2_internal_power"),
            at("LD3", "grid_l3_internal_power"),
            at("BUY, today", "grid_import_energy_today"),
            at("BUY, total", "grid_import_energy_total"),
            at("SELL, today", "grid_export_energy_today"),
            at("SELL, total", "grid_export_energy_total"),
        ),
    ),
    Page(
        "5.2",
        "Battery page",
        (
            at("State of charge", "battery_soc"),
            at("Power", "battery_power"),
            at("Voltage", "battery_voltage"),
            at("Current", "battery_current"),
            at("Temperature", "battery_temperature"),
            at("Charged today", "battery_charge_energy_today"),
            at("Total charged", "battery_charge_energy_total"),
            at("Discharged today", "battery_discharge_energy_today"),
            at("Total discharged", "battery_discharge_energy_total"),
        ),
    ),
    Page(
        "5.2",
        "BMS page (Li-BMS)",
        (
            at("Charging voltage", "bms_charge_voltage"),
            at("Discharging voltage", "bms_discharge_voltage"),
            at("Charging current limit", "bms_charge_current_limit"),
            at("Discharging current limit", "bms_discharge_current_limit"),
            at("State of charge", "bms_soc"),
            at("State of health", "battery_soh"),
            at("Voltage", "bms_voltage"),
            at("Current", "bms_current"),
            at("Temperature", "bms_temperature"),
            at("Alarm", "bms_alarm"),
            at("Fault", "bms_fault"),
            at("Force charge", "bms_force_charge_1"),
            at("Protocol of the battery", "lithium_protocol"),
            at("Packs", "pack_count"),
        ),
    ),
    Page(
        "5.3",
        "Curve pages",
        (
            at("Solar, day", "pv_power", "pv_energy_today"),
            no("Solar, month and year", "home_assistant", "pv_energy_total"),
            at("Solar, total", "pv_energy_total"),
            at("Load, day", "load_power", "load_energy_today"),
            no("Load, month", "home_assistant", "load_energy_total"),
            at("Load, year", "load_energy_year"),
            at("Load, total", "load_energy_total"),
            at("Grid, day", "grid_power", "grid_import_energy_today", "grid_export_energy_today"),
            no(
                "Grid, month and year",
                "home_assistant",
                "grid_import_energy_total",
                "grid_export_energy_total",
            ),
            at("Grid, total", "grid_import_energy_total", "grid_export_energy_total"),
        ),
    ),
)

BASIC: Final = (
    Page(
        "5.5",
        "Basic setup",
        (
            at("Setting the clock", "sync_clock", note="Uses Home Assistant's local time."),
            at("Clock accuracy", "clock_drift"),
            no("Factory reset", "factory"),
            no("Lock out all changes", "no_register"),
            no("Passwords 9999 and 7777", "factory"),
            at("Newer displays: time synchronisation", "time_sync"),
            at("Newer displays: beep", "beep"),
            at("Newer displays: AM/PM", "am_pm"),
            at("Newer displays: auto dim", "auto_dim"),
            at("Newer displays: allow remote", "allow_remote"),
        ),
    ),
)

BATTERY: Final = (
    Page(
        "5.6",
        "Battery setup 1: battery mode",
        (
            at("Lithium", "battery_chemistry"),
            at("Use Batt V", "battery_operation_mode"),
            at("Use Batt %", "battery_operation_mode"),
            at("No Batt", "battery_operation_mode"),
            at("Battery capacity", "battery_capacity"),
            at(
                "Max. A charge",
                "battery_max_charge_current",
                note="0 to 190 A on the 8 kW model, as in the data sheet; this page still says 115 A.",
            ),
            at("Max. A discharge", "battery_max_discharge_current"),
            at(
                "Active battery",
                "battery_1_wake_up",
                note="It is not certain which way round this switch works: on means 1 in the inverter, which owners of"
                " low-voltage inverters saw to be enabled, while the maker's protocol says that 0 is. Compare it with the"
                " display before you rely on it.",
            ),
            at(
                "Battery protocol",
                "lithium_protocol",
                note="0: CAN, Pylon, Solax and common CAN; 1: RS485 Modbus, Tianbangda; 2: KOK; 3: Keith; 4: Tuopai;"
                " 5: RS485, Pylon; 6: RS485, Jelis; 7: RS485, Sunwoda; 8: RS485, Xinruineng; 9: RS485, Tianbangda;"
                " 10: CAN, Shenggao. With the wrong one, the inverter does not hear the battery.",
            ),
            no("Amperes for AGM, flooded, lithium and gel", "advice"),
        ),
    ),
    Page(
        "5.6",
        "Battery setup 2: generator and grid charge",
        (
            at("Generator: start, %", "generator_charge_start_soc"),
            at("Generator: start, V", "generator_charge_start_voltage"),
            at("Generator: A", "generator_charge_current"),
            at("Gen charge", "generator_charge_enabled"),
            at("Gen signal", "generator_signal"),
            at("Gen max run time", "generator_max_run_time", note="24 h means no limit."),
            at("Gen down time", "generator_down_time"),
            at(
                "Grid: start, %",
                "grid_charge_start_soc",
                note="No effect on this inverter, according to the manual.",
            ),
            at("Grid: start, V", "grid_charge_start_voltage"),
            at("Grid: A", "grid_charge_current"),
            at("Grid charge", "grid_charge_enabled"),
            at("Grid signal", "grid_signal"),
        ),
    ),
    Page(
        "5.6",
        "Battery setup 3: charge stages and thresholds",
        (
            at("Float V", "float_voltage"),
            at("Absorption V", "absorption_voltage"),
            at("Equalization V", "equalization_voltage"),
            at("Equalization: days", "equalization_days"),
            at("Equalization: hours", "equalization_time"),
            at("TEMPCO", "tempco"),
            at("Batt resistance", "battery_resistance"),
            at("Batt charge efficiency", "battery_charge_efficiency"),
            at("Shutdown, %", "battery_shutdown_soc"),
            at("Low batt, %", "battery_low_soc"),
            at("Restart, %", "battery_restart_soc"),
            at("Shutdown, V", "battery_shutdown_voltage"),
            at("Low batt, V", "battery_low_voltage"),
            at("Restart, V", "battery_restart_voltage"),
            no("Recommended settings: AGM", "advice"),
            no("Recommended settings: Gel", "advice"),
            no("Recommended settings: Wet", "advice"),
            no("Recommended settings: Lithium", "advice"),
        ),
    ),
)


WORK_MODE: Final = (
    Page(
        "5.7",
        "System work mode 1",
        (
            at("Selling first", "work_mode"),
            at("Zero export to load", "work_mode"),
            at("Zero export to CT", "work_mode"),
            at("Solar sell", "solar_sell"),
            at("Max sell power", "max_sell_power"),
            at(
                "Zero-export power",
                "zero_export_power",
                note="Below 0 only from release 1135 of the main firmware on, or where it is below 0 already; not every"
                " release since then keeps it.",
            ),
            at("Energy pattern: BattFirst", "energy_pattern"),
            at("Energy pattern: LoadFirst", "energy_pattern"),
            at("Max solar power", "max_solar_power"),
            at("Grid peak-shaving", "grid_peak_shaving"),
            at("Grid peak-shaving: power", "grid_peak_shaving_power"),
        ),
    ),
    Page(
        "5.7",
        "System work mode 2: time of use",
        (
            at("Time of use", "tou_enabled"),
            at("Monday", "tou_monday"),
            at("Tuesday", "tou_tuesday"),
            at("Wednesday", "tou_wednesday"),
            at("Thursday", "tou_thursday"),
            at("Friday", "tou_friday"),
            at("Saturday", "tou_saturday"),
            at("Sunday", "tou_sunday"),
            at("Active slot", "active_slot"),
            at("Start of the next slot", "next_schedule_change"),
            at(
                "The whole table",
                "schedule",
                note="The action *Set schedule* writes the whole table at once.",
            ),
            *(
                item
                for slot in START_SLOTS
                for item in (
                    at(f"Row {slot}: time", f"tou_slot_{slot}_time"),
                    at(f"Row {slot}: power", f"tou_slot_{slot}_power"),
                    at(f"Row {slot}: batt, %", f"tou_slot_{slot}_soc"),
                    at(f"Row {slot}: batt, V", f"tou_slot_{slot}_voltage"),
                    at(f"Row {slot}: grid charge", f"tou_slot_{slot}_grid_charge"),
                    at(f"Row {slot}: gen", f"tou_slot_{slot}_generator_charge"),
                )
            ),
        ),
        intro="A row ends where the next one starts; the sixth ends where the first starts. "
        "The manual's display has no page for the weekdays; newer displays have one.",
    ),
)

GRID: Final = (
    Page(
        "5.8",
        "Grid Set1",
        (
            no("Grid mode: General Standard", "grid_code", "grid_standard"),
            no("Grid mode: UL1741 & IEEE1547", "grid_code", "grid_standard"),
            no("Grid mode: CPUC RULE21", "grid_code", "grid_standard"),
            no("Grid mode: SRD-UL-1741", "grid_code", "grid_standard"),
            no("Grid type: 220 V single phase", "without_effect", "output_wiring"),
            no("Grid type: 120/240 V split phase", "without_effect", "output_wiring"),
            no("Grid type: 120/208 V 3 phase", "without_effect", "output_wiring"),
            no("Grid type: 120 V single phase", "without_effect", "output_wiring"),
        ),
        intro="Reserved for the installer and the grid operator: read-only.",
    ),
    Page(
        "5.8",
        "Grid Set2",
        (
            no("Grid frequency, 50 or 60 Hz", "grid_code", "grid_frequency_setting"),
            no("Reconnection time", "grid_code", "reconnection_time"),
            no("PF", "grid_code", "power_factor_setting"),
            no("Grid HZ high", "grid_code", "grid_frequency_high"),
            no("Grid HZ low", "grid_code", "grid_frequency_low"),
            no("Grid vol high", "grid_code", "grid_voltage_high"),
            no("Grid vol low", "grid_code", "grid_voltage_low"),
        ),
        intro="Reserved for the installer and the grid operator: read-only.",
    ),
    Page(
        "5.8",
        "Grid Set3",
        (
            no("Q(V)", "grid_code", "volt_var_enabled"),
            *(
                item
                for point in (1, 2, 3, 4)
                for item in (
                    no(f"Q(V): V{point}", "grid_code", f"volt_var_v{point}"),
                    no(f"Q(V): Q{point}", "grid_code", f"volt_var_q{point}"),
                )
            ),
            no("FW", "grid_code", "freq_watt_flags"),
            no(
                "FW: Fstart",
                "grid_code",
                "freq_watt_over_point",
                "freq_watt_over_droop",
                "freq_watt_over_start_delay",
                "freq_watt_under_point",
                "freq_watt_under_droop",
                "freq_watt_under_start_delay",
            ),
            no(
                "FW: Fstop",
                "grid_code",
                "freq_watt_over_stop",
                "freq_watt_over_stop_delay",
                "freq_watt_under_stop",
                "freq_watt_under_stop_delay",
            ),
            no(
                "VW",
                "grid_code",
                "volt_watt_enabled",
                *(f"volt_watt_{axis}{point}" for axis in "vp" for point in (1, 2, 3, 4)),
            ),
            no("VW: Vstart", "grid_code", "ca_v_start"),
            no("VW: Vstop", "grid_code", "ca_v_stop"),
            no("Normal ramp rate", "grid_code", "normal_ramp_rate"),
            no("Soft start ramp rate", "grid_code", "soft_start_ramp_rate"),
        ),
        intro="For California, according to the manual. With firmware from about 2022 on every grid code uses these registers. "
        "Older firmware has other settings at some of them: enable these sensors only if their values fit what the display shows. "
        "Read-only.",
    ),
    Page(
        "5.8",
        "Grid Set4",
        (
            no("L/HVRT", "grid_code", "lhvrt_flags", "hvrt3_level", "hvrt3_time"),
            no("HV2: voltage", "grid_code", "over_voltage_2_trip", "hvrt2_level"),
            no("HV2: time", "grid_code", "over_voltage_2_trip_delay", "hvrt2_time"),
            no("HV1: voltage", "grid_code", "over_voltage_1_trip", "hvrt1_level"),
            no("HV1: time", "grid_code", "over_voltage_1_trip_delay", "hvrt1_time"),
            no("LV1: voltage", "grid_code", "under_voltage_1_trip", "lvrt1_level"),
            no("LV1: time", "grid_code", "under_voltage_1_trip_delay", "lvrt1_time"),
            no("LV2: voltage", "grid_code", "under_voltage_2_trip", "lvrt2_level"),
            no("LV2: time", "grid_code", "under_voltage_2_trip_delay", "lvrt2_time"),
            no("LV3: voltage and time", "no_register"),
            no("HF2: frequency", "grid_code", "over_frequency_2_trip"),
            no("HF2: time", "grid_code", "over_frequency_2_trip_delay"),
            no("HF1: frequency", "grid_code", "over_frequency_1_trip"),
            no("HF1: time", "grid_code", "over_frequency_1_trip_delay"),
            no("LF1: frequency", "grid_code", "under_frequency_1_trip"),
            no("LF1: time", "grid_code", "under_frequency_1_trip_delay"),
            no("LF2: frequency", "grid_code", "under_frequency_2_trip"),
            no("LF2: time", "grid_code", "under_frequency_2_trip_delay"),
        ),
        intro="For California, according to the manual. With firmware from about 2022 on every grid code uses these registers. "
        "Older firmware has other settings at some of them: enable these sensors only if their values fit what the display shows. "
        "Read-only.",
    ),
)

PORT: Final = (
    Page(
        "5.9",
        "Generator port use",
        (
            at("Generator input", "generator_port_mode"),
            at("Smart load output", "generator_port_mode"),
            at("Micro inv input", "generator_port_mode"),
            at("Generator input: rated power", "generator_rated_power"),
            at("GEN connect to grid input", "generator_on_grid_input"),
            at("Smart load: power", "smart_load_min_solar_power"),
            at("Smart load: ON, %", "smart_load_on_soc"),
            at("Smart load: OFF, %", "smart_load_off_soc"),
            at("Smart load: ON, V", "smart_load_on_voltage"),
            at("Smart load: OFF, V", "smart_load_off_voltage"),
            at("On grid always on", "on_grid_always_on"),
            at(
                "Micro inv: OFF",
                "smart_load_off_soc",
                note="The smart load's register under another name.",
            ),
            at(
                "Micro inv: ON",
                "smart_load_on_soc",
                note="The smart load's register under another name.",
            ),
            at("AC couple fre high", "ac_couple_frequency_high"),
            at("MI export to grid cutoff", "microinverter_export_cutoff"),
        ),
    ),
    Page(
        "5.10",
        "Advanced function",
        (
            no("Solar arc fault ON", "us_market", "solar_arc_fault"),
            no("System selfcheck", "factory", "system_selfcheck"),
            at("Gen peak-shaving", "generator_peak_shaving"),
            no("DRM", "grid_code", "drm_enabled", "drm_state"),
            no("Backup delay", "unconfirmed", "backup_delay"),
            at("BMS_Err_Stop", "bms_err_stop"),
            no("Signal island mode", "unconfirmed", "external_relay"),
            no("Ex_Meter for CT", "commissioning", "ex_meter_for_ct"),
            no("Ex_Meter for CT: A, B, C phase", "no_register"),
        ),
    ),
    Page(
        "5.11",
        "Device info",
        (
            no("Inverter ID", "device_page", "serial_number"),
            no("Flash", "no_register"),
            at("HMI", "hmi_firmware"),
            at("MAIN", "main_firmware"),
            no("MAIN: last part", "device_page", "main_fw_boot"),
            at("Alarms code", "fault"),
            no("Occurred: history of codes", "home_assistant"),
        ),
    ),
)

MODES: Final = (
    Page(
        "6",
        "Modes",
        (
            at("Mode I: basic", "pv_power", "grid_power", "load_power", "battery_power"),
            at("Mode II: with generator", "generator_port_mode"),
            at("Mode III: with smart load", "generator_port_mode"),
            at("Mode IV: AC couple", "generator_port_mode"),
        ),
    ),
)

FAULTS: Final = (
    Page(
        "7",
        "Faults",
        (
            fault("F08", "GFDI relay"),
            fault("F13", "working mode changed"),
            fault("F18", "AC over-current, hardware"),
            fault("F20", "DC over-current, hardware"),
            fault("F22", "emergency stop"),
            fault("F23", "AC leakage current"),
            fault("F24", "PV insulation"),
            fault("F26", "DC busbar unbalanced"),
            fault("F29", "parallel CAN bus"),
            fault("F34", "AC over-current"),
            at(
                "F35: no grid",
                "outage",
                "grid_connected",
                "last_outage",
                "last_outage_duration",
                note="An outage is not a defect: it has no repair issue.",
            ),
            fault("F41", "parallel system stopped"),
            fault("F42", "grid voltage low"),
            fault("F47", "grid frequency high"),
            fault("F48", "grid frequency low"),
            fault("F56", "DC busbar voltage low"),
            fault("F58", "BMS communication"),
            fault("F63", "arc fault"),
            fault("F64", "heat sink too hot"),
        ),
        intro="While the fault lasts, a repair issue in Home Assistant's settings explains step by step what to do. "
        "Every code, including those that the manual does not list, is shown by *Fault* and its events.",
    ),
)

DATA_SHEET: Final = (
    Page(
        "9",
        "Data sheet",
        (
            at("Battery type", "battery_chemistry"),
            at(
                "Battery voltage range, 40 to 60 V",
                "float_voltage",
                "absorption_voltage",
                "equalization_voltage",
            ),
            at(
                "Max. charging current, 190 A",
                "battery_max_charge_current",
                "grid_charge_current",
                "generator_charge_current",
            ),
            at("Max. discharging current, 190 A", "battery_max_discharge_current"),
            at("Charging curve, 3 stages", "equalization_days", "equalization_time"),
            at("External temperature sensor", "battery_temperature"),
            at("Charging strategy for Li-ion", "bms_charge_voltage", "bms_charge_current_limit"),
            at("Max. DC input power, 10400 W", "max_solar_power"),
            at("PV input current, 12.5 A each", "pv1_current", "pv2_current"),
            at("No. of MPPT trackers", "mppt_count"),
            at(
                "Rated AC output, 8000 W",
                "rated_power",
                note="The upper limit of most power settings.",
            ),
            at("Output voltage", "inverter_l1_voltage"),
            at("Output frequency", "inverter_frequency"),
            at("Grid type, three phase", "phase_count", "output_wiring"),
            at("Max. continuous AC pass-through, 50 A", "grid_l1_internal_current"),
            no("Power factor, 0.8 leading to 0.8 lagging", "grid_code", "power_factor_setting"),
            at("Insulation resistor detection", "fault", note="Code F24."),
            at("Residual current monitoring", "fault", note="Code F23."),
            at("Derating above 45 degC", "heatsink_temperature"),
            at("Communication with the BMS, RS485 or CAN", "lithium_protocol"),
            no("Efficiency, weight, size, protection degree", "hardware"),
        ),
        intro="Only what limits a setting or can be monitored.",
    ),
)

PAGES: Final = (
    *WIRING,
    *PANEL,
    *BASIC,
    *BATTERY,
    *WORK_MODE,
    *GRID,
    *PORT,
    *MODES,
    *FAULTS,
    *DATA_SHEET,
)
