"""The table of the JSO family, against a raw image and values that were both worked out by hand.

The image (fixtures/jso_image.json, address to raw word) is a sunny noon: 5610 W of PV, 2510 W into the battery, 3000 W
out of the inverter, 630 W sold. Its powers obey the identities that were checked on real machines.
"""

from __future__ import annotations

from datetime import datetime, time
import json
from pathlib import Path
from typing import Final

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

IMAGE: Final[dict[int, int]] = {
    int(address): word
    for address, word in json.loads(
        (Path(__file__).parents[1] / "fixtures" / "jso_image.json").read_text(encoding="utf-8")
    ).items()
}

EXPECTED: Final[dict[str, Value | None]] = {
    # Identity.
    "device_type": 5,
    "modbus_address": 1,
    "protocol_version": "0104",
    "serial_number": "JSO0000001",
    "mcu_board_version": 7,  # 0x0A07, low byte
    "main_fw_boot": "1800",
    "afci_version": None,  # 0xFFFF
    "main_firmware": "2001-1144-1800",  # 14, 15, then 11
    "hmi_fw_extra": 0,
    "hmi_firmware": "1001-C037",
    "rated_power": 8000.0,  # 1 * 65536 + 14464 = 80000 tenths
    "mppt_count": 2,  # 0x0203
    "phase_count": 3,
    "rated_power_code": "8_kw",
    "output_wiring": "three_phase",
    "market": "eu",
    "system_selfcheck": False,
    "communication_address": 1,
    # Basic and advanced settings.
    "system_time": datetime(2026, 6, 21, 12, 34, 56),  # noqa: DTZ001 - 0x1A06 0x150C 0x2238, local
    "inverter_enabled": True,
    # 178 is 0xAECE: from the lowest pair up 10 11 00 11 10 11 10 10.
    "microinverter_export_cutoff": False,
    "generator_peak_shaving": True,
    "grid_peak_shaving": False,
    "on_grid_always_on": True,
    "external_relay": False,
    "bms_err_stop": True,
    "drm_enabled": False,
    "solar_arc_fault": False,
    "backup_delay": 0,
    # 228 is 0xC06B: from the lowest pair up 11 10 10 01 00 00 00 11.
    "time_sync": True,
    "beep": False,
    "am_pm": False,
    "auto_dim": None,
    "allow_remote": True,
    "ct_self_check": None,
    "wind_input_dc1": False,
    "wind_input_dc2": True,
    "wind_curve_1_voltage": 50.0,
    "wind_curve_2_voltage": 90.0,
    "wind_curve_3_voltage": 130.0,
    "wind_curve_4_voltage": 170.0,
    "wind_curve_5_voltage": 210.0,
    "wind_curve_6_voltage": 250.0,
    "wind_curve_7_voltage": 290.0,
    "wind_curve_8_voltage": 330.0,
    "wind_curve_9_voltage": 370.0,
    "wind_curve_10_voltage": 410.0,
    "wind_curve_11_voltage": 450.0,
    "wind_curve_12_voltage": 490.0,
    "wind_curve_1_current": 0.0,
    "wind_curve_2_current": 1.0,
    "wind_curve_3_current": 2.0,
    "wind_curve_4_current": 3.0,
    "wind_curve_5_current": 4.0,
    "wind_curve_6_current": 5.0,
    "wind_curve_7_current": 6.0,
    "wind_curve_8_current": 7.0,
    "wind_curve_9_current": 8.0,
    "wind_curve_10_current": 9.0,
    "wind_curve_11_current": 10.0,
    "wind_curve_12_current": 11.5,
    "parallel_enabled": True,  # 0x0103
    "parallel_role": "master",
    "parallel_phase": "l2",
    "mppt_scan": True,
    "italy_self_check": False,
    "italy_local_mode": "narrow_range",
    "ex_meter_for_ct": "external_meter",
    "grid_tie_meter_2": True,
    "meter_brand": "chnt",
    "meter_limit_mode": "minimum",
    "ct_ratio": 30,
    # Battery page.
    "battery_chemistry": "lithium",
    "equalization_voltage": 57.6,
    "absorption_voltage": 57.4,
    "float_voltage": 55.2,
    "battery_capacity": 280,
    "battery_empty_voltage": 45.0,  # raw 4500
    "equalization_days": 30,
    "equalization_time": 3.0,  # six half hours
    "tempco": 5,
    "battery_max_charge_current": 115,
    "battery_max_discharge_current": 120,
    "battery_operation_mode": "state_of_charge",
    "battery_1_wake_up": True,
    "battery_resistance": 250,
    "battery_charge_efficiency": 99.0,
    "battery_shutdown_soc": 20,
    "battery_restart_soc": 50,
    "battery_low_soc": 35,
    "battery_shutdown_voltage": 46.5,
    "battery_restart_voltage": 52.0,
    "battery_low_voltage": 47.5,
    "generator_max_run_time": 24.0,
    "generator_down_time": 0.5,
    "generator_charge_start_voltage": 49.1,
    "generator_charge_start_soc": 90,  # raw 90, plain percent
    "generator_charge_current": 45,
    "grid_charge_start_voltage": 49.2,
    "grid_charge_start_soc": 30,
    "grid_charge_current": 40,
    "generator_charge_enabled": True,
    "grid_charge_enabled": False,
    "generator_force": False,
    "grid_signal": False,
    "generator_signal": True,
    "lithium_protocol": 12,  # newer than the list of names
    # Work mode.
    "zero_export_power": -60,  # raw 65476
    "energy_pattern": "load_first",  # the pair reads 3
    "work_mode": "zero_export_to_ct",
    "max_sell_power": 5000,
    "solar_sell": True,
    "grid_peak_shaving_power": 6000,
    "max_export_power_port": 12000,  # tens of watts
    "max_import_power_port": 15000,
    "track_grid_phase": True,
    "asymmetric_phase_feeding": False,
    "max_solar_power": 10400,
    # Time of use; 146 is 0x7F.
    "tou_enabled": True,
    "tou_monday": True,
    "tou_tuesday": True,
    "tou_wednesday": True,
    "tou_thursday": True,
    "tou_friday": True,
    "tou_saturday": True,
    "tou_sunday": False,
    "tou_slot_1_time": time(1, 0),
    "tou_slot_2_time": time(5, 30),  # raw 530
    "tou_slot_3_time": time(8, 0),
    "tou_slot_4_time": time(10, 0),
    "tou_slot_5_time": time(15, 0),
    "tou_slot_6_time": time(18, 0),
    "tou_slot_1_power": 5000,
    "tou_slot_2_power": 4000,
    "tou_slot_3_power": 3000,
    "tou_slot_4_power": 2000,
    "tou_slot_5_power": 1000,
    "tou_slot_6_power": 8000,
    "tou_slot_1_voltage": 49.0,
    "tou_slot_2_voltage": 50.2,
    "tou_slot_3_voltage": 50.9,
    "tou_slot_4_voltage": 51.4,
    "tou_slot_5_voltage": 47.1,
    "tou_slot_6_voltage": 48.95,
    "tou_slot_1_soc": 80,
    "tou_slot_2_soc": 40,
    "tou_slot_3_soc": 41,
    "tou_slot_4_soc": 81,
    "tou_slot_5_soc": 42,
    "tou_slot_6_soc": 35,
    "tou_slot_1_grid_charge": True,  # raw 1
    "tou_slot_1_generator_charge": False,
    "tou_slot_1_sell": False,
    "tou_slot_2_grid_charge": False,  # raw 2
    "tou_slot_2_generator_charge": True,
    "tou_slot_2_sell": False,
    "tou_slot_3_grid_charge": True,  # raw 3
    "tou_slot_3_generator_charge": True,
    "tou_slot_3_sell": False,
    "tou_slot_4_grid_charge": False,  # raw 0
    "tou_slot_4_generator_charge": False,
    "tou_slot_4_sell": False,
    "tou_slot_5_grid_charge": True,  # raw 0x21
    "tou_slot_5_generator_charge": False,
    "tou_slot_5_sell": True,
    "tou_slot_6_grid_charge": False,  # raw 0x20
    "tou_slot_6_generator_charge": False,
    "tou_slot_6_sell": True,
    # Generator port.
    "ac_couple_frequency_high": 52.0,
    "generator_port_mode": "smart_load_output",
    "smart_load_off_voltage": 51.0,
    "smart_load_off_soc": 95,
    "smart_load_on_voltage": 54.0,
    "smart_load_on_soc": 100,
    "smart_load_min_solar_power": 500,
    "generator_on_grid_input": False,
    "generator_rated_power": 5500,
    "smart_load_open_delay": 5,
    "ac_couple_grid_side": None,
    "ac_couple_load_side": None,
    # Grid code.
    "vw_response_time": 10.0,
    "vq_response_time": 5.0,
    "reactive_power_regulation": -5.0,  # raw 65486
    "apparent_power_regulation": 110.0,
    "reactive_mode": None,
    "output_voltage_level": "230_400_v",
    "grid_phase_order": "0_120_240",
    "reconnection_time": 60,
    "grid_standard": "vde4105",
    "grid_frequency_setting": "50_hz",
    "grid_voltage_high": 265.0,
    "grid_voltage_low": 185.0,
    "grid_frequency_high": 51.5,
    "grid_frequency_low": 47.5,
    "power_factor_setting": 1.0,
    "reconnect_voltage_max": 253.0,
    "reconnect_voltage_min": 195.5,
    "reconnect_frequency_max": 50.1,
    "reconnect_frequency_min": 47.55,
    "over_voltage_1_trip": 264.5,
    "over_voltage_2_trip": 276.0,
    "under_voltage_1_trip": 184.0,
    "under_voltage_2_trip": 115.0,
    "over_frequency_1_trip": 51.5,
    "over_frequency_2_trip": 52.0,
    "under_frequency_1_trip": 47.5,
    "under_frequency_2_trip": 47.0,
    "long_over_voltage_trip": 253.5,
    "volt_var_lock_in": 20.0,
    "volt_var_lock_out": 5.0,
    "volt_watt_enabled": True,
    "volt_watt_v1": 103.0,
    "volt_watt_p1": 100.0,
    "volt_watt_v2": 106.0,
    "volt_watt_p2": 80.0,
    "volt_watt_v3": 108.0,
    "volt_watt_p3": 50.0,
    "volt_watt_v4": 110.0,
    "volt_watt_p4": 20.0,
    "volt_var_enabled": True,
    "volt_var_v1": 93.0,
    "volt_var_q1": 43.6,
    "volt_var_v2": 97.0,
    "volt_var_q2": 0.0,
    "volt_var_v3": 103.5,
    "volt_var_q3": 0.0,
    "volt_var_v4": 107.0,
    "volt_var_q4": -43.6,  # raw 61176
    "freq_watt_flags": frozenset({0, 1, 7}),  # 0x83
    "freq_watt_under_stop": 0.5,
    "freq_watt_under_point": 1.2,
    "freq_watt_under_droop": 0.2,
    "freq_watt_under_start_delay": 0.0,
    "freq_watt_under_stop_delay": 30.0,
    "freq_watt_over_stop": 50.2,
    "freq_watt_over_point": 40,
    "freq_watt_over_droop": 50,
    "freq_watt_over_start_delay": 0.2,
    "freq_watt_over_stop_delay": 30.1,
    "watt_var_enabled": False,
    "watt_var_p1": -100.0,  # raw 55536
    "watt_var_q1": 43.6,
    "watt_var_p2": -50.0,  # raw 60536
    "watt_var_q2": 0.01,
    "watt_var_p3": 50.0,
    "watt_var_q3": 0.0,
    "watt_var_p4": 100.0,
    "watt_var_q4": -43.6,
    "watt_pf_enabled": True,
    "watt_pf_p1": 0.0,
    "watt_pf_pf1": 1.0,
    "watt_pf_p2": 50.0,
    "watt_pf_pf2": 0.95,
    "watt_pf_p3": 75.0,
    "watt_pf_pf3": -0.95,  # raw 56036
    "watt_pf_p4": 99.0,
    "watt_pf_pf4": None,
    "ca_v_start": 253.0,
    "ca_v_stop": 260.0,
    "normal_ramp_rate": 10,
    "soft_start_ramp_rate": 16,
    "over_voltage_1_trip_delay": 0.1,
    "over_voltage_2_trip_delay": 0.2,
    "under_voltage_1_trip_delay": 1.5,
    "under_voltage_2_trip_delay": 0.3,
    "over_frequency_1_trip_delay": 0.4,
    "over_frequency_2_trip_delay": 0.5,
    "under_frequency_1_trip_delay": 0.6,
    "under_frequency_2_trip_delay": 600.0,
    "watt_pf_lock_in": 100.0,
    "watt_pf_lock_out": 5.05,
    "lhvrt_flags": frozenset({0, 1, 8}),  # 0x0103
    "lvrt1_level": 85.0,
    "lvrt2_level": 45.0,
    "hvrt1_level": 115.0,
    "hvrt2_level": 120.0,
    "hvrt3_level": 125.0,
    "lvrt1_time": 1500,
    "lvrt2_time": 150,
    "hvrt1_time": 60000,
    "hvrt2_time": 100,
    "hvrt3_time": 50,
    "lhvrt_current_mode": "keep_current",
    # BMS.
    "bms_charge_voltage": 56.8,
    "bms_discharge_voltage": 46.0,
    "bms_charge_current_limit": 100,
    "bms_discharge_current_limit": 150,
    "bms_soc": 62,
    "bms_voltage": 52.3,
    "bms_current": -48,  # raw 65488
    "bms_temperature": 24.5,  # (1245 - 1000) / 10
    "bms_max_charge_current": 140,
    "bms_max_discharge_current": 145,
    "bms_alarm": frozenset(),
    "bms_fault": frozenset({2}),
    "bms_force_charge_1": True,  # 0x0A: bits 1 and 3
    "bms_force_charge_2": False,
    "bms_sleep": True,
    "battery_soh": None,  # 0: not delivered
    # State and energy.
    "status": "normal",
    "inverter_energy_today": -1.0,  # raw 65526
    "reactive_energy_today": 1.2,
    "inverter_energy_total": 7053.6,  # 65536 + 5000
    "reactive_energy_total": 12.3,
    "generator_hours_total": 45.6,
    "battery_charge_energy_today": 8.7,
    "battery_discharge_energy_today": 6.5,
    "battery_charge_energy_total": 10000.0,  # 65536 + 34464
    "battery_discharge_energy_total": 9553.6,  # 65536 + 30000
    "grid_import_energy_today": 2.3,
    "grid_export_energy_today": 10.4,
    "grid_import_energy_total": 13207.2,  # 2 * 65536 + 1000
    "grid_export_energy_total": None,  # 0xFFFFFFFF
    "load_energy_today": 15.2,
    "load_energy_total": 6553.5,  # only the low word is 0xFFFF
    "pv_energy_today": 26.5,
    "pv_energy_total": 19660.9,  # 3 * 65536 + 1
    "generator_energy_today": 0.0,
    "generator_energy_total": 20.0,
    "generator_hours_today": None,
    "dc_temperature": 25.0,
    "heatsink_temperature": 43.7,
    "drm_state": frozenset({0, 8}),
    "load_energy_year": 0.0,
    "comm_board_faults": frozenset({1}),
    "power_switch_state": True,  # 0x11, low four bits
    # Relays, warnings, faults; 552 is 0x95: bits 0, 2, 4 and 7.
    "relay_inverter": True,
    "grid_connected": True,
    "relay_generator": False,
    "relay_grid_supply": True,
    "relay_dry_contact_1": True,
    "relay_dry_contact_2": False,
    "warning": frozenset({1, 31}),
    "fault": frozenset({12}),
    # Battery.
    "battery_temperature": 24.5,
    "battery_voltage": 52.3,
    "battery_soc": 62,
    "battery_2_soc": None,  # 0 % beside 0 V
    "battery_power": -2510,  # raw 63026
    "battery_current": -48.0,  # raw 60736
    "battery_corrected_capacity": 280,
    "battery_2_voltage": None,
    "battery_2_current": None,
    "battery_2_power": None,
    "battery_2_temperature": None,  # raw 0
    "ct_self_check_result": frozenset({0, 2}),
    # Grid.
    "grid_l1_voltage": 231.2,
    "grid_l2_voltage": 229.8,
    "grid_l3_voltage": 230.5,
    "grid_l1_internal_power": -400,
    "grid_l2_internal_power": -650,
    "grid_l3_internal_power": -3,  # raw 65533, and a high word that lags behind
    "grid_internal_power": -1053,
    "grid_frequency": 49.98,
    "grid_l1_internal_current": -1.73,
    "grid_l2_internal_current": -2.83,
    "grid_l3_internal_current": -0.01,  # raw 0xFFFF
    "grid_l1_current": -1.08,
    "grid_l2_current": -2.17,
    "grid_l3_current": 0.52,
    "grid_l1_ct_power": -250,
    "grid_l2_ct_power": -500,
    "grid_l3_ct_power": 120,
    "grid_ct_power": -630,
    "grid_power_factor": None,  # 0: not measured
    "grid_l1_power": -250,
    "grid_l2_power": -500,
    "grid_l3_power": 120,
    "grid_power": -630,
    # Inverter.
    "inverter_l1_voltage": 231.3,
    "inverter_l2_voltage": 229.9,
    "inverter_l3_voltage": 230.6,
    "inverter_l1_current": 4.76,
    "inverter_l2_current": 3.91,
    "inverter_l3_current": 4.34,
    "inverter_l1_power": 1100,
    "inverter_l2_power": 900,
    "inverter_l3_power": 1000,
    "inverter_power": 3000,
    "inverter_apparent_power": 3010,
    "inverter_frequency": 49.97,
    # Backup and load.
    "backup_l1_power": 700,
    "backup_l2_power": 250,
    "backup_l3_power": 997,
    "backup_power": 1947,
    "backup_l1_voltage": 231.4,
    "backup_l2_voltage": 229.7,
    "backup_l3_voltage": 230.4,
    "load_l1_power": 850,
    "load_l2_power": 400,
    "load_l3_power": 1120,
    "load_power": 2370,
    "load_frequency": 49.96,
    # Generator port.
    "generator_l1_voltage": 1.2,
    "generator_l2_voltage": 0.8,
    "generator_l3_voltage": 0.0,
    "generator_l1_power": -1,
    "generator_l2_power": 0,
    "generator_l3_power": 0,
    "generator_power": -1,
    # PV.
    "pv1_power": 3400,
    "pv2_power": 2210,
    "pv3_power": None,
    "pv4_power": 0,
    "pv1_voltage": 425.0,
    "pv1_current": 8.0,
    "pv2_voltage": 340.0,
    "pv2_current": 6.5,
    "pv3_voltage": None,
    "pv3_current": None,
    "pv4_voltage": 0.0,
    "pv4_current": 0.0,
}

