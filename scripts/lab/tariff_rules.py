"""The rules that no automation may break in a year of the simulated house, and who watches over them."""

from collections import Counter
from datetime import timedelta
from typing import Final

from custom_components.hybrid_inverter.const import CONF_MAY_SELL
from custom_components.hybrid_inverter.control.setup import DRIVERS
from custom_components.hybrid_inverter.modbus.control.order import ControlMode
from custom_components.hybrid_inverter.modbus.control.plan import Told

from .lived_home import LivedHome
from .tariff_cases import FLOOR, Case

# Writes of a register in a day of UTC.
BUDGET: Final = 100
# Never written, whatever is ordered: thresholds of outages, what the battery is, and how far it may be emptied.
FORBIDDEN: Final = frozenset({98, 109, 111, 115, 116, 117})
# What a reading may be off by: watts, a share, percent.
WATTS: Final = 150.0
SHARE: Final = 1.05
# A JSO takes a charge in amperes, and the voltage of its battery rises by a tenth at most until it is full.
RISE: Final = 1.1
PERCENT: Final = 0.6
# How long what ends may take: the release of an automation waits, and the inverter's slots end with five minutes.
GRACE: Final = timedelta(minutes=6)
# The minutes that an order can last.
MAX_ORDER_MINUTES: Final = 24 * 60


class Rules:
    """Counts what is against a rule, by rule."""

    def __init__(self, home: LivedHome, case: Case) -> None:
        """Watch a home from now on, whose owner has set what is set now."""
        self._home = home
        self._machine = home.machine
        # Each reading of it would bring all registers up to date.
        self._serial_number = home.machine.serial_number
        self._may_sell = bool(case.options.get(CONF_MAY_SELL))
        self._before = self._words()
        self._is_strange = False
        # How many writes there were when the settings were looked at.
        self._looked_at = 0
        # What was ordered of the battery and of the export, as it was seen last.
        self._order: Told | None = None
        self._limit: Told | None = None
        self._is_ordered = False
        self.soc_before = self._machine.inverter.soc
        self.broken: Counter[str] = Counter()
        home.plant.site.watchers.append(self._watch)

    def writes(self) -> tuple[int, int]:
        """How many requests have written, and how often the register was written in a day that was written most."""
        by_day: Counter[tuple[int, int]] = Counter()
        for write in self._machine.writes:
            day = int((self._home.begin + timedelta(seconds=write.time)).timestamp()) // 86400
            by_day.update((day, write.address + place) for place in range(len(write.values)))
        return len(self._machine.writes), max(by_day.values(), default=0)

    def look(self) -> None:
        """Look at what is set, and at what was ordered."""
        self._see_orders()
        for told in (self._order, self._limit):
            if told is not None and self._home.now > told.until + GRACE:
                self.broken["an order past its end"] += 1
        is_strange = not self._is_ordered and self._is_changed()
        if is_strange and self._is_strange:
            self.broken["settings that are not the owner's"] += 1
        self._is_strange = is_strange
        if self._machine.inverter.soc * 100 < FLOOR - PERCENT:
            self.broken["below the floor"] += 1

    def _see_orders(self) -> None:
        """See what is in force."""
        keeper = self._home.hass.data[DRIVERS][self._serial_number].keeper
        self._order = self._limit = None
        for lease in keeper.leases:
            if lease.order.mode is ControlMode.EXPORT_LIMIT:
                self._limit = keeper.told_of(lease)
            else:
                self._order = keeper.told_of(lease)
        self._is_ordered = bool(keeper.leases)

    async def end(self) -> None:
        """Switch the automation off, wait until its orders have ended, and see whether everything is as it was set."""
        services = self._home.hass.services
        if services.has_service("automation", "turn_off"):
            await services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)
        await self._home.live(MAX_ORDER_MINUTES)
        if self._words() != self._before:
            self.broken["settings that are not the owner's"] += 1
        for write in self._machine.writes:
            places = range(write.address, write.address + len(write.values))
            if not FORBIDDEN.isdisjoint(places):
                self.broken["a forbidden register"] += 1
        if self.writes()[1] > BUDGET:
            self.broken["the budget of a register"] += 1

    def _is_changed(self) -> bool:
        """Whether anything is set otherwise than it was, which only a write can do."""
        if len(self._machine.writes) != self._looked_at or self._is_strange:
            self._looked_at = len(self._machine.writes)
            return self._words() != self._before
        return False

    def _words(self) -> dict[int, int]:
        """All settings, but for the clock."""
        rows = self._machine.family.registers.values()
        return {
            address: self._machine.word(address)
            for row in rows
            if row.writable and row.stored
            for address in row.addresses
        }

    def _watch(self, _seconds: float) -> None:
        """Look at what flows."""
        inverter, site = self._machine.inverter, self._home.plant.site
        battery, grid = inverter.flows.battery, site.grid_point.power
        if abs(battery) > inverter.installation.rated_power * SHARE:
            self.broken["more than the rated power"] += 1
        if battery > WATTS and grid < -WATTS and not self._may_sell:
            self.broken["sold from the battery"] += 1
        if self._against_orders(battery, grid):
            # The order may have ended since it was seen.
            self._see_orders()
            self.broken.update(self._against_orders(battery, grid))

    def _against_orders(self, battery: float, grid: float) -> list[str]:
        """The rules of orders that these flows break, watts out of each."""
        inverter, site = self._machine.inverter, self._home.plant.site
        broken = []
        order, limit = self._order, self._limit
        if order is not None and order.mode is ControlMode.CHARGE and order.power:
            house = sum(site.home) + sum(inverter.flows.backup)
            sun = max(0.0, sum(inverter.flows.pv) - house)
            if -battery > order.power * RISE + sun + WATTS:
                broken.append("charged with more than ordered")
        if limit is not None and -grid > (limit.power or 0.0) + WATTS:
            broken.append("exported more than allowed")
        return broken
