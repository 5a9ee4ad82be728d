"""The reserve and the export limit of a plant: what its inverters have of them together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.const import EntityCategory
from homeassistant.exceptions import HomeAssistantError

from ..entities.base import conditions_of
from ..entities.bounded_number import BoundedNumber
from ..entities.of_plant import PREFIX
from ..modbus.device.to_end import to_end
from ..modbus.model.reserve import RESERVE
from .battery import Battery
from .combined import COMBINED_NUMBERS, CombinedDescription, CombinedSetting, reading_of
from .entities import BatteryEntity
from .orders import async_load_control_texts, of_member
from .targets import Controlled

# A plant is one device: what belongs to the battery of an inverter has a name of its own there, and a number that is meant
# for the whole device is for the next order, and for no setting that stays.
PLANT_NUMBERS: Final = tuple(
    replace(
        item,
        entity_category=EntityCategory.CONFIG,
        translation_key=f"{PREFIX}{RESERVE}" if item.key == RESERVE else None,
    )
    for item in COMBINED_NUMBERS
)


class PlantNumber(BatteryEntity, BoundedNumber):
    """A number that the inverters of a plant share, or that each of them has."""

    entity_description: CombinedDescription

    def __init__(self, battery: Battery, description: CombinedDescription) -> None:
        """Poll everything that it rests on."""
        super().__init__(battery, description)
        self.follower.wanted = description.polled_from

    @property
    def _settings(self) -> list[CombinedSetting]:
        """What the number is at each inverter."""
        make = self.entity_description.setting
        return [make(one.unit, self.entity_description.key) for one in self.battery.inverters]

    @property
    @override
    def available(self) -> bool:
        """Whether all inverters are there and use such a number."""
        return super().available and all(
            condition.is_met(one.unit.device.values)
            for one in self.battery.inverters
            for condition in conditions_of(one.unit, self.entity_description)
        )

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        """What all inverters take: of a share each adds its own, otherwise the narrowest count."""
        bounds = [setting.bounds for setting in self._settings]
        if not bounds:
            return 0, 0
        lows, highs = zip(*bounds, strict=True)
        return (
            (sum(lows), sum(highs))
            if self.entity_description.is_shared
            else (max(lows), min(highs))
        )

    @property
    @override
    def native_value(self) -> float | None:
        """The number that was last read; None while one is not known, or they differ where they should not."""
        readings = [reading_of(setting) for setting in self._settings]
        known = [reading for reading in readings if reading is not None]
        if not known or len(known) < len(readings):
            return None
        if self.entity_description.is_shared:
            return sum(known)
        return known[0] if len(set(known)) == 1 else None

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value, *self.bounds)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Write another number to all inverters or to none."""
        await async_load_control_texts(self.hass)
        settings = self._settings
        wanted = self._shares(self.asked_for(value), settings)
        pairs = list(zip(self.battery.inverters, settings, wanted, strict=True))
        for one, setting, share in pairs:
            try:
                await setting.async_check(share)
            except HomeAssistantError as err:
                raise of_member(one, err, translation_key="control_member_refused") from err
        await self._async_write_all(pairs)
        self.async_write_if_changed()

    @to_end
    async def _async_write_all(
        self, pairs: Sequence[tuple[Controlled, CombinedSetting, float]]
    ) -> None:
        """Write what each inverter gets, also when the caller is cancelled: to all of them or to none."""
        written: list[CombinedSetting] = []
        for one, setting, share in pairs:
            try:
                await setting.async_write(share, self._context)
            except HomeAssistantError as err:
                for former in written:
                    await former.async_take_back()
                raise of_member(one, err, translation_key="control_member_failed") from err
            written.append(setting)

    def _shares(self, value: float, settings: list[CombinedSetting]) -> list[float]:
        """What each inverter gets: by what it takes at most, in whole numbers that add up."""
        if not self.entity_description.is_shared:
            return [value] * len(settings)
        highest = [setting.bounds[1] for setting in settings]
        shares: list[float] = []
        left, room = value, sum(highest)
        for high in highest:
            share = round(left * high / room) if room else 0
            shares.append(share)
            left, room = left - share, room - high
        return shares