# What the features add: the battery packs, of which the image has two.
EXPECTED_PACKS: Final[dict[str, Value | None]] = {
    "pack_device_type": 1792,
    "pack_count": 2,
    "pack_1_serial": "PACK000000000001",
    "pack_1_voltage": 52.31,
    "pack_1_current": -24.0,  # raw 65296
    "pack_1_temperature": 24.5,  # (1245 - 1000) / 10
    "pack_1_cell_temperature_max": 26.2,
    "pack_1_cell_temperature_min": 23.3,
    "pack_1_soc": 62.3,
    "pack_1_soh": 98.5,
    "pack_1_total_capacity": 140.0,
    "pack_1_cell_voltage_max": 3.274,
    "pack_1_cell_voltage_min": 3.266,
    "pack_1_cycles": 214,
    "pack_2_serial": "PACK000000000002",
    "pack_2_voltage": 52.29,
    "pack_2_current": -23.9,  # raw 65297
    "pack_2_temperature": -0.5,  # (995 - 1000) / 10
    "pack_2_cell_temperature_max": 0.5,
    "pack_2_cell_temperature_min": None,  # 0xFFFF
    "pack_2_soc": 100.0,
    "pack_2_soh": None,  # raw 98, in whole percent: no battery works at 9.8 %
    "pack_2_total_capacity": None,  # raw 140, in whole ampere-hours: 14 Ah is no pack
    "pack_2_cell_voltage_max": None,  # raw 327, in hundredths: 0.327 V is no cell
    "pack_2_cell_voltage_min": 3.251,
    "pack_2_cycles": 0,
}

