"""The table of the JSO family, against a raw image and values that were both worked out by hand.

The image (fixtures/jso_image.json, address to raw word) is a sunny noon: 5610 W of PV, 2510 W into the battery, 3000 W
out of the inverter, 630 W sold. Its powers obey the identities that were checked on real machines.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time
from itertools import combinations, pairwise
import json
from pathlib import Path
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.codec import Bits, Choice, Value
from custom_components.hybrid_inverter.modbus.codec_time import ClockTime, Hhmm
from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.family import Model
from custom_components.hybrid_inverter.modbus.recognise import Stranger, Verdict
from custom_components.hybrid_inverter.modbus.register import Group, Register, Tier
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
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
    "grid_peak_shaving": None,
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
    "battery_2_soc": 0,
    "battery_power": -2510,  # raw 63026
    "battery_current": -48.0,  # raw 60736
    "battery_corrected_capacity": 280,
    "battery_2_voltage": 0.0,
    "battery_2_current": 0.0,
    "battery_2_power": 0,
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
        *range(179, 189),
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


# ---------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("key", "expected"),
    [*EXPECTED.items(), *EXPECTED_PACKS.items()],
    ids=[*EXPECTED, *EXPECTED_PACKS],
)
def test_image(key: str, expected: Value | None) -> None:
    """Every row decodes the image to the value worked out by hand, of the same type."""
    value = read(key)
    assert value == expected
    assert type(value) is type(expected)


def test_every_row_has_an_expected_value() -> None:
    """No row is left out of the image."""
    assert set(EXPECTED) == set(JSO.registers)
    two = JSO.fitted({"packs", "pack_1", "pack_2"})
    assert set(EXPECTED_PACKS) == two.registers.keys() - JSO.registers.keys()


@pytest.mark.parametrize(("number", "start"), PACK_STARTS.items())
def test_packs_are_alike(number: int, start: int) -> None:
    """A pack serves what the first one does, a whole number of strides further on."""
    feature = next(item for item in JSO.features if item.key == f"pack_{number}")
    shift = {address: IMAGE[address - start + 10032] for address in range(start, start + 25)}
    shown = {
        key.replace(f"pack_{number}_", "pack_1_"): row.decode(shift)
        for key, row in feature.registers.items()
    }
    assert shown == {
        key: value for key, value in EXPECTED_PACKS.items() if key.startswith("pack_1_")
    }


@pytest.mark.parametrize(
    ("count", "found"),
    [
        (None, set()),
        (0, set()),
        (1, {"packs", "pack_1"}),
        (2, {"packs", "pack_1", "pack_2"}),
        (7, {"packs", *(f"pack_{number}" for number in range(1, 8))}),
        (8, {"packs", *(f"pack_{number}" for number in range(1, 9))}),
        # More than are shown.
        (12, {"packs", *(f"pack_{number}" for number in range(1, 9))}),
    ],
)
def test_packs_are_found_by_their_number(count: int | None, found: set[str]) -> None:
    """The machine says how many there are; nothing else is looked at."""
    assert {item.key for item in JSO.features if item.proof.holds({"pack_count": count})} == found
    assert {key for item in JSO.features for key in item.proof.keys} == {"pack_count"}
    assert FULL.registers["pack_count"].addresses == (10002,)


def test_packs_are_read_apart() -> None:
    """A range of their own for how many there are, and for each pack its 38 registers."""
    ranges = [(low, high) for low, high in JSO.readable if high >= 709]
    assert ranges == [
        (10000, 10002),
        *((start, start + 37) for start in PACK_STARTS.values()),
    ]


def test_identities() -> None:
    """The image obeys what was checked on real machines, so a swapped address shows."""
    values = {key: row.decode(IMAGE) for key, row in JSO.registers.items()}

    def number(key: str) -> float:
        value = values[key]
        assert isinstance(value, (int, float))
        return value

    for phase in ("l1", "l2", "l3"):
        inverter = number(f"inverter_{phase}_power")
        assert number(f"backup_{phase}_power") == (
            number(f"grid_{phase}_internal_power") + inverter
        )
        assert number(f"load_{phase}_power") == number(f"grid_{phase}_ct_power") + inverter
        assert number(f"grid_{phase}_power") == number(f"grid_{phase}_ct_power")
    for total, part in (
        ("grid_power", "grid_{}_power"),
        ("grid_ct_power", "grid_{}_ct_power"),
        ("grid_internal_power", "grid_{}_internal_power"),
        ("inverter_power", "inverter_{}_power"),
        ("backup_power", "backup_{}_power"),
        ("load_power", "load_{}_power"),
        ("generator_power", "generator_{}_power"),
    ):
        assert number(total) == sum(number(part.format(f"l{phase}")) for phase in (1, 2, 3))
    assert number("battery_power") == pytest.approx(
        number("battery_voltage") * number("battery_current"), abs=1
    )
    for string in ("pv1", "pv2"):
        assert number(f"{string}_power") == pytest.approx(
            number(f"{string}_voltage") * number(f"{string}_current"), abs=1
        )


def test_derived_values() -> None:
    """The strings that are there add up; a fault is a problem, an outage is none."""
    assert set(JSO.derived) == {"pv_power", "problem"}
    pv_power, problem = JSO.derived["pv_power"], JSO.derived["problem"]
    assert pv_power.inputs == ("pv1_power", "pv2_power", "pv3_power", "pv4_power")
    assert pv_power.unit == "W"
    assert pv_power.compute({key: read(key) for key in pv_power.inputs}) == 5610
    assert pv_power.compute(dict.fromkeys(pv_power.inputs)) is None
    assert problem.inputs == ("fault",)
    assert problem.compute({"fault": read("fault")}) is True
    assert problem.compute({"fault": read("fault", {555: 0})}) is False
    assert problem.compute({"fault": read("fault", {555: 0, 557: 0x0004})}) is False
    assert problem.compute({"fault": read("fault", {555: 0, 557: 0x0006})}) is True
    assert problem.compute({"fault": None}) is None
    assert JSO.group_of("pv_power") is Group.POWER
    assert JSO.group_of("problem") is Group.POWER
    assert JSO.group_of("battery_low_soc") is Group.SETTINGS


# The low words of the powers, each with the high word that must not count.
HIGH_WORDS: Final = {
    "grid_l1_internal_power": (604, 700),
    "grid_l2_internal_power": (605, 701),
    "grid_l3_internal_power": (606, 702),
    "grid_internal_power": (607, 703),
    "grid_l1_ct_power": (616, 705),
    "grid_l2_ct_power": (617, 706),
    "grid_l3_ct_power": (618, 707),
    "grid_ct_power": (619, 708),
    "grid_l1_power": (622, 687),
    "grid_l2_power": (623, 688),
    "grid_l3_power": (624, 689),
    "grid_power": (625, 690),
    "inverter_l1_power": (633, 691),
    "inverter_l2_power": (634, 692),
    "inverter_l3_power": (635, 693),
    "inverter_power": (636, 694),
    "inverter_apparent_power": (637, 695),
    "backup_l1_power": (640, 696),
    "backup_l2_power": (641, 697),
    "backup_l3_power": (642, 698),
    "backup_power": (643, 699),
    "load_l1_power": (650, 656),
    "load_l2_power": (651, 657),
    "load_l3_power": (652, 658),
    "load_power": (653, 659),
    "generator_l1_power": (664, 668),
    "generator_l2_power": (665, 669),
    "generator_l3_power": (666, 670),
    "generator_power": (667, 671),
}


@pytest.mark.parametrize(("key", "low", "high"), [(key, *at) for key, at in HIGH_WORDS.items()])
def test_powers_are_the_low_word_alone(key: str, low: int, high: int) -> None:
    """Near zero the high word lags behind: the two combined would read 65 kW."""
    for stale in (0, 1, 0xFFFF):
        assert read(key, {low: 65533, high: stale}) == -3
        assert read(key, {low: 3, high: stale}) == 3
        assert read(key, {low: 12000, high: stale}) == 12000
        assert read(key, {low: 57536, high: stale}) == -8000


@pytest.mark.parametrize(
    ("key", "words", "expected", "wrong"),
    [
        ("zero_export_power", {104: 65476}, -60, "unsigned: 65476"),
        ("bms_current", {216: 65488}, -48, "a hundredth: -0.48"),
        ("generator_charge_start_soc", {124: 90}, 90, "a hundredth: 0.9"),
        ("battery_empty_voltage", {103: 4500}, 45.0, "a tenth: 450"),
        ("equalization_time", {106: 20}, 10.0, "plain hours: 20"),
        ("rated_power", {20: 14464, 21: 1}, 8000.0, "high word first: 94790451.3"),
        ("rated_power", {20: 54464, 21: 1}, 12000.0, "the low word alone: 5446.4"),
        ("pv_energy_total", {534: 0, 535: 1}, 6553.6, "high word first: 0.1"),
        ("tou_slot_2_time", {149: 530}, time(5, 30), "minutes of the day: 08:50"),
        ("heatsink_temperature", {541: 980}, -2.0, "without the offset: 98"),
        ("main_firmware", {14: 1, 15: 2, 11: 3}, "0001-0002-0003", "in order of address"),
        ("status", {500: 0}, "standby", ""),
        ("status", {500: 1}, "self_check", ""),
        ("status", {500: 3}, "alarm", ""),
        ("status", {500: 4}, "fault", ""),
        ("status", {500: 5}, "activating", ""),
        ("work_mode", {142: 0}, "selling_first", ""),
        ("work_mode", {142: 1}, "zero_export_to_load", ""),
        ("energy_pattern", {141: 0}, "battery_first", ""),
        ("energy_pattern", {141: 1}, "load_first", ""),
        ("energy_pattern", {141: 2}, "battery_first", "the pair 10"),
        ("energy_pattern", {141: 0xFF02}, "battery_first", "other fields"),
        ("generator_port_mode", {133: 0}, "generator_input", ""),
        ("generator_port_mode", {133: 2}, "micro_inverter_input", ""),
        ("device_type", {0: 0x0500}, 1280, ""),
        ("grid_peak_shaving", {178: 0x0030}, True, "the pair 11"),
        ("grid_peak_shaving", {178: 0x0020}, False, "the pair 10"),
        ("grid_peak_shaving", {178: 0x0010}, None, "the pair 01 means no action"),
        ("battery_soh", {224: 98}, 98, ""),
        ("grid_frequency", {609: 0}, 0.0, "no grid is not unknown"),
        ("relay_dry_contact_1", {552: 0x0080}, True, "bit 5 in an old text"),
        ("relay_dry_contact_2", {552: 0x0100}, True, "bit 6 in an old text"),
        ("tou_monday", {146: 0x0002}, True, "bit 7 in one project"),
        ("tou_sunday", {146: 0x0080}, True, "bit 1 in one project"),
    ],
)
def test_readings_that_others_get_wrong(
    key: str, words: dict[int, int], expected: Value | None, wrong: str
) -> None:
    """Where sources disagree, the reading that the facts hold for right (the wrong one is named)."""
    assert read(key, words) == expected, wrong


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("battery_soc", {588: 0xFFFF}),
        ("battery_soc", {588: 101}),
        ("bms_soc", {214: 200}),
        ("battery_voltage", {587: 0xFFFF}),
        ("battery_voltage", {587: 10001}),
        ("grid_l1_voltage", {598: 5001}),
        ("grid_frequency", {609: 7001}),
        ("pv1_voltage", {676: 10001}),
        ("battery_temperature", {586: 0}),
        ("battery_temperature", {586: 499}),
        ("heatsink_temperature", {541: 2501}),
        ("bms_temperature", {217: 0}),
        ("battery_2_temperature", {596: 0xFFFF}),
        ("rated_power", {20: 0xFFFF, 21: 0xFFFF}),
        ("mppt_count", {22: 0xFFFF}),
        ("phase_count", {22: 0xFFFF}),
        ("serial_number", dict.fromkeys(range(3, 8), 0)),
        ("serial_number", dict.fromkeys(range(3, 8), 0xFFFF)),
        ("system_time", {62: 0x1306}),  # 2019: the clock lost its power
        ("system_time", {62: 0x1A0D}),  # month 13
        ("tou_slot_1_time", {148: 2400}),
        ("tou_slot_1_time", {148: 1260}),
        ("tou_slot_1_time", {148: 0xFFFF}),
        ("status", {500: 6}),
        ("work_mode", {142: 3}),
        ("work_mode", {142: 0xFFFF}),
        ("tou_enabled", {146: 0xFFFF}),
        ("on_grid_always_on", {178: 0xFFFF}),
        ("solar_sell", {145: 2}),
        ("fault", dict.fromkeys(range(555, 559), 0xFFFF)),
        ("warning", {553: 0xFFFF, 554: 0xFFFF}),
        ("bms_alarm", {220: 0xFFFF}),
        ("zero_export_power", {104: 0xFFFF}),
        ("pack_count", {10002: 0xFFFF}),
        ("pack_count", {10002: 65}),
        # A pack of 48 V, in tenths of a volt.
        ("pack_1_voltage", {10040: 523}),
        ("pack_1_voltage", {10040: 6501}),
        ("pack_1_voltage", {10040: 3999}),
        ("pack_1_current", {10041: 3001}),
        ("pack_1_current", {10041: 62535}),  # -300.1 A
        ("pack_1_temperature", {10042: 0}),
        ("pack_1_temperature", {10042: 599}),  # below -40 degC: 25.0 degC without the offset is
        ("pack_1_temperature", {10042: 250}),
        ("pack_1_cell_temperature_max", {10043: 2001}),
        ("pack_1_cell_temperature_min", {10044: 25}),
        ("pack_1_soc", {10047: 1001}),
        ("pack_1_soh", {10048: 99}),
        ("pack_1_total_capacity", {10050: 399}),
        ("pack_1_total_capacity", {10050: 6001}),
        ("pack_1_cell_voltage_max", {10054: 4001}),
        ("pack_1_cell_voltage_min", {10055: 1999}),
        ("pack_1_cycles", {10056: 20001}),
        ("pack_1_serial", dict.fromkeys(range(10032, 10040), 0)),
    ],
)
def test_what_is_not_there_is_unknown(key: str, words: dict[int, int]) -> None:
    """Sentinels, codes without a meaning and impossible values are None, never a number."""
    assert read(key, words) is None


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ({555: 0x0001}, {"F01"}),
        ({555: 0x1080}, {"F08", "F13"}),
        ({555: 0x8000}, {"F16"}),
        ({556: 0x0001}, {"F17"}),
        ({556: 0x02C0}, {"F23", "F24", "F26"}),
        ({557: 0x0006}, {"F34", "F35"}),
        ({557: 0xC200}, {"F42", "F47", "F48"}),
        ({558: 0x0280}, {"F56", "F58"}),
        ({558: 0xC000}, {"F63", "F64"}),
        ({555: 0x0001, 558: 0x8000}, {"F01", "F64"}),
    ],
)
def test_fault_codes(words: dict[int, int], codes: set[str]) -> None:
    """Bit n, counted from register 555 bit 0, is fault F(n+1)."""
    row = JSO.registers["fault"]
    bits = read("fault", {555: 0, 556: 0, 557: 0, 558: 0} | words)
    assert isinstance(bits, frozenset)
    assert {row.labels[bit] for bit in bits} == codes
    assert len(row.labels) == 64


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({553: 0x0002}, "W02"),
        ({553: 0x0004}, "W03"),
        ({553: 0x0008}, "W04"),
        ({554: 0x4000}, "W31"),
        ({554: 0x8000}, "W32"),
        # Not documented.
        ({553: 0x0001}, "W01"),
        ({554: 0x0001}, "W17"),
    ],
)
def test_warning_codes(words: dict[int, int], code: str) -> None:
    """Bit n, counted from register 553 bit 0, is warning W(n+1), whether or not anybody knows what it means."""
    row = JSO.registers["warning"]
    bits = read("warning", {553: 0, 554: 0} | words)
    assert isinstance(bits, frozenset)
    assert [row.labels[bit] for bit in bits] == [code]
    assert len(row.labels) == 32


def test_fault_rules() -> None:
    """The manual's table: 19 codes, of which F35 is an outage; F13 and F29 go away by themselves."""
    rules = JSO.faults
    assert rules is not None
    assert " ".join(sorted(rules.remedies)) == (
        "F08 F13 F18 F20 F22 F23 F24 F26 F29 F34 F41 F42 F47 F48 F56 F58 F63 F64"
    )
    assert (rules.fields, rules.no_grid, rules.grid) == (
        ("fault", "warning"),
        {"F35"},
        "grid_connected",
    )
    assert rules.patience == {"F13": 60, "F29": 60}
    assert JSO.registers["fault"].labels[34] == "F35"


