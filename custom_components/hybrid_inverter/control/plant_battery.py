"""The batteries of a plant as one: which orders they can carry out together, and what has happened at all of them."""

from typing import Any, Final, override

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN
from ..entities.base import UnitEntityDescription
from ..entities.of_plant import async_plant_name, plant_device_info, plant_unique_id
from ..entry.data import is_plant
from ..modbus.model.register import Group
from ..runtime.lookup import async_running_units
from .battery import Battery, Follower
from .plant_members import are_all_batteries, battery_members, battery_serials
from .preset import preset_of
from .request import ControlEvent, ControlEventType
from .setup import driver_of
from .targets import Controlled

# What is told as soon as it has happened at one inverter: the order is no longer carried out as a whole.
AT_ONCE: Final = frozenset(
    {
        ControlEventType.OVERRIDDEN,
        ControlEventType.NOT_FOLLOWED,
        ControlEventType.FAILED,
    }
)
# What is said of such an event beside what the inverter tells, and what each inverter has only a share of.
INVERTER: Final = "inverter"
SHARED: Final = "power"


class PlantBattery(Battery):
    """The batteries of a plant, while the entries of all their inverters are loaded."""

    def __init__(self, hass: HomeAssistant, plant: ConfigEntry) -> None:
        """What exists is decided by what is kept of the members, loaded or not."""
        self.members = members = battery_members(hass, plant)
        self._serials = battery_serials(hass, plant)
        self._are_all = are_all_batteries(hass, plant)
        rated_power = sum(member.rated_power for member in members) or None
        super().__init__(
            hass,
            modes=frozenset.intersection(*(one.modes for one in members))
            if members
            else frozenset(),
            rated_power=rated_power,
            preset=preset_of(rated_power),
            plant=plant,
        )
        self._plant = plant
        self._followers: list[Follower] = []
        # What has happened so far at some of the inverters, by what it was and the mode of the order.
        self._happened: dict[tuple[ControlEventType, Any], dict[str, ControlEvent]] = {}

    @property
    def is_incomplete(self) -> bool:
        """Whether a member is not set up any more, so that nobody knows what it could do."""
        return len(self.members) < len(self._serials)

    def serves(self, description: UnitEntityDescription) -> bool:
        """Whether all members have what an entity rests on."""
        return bool(self.members) and all(one.serves(description) for one in self.members)

    @property
    def controls_export(self) -> bool:
        """Whether nothing is exported past these inverters by another one of the plant."""
        return self._are_all

    @override
    def unique_id(self, description: UnitEntityDescription) -> str:
        """The unique id of an entity of the plant."""
        return plant_unique_id(self._plant, description)

    @override
    def device_info(self, description: UnitEntityDescription) -> DeviceInfo:
        """The plant, which is one device."""
        return plant_device_info(self._plant)

    @override
    def english_device_name(self, description: UnitEntityDescription) -> str:
        """The plant's own."""
        return async_plant_name(self.hass, self._plant)

    # ------------------------------------------------------------------ members that come and go

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow the entries of the members; returns how to stop that."""
        self.inverters = self._find_inverters()
        return async_dispatcher_connect(
            self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
        )

    def _find_inverters(self) -> tuple[Controlled, ...]:
        """The inverters, if all of them are loaded and take orders."""
        running = async_running_units(self.hass)
        found = [
            Controlled(unit, driver)
            for serial in self._serials
            if (unit := running.get(serial)) is not None
            and (driver := driver_of(self.hass, unit)) is not None
        ]
        return tuple(found) if len(found) == len(self._serials) else ()

    @callback
    def _async_entry_changed(self, _: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Follow the inverters of an entry that is loaded or unloaded."""
        if entry.domain != DOMAIN or is_plant(entry):
            return
        if (found := self._find_inverters()) == self.inverters:
            return
        for follower in self._followers:
            self._detach(follower)
        self._happened.clear()
        self.inverters = found
        for follower in self._followers:
            self._attach(follower)
            follower.updated()

    @override
    def _attach(self, follower: Follower) -> None:
        """Have polled what was not yet, too."""
        super()._attach(follower)
        if follower.wanted is not None:
            for one in self.inverters:
                one.unit.coordinators[Group.SETTINGS].async_catch_up()

    @callback
    @override
    def async_follow(self, follower: Follower) -> CALLBACK_TYPE:
        """Call back from now on, whichever inverters are there; returns how to stop that."""
        self._followers.append(follower)
        detach = super().async_follow(follower)

        @callback
        def stop() -> None:
            self._followers.remove(follower)
            detach()

        return stop

    # ------------------------------------------------------------------ what has happened at all of them

    @override
    def gathered(self, one: Controlled, event: ControlEvent) -> ControlEvent | None:
        """What has happened at all inverters, when the last of them tells it; some of it when the first one does."""
        serial, what = one.unit.identity.serial, (event.type, event.attributes.get("mode"))
        for other, told in self._happened.items():
            if other != what:
                told.pop(serial, None)
        if event.type in AT_ONCE:
            return ControlEvent(event.type, {**_whole(event), INVERTER: one.name})
        told = self._happened.setdefault(what, {})
        told[serial] = event
        if len(told) < len(self.inverters):
            return None
        del self._happened[what]
        events = [_whole(each) for each in told.values()]
        return ControlEvent(
            event.type,
            {
                name: value
                for name, value in events[0].items()
                if all(each.get(name) == value for each in events)
            },
        )


def _whole(event: ControlEvent) -> dict[str, Any]:
    """What is told of an order but for what is only the share of one inverter."""
    return {name: value for name, value in event.attributes.items() if name != SHARED}