# Where each of the eight packs starts: 38 registers after the one before.
PACK_STARTS: Final = {
    1: 10032,
    2: 10070,
    3: 10108,
    4: 10146,
    5: 10184,
    6: 10222,
    7: 10260,
    8: 10298,
}

# What may be written at all, held here by hand: a row that is made writable by mistake fails the test.
EVERYDAY: Final = {
    "system_time",
    "beep",
    "am_pm",
    "auto_dim",
    "battery_shutdown_soc",
    "battery_low_soc",
    "battery_restart_soc",
    "generator_max_run_time",
    "generator_down_time",
    "generator_charge_start_voltage",
    "generator_charge_start_soc",
    "generator_charge_enabled",
    "generator_force",
    "generator_signal",
    "generator_peak_shaving",
    "grid_charge_start_voltage",
    "grid_charge_start_soc",
    "grid_charge_enabled",
    "grid_signal",
    "grid_peak_shaving",
    "zero_export_power",
    "energy_pattern",
    "work_mode",
    "max_sell_power",
    "max_solar_power",
    "solar_sell",
    "smart_load_off_voltage",
    "smart_load_off_soc",
    "smart_load_on_voltage",
    "smart_load_on_soc",
    "smart_load_min_solar_power",
    "smart_load_open_delay",
    "on_grid_always_on",
    "microinverter_export_cutoff",
    "tou_enabled",
    "tou_monday",
    "tou_tuesday",
    "tou_wednesday",
    "tou_thursday",
    "tou_friday",
    "tou_saturday",
    "tou_sunday",
    "tou_slot_1_time",
    "tou_slot_2_time",
    "tou_slot_3_time",
    "tou_slot_4_time",
    "tou_slot_5_time",
    "tou_slot_6_time",
    "tou_slot_1_power",
    "tou_slot_2_power",
    "tou_slot_3_power",
    "tou_slot_4_power",
    "tou_slot_5_power",
    "tou_slot_6_power",
    "tou_slot_1_voltage",
    "tou_slot_2_voltage",
    "tou_slot_3_voltage",
    "tou_slot_4_voltage",
    "tou_slot_5_voltage",
    "tou_slot_6_voltage",
    "tou_slot_1_soc",
    "tou_slot_2_soc",
    "tou_slot_3_soc",
    "tou_slot_4_soc",
    "tou_slot_5_soc",
    "tou_slot_6_soc",
    "tou_slot_1_grid_charge",
    "tou_slot_2_grid_charge",
    "tou_slot_3_grid_charge",
    "tou_slot_4_grid_charge",
    "tou_slot_5_grid_charge",
    "tou_slot_6_grid_charge",
    "tou_slot_1_generator_charge",
    "tou_slot_2_generator_charge",
    "tou_slot_3_generator_charge",
    "tou_slot_4_generator_charge",
    "tou_slot_5_generator_charge",
    "tou_slot_6_generator_charge",
}

