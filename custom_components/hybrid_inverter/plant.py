"""A plant: a view of the machines of other entries, read through the coordinators that they are polled by anyway."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

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

from .const import DOMAIN
from .coordinator import GroupCoordinator, UnitRuntime
from .modbus.codec import Value
from .modbus.register import Group
from .plant_balance import Balance, autarky, balance_of, self_consumption, total
from .plant_ledger import Ledger
from .plant_members import Membership, async_membership, async_running_units, is_plant
from .plant_store import PlantStore

PLATFORMS: Final = [Platform.SENSOR]

# Seconds in which the polls of all members are taken together.
BURST: Final = 1.0
# A reading is fresh for so many intervals of its group, and these seconds for a line that is busy.
FRESH_INTERVALS: Final = 2
FRESH_SECONDS: Final = 10.0

# What belongs to today is named like what belongs to ever.
EVER: Final = "_total"
TODAY: Final = "_today"

# What of today is a share, with the energies that it is made of.
SHARES: Final = {
    "autarky_today": (autarky, "grid_import_energy_today", "load_energy_today"),
    "self_consumption_today": (self_consumption, "grid_export_energy_today", "pv_energy_today"),
}

type PlantConfigEntry = ConfigEntry[Plant]


@dataclass(slots=True)
class Source:
    """One group of a member's values, while its entry is loaded."""

    coordinator: GroupCoordinator
    keys: frozenset[str]
    # When it was polled last, and whether the counters in it were not taken since.
    polled: float
    is_news: bool = True

    @property
    def lifetime(self) -> float:
        """Return for how many seconds a reading is fresh."""
        return FRESH_SECONDS + FRESH_INTERVALS * self.coordinator.interval.total_seconds()

    def values(self, now: float) -> Mapping[str, Value | None]:
        """Return what the last poll has brought, if it is fresh."""
        if not self.coordinator.last_update_success or now - self.polled > self.lifetime:
            return {}
        return self.coordinator.data.values


@dataclass(slots=True)
class Attached:
    """A member that is being read."""

    unit: UnitRuntime
    sources: dict[Group, Source] = field(default_factory=dict)
    detach: list[CALLBACK_TYPE] = field(default_factory=list)

    def values(self, now: float) -> dict[str, Value | None]:
        """Return everything that is fresh."""
        values: dict[str, Value | None] = {}
        for source in self.sources.values():
            values |= source.values(now)
        return values


