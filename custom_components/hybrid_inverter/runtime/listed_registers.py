"""Polls the registers that a person has listed for the mirror: behind the powers, in a small share of the line's time."""

from collections.abc import Collection
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import LOGGER
from ..entry.mirror import mirror_of
from ..modbus.errors import DeviceError
from ..modbus.mirror.unit import MirroredUnit, shortest
from ..modbus.model.register import Group
from .coordinator import EARLY
from .mirror import AGES
from .runtime import HybridInverterConfigEntry, UnitRuntime

# The share of the time that the polls of all units may take, with their waiting for the line: on a busy one they come
# less often.
SHARE: Final = 0.1


class ListedRegisters:
    """Polls the listed registers of one unit right behind its powers, whenever it is their time."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        unit: UnitRuntime,
        mirrored: MirroredUnit,
        addresses: Collection[int],
        share: float,
    ) -> None:
        """`share` is the part of the time that its polls may take."""
        self._hass = hass
        self._entry = entry
        self._unit = unit
        self._mirrored = mirrored
        self._addresses = addresses
        self._share = share
        self._powers = unit.coordinators[Group.POWER]
        self._is_polling = False
        # When the next poll is due, by the event loop's clock.
        self._due_at = 0.0

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Poll behind the powers from now on; returns how to stop that."""
        return self._powers.async_add_poll_listener(self._powers_polled)

    @callback
    def _powers_polled(self) -> None:
        """Poll if it is time, or will be before the next poll of the powers."""
        early = EARLY * self._powers.interval
        if not self._is_polling and self._hass.loop.time() + early >= self._due_at:
            self._is_polling = True
            self._entry.async_create_background_task(
                self._hass, self._async_poll(), f"{self._unit.name} listed registers"
            )

    async def _async_poll(self) -> None:
        """Poll, and see how much time that takes."""
        began, interval = self._hass.loop.time(), self._powers.interval
        try:
            await self._unit.device.poll_words(self._addresses, began + interval)
        except DeviceError as err:
            LOGGER.debug("The listed registers of %s were not read: %s", self._unit.name, err)
        finally:
            self._is_polling = False
        pause = max(interval, (self._hass.loop.time() - began) / self._share)
        self._due_at = began + pause
        self._mirrored.serve_for(self._max_ages(pause))

    def _max_ages(self, pause: float) -> dict[int, float]:
        """For how many seconds each of them is served: by what polls it most often, these polls or an entity's."""
        device, coordinators = self._unit.device, self._unit.coordinators.values()
        max_ages = shortest(
            [
                (self._addresses, AGES * pause),
                *(
                    (device.addresses_of(one.keys), AGES * one.interval)
                    for one in coordinators
                    if one.is_polled
                ),
            ]
        )
        return {address: max_ages[address] for address in self._addresses}


@callback
def async_poll_listed(
    hass: HomeAssistant, entry: HybridInverterConfigEntry, unit: UnitRuntime
) -> CALLBACK_TYPE:
    """Poll what is listed of a unit, if anything is; returns how to stop that."""
    options, server = mirror_of(entry), entry.runtime_data.mirror
    if options is None or server is None or not (listed := options.registers.get(unit.unit_id)):
        return lambda: None
    mirrored, sharing = server.units[unit.unit_id], server.units.keys() & options.registers.keys()
    return ListedRegisters(hass, entry, unit, mirrored, listed, SHARE / len(sharing)).async_start()