# ---------------------------------------------------------------------- writing


@pytest.mark.parametrize("row", WRITABLE, ids=[row.key for row in WRITABLE])
def test_writing_back_what_was_read_changes_nothing(row: Register) -> None:
    """Encode is the inverse of decode, other bits of the same word included."""
    value = row.decode(IMAGE)
    if value is None:
        assert row.key in {"grid_peak_shaving", "auto_dim"}
        return
    assert row.encode(value, IMAGE) == [IMAGE[address] for address in row.addresses]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("on_grid_always_on", False, [0xAE8E]),  # 0xAECE, the fourth pair from 11 to 10
        ("grid_peak_shaving", True, [0xAEFE]),  # the third pair from 00 to 11
        ("grid_peak_shaving", False, [0xAEEE]),  # and to 10, not 00
        ("energy_pattern", "battery_first", [2]),  # 3, the high bit stays
        ("tou_enabled", False, [126]),
        ("tou_sunday", True, [255]),
        ("battery_1_wake_up", False, [256]),  # bit 8 belongs to another battery
        ("tou_slot_5_grid_charge", False, [0x20]),
        ("work_mode", "zero_export_to_load", [1]),
        ("generator_port_mode", "micro_inverter_input", [2]),
        ("battery_operation_mode", "voltage", [0]),
        ("solar_sell", False, [0]),
        ("zero_export_power", 20, [20]),
        ("battery_low_voltage", 47.6, [4760]),
        ("equalization_time", 2.5, [5]),
        ("tou_slot_2_time", time(23, 55), [2355]),
        ("system_time", datetime(2027, 1, 2, 3, 4, 5), [0x1B01, 0x0203, 0x0405]),  # noqa: DTZ001
        ("lithium_protocol", 0, [0]),
    ],
)
def test_words_that_are_written(key: str, value: Value, words: list[int]) -> None:
    """The words on the wire, worked out by hand."""
    assert JSO.registers[key].encode(value, IMAGE) == words


