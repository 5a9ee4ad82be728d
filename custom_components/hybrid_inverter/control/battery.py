"""What takes the orders that entities give: the battery of an inverter, or several batteries as one."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.device_registry import DeviceInfo

from ..entities.base import UnitEntityDescription
from ..modbus.control.lease import Lease
from ..modbus.control.order import ControlMode
from ..modbus.control.plan import Told
from ..modbus.device.wear import Origin
from ..modbus.model.family import Family
from ..modbus.model.register import Group
from ..runtime.callers import origin_of
from .in_force import mode_in_force
from .orders import async_order_all, async_release
from .request import ControlEvent, OrderRequest, request_of
from .shares import check_alone, powers_of, shared
from .targets import Controlled, Target

# The key of the select, after which messages call whatever is ordered.
BATTERY_CONTROL: Final = "battery_control"


@dataclass(slots=True, eq=False, kw_only=True)
class Follower:
    """Who is called back: when something was polled or one of the inverters has come or gone, and for what else it names."""

    updated: CALLBACK_TYPE
    # When other orders are in force.
    ordered: CALLBACK_TYPE
    # When something has happened to an order of one of the inverters.
    happened: Callable[[Controlled, ControlEvent], None] | None = None
    # When a register was written.
    written: CALLBACK_TYPE | None = None
    # The settings that are polled for it.
    wanted: Callable[[Family], frozenset[str]] | None = None
    # How to stop calling it back.
    stops: list[CALLBACK_TYPE] = field(default_factory=list)


class Battery(ABC):
    """One or several batteries that take the same orders, and share what is ordered of them."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        modes: frozenset[ControlMode],
        rated_power: float | None,
        preset: dict[str, float],
        plant: ConfigEntry | None = None,
    ) -> None:
        """`preset` is what was chosen for the next order, by the key of the number."""
        self.hass = hass
        self.modes = modes
        self.rated_power = rated_power
        self.preset = preset
        self.plant = plant
        # Their inverters; none while one of them is missing.
        self.inverters: tuple[Controlled, ...] = ()

    @abstractmethod
    def unique_id(self, description: UnitEntityDescription) -> str:
        """The unique id of an entity."""

    @abstractmethod
    def device_info(self, description: UnitEntityDescription) -> DeviceInfo:
        """The device that an entity is shown at."""

    @abstractmethod
    def english_device_name(self, description: UnitEntityDescription) -> str:
        """What that device is called in the id of the entity."""

    # ------------------------------------------------------------------ what is in force

    @property
    def available(self) -> bool:
        """Whether the settings of all inverters are polled."""
        return bool(self.inverters) and all(
            one.unit.coordinators[Group.SETTINGS].last_update_success for one in self.inverters
        )

    def modes_in_force(self) -> list[str | None]:
        """What is in force at each inverter, by the registers as they were read back."""
        return [mode_in_force(one.driver.keeper) for one in self.inverters]

    @property
    def is_ordered(self) -> bool:
        """Whether any inverter has an order of the battery."""
        return any(one.driver.keeper.lease() for one in self.inverters)

    @property
    def leases(self) -> list[Lease]:
        """The order that all inverters have, as each of them has it; none while they have not the same."""
        leases = [lease for one in self.inverters if (lease := one.driver.keeper.lease())]
        if not leases:
            return []
        is_one = len({(lease.order.mode, lease.order.at) for lease in leases}) == 1
        return leases if is_one and len(leases) == len(self.inverters) else []

    @property
    def told(self) -> list[Told]:
        """What each inverter has told of that order; nothing while it is only being written."""
        if not (leases := self.leases):
            return []
        told = [
            told
            for one, lease in zip(self.inverters, leases, strict=True)
            if (told := one.driver.keeper.told_of(lease)) is not None
        ]
        return told if len(told) == len(self.inverters) else []

    @property
    def target(self) -> Target:
        """What an order is for."""
        return Target(self.inverters, self.plant)

    # ------------------------------------------------------------------ orders

    async def async_order(self, request: OrderRequest, context: Context | None) -> None:
        """Give an order to all inverters or to none; raise an error with a translated message if that did not work."""
        check_alone(self.target, request)
        requests = shared(self.target, request, request.power)
        await async_order_all(list(zip(self.inverters, requests, strict=True)), context)

    async def async_change_power(self, power: float, context: Context | None) -> None:
        """Give the order in force another power in watts, until its end."""
        leases = self.leases
        shares = powers_of(power, leases[0].order.at, self.target)
        await self._async_change(
            [
                replace(request_of(lease), power=share)
                for lease, share in zip(leases, shares, strict=True)
            ],
            context,
        )

    async def async_change_target(self, target_soc: float, context: Context | None) -> None:
        """Give the order in force another target in percent, until its end."""
        await self._async_change(
            [replace(request_of(lease), target_soc=target_soc) for lease in self.leases], context
        )

    async def _async_change(self, requests: list[OrderRequest], context: Context | None) -> None:
        of_person = origin_of(context) is Origin.PERSON
        await async_order_all(
            [
                (one, replace(request, of_person=of_person, is_change=True))
                for one, request in zip(self.inverters, requests, strict=True)
            ],
            context,
        )

    async def async_release(self, context: Context | None) -> None:
        """End the orders of all inverters at once, whoever has given them; the first error is raised in the end."""
        errors: list[HomeAssistantError] = []
        for one in self.inverters:
            try:
                await async_release(one, context=context)
            except HomeAssistantError as err:
                errors.append(err)
        if errors:
            raise errors[0]

    # ------------------------------------------------------------------ who follows

    def gathered(self, _one: Controlled, event: ControlEvent) -> ControlEvent | None:
        """What is told of something that has happened at one inverter."""
        return event

    @callback
    def async_follow(self, follower: Follower) -> CALLBACK_TYPE:
        """Call back from now on; returns how to stop that."""
        self._attach(follower)
        return lambda: self._detach(follower)

    def _attach(self, follower: Follower) -> None:
        for one in self.inverters:
            settings, keeper = one.unit.coordinators[Group.SETTINGS], one.driver.keeper
            wanted = follower.wanted and follower.wanted(one.unit.device.family)
            follower.stops += (
                settings.async_add_listener(follower.updated, wanted),
                keeper.async_add_listener(follower.ordered),
            )
            if follower.written is not None:
                follower.stops.append(one.unit.device.wear.add_listener(follower.written))
            if follower.happened is not None:
                follower.stops.append(self._follow_events(one, follower.happened))

    @staticmethod
    def _follow_events(
        one: Controlled, happened: Callable[[Controlled, ControlEvent], None]
    ) -> CALLBACK_TYPE:
        return one.driver.keeper.async_add_event_listener(lambda event: happened(one, event))

    @staticmethod
    def _detach(follower: Follower) -> None:
        for stop in follower.stops:
            stop()
        follower.stops.clear()

    async def async_refresh(self) -> None:
        """Poll the settings of all inverters."""
        for one in self.inverters:
            await one.unit.coordinators[Group.SETTINGS].async_request_refresh()
