"""The owner's test while it runs: it orders, looks, and leaves everything as it was."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..control.orders import async_order, async_release, async_release_soon
from ..control.request import OrderRequest
from ..control.targets import Controlled, controlled
from ..entry.texts import async_text
from ..modbus.device.wear import Origin
from ..modbus.doctor.member import keys_of
from ..modbus.model.register import Group
from ..runtime.callers import origin_of
from ..runtime.lookup import async_running_units
from ..runtime.runtime import UnitRuntime
from .checks import Obstacle, async_check, hold_for, others_of, request_for, units_of, wrong
from .outcome import Outcome
from .texts import async_load_wiring_texts
from .watch import HouseWatch, Values, async_watch_of

TICK: Final = timedelta(seconds=1)
# Seconds after which the powers are polled during a test, however seldom they are otherwise.
LOOK: Final = 5.0


class WiringTest:
    """One test of the wiring of a house, by the battery of one of its inverters."""

    def __init__(
        self,
        one: Controlled,
        watch: HouseWatch,
        units: dict[str, UnitRuntime],
        owner: str,
        context: Context | None,
        *,
        of_person: bool,
    ) -> None:
        """`owner` is the name that the orders are given in; `of_person` tells a person from an automation."""
        self._hass = one.unit.hass
        self._one = one
        self._watch = watch
        self._units = units
        self._owner = owner
        self._context = context
        self._of_person = of_person
        self._test = watch.async_owner_test()
        # The watts that are ordered.
        self._watts: float | None = None
        # Other batteries, which would take what this one gives, and all that have an order of the test.
        self._others = others_of(one, watch.house)
        self._ordered: list[Controlled] = []
        self._stops: list[Callable[[], None]] = []
        self._step: asyncio.Task[None] | None = None
        self._is_over = False
        # Several devices of a house may be closed at once: each waits until everything is as before.
        self._ending = asyncio.Lock()
        self.done: asyncio.Future[Outcome] = self._hass.loop.create_future()

    def involves(self, unit: UnitRuntime) -> bool:
        """Whether it looks at a device, or has given it an order."""
        return self._units.get(unit.identity.serial) is unit

    @callback
    def async_start(self) -> None:
        """Begin, and go on second by second; what comes of it is in `done`."""
        self._watch.is_tested = True
        for member in self._watch.house.members:
            unit = self._units[member.id]
            family = unit.device.family
            keys = frozenset(
                key
                for key in keys_of(member)
                if family.serves([key]) and family.group_of(key) is Group.POWER
            )
            self._stops.append(unit.coordinators[Group.POWER].async_keep_polled(keys))
        self._stops += (
            self._watch.async_add_observer(self._observed),
            async_track_time_interval(self._hass, self._tick, TICK, cancel_on_shutdown=True),
        )

    @callback
    def _observed(self, serial: str, now: float, values: Values) -> None:
        """Take what was polled into account."""
        if serial in self._units:
            self._test.observe(serial, now, values)

    @callback
    def _tick(self, _now: datetime) -> None:
        """Go a step further, when the last one is over."""
        if self._step is None or self._step.done():
            entry = self._hass.config_entries.async_get_known_entry(self._one.unit.entry_id)
            self._step = entry.async_create_background_task(
                self._hass, self._async_step(), f"{self._one.unit.name} wiring test"
            )

    async def _async_step(self) -> None:
        """Go on, unless something keeps it from that."""
        try:
            await self._async_go_on()
        except HomeAssistantError as err:
            await self._async_break_off(err)
        except Exception:  # noqa: BLE001 - a defect must not keep an order in force, nor the test going on
            LOGGER.exception("%s: the wiring test has failed", self._one.unit.name)
            await self._async_break_off(wrong(Obstacle.FAILED, device=self._one.name))

    async def _async_go_on(self) -> None:
        """Poll, and order what is to be in force now."""
        await self._async_look()
        if self._is_over:
            return
        if async_watch_of(self._hass, self._one.unit.identity.serial) is not self._watch:
            # Somebody has added a device to the house, or taken one away.
            raise wrong(Obstacle.STOPPED, device=self._one.name)
        watts = self._test.order(monotonic())
        if watts != self._watts:
            await self._async_order(watts)
        elif watts is not None and not self._is_ours:
            raise wrong(Obstacle.ENDED, device=self._one.name)
        if self._test.finished and not self._is_over:
            outcome = Outcome(dt_util.utcnow(), self._test.report())
            self._end()
            self._watch.async_tested(outcome.report)
            self.done.set_result(outcome)

    async def _async_look(self) -> None:
        """Poll the powers that were not polled for a while."""
        now = self._hass.loop.time()
        for unit in self._units.values():
            powers = unit.coordinators[Group.POWER]
            if powers.interval > LOOK and now - powers.began >= LOOK:
                await powers.async_refresh()

    @property
    def _is_ours(self) -> bool:
        """Whether the order in force is the one that was given here."""
        lease = self._one.driver.keeper.lease()
        return lease is not None and lease.owner == self._owner

    async def _async_order(self, watts: float | None) -> None:
        """Have so many watts ordered, while other batteries are held; or nothing."""
        before, self._watts = self._watts, watts
        if watts is None:
            while self._ordered:
                await async_release(self._ordered[-1], owner=self._owner, context=self._context)
                self._ordered.pop()
            return
        if before is not None:
            if not self._is_ours:
                raise wrong(Obstacle.ENDED, device=self._one.name)
        else:
            for other in self._others:
                await self._async_give(other, hold_for(self._owner, of_person=self._of_person))
        request = request_for(watts, self._owner, of_person=self._of_person)
        await self._async_give(self._one, request)

    async def _async_give(self, one: Controlled, request: OrderRequest) -> None:
        if one not in self._ordered:
            self._ordered.append(one)
        await async_order(one, request, self._context)

    # ------------------------------------------------------------------ the end

    def _end(self) -> None:
        """Stop looking and ordering."""
        self._is_over = True
        for stop in self._stops:
            stop()
        self._stops.clear()
        self._watch.is_tested = False

    @callback
    def async_abandon(self, error: HomeAssistantError) -> None:
        """Go no further, as nobody could end the order any more: it ends by itself."""
        self._end()
        self._fail(error)

    def _fail(self, error: HomeAssistantError) -> None:
        """Tell those who wait, if there are any."""
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()

    async def async_stop(self, error: HomeAssistantError) -> None:
        """Break it off, if it has not come to its end, and wait until everything is as before."""
        self._end()
        if self._step is not None and self._step is not asyncio.current_task():
            await asyncio.wait((self._step,))
        await self._async_break_off(error)

    async def _async_break_off(self, error: HomeAssistantError) -> None:
        """Put back what was ordered; those who wait are told, whatever becomes of that."""
        self._end()
        try:
            async with self._ending:
                ordered, self._ordered = self._ordered, []
                for one in ordered:
                    lease = one.driver.keeper.lease()
                    if lease is not None and lease.owner == self._owner:
                        await self._async_release(one)
        finally:
            self._fail(error)

    async def _async_release(self, one: Controlled) -> None:
        """End an order, or have it ended as soon as that is possible."""
        try:
            await async_release(one, owner=self._owner, context=self._context)
        except HomeAssistantError as err:
            LOGGER.warning("%s: a test could not be ended at once: %s", one.unit.name, err)
            with suppress(ServiceValidationError):
                await async_release_soon(one, self._owner)


# The tests that run, by the serial number of the inverter.
TESTS: Final = HassKey[dict[str, WiringTest]](f"{DOMAIN}_wiring_tests")


async def async_begin_test(
    unit: UnitRuntime, context: Context | None, *, of_person: bool = False
) -> WiringTest:
    """Begin a test with the battery of an inverter; raises the error with the reason why it cannot begin.

    It is a person's where the context says so, or `of_person`.
    """
    hass, serial = unit.hass, unit.identity.serial
    await async_load_wiring_texts(hass)
    one = controlled(unit)
    if (watch := async_watch_of(hass, serial)) is None:
        raise wrong(Obstacle.NO_CLAMPS, device=one.name)
    if watch.is_tested:
        raise wrong(Obstacle.RUNNING)
    owner = async_text(hass, "entity.button.test_wiring.name") or DOMAIN
    of_person = of_person or origin_of(context) is Origin.PERSON
    await async_check(one, watch.house, owner, of_person=of_person)
    if watch.is_tested:
        # Somebody else has begun one while this was checked.
        raise wrong(Obstacle.RUNNING)
    units = units_of(one, watch.house)
    test = WiringTest(one, watch, units, owner, context, of_person=of_person)
    tests = hass.data.setdefault(TESTS, {})
    tests[serial] = test

    @callback
    def over(done: asyncio.Future[Outcome]) -> None:
        tests.pop(serial, None)
        if not done.cancelled() and done.exception() is None:
            watch.outcome = done.result()
        watch.async_judge()

    test.done.add_done_callback(over)
    test.async_start()
    return test


async def async_run_test(unit: UnitRuntime, context: Context | None) -> Outcome:
    """Run a test to its end; one whose caller is cancelled is broken off."""
    test = await async_begin_test(unit, context)
    try:
        # Whoever waits and is cancelled does not cancel what it waits for.
        await asyncio.wait((test.done,))
    except asyncio.CancelledError:
        await test.async_stop(wrong(Obstacle.ENDED, device=unit.name))
        raise
    return test.done.result()


@callback
def async_end_with(entry: ConfigEntry, unit: UnitRuntime) -> None:
    """Have a test that a device takes part in end when its entry is unloaded, or Home Assistant stops."""

    def running() -> list[WiringTest]:
        tests = unit.hass.data.get(TESTS, {}).values()
        return [test for test in tests if test.involves(unit)]

    async def end() -> None:
        for test in running():
            await test.async_stop(wrong(Obstacle.STOPPED, device=unit.name))

    @callback
    def abandon() -> None:
        for test in running():
            test.async_abandon(wrong(Obstacle.STOPPED, device=unit.name))

    unit.machine.on_finish.append(end)
    unit.machine.on_release.append(end)
    entry.async_on_unload(abandon)


def inverter_to_test(hass: HomeAssistant, unit: UnitRuntime) -> UnitRuntime:
    """The inverter whose battery shows how a device is wired: itself, or one of its house."""
    if unit.role is None or (watch := async_watch_of(hass, unit.identity.serial)) is None:
        return unit
    running = async_running_units(hass)
    return next((running[one] for one in watch.house.inverters if one in running), unit)