@pytest.mark.parametrize(
    ("key", "rated_power", "bounds"),
    [
        ("battery_max_charge_current", 8000.0, (0, 190)),
        ("battery_max_discharge_current", 12000.0, (0, 240)),
        ("grid_charge_current", 14000.0, (0, 260)),
        ("generator_charge_current", 15000.0, (0, 280)),
        ("battery_max_charge_current", 16000.0, (0, 300)),
        ("battery_max_charge_current", 18000.0, (0, 330)),
        ("battery_max_charge_current", 20000.0, (0, 350)),
        ("battery_max_charge_current", 5000.0, (0, 115)),
        ("battery_max_charge_current", None, (0, 115)),
        ("max_sell_power", 12000.0, (0, 12000)),
        ("max_sell_power", None, (0, 8000)),
        ("tou_slot_6_power", 5000.0, (0, 5000)),
        ("smart_load_min_solar_power", 10000.0, (0, 10000)),
        ("max_solar_power", 8000.0, (0, 10400)),
        ("max_solar_power", 10000.0, (0, 13000)),
        ("max_solar_power", None, (0, 10400)),
        ("zero_export_power", 8000.0, (0, 500)),
        ("tou_slot_1_time", 8000.0, (0, 1435)),
        ("tou_slot_1_voltage", 8000.0, (38, 63)),
        ("battery_shutdown_soc", 8000.0, (0, 34)),
        ("battery_low_soc", 8000.0, (21, 49)),
        ("battery_restart_soc", 8000.0, (36, 100)),
        ("battery_shutdown_voltage", 8000.0, (38, 47.49)),
        ("battery_low_voltage", 8000.0, (46.51, 51.99)),
        ("battery_restart_voltage", 8000.0, (47.51, 61)),
        ("smart_load_off_soc", 8000.0, (0, 99)),
        ("smart_load_on_soc", 8000.0, (96, 100)),
        ("smart_load_off_voltage", 8000.0, (38, 53.99)),
        ("smart_load_on_voltage", 8000.0, (51.01, 63)),
    ],
)
def test_bounds(key: str, rated_power: float | None, bounds: tuple[float, float]) -> None:
    """The bounds of a model, and those that another setting sets."""
    limits = JSO.registers[key].limits
    assert limits is not None
    assert limits.resolve(LIVE | {"rated_power": rated_power}) == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("battery_shutdown_soc", 34),
        ("battery_low_soc", 21),
        ("battery_low_soc", 49),
        ("battery_restart_soc", 36),
        ("battery_shutdown_voltage", 47.49),
        ("battery_low_voltage", 46.51),
        ("battery_low_voltage", 51.99),
        ("battery_restart_voltage", 47.51),
        ("smart_load_off_soc", 99),
        ("smart_load_on_voltage", 51.01),
        ("battery_max_charge_current", 190),
        ("max_solar_power", 10400),
        ("tou_slot_1_time", time(23, 55)),
        ("tou_slot_1_time", time(0, 0)),
        ("generator_max_run_time", 24.0),
        ("equalization_time", 0.5),
        ("zero_export_power", 0),
    ],
)
def test_the_last_allowed_value(key: str, value: Value) -> None:
    """A value on its bound is allowed, although a computed bound is a hair off."""
    JSO.registers[key].check(value, LIVE)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("battery_shutdown_soc", 35),
        ("battery_low_soc", 20),
        ("battery_low_soc", 50),
        ("battery_restart_soc", 35),
        ("battery_restart_soc", 101),
        ("battery_shutdown_voltage", 47.5),
        ("battery_low_voltage", 46.5),
        ("battery_restart_voltage", 61.01),
        ("smart_load_off_soc", 100),
        ("smart_load_on_soc", 95),
        ("battery_max_charge_current", 191),
        ("battery_max_charge_current", 12.5),
        ("max_sell_power", 8001),
        ("max_solar_power", 10401),
        ("zero_export_power", -60),
        ("zero_export_power", 501),
        ("tou_slot_1_time", time(23, 59)),
        ("tou_slot_1_time", time(5, 32)),
        ("tou_slot_1_soc", 101),
        ("tou_slot_1_voltage", 37.99),
        ("equalization_time", 0.25),
        ("generator_max_run_time", 24.1),
        ("tempco", -1),
        ("lithium_protocol", 20),
    ],
)
def test_values_that_are_refused(key: str, value: Value) -> None:
    """Outside the bounds, or off the step."""
    with pytest.raises(InvalidValueError):
        JSO.registers[key].check(value, LIVE)


