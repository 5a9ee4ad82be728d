"""A SAJ hybrid inverter as it looks from the wire: what its registers mean to the physics, and which values it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Final

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.register import Register
from custom_components.hybrid_inverter.modbus.model.slots import WINDOW_SLOTS
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from . import saj_models as data
from .inverter_machine import InverterMachine
from .pdu import ILLEGAL_ADDRESS, ILLEGAL_VALUE, WRITE_SINGLE, Refusal
from .physics import (
    Action,
    ExportLimit,
    Inverter,
    SajControls,
    SajMode,
    Window,
)
from .saj_models import SajModel
from .saj_readings import powers, readings

# No meter, one of one phase, one of three.
METER_WIRINGS: Final = {0: 0, 1: 1, 3: 3}
METER_MODES: Final = {0: "disabled", 1: "single_phase_meter", 3: "three_phase_meter"}
# As the control board calls the modes by their codes.
ACTIVE_MODES: Final = ("self_consumption", "time_of_use", "backup", "passive")
ABSENT: Final = 0xFFFF


class SajMachine(InverterMachine):
    """The registers of one inverter of SAJ."""

    write_functions: ClassVar[frozenset[int]] = frozenset({WRITE_SINGLE})

    def __init__(
        self,
        model: SajModel,
        inverter: Inverter,
        *,
        serial_number: str = data.SERIAL_NUMBER,
        unit: int = 1,
        readable: Sequence[tuple[int, int]] | None = None,
        packs: bool | None = None,
        timer: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Fill the registers; `readable` stands in for the ranges that are served, `packs` False hides the packs."""
        self._kind = model
        # The clamp of one without inputs of its own sees one phase as well.
        self.solar_phases = model.meter_phases[1] or int(model.ac_coupled)
        self._zero_packs = model.zero_packs if packs is None else not packs
        family = FAMILIES["saj"]
        # A value may lie elsewhere on some machines, and the place that is not looked at then is served all the same.
        self._rows: dict[str, list[Register]] = defaultdict(list)
        for row in family.every_row():
            self._rows[row.key].append(
                row.completed({"rated_power": model.installation.rated_power})
            )
        super().__init__(
            inverter,
            family,
            model=model.name,
            unit=unit,
            registers=data.SERVED,
            readable=data.SERVED if readable is None else readable,
            writable=frozenset((*data.LIMITS, *data.BYTE_LIMITS)),
            timer=timer,
        )
        three_phase = model.installation.phases == 3
        self._store({**data.SETTINGS, **data.VERSIONS})
        self._store(
            {
                0x8F00: model.device_type,
                0x366C: model.device_type,
                0x366D: round(model.installation.rated_power),
                0x3674: 3 if three_phase else 0,
                0x3630: METER_WIRINGS[model.meter_phases[0]],
                0x3633: unit,
                # Inputs that the model does not have.
                **dict.fromkeys(range(0x4071 if model.ac_coupled else 0x4077, 0x407D), ABSENT),
            }
        )
        self._show("serial_number", serial_number)
        self._show("product_code", f"SIM-{model.name}")
        self.settle()
        self._publish()
        self._fit()
        self._obey()

    def _fit(self) -> None:
        """Fit the family to what this machine shows."""
        values = {
            row.key: row.decode(self._image)
            for feature in self.family.features
            for key in feature.proof.keys
            for row in self._rows[key]
            if all(self._refused(place, 1) is None for place in row.addresses)
        }
        self.family = self.family.fitted(
            {feature.key for feature in self.family.features if feature.proof.holds(values)},
            {"rated_power": self.inverter.installation.rated_power},
        )

    # The wire

    def _refused(self, address: int, count: int) -> int | None:
        for first, last, code in self._kind.refused:
            if address <= last and address + count > first:
                return code
        if any(address < wall < address + count for wall in self._kind.walls):
            return ILLEGAL_ADDRESS
        return super()._refused(address, count)

    def _judge(self, words: Mapping[int, int]) -> dict[int, int]:
        """The words as they are; Refusal when one is outside what the protocol allows."""
        for place, word in words.items():
            if place in data.LIMITS:
                low, high = data.LIMITS[place]
                fits = low <= word <= high
            else:
                upper, lower = data.BYTE_LIMITS[place]
                fits = word >> 8 <= upper and word & 0xFF <= lower
            if not fits:
                raise Refusal(ILLEGAL_VALUE)
        return dict(words)

    def places_of(self, key: str) -> Sequence[Register]:
        """All rows that hold a value; machines of the family have some in several places."""
        if found := self._rows.get(key):
            return found
        raise KeyError(key)

    # From the registers to the physics

    def _obey(self) -> None:
        """Hand the settings to the physics."""
        number, share = self._number, self._share
        self.inverter.controls = SajControls(
            mode=_one_of(SajMode, self._setting("work_mode"), SajMode.SELF_CONSUMPTION),
            on_grid_floor=share("on_grid_discharge_floor"),
            off_grid_floor=share("off_grid_discharge_floor"),
            charge_limit=share("charge_upper_limit"),
            reserve=share("backup_reserve_soc"),
            battery_charge_power=number("battery_charge_power_limit"),
            battery_discharge_power=number("battery_discharge_power_limit"),
            grid_charge_power=number("grid_charge_power_limit"),
            grid_discharge_power=number("grid_discharge_power_limit"),
            export_limit=_one_of(ExportLimit, self._setting("export_limit_mode"), ExportLimit.OFF),
            export_power=number("export_limit_power"),
            export_current=number("export_limit_current"),
            charge_windows=self._windows("charge", data.CHARGE_SLOTS),
            discharge_windows=self._windows("discharge", data.DISCHARGE_SLOTS),
            window_limits_charge=not self.trouble.slot_charges_fully,
            outside_self_consumption=self._is("tou_outside_mode", "self_consumption"),
            battery_export=self._is("tou_export_from_battery"),
            action=_one_of(Action, self._setting("passive_action"), Action.STANDBY),
            passive_battery_charge=number("passive_battery_charge_power"),
            passive_battery_discharge=number("passive_battery_discharge_power"),
            passive_grid_charge=number("passive_grid_charge_power"),
            passive_grid_discharge=number("passive_grid_discharge_power"),
        )

    def _share(self, key: str) -> float:
        """A setting in percent as a share of one."""
        return self._number(key) / 100

    def _windows(self, kind: str, first: int) -> tuple[Window, ...]:
        """The slots of a kind that are enabled."""
        rated, windows = self.inverter.installation.rated_power, []
        for number in WINDOW_SLOTS:
            place = first + 3 * (number - 1)
            start, end, days_power = (self._in_force[place + word] for word in range(3))
            if self._is(f"{kind}_slot_{number}_enabled"):
                days = frozenset(day for day in range(7) if days_power >> 8 + day & 1)
                power = (days_power & 0xFF) / 100 * rated
                windows.append(Window(_minutes(start), _minutes(end), days, power))
        return tuple(windows)

    # From the physics to the registers

    def _show(self, key: str, value: Value) -> None:
        """Store a value wherever a machine of the family may have it; what no table knows nobody asks for."""
        for row in self._rows.get(key, ()):
            self._put_row(row, value)

    def _publish_trouble(self) -> None:
        faults = self.trouble.faults
        outage = self.trouble.outage or not self.inverter.site.grid.present
        if outage:
            faults |= {data.NO_GRID}
        row = self.family.registers["fault"]
        self._store(
            {
                place: sum(1 << bit for bit in range(16) if 16 * index + bit in faults)
                for index, place in enumerate(row.addresses)
            }
        )
        status = "on_grid" if self.inverter.running else "waiting"
        if self.trouble.faults:
            status = "fault"
        elif outage:
            status = "off_grid"
        self._show("status", status)

    def measured(self) -> Mapping[str, Value]:
        """Powers, voltages and currents, those of its meters too."""
        return powers(self.inverter, self._kind)

    def _publish(self) -> None:
        """Put what the inverter shows into the registers."""
        self._show("system_time", self.inverter.clock.replace(microsecond=0))
        shown = self._active_settings() | readings(self.inverter, self._kind)
        for key, value in shown.items():
            self._show(key, value)
        if self._zero_packs or self.trouble.zero_packs:
            self._store(dict.fromkeys(data.PACKS, 0))

    def _active_settings(self) -> dict[str, Value]:
        """The settings as the control board has them."""
        mode = self._image[0x3647]
        return {
            "active_work_mode": ACTIVE_MODES[mode if mode < len(ACTIVE_MODES) else 0],
            "active_meter_mode": METER_MODES[self._kind.meter_phases[0]],
            "active_soc_high_limit": self._image[0x3646],
            "active_soc_low_limit": self._image[0x3644],
            "active_depth_of_discharge": 100 - self._image[0x3644],
            "active_reserved_soc": self._image[0x3651],
            "active_battery_protocol": "saj_can_b2",
        }


def _minutes(word: int) -> int:
    """A time of day, an hour and a minute, in minutes."""
    return 60 * (word >> 8) + (word & 0xFF)


def _one_of[Choice: StrEnum](
    choices: type[Choice], value: Value | None, otherwise: Choice
) -> Choice:
    """What a setting chooses; modes that only the vendor knows are taken for another one."""
    return next((choice for choice in choices if choice == value), otherwise)
