"""A plant: several devices of other entries as one, read through the coordinators that poll them anyway."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later, async_track_time_change
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import DOMAIN
from ..entry.data import is_plant
from ..entry.json_store import JsonStore
from ..modbus.model.codec import Value
from ..modbus.model.register import Group
from ..runtime.coordinator import GroupCoordinator
from ..runtime.lookup import async_running_units
from ..runtime.runtime import UnitRuntime
from .balance import (
    SOC,
    Balance,
    autarky,
    balance_of,
    held,
    self_consumption,
    total,
)
from .ledger import Ledger
from .members import Membership, async_membership

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
]

# The polls of all members within so many seconds are taken together.
BURST: Final = 1.0
# Seconds from the first change that is not saved yet to saving it. What is lost with a power cut is counted once more: it
# is what the counters have grown by since.
SAVE_DELAY: Final = 300
# What is kept of its energies.
NUMBER: Final = vol.Any(int, float)
COUNTED: Final = vol.Schema(
    {
        vol.Required("day"): str,
        vol.Required("energies"): {str: vol.ExactSequence([NUMBER, NUMBER, NUMBER])},
        vol.Required("counters"): {str: {str: vol.ExactSequence([NUMBER, NUMBER, str])}},
    },
    extra=vol.ALLOW_EXTRA,
)
# A value is fresh for so many intervals of its group, and for these seconds more, as the line may be busy.
FRESH_INTERVALS: Final = 2
FRESH_SECONDS: Final = 10.0

# The keys of the energies of today are made of those of the lifetime energies.
TOTAL: Final = "_total"
TODAY: Final = "_today"

# The shares of today, with the function and the keys of the energies that they are computed from.
SHARES: Final = {
    "autarky_today": (autarky, "grid_import_energy_today", "load_energy_today"),
    "self_consumption_today": (self_consumption, "grid_export_energy_today", "pv_energy_today"),
}

type PlantConfigEntry = ConfigEntry[Plant]


@dataclass(slots=True)
class MemberGroup:
    """One group of a member's values, while its entry is loaded."""

    coordinator: GroupCoordinator
    keys: frozenset[str]
    # The time of the last poll, and whether its counters have not been counted yet.
    polled: float
    is_new: bool = True

    @property
    def lifetime(self) -> float:
        """For how many seconds a value is fresh."""
        return FRESH_SECONDS + FRESH_INTERVALS * self.coordinator.interval

    def values(self, now: float) -> Mapping[str, Value | None]:
        """The values of the last poll, if they are fresh."""
        if not self.coordinator.last_update_success or now - self.polled > self.lifetime:
            return {}
        return self.coordinator.data.values


@dataclass(slots=True)
class Attached:
    """A member whose entry is loaded."""

    unit: UnitRuntime
    groups: dict[Group, MemberGroup] = field(default_factory=dict)
    detach: list[CALLBACK_TYPE] = field(default_factory=list)

    def values(self, now: float) -> dict[str, Value | None]:
        """All values that are fresh."""
        values: dict[str, Value | None] = {}
        for polled_group in self.groups.values():
            values |= polled_group.values(now)
        return values


