"""The doctor of one house, while any of its devices is polled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..modbus.doctor.doctor import Doctor
from ..modbus.doctor.member import Role
from ..modbus.doctor.owner_test import OwnerTest, TestReport
from ..modbus.doctor.verdict import Cause, Suspicion, Verdict, verdict_of
from ..modbus.model.codec import Value
from .houses import House, async_house_of
from .issues import OF_THE_DEVICE, WiringIssues, async_withdraw_wiring
from .outcome import Outcome

# Seconds from one verdict to the next: it takes longer than a poll, and minutes to change.
PAUSE: Final = 60.0

type Values = Mapping[str, Value | None]
# Who is told what has just been polled of a device, at a time of the monotonic clock.
type Observer = Callable[[str, float, Values], None]


@dataclass(eq=False)
class HouseWatch:
    """What is known of the wiring of a house."""

    hass: HomeAssistant
    house: House
    # What the last test of an owner has shown, and whether one runs.
    outcome: Outcome | None = None
    is_tested: bool = False
    # The verdict of each device.
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    # What was polled of which device and when, in order, that the doctor has not looked at.
    _polled: list[tuple[str, float, Values]] = field(default_factory=list)
    _listeners: list[CALLBACK_TYPE] = field(default_factory=list)
    _observers: list[Observer] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin without any evidence but for what has been told before."""
        self.doctor = Doctor(self.house.members)
        self._issues = WiringIssues(self.hass)
        for member in self.house.members:
            self.doctor.recall(member.id, self._issues.strings_told(member.id))
            if not self.doctor.judges_clamps(member.id):
                async_withdraw_wiring(self.hass, member.id, but=OF_THE_DEVICE)
        self._judge_at = 0.0

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back with every verdict; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_add_observer(self, observer: Observer) -> CALLBACK_TYPE:
        """Tell what is polled of the devices; returns how to stop that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    @callback
    def async_observe(self, serial: str, values: Values) -> None:
        """Take what one poll of a device has brought into account.

        The doctor looks at it with the next verdict: at several polls in a row, which takes less time.
        """
        now = monotonic()
        self._polled.append((serial, now, values))
        for observer in tuple(self._observers):
            observer(serial, now, values)
        if now >= self._judge_at:
            self._judge_at = now + PAUSE
            self.async_judge()

    @callback
    def async_ordered(self, serial: str) -> None:
        """Take an order of ours to a battery into account, or its end."""
        self._look()
        self.doctor.ordered(serial, monotonic())

    @callback
    def async_judge(self) -> None:
        """Tell what is known now."""
        self._look()
        for member in self.house.members:
            verdict = self.verdicts[member.id] = self._verdict_of(member.id)
            if not self.is_tested:
                self._issues.async_update(member.id, verdict)
        for listener in tuple(self._listeners):
            listener()

    @callback
    def async_owner_test(self) -> OwnerTest:
        """A test that rests on all that was polled so far."""
        self._look()
        return self.doctor.owner_test()

    @callback
    def async_tested(self, report: TestReport) -> None:
        """Tell what such a test has shown."""
        self._look()
        self.doctor.tested(report)
        self.async_judge()

    def _look(self) -> None:
        """Have the doctor look at what was polled; what cannot be looked at does not keep the rest from it."""
        while self._polled:
            self.doctor.observe(*self._polled.pop(0))

    def _verdict_of(self, serial: str) -> Verdict:
        """The verdict of a device, without what may be another inverter's doing."""
        verdict = self.doctor.verdict_of(serial)
        if not self.house.has_neighbours:
            return verdict
        left = tuple(one for one in verdict.suspicions if not _may_be_neighbour(one))
        return verdict_of(left, verdict.unexplained, verdict.evidence)

    def verdict_at(self, serial: str) -> Verdict:
        """What is told at an inverter: its own verdict, and what is wrong with meters that are devices of their own."""
        own = self.verdicts.get(serial) or self._verdict_of(serial)
        meters = [
            self.verdicts[one.id]
            for one in self.house.members
            if one.role is not Role.INVERTER and one.id in self.verdicts
        ]
        found = [own, *meters]
        # An inverter without clamps gets its evidence from the meter.
        most = max(found, key=lambda one: (one.share, one.evidence.minutes))
        return verdict_of(
            tuple(suspicion for one in found for suspicion in one.suspicions),
            own.unexplained if own.unexplained is not None else _first_known(meters),
            own.evidence if own.share else most.evidence,
        )


def _first_known(verdicts: list[Verdict]) -> float | None:
    """The first power that is known not to add up."""
    return next((one.unexplained for one in verdicts if one.unexplained is not None), None)


def _may_be_neighbour(suspicion: Suspicion) -> bool:
    """Whether an inverter that is set up here, and in no plant with this one, may be all that is wrong."""
    return any(finding.cause is Cause.SOURCE_NOT_COUNTED for finding in suspicion.causes)


# The watches by the id of their house. They outlive a reload of an entry: their evidence takes hours.
WATCHES: Final = HassKey[dict[str, HouseWatch]](f"{DOMAIN}_wiring")


@callback
def async_watch_of(hass: HomeAssistant, serial: str) -> HouseWatch | None:
    """The watch of the house of a device; a new one where the house has changed. None of what no doctor looks at."""
    watches = hass.data.setdefault(WATCHES, {})
    if (house := async_house_of(hass, serial)) is None:
        return None
    watch = watches.get(house.id)
    if watch is None or watch.house != house:
        watch = watches[house.id] = HouseWatch(hass, house)
    return watch