def test_slot_times_travel_together() -> None:
    """All six starts go in one request, which the machine's order of them demands."""
    times = [f"tou_slot_{slot}_time" for slot in (1, 2, 3, 4, 5, 6)]
    for key in times:
        assert {key, *JSO.registers[key].written_with} == set(times)
    assert [row.key for row in ROWS if row.written_with] == times


# ---------------------------------------------------------------------- the table itself


def test_counts() -> None:
    """How many rows there are, by group and by tier."""
    assert len(PLAIN_ROWS) == 411
    assert Counter(row.group for row in PLAIN_ROWS) == {
        Group.POWER: 85,
        Group.ENERGY: 43,
        Group.SETTINGS: 265,
        Group.IDENTITY: 18,
    }
    assert Counter(row.tier for row in PLAIN_ROWS) == {
        None: 295,
        Tier.EVERYDAY: 78,
        Tier.INSTALLER: 38,
    }
    assert Counter(row.confidence for row in PLAIN_ROWS) == {"high": 215, "medium": 174, "low": 22}
    # Two of all packs, and of each of eight its serial number and eleven values.
    added = [row for row in ROWS if row not in PLAIN_ROWS]
    assert len(added) == 98
    assert Counter(row.group for row in added) == {Group.ENERGY: 88, Group.IDENTITY: 10}
    assert Counter(row.tier for row in added) == {None: 98}
    assert Counter(row.confidence for row in added) == {"medium": 10, "low": 88}