class Plant:
    """The values of a plant, computed when its members were read."""

    def __init__(self, hass: HomeAssistant, entry: PlantConfigEntry, store: PlantStore) -> None:
        """Take the members as they are set up, and what was counted before; nothing is read yet."""
        self.membership = membership = async_membership(hass, entry.data)
        self.balance: Balance = balance_of(membership.members, membership.sees_grid)
        self.ledger = Ledger(
            self.balance.energies, {one.id: one.rated_power for one in membership.members}
        )
        store.restore(self.ledger)
        # What is shown, by key; None for what is not known.
        self.values = self._values({})
        self._hass = hass
        self._entry = entry
        self._store = store
        self._attached: dict[str, Attached] = {}
        self._listeners: list[CALLBACK_TYPE] = []
        self._cancel_update: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Read the members, and follow what becomes of their entries; return what ends that."""
        stops: list[Callable[[], None]] = [
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
            ),
            async_track_time_change(self._hass, self._async_midnight, hour=0, minute=0, second=0),
        ]
        # Without one of its members a plant is not what it was: nothing of it is known, and nothing is counted.
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
        """Call back when there may be something new; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def polls(self, serial: str) -> dict[str, dict[str, bool | float]] | None:
        """Return how each group of a member does; None while its entry is not loaded."""
        if (attached := self._attached.get(serial)) is None:
            return None
        return {
            group: {
                "successful": source.coordinator.last_update_success,
                "fresh_for": source.lifetime,
            }
            for group, source in attached.sources.items()
        }

    @callback
    def _async_entry_changed(self, _: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Follow the members of an entry that is loaded, unloaded, changed or removed."""
        if entry.domain != DOMAIN or is_plant(entry):
            return
        if async_membership(self._hass, self._entry.data) != self.membership:
            # Other values are there now, or other ones are missing.
            self._hass.config_entries.async_schedule_reload(self._entry.entry_id)
            return
        if not self.membership.missing:
            self._async_attach()
            self._async_update_soon()

    @callback
    def _async_attach(self) -> None:
        """Read the members whose entries are loaded, and no others."""
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
        """Have the coordinators of a member poll what the plant needs of it."""
        attached = Attached(unit)
        keys: dict[Group, set[str]] = {}
        for key in self.balance.keys_of(serial):
            keys.setdefault(unit.device.family.group_of(key), set()).add(key)
        for group, wanted in keys.items():
            coordinator = unit.coordinators[group]
            source = Source(coordinator, frozenset(wanted), dt_util.utcnow().timestamp())
            attached.sources[group] = source
            attached.detach.append(
                coordinator.async_add_listener(partial(self._async_polled, source), source.keys)
            )
            coordinator.async_catch_up()
        return attached

    @callback
    def _async_detach(self, serial: str) -> None:
        """Stop reading a member."""
        for detach in self._attached.pop(serial).detach:
            detach()

    @callback
    def _async_polled(self, source: Source) -> None:
        """Note that a group of a member was polled."""
        source.polled = dt_util.utcnow().timestamp()
        source.is_news = True
        self._async_update_soon()

    @callback
    def _async_update_soon(self) -> None:
        """Compute everything once for all polls of the next moment."""
        if self._cancel_update is None:
            self._cancel_update = async_call_later(self._hass, BURST, self._async_update)

    @callback
    def _async_midnight(self, _: datetime) -> None:
        """Begin the day."""
        if not self.membership.missing:
            self._async_update()

    @callback
    def _async_update(self, _: datetime | None = None) -> None:
        """Compute everything, and tell those who show it."""
        if self._cancel_update is not None:
            self._cancel_update()
            self._cancel_update = None
        now = dt_util.utcnow().timestamp()
        readings = {serial: one.values(now) for serial, one in self._attached.items()}
        self._count(readings, now)
        self.values = self._values(readings)
        for listener in list(self._listeners):
            listener()

    def _count(self, readings: Mapping[str, Mapping[str, Value | None]], now: float) -> None:
        """Take the counters that were read since they were taken last."""
        day = dt_util.now().date().isoformat()
        for serial, attached in self._attached.items():
            if (source := attached.sources.get(Group.ENERGY)) is None or not source.is_news:
                continue
            source.is_news = False
            self.ledger.take(
                serial, readings[serial], when=source.polled, day=day, gap=source.lifetime
            )
            self._store.async_save_soon(self.ledger)
        self.ledger.settle(day)

    def _values(
        self, readings: Mapping[str, Mapping[str, Value | None]]
    ) -> dict[str, float | None]:
        """Return everything that is shown."""
        values = self.balance.measured(readings)
        for key, terms in self.balance.energies.items():
            known = total(terms, readings) is not None
            values[key] = self.ledger.total(key) if known else None
            values[today_of(key)] = self.ledger.today(key) if known else None
        return values | shares(values)


def today_of(key: str) -> str:
    """Return the key of an energy since midnight."""
    return f"{key.removesuffix(EVER)}{TODAY}"


def shares(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the shares of today, as far as there are the energies that they are shares of."""
    return {
        key: share(values[part], values[whole])
        for key, (share, part, whole) in SHARES.items()
        if {part, whole} <= values.keys()
    }


def issue_id(entry: ConfigEntry) -> str:
    """Return what the repair of a plant with missing members is known by."""
    return f"plant_member_missing_{entry.entry_id}"


async def async_setup_plant(hass: HomeAssistant, entry: PlantConfigEntry) -> bool:
    """Set up a plant, whether or not its members are loaded."""
    store = PlantStore(hass, entry.entry_id)
    await store.async_load()
    plant = entry.runtime_data = Plant(hass, entry, store)
    _tell_of_missing(hass, entry, plant.membership)

    async def close() -> None:
        await store.async_close(plant.ledger)

    entry.async_on_unload(close)
    entry.async_on_unload(plant.async_start())
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


@callback
def _tell_of_missing(hass: HomeAssistant, entry: ConfigEntry, membership: Membership) -> None:
    """Have a repair while members are not set up any more."""
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


async def async_unload_plant(hass: HomeAssistant, entry: PlantConfigEntry) -> bool:
    """Remove the entities; the members stay as they are."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_plant(hass: HomeAssistant, entry: PlantConfigEntry) -> None:
    """Forget what was kept outside of the entry."""
    ir.async_delete_issue(hass, DOMAIN, issue_id(entry))
    await PlantStore(hass, entry.entry_id).async_remove()