INSTALLER: Final = {
    "inverter_enabled",
    "time_sync",
    "allow_remote",
    "bms_err_stop",
    "mppt_scan",
    "battery_chemistry",
    "battery_operation_mode",
    "battery_1_wake_up",
    "battery_capacity",
    "battery_resistance",
    "battery_charge_efficiency",
    "battery_empty_voltage",
    "battery_shutdown_voltage",
    "battery_low_voltage",
    "battery_restart_voltage",
    "battery_max_charge_current",
    "battery_max_discharge_current",
    "equalization_voltage",
    "absorption_voltage",
    "float_voltage",
    "equalization_days",
    "equalization_time",
    "tempco",
    "lithium_protocol",
    "generator_charge_current",
    "grid_charge_current",
    "generator_port_mode",
    "force_off_grid",
    "generator_on_grid_input",
    "generator_rated_power",
    "ac_couple_frequency_high",
    "grid_peak_shaving_power",
    "asymmetric_phase_feeding",
    "tou_slot_1_sell",
    "tou_slot_2_sell",
    "tou_slot_3_sell",
    "tou_slot_4_sell",
    "tou_slot_5_sell",
    "tou_slot_6_sell",
}

# Factory, reset, self tests, protection, country, parallel addressing, grid code, Modbus and packs.
NEVER_WRITTEN: Final = frozenset(
    {
        *range(60),
        *(60, 61),
        *range(65, 80),
        *range(81, 98),
        *(110, 138, 144, 147),
        *range(180, 189),
        *range(193, 209),
        *(209, *range(210, 223), *range(224, 228)),
        *range(229, 237),
        *range(238, 340),
        *range(342, 12000),
    }
)

# The display prints one word both by itself and as the last part of the firmware number.
SHARED: Final = {frozenset({"main_firmware", "main_fw_boot"})}

# Those that every machine has, and those of the features.
PLAIN_ROWS: Final = list(JSO.registers.values())

ROWS: Final = list(JSO.every_row())

FULL: Final = JSO.fitted([feature.key for feature in JSO.features])

WRITABLE: Final = [row for row in ROWS if row.tier is not None]

LIVE: Final[dict[str, Value | None]] = {
    "main_firmware": "2001-1144-1800",
    "rated_power": 8000.0,
    "battery_shutdown_soc": 20,
    "battery_low_soc": 35,
    "battery_restart_soc": 50,
    "battery_shutdown_voltage": 46.5,
    "battery_low_voltage": 47.5,
    "battery_restart_voltage": 52.0,
    "smart_load_off_soc": 95,
    "smart_load_on_soc": 100,
    "smart_load_off_voltage": 51.0,
    "smart_load_on_voltage": 54.0,
}


def read(key: str, words: dict[int, int] | None = None) -> Value | None:
    """Return a value of the image, with some words put in its place."""
    return FULL.registers[key].decode(IMAGE | (words or {}))