def test_writable_rows_are_the_allowed_ones() -> None:
    """Nothing may be written that is not in the list above, nor in an easier tier."""
    assert {row.key for row in ROWS if row.tier is Tier.EVERYDAY} == EVERYDAY
    assert {row.key for row in ROWS if row.tier is Tier.INSTALLER} == INSTALLER
    assert not {row.key for row in ROWS if row.tier is Tier.READ_ONLY}


def test_forbidden_registers_have_no_writable_row() -> None:
    """Factory, reset, protection, country and parallel registers are read at most."""
    assert not {
        (row.key, address)
        for row in WRITABLE
        for address in row.addresses
        if address in NEVER_WRITTEN
    }
    # In words that hold harmless settings too: grounding, dry relay, DRM, and fields of the factory.
    forbidden_bits = {112: 0xFFFE, 140: 0xFFFC, 141: 0xFFFE, 146: 0xFF00, 178: 0xF300, 228: 0x3F00}
    forbidden_bits |= {341: 0xFFFB} | dict.fromkeys(range(172, 178), 0xFFDC)
    for row in WRITABLE:
        for address in row.addresses:
            if address in forbidden_bits:
                assert row.mask is not None, row.key
                assert not row.mask & forbidden_bits[address], row.key


def test_dangerous_registers_have_no_row_at_all() -> None:
    """Not even read: nobody can make them writable by giving a tier."""
    absent = {60, 61, 65, 73, 81, *range(85, 89), *range(90, 98), 110, 144, 179, 184, 194}
    absent |= {*range(195, 209), 229, 236, *range(238, 310), 335, 337, 394, 559}
    absent |= {*range(560, 584), *range(1000, 1122)}
    assert not absent & {address for row in ROWS for address in row.addresses}


