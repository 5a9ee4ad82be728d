"""Buttons: actions that an inverter, or the battery of a plant, performs once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control.button import CONTROL_BUTTONS, ReleaseButton
from .control.entities import of_inverter
from .control.plants import async_add_to_plant_battery
from .doctor.entities import WIRING_BUTTONS, TestButton
from .entities.base import UnitEntity, UnitEntityDescription
from .entities.presence import async_add_values
from .entry.data import is_plant
from .modbus.model.register import Group
from .runtime.clock import CLOCK, async_sync_clock
from .runtime.runtime import HybridInverterConfigEntry, UnitRuntime
from .runtime.undo import async_undo
from .runtime.writes import undo_text

PARALLEL_UPDATES = 1

# The attribute that says what a press changes.
WOULD_UNDO: Final = "would_undo"


@dataclass(frozen=True, kw_only=True)
class UnitButtonDescription(UnitEntityDescription, ButtonEntityDescription):
    """An action of a unit."""

    press: Callable[[UnitRuntime], Awaitable[None]]
    entity_category: EntityCategory | None = EntityCategory.CONFIG
    entity_registry_enabled_default: bool = False


UNDO: Final = UnitButtonDescription(
    key="undo_last_change",
    needs_write=True,
    entity_registry_enabled_default=True,
    press=async_undo,
)
UNIT_BUTTONS: Final = (
    UnitButtonDescription(
        key="sync_clock",
        value_key=CLOCK,
        inputs=frozenset({CLOCK}),
        needs_write=True,
        press=async_sync_clock,
    ),
    UNDO,
)
DESCRIPTIONS: Final = (*UNIT_BUTTONS, *CONTROL_BUTTONS, *WIRING_BUTTONS)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of every unit; or that of a plant."""
    if is_plant(entry):
        async_add_to_plant_battery(hass, entry, async_add_entities, CONTROL_BUTTONS, ReleaseButton)
        return
    await async_add_values(entry, async_add_entities, UNIT_BUTTONS, button)
    await async_add_values(entry, async_add_entities, CONTROL_BUTTONS, of_inverter(ReleaseButton))
    await async_add_values(entry, async_add_entities, WIRING_BUTTONS, TestButton)


def button(unit: UnitRuntime, description: UnitButtonDescription) -> UnitButton:
    """The entity of a description."""
    return (UndoButton if description is UNDO else UnitButton)(unit, description)


class UnitButton(UnitEntity, ButtonEntity):
    """An action of a unit."""

    entity_description: UnitButtonDescription

    def __init__(self, unit: UnitRuntime, description: UnitButtonDescription) -> None:
        """Follow the group of the settings, which is what a button changes."""
        super().__init__(unit, description, Group.SETTINGS)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available,)

    @override
    async def async_press(self) -> None:
        """Run the action of the description."""
        await self.entity_description.press(self.unit)


class UndoButton(UnitButton):
    """Reverts the last change, and says which that is."""

    _unrecorded_attributes = frozenset({WOULD_UNDO})

    @override
    async def async_added_to_hass(self) -> None:
        """Update with every change that is made here."""
        await super().async_added_to_hass()
        self.async_on_remove(self.unit.device.add_change_listener(self._handle_coordinator_update))

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """What a press changes; nothing while there is nothing to undo."""
        return {WOULD_UNDO: undo_text(self.unit)}

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (*super().state_key(), *self.unit.device.last_changes)