class Plant:
    """The values of a plant, computed when its members have been polled."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: PlantConfigEntry,
        store: JsonStore,
        counted: Mapping[str, Any],
    ) -> None:
        """`counted` is what the ledger has kept."""
        self.membership = membership = async_membership(hass, entry.data)
        self.balance: Balance = balance_of(membership.members, membership.sees_grid)
        self.ledger = Ledger(
            self.balance.energies, {one.id: one.rated_power for one in membership.members}
        )
        if counted:
            self.ledger.restore(counted)
        # The values by key; None for what is unknown.
        self.values = self._values({})
        self._hass = hass
        self._entry = entry
        self._store = store
        self._attached: dict[str, Attached] = {}
        self._listeners: list[CALLBACK_TYPE] = []
        self._cancel_update: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Have the members polled, and follow their entries; returns how to stop that."""
        stops: list[Callable[[], None]] = [
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
            ),
            async_track_time_change(self._hass, self._async_midnight, hour=0, minute=0, second=0),
        ]
        # With a member missing the sums would be wrong: nothing is shown, and nothing is counted.
        if not self.membership.missing:
            self._async_attach()
            self._async_update()

        @callback
        def stop() -> None:
            for end in stops:
                end()
            for serial in list(self._attached):
                self._async_detach(serial)
            if self._cancel_update is not None:
                self._cancel_update()
                self._cancel_update = None

        return stop

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back when the values have been computed again; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def polls(self, serial: str) -> dict[str, dict[str, bool | float]] | None:
        """The state of the polls of a member, by group; None while its entry is not loaded."""
        if (attached := self._attached.get(serial)) is None:
            return None
        return {
            group: {
                "successful": polled_group.coordinator.last_update_success,
                "fresh_for": polled_group.lifetime,
            }
            for group, polled_group in attached.groups.items()
        }

    @callback
    def _async_entry_changed(self, _: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Follow the members of an entry that is loaded, unloaded, changed or removed."""
        if entry.domain != DOMAIN or is_plant(entry):
            return
        if async_membership(self._hass, self._entry.data) != self.membership:
            # There are other values now, or others are missing.
            self._hass.config_entries.async_schedule_reload(self._entry.entry_id)
            return
        if not self.membership.missing:
            self._async_attach()
            self._async_update_soon()

    @callback
    def _async_attach(self) -> None:
        """Attach the members whose entries are loaded, and detach the others."""
        running = async_running_units(self._hass)
        for member in self.membership.members:
            unit = running.get(member.id)
            attached = self._attached.get(member.id)
            if attached is not None and attached.unit is unit:
                continue
            if attached is not None:
                self._async_detach(member.id)
            if unit is not None:
                self._attached[member.id] = self._async_attached(unit, member.id)

    @callback
    def _async_attached(self, unit: UnitRuntime, serial: str) -> Attached:
        """Have the coordinators of a member poll the values that the plant needs."""
        attached = Attached(unit)
        keys: dict[Group, set[str]] = {}
        for key in self.balance.keys_of(serial):
            keys.setdefault(unit.device.family.group_of(key), set()).add(key)
        for group, wanted in keys.items():
            coordinator = unit.coordinators[group]
            polled_group = MemberGroup(coordinator, frozenset(wanted), dt_util.utcnow().timestamp())
            attached.groups[group] = polled_group
            attached.detach += (
                coordinator.async_add_listener(self._async_update_soon, polled_group.keys),
                coordinator.async_add_poll_listener(partial(self._async_polled, polled_group)),
            )
            coordinator.async_catch_up()
        return attached

    @callback
    def _async_detach(self, serial: str) -> None:
        """Stop the polls for a member."""
        for detach in self._attached.pop(serial).detach:
            detach()

    @callback
    def _async_polled(self, polled_group: MemberGroup) -> None:
        """Note that a group of a member was polled."""
        polled_group.polled = dt_util.utcnow().timestamp()
        polled_group.is_new = True
        self._async_update_soon()

    @callback
    def _async_update_soon(self) -> None:
        """Compute everything once for all polls within the next second."""
        if self._cancel_update is None:
            self._cancel_update = async_call_later(self._hass, BURST, self._async_update)

    @callback
    def _async_midnight(self, _: datetime) -> None:
        """Begin a new day."""
        if not self.membership.missing:
            self._async_update()

    @callback
    def _async_update(self, _: datetime | None = None) -> None:
        """Compute everything, and call the listeners."""
        if self._cancel_update is not None:
            self._cancel_update()
            self._cancel_update = None
        now = dt_util.utcnow().timestamp()
        readings = {serial: one.values(now) for serial, one in self._attached.items()}
        self._count(readings)
        self.values = self._values(readings)
        for listener in list(self._listeners):
            listener()

    def _count(self, readings: Mapping[str, Mapping[str, Value | None]]) -> None:
        """Count what has been polled since the last time."""
        day = dt_util.now().date().isoformat()
        for serial, attached in self._attached.items():
            if (
                polled_group := attached.groups.get(Group.ENERGY)
            ) is None or not polled_group.is_new:
                continue
            polled_group.is_new = False
            self.ledger.take(
                serial,
                readings[serial],
                when=polled_group.polled,
                day=day,
                gap=polled_group.lifetime,
            )
            self._store.async_save_soon(self.ledger.as_dict, SAVE_DELAY)
        self.ledger.settle(day)

    def _values(
        self, readings: Mapping[str, Mapping[str, Value | None]]
    ) -> dict[str, float | None]:
        """All values of the plant."""
        values = self.balance.measured(readings)
        if SOC in values:
            values |= held(self.balance.capacity, values[SOC])
        for key, terms in self.balance.energies.items():
            known = total(terms, readings) is not None
            values[key] = self.ledger.total(key) if known else None
            values[today_of(key)] = self.ledger.today(key) if known else None
        return values | shares(values)


def today_of(key: str) -> str:
    """The key of an energy since midnight, by that of the lifetime energy."""
    return f"{key.removesuffix(TOTAL)}{TODAY}"


def shares(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """The shares of today, as far as their energies exist."""
    return {
        key: share(values[part], values[whole])
        for key, (share, part, whole) in SHARES.items()
        if {part, whole} <= values.keys()
    }


def issue_id(entry: ConfigEntry) -> str:
    """The id of the repair issue of a plant with missing members."""
    return f"plant_member_missing_{entry.entry_id}"


def store_of(hass: HomeAssistant, entry: ConfigEntry) -> JsonStore:
    """The file of a plant's energies, kept across a restart of Home Assistant."""
    return JsonStore(hass, f"{entry.entry_id}.plant")


async def async_setup_plant(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set up a plant, whether or not its members are loaded."""
    store = store_of(hass, entry)
    plant = Plant(hass, entry, store, await store.async_load(COUNTED))
    entry.runtime_data = plant
    _report_missing(hass, entry, plant.membership)
    entry.async_on_unload(store.async_close)
    entry.async_on_unload(plant.async_start())
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


@callback
def _report_missing(hass: HomeAssistant, entry: ConfigEntry, membership: Membership) -> None:
    """Raise a repair issue while members are not set up any more."""
    if not membership.missing:
        ir.async_delete_issue(hass, DOMAIN, issue_id(entry))
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id(entry),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="plant_member_missing",
        translation_placeholders={
            "plant": entry.title,
            "machines": ", ".join(membership.missing),
        },
    )


async def async_unload_plant(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Remove the entities; the members stay as they are."""
    if entry.disabled_by is not None:
        ir.async_delete_issue(hass, DOMAIN, issue_id(entry))
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_plant(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what was kept outside of the entry."""
    ir.async_delete_issue(hass, DOMAIN, issue_id(entry))
    await store_of(hass, entry).async_remove()