def test_addresses_do_not_clash() -> None:
    """A word belongs to one row, or its bits to different rows."""
    for one, other in combinations(ROWS, 2):
        if not set(one.addresses) & set(other.addresses):
            continue
        if one.mask is not None and other.mask is not None:
            assert not one.mask & other.mask, (one.key, other.key)
        else:
            assert frozenset({one.key, other.key}) in SHARED


def test_masks_lie_in_one_word() -> None:
    """A mask is one run of bits of a single register."""
    for row in ROWS:
        if row.mask is None:
            continue
        assert len(row.addresses) == 1, row.key
        assert 0 < row.mask < 0xFFFF, row.key
        assert "01" not in f"{row.mask:b}", row.key


def test_addresses_are_readable() -> None:
    """Every run of a row's addresses lies inside one range that may be read in one request."""
    for row in ROWS:
        for first, last in row.spans:
            assert any(low <= first and last <= high for low, high in JSO.readable), row.key


def test_readable_ranges_are_apart() -> None:
    """Ranges do not overlap, and what is not proven on every firmware is a range of its own."""
    ranges = sorted(JSO.readable)
    assert all(high < low for (_, high), (low, _) in pairwise(ranges))
    assert {(0, 237), (336, 341), (500, 708)} <= set(ranges)
    assert {(310, 334), (342, 347), (350, 424), (480, 493)} <= set(ranges)


