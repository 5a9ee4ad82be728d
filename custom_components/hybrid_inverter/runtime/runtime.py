"""What a loaded entry holds: the link, and the units on it."""

import asyncio
from collections import Counter
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..const import DOMAIN, MeterRole
from ..modbus.device.device import Device
from ..modbus.errors import LinkError
from ..modbus.find.identify import Identity
from ..modbus.mirror.server import MirrorServer
from ..modbus.model.counter_guard import Rejection
from ..modbus.model.register import Group
from ..modbus.transport.connection import Connection
from .coordinator import GroupCoordinator
from .faults import FaultMonitor
from .machine import Machine

type HybridInverterConfigEntry = ConfigEntry[RuntimeData]


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitRuntime:
    """A machine with the coordinators that poll it, as the entities see it."""

    hass: HomeAssistant
    entry_id: str
    subentry_id: str
    machine: Machine
    coordinators: Mapping[Group, GroupCoordinator]
    # What watches its faults and the grid; None where the family reports neither.
    faults: FaultMonitor | None
    # What a meter measures; None of an inverter.
    role: MeterRole | None
    # Whether a meter is wired the other way round.
    inverted: bool
    # The unique ids that the entity registry had when the entry was loaded, whatever they were shown as.
    registered: frozenset[str]

    @property
    def name(self) -> str:
        """What a person calls the machine."""
        return self.machine.name

    @property
    def unit_id(self) -> int:
        """Its address on the line."""
        return self.machine.unit_id

    @property
    def identity(self) -> Identity:
        """Its identity, as it is stored."""
        return self.machine.identity

    @property
    def device(self) -> Device:
        """What reads and writes it."""
        return self.machine.device

    @property
    def rejections(self) -> Counter[Rejection]:
        """How many readings of counters were not plausible, by reason."""
        return self.machine.rejections

    @property
    def may_write(self) -> bool:
        """Whether the chosen tier allows to write any of its settings."""
        return any(map(self.device.may_write, self.device.family.registers))

    @property
    def device_id(self) -> str:
        """Its id in the device registry, which its parts refer to; it is registered before there are entities."""
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, self.identity.serial), self.entry_id
        )
        return device.id if device else ""

    @property
    def is_given_up(self) -> bool:
        """Whether nobody goes on with it after it was left; Home Assistant does after a stop, if it is still in use then."""
        entry = self.hass.config_entries.async_get_entry(self.entry_id)
        is_used = entry and not entry.disabled_by and self.subentry_id in entry.subentries
        return not (self.hass.is_stopping and is_used)

    def registered_before(self, unique_id: str) -> bool:
        """Whether an entity existed when the entry was loaded; all did, of a unit that had none yet."""
        return not self.registered or unique_id in self.registered

    async def async_verify(self) -> None:
        """Make sure that it is still the same machine; WrongDeviceError if not."""
        await self.machine.async_verify()

    @callback
    def begin_with(self, keys: Collection[str]) -> None:
        """Poll these keys until the entities have been added."""
        family = self.device.family
        for group, coordinator in self.coordinators.items():
            coordinator.begin_with({key for key in keys if family.group_of(key) is group})

    async def async_poll_first(self) -> bool:
        """Poll the powers and the faults for the first time; return whether the machine answered.

        An event is told only to those who have seen its entity before.
        """
        powers = self.coordinators[Group.POWER]
        if not await powers.async_poll_first():
            return False
        if self.faults is not None:
            await powers.async_poll_others(self.faults.group)
        return powers.last_update_success

    async def async_poll_others(self) -> None:
        """Poll the other groups for the first time, now that the entities have been added; then what is shown."""
        await self.coordinators[Group.POWER].async_poll_others()
        for coordinator in self.coordinators.values():
            coordinator.async_entities_added()

    @callback
    def async_publish(self, group: Group) -> None:
        """Show what a write has read back."""
        self.coordinators[group].async_publish()


@dataclass(kw_only=True)
class RuntimeData:
    """The link, and the units on it by subentry id."""

    link: Connection
    # Why the link could not be opened when the entry was loaded.
    error: LinkError | None = None
    units: dict[str, UnitRuntime] = field(default_factory=dict)
    # What serves their words to other clients; None while it is off.
    mirror: MirrorServer | None = None

    @property
    def answered(self) -> bool:
        """Whether a machine has answered when it was last polled."""
        return any(
            unit.coordinators[Group.POWER].last_update_success for unit in self.units.values()
        )

    async def async_answers(self) -> bool:
        """Whether a machine answers now: those that have answered when they were last polled are polled again."""
        for unit in self.units.values():
            power = unit.coordinators[Group.POWER]
            if power.last_update_success:
                await power.async_refresh()
        return self.answered

    @callback
    def drop_others(self, subentry_ids: Container[str]) -> None:
        """Go on without the units that are not these: they were taken out of the entry while it was being set up."""
        for subentry_id in [one for one in self.units if one not in subentry_ids]:
            del self.units[subentry_id]

    async def async_release(self) -> None:
        """Leave the machines as they were found."""
        await asyncio.gather(*(unit.machine.async_release() for unit in self.units.values()))
