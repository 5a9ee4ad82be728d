"""Switches: settings that are on or off."""

from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HybridInverterConfigEntry
from .entity import ControlEntity, Part, UnitEntityDescription
from .modbus.schedule import DAYS
from .modbus.schedule_six import SLOTS
from .roster import async_add_values
from .timed_slots import TIMED_SLOTS
from .usage import MICRO_INVERTER, SMART_LOAD, Usage

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class UnitSwitchDescription(UnitEntityDescription, SwitchEntityDescription):
    """A setting that is on or off."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG
    writable: bool | None = True


def hidden(
    part: Part, *keys: str, used_when: tuple[Usage, ...] = ()
) -> list[UnitSwitchDescription]:
    """Describe settings that a person can switch on."""
    return [
        UnitSwitchDescription(
            key=key, part=part, used_when=used_when, entity_registry_enabled_default=False
        )
        for key in keys
    ]


SWITCHES: Final = (
    UnitSwitchDescription(key="solar_sell"),
    UnitSwitchDescription(key="tou_enabled"),
    UnitSwitchDescription(key="grid_charge_enabled", part=Part.BATTERY),
    UnitSwitchDescription(key="on_grid_always_on", part=Part.GENERATOR, used_when=(SMART_LOAD,)),
    *hidden(
        Part.INVERTER,
        "inverter_enabled",
        *(f"tou_{day}" for day in DAYS),
        *(f"tou_slot_{slot}_grid_charge" for slot in SLOTS),
        *(f"tou_slot_{slot}_generator_charge" for slot in SLOTS),
        *(f"tou_slot_{slot}_sell" for slot in SLOTS),
        "beep",
        "auto_dim",
        "am_pm",
        "time_sync",
        "allow_remote",
        "buzzer",
        "tou_export_from_battery",
        *(f"{slot}_enabled" for slot in TIMED_SLOTS),
    ),
    *hidden(Part.PV, "mppt_scan"),
    *hidden(Part.BATTERY, "battery_1_wake_up", "bms_err_stop", "grid_signal"),
    *hidden(Part.GRID, "grid_peak_shaving", "asymmetric_phase_feeding"),
    *hidden(
        Part.GENERATOR,
        "generator_charge_enabled",
        "generator_force",
        "generator_signal",
        "generator_on_grid_input",
        "generator_peak_shaving",
    ),
    *hidden(Part.GENERATOR, "microinverter_export_cutoff", used_when=(MICRO_INVERTER,)),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of every unit."""
    await async_add_values(entry, async_add_entities, SWITCHES, UnitSwitch)


class UnitSwitch(ControlEntity, SwitchEntity):
    """A setting that is on or off."""

    entity_description: UnitSwitchDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is on; None while the machine does not say."""
        return self.reading if isinstance(self.reading, bool) else None

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        await self.async_write(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self.async_write(False)