def test_writable_rows_are_bounded() -> None:
    """A number has limits; everything else cannot go astray by its nature."""
    for row in WRITABLE:
        if isinstance(row.codec, (Choice, ClockTime)):
            assert row.limits is None, row.key
        else:
            assert row.limits is not None, row.key
            assert row.limits.step > 0, row.key
        assert not isinstance(row.codec, Bits), row.key


def test_groups_follow_the_addresses() -> None:
    """The fast area is power, state and BMS are energy, what can be set is settings."""
    for row in ROWS:
        first = min(row.addresses)
        if first <= 36 or first == 74 or first in {10000, 10002, *PACK_STARTS.values()}:
            expected = Group.IDENTITY
        elif first >= 10000:
            expected = Group.ENERGY
        elif first >= 552:
            expected = Group.POWER
        elif first >= 500 or (210 <= first <= 224 and first != 223):
            expected = Group.ENERGY
        else:
            expected = Group.SETTINGS
        assert row.group is expected, row.key


def test_power_group_fits_two_requests() -> None:
    """552 to 558 and 586 to 683."""
    addresses = {address for row in ROWS if row.group is Group.POWER for address in row.addresses}
    assert {address for address in addresses if address < 586} == set(range(552, 559))
    assert max(addresses) == 683
    assert JSO.max_read >= 98


def test_sources() -> None:
    """A row names the page of the manual, or the protocol."""
    assert JSO.registers["work_mode"].source == "manual 5.7 System work mode"
    assert JSO.registers["battery_low_soc"].source == "manual 5.6 Battery setup"
    assert JSO.registers["battery_empty_voltage"].source == "protocol V105.4"
    assert all(row.source.startswith(("manual ", "protocol ")) for row in ROWS)


def test_units() -> None:
    """Only units that the rest of the house knows."""
    assert {row.unit for row in ROWS} == {
        *(None, "W", "VA", "V", "A", "Hz", "kWh", "kvarh", "%", "degC", "Ah"),
        *("d", "h", "min", "s", "ms", "mOhm", "mV/degC/cell", "%Pn", "%Un"),
    }


def test_slugs() -> None:
    """Names of choices are lower snake case, as translations want them."""
    options = {option for row in ROWS for option in row.options}
    assert options
    for option in options:
        assert option == option.lower()
        assert option.replace("_", "").isalnum()
        assert not option.startswith("_")
        assert not option.endswith("_")


# ---------------------------------------------------------------------- the family


def test_family() -> None:
    """How the machines want to be asked."""
    assert FAMILIES["jso"] is JSO
    assert JSO.kind == "inverter"
    assert (JSO.max_read, JSO.max_write, JSO.single_write) == (100, 30, False)
    assert (JSO.spacing, JSO.settle, JSO.baudrate) == (0.05, 1.0, 9600)
    assert JSO.rated_powers == (5000, 20000)
    assert JSO.firmware == ("main_firmware", "hmi_firmware")
    assert JSO.assumed == {"mppt_count": 2, "phase_count": 3}
    assert set(JSO.identity) == {
        "device_type",
        "protocol_version",
        "serial_number",
        "main_firmware",
        "hmi_firmware",
        "rated_power",
        "mppt_count",
        "phase_count",
    }
    assert {JSO.registers[key].group for key in JSO.identity} == {Group.IDENTITY}
    assert JSO.registers[JSO.marker].addresses == (0,)
    assert isinstance(JSO.registers["tou_slot_1_time"].codec, Hhmm)


def verdict(code: int) -> Verdict:
    """Return what a code of the type says."""
    recognition = JSO.recognise()
    assert next(recognition) == (0, 1)
    with pytest.raises(StopIteration) as stopped:
        recognition.send([code])
    said: Verdict = stopped.value.value
    return said


def test_who_is_accepted() -> None:
    """Both spellings of the low-voltage hybrid; every other type has a name for a person."""
    codes = {code: verdict(code) for code in range(0x10000)}
    assert {code for code, said in codes.items() if said is True} == {5, 1280}
    named = {
        code: said.name
        for code, said in codes.items()
        if isinstance(said, Stranger) and said.certain
    }
    assert set(named) == {2, 512, 3, 768, 4, 1024, 6, 1536, 1537, 262, 259, 260, 2048, 2304}
    assert named[768] == "a single-phase hybrid inverter"
    assert named[262] == "a high-voltage three-phase hybrid inverter"


def test_models() -> None:
    """The 8 kW machine is the JSO; its twins go by their power."""
    assert JSO.model({"rated_power": 8000.0}) == Model(
        manufacturer="JUSTSTANDOUT", name="JSO8048104"
    )
    assert JSO.model({"rated_power": 12000.0}) == Model(manufacturer="Deye", name="SUN-12K-SG04LP3")
    assert JSO.model({}) == Model(manufacturer="Deye", name="SUN-xK-SG04LP3")
