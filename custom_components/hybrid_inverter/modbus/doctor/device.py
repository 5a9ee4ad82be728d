"""One device of the plant: its newest values, and what can be judged by it alone."""

from __future__ import annotations

from collections.abc import Mapping
import math

from ..model.codec import Value
from .battery import BALANCE_SLACK, PAIR_SLACK, Comparison, left_over
from .member import STRINGS, Member, Role, first_served
from .strings import PvStrings
from .verdict import Finding


class Device:
    """What a device has shown last; all powers are in W."""

    def __init__(self, member: Member) -> None:
        self.member = member
        served, instruments = member.keys, member.instruments
        is_solar = member.role is Role.SOLAR_METER
        found = first_served(instruments.clamps, served)
        self.clamps = () if is_solar else found
        self.solar = found if is_solar else first_served(instruments.solar, served)
        self.terminals = first_served(instruments.terminals, served)
        self._stage = first_served(instruments.stage, served)
        self._strings = tuple(
            (f"pv{number}_power", f"pv{number}_voltage")
            for number in STRINGS
            if {f"pv{number}_power", f"pv{number}_voltage"} <= served
        )
        self._string_powers = frozenset(key for key, _ in self._strings)
        self.time = -1e9
        self.seen: tuple[float, ...] = ()
        self.own: tuple[float, ...] = ()
        self.at_solar: tuple[float, ...] = ()
        self.has_clamps = self.has_terminals = self.has_solar = False
        # When the solar meter was heard last.
        self.solar_time = -math.inf
        # The power of its strings and of its stage; `nan` while it is unknown.
        self.sun = 0.0
        self.stage = math.nan
        has_battery = {"battery_power", *self._stage} <= served and self._stage
        self.balance = Comparison() if has_battery else None
        # The measured current against the power, and against what the battery itself reports.
        self._by_current = Comparison() if "battery_power" not in instruments.derived else None
        self._by_bms = Comparison() if "bms_current" in served else None
        self._pv = PvStrings(len(self._strings)) if len(self._strings) > 1 else None

    @property
    def knows_sun(self) -> bool:
        """Whether its own strings show whether the sun shines."""
        return bool(self._strings) and not math.isnan(self.sun)

    def recall(self, place: str) -> None:
        """Know of a string that it exists, although it gives nothing."""
        names = [power.removesuffix("_power") for power, _ in self._strings]
        if self._pv is not None and place in names:
            self._pv.recall(names.index(place) + 1)

    def take(self, time: float, values: Mapping[str, Value | None]) -> None:
        """Take the values of one poll into account."""
        if self.clamps and self.clamps[0] in values:
            powers = _numbers(values, self.clamps)
            self.has_clamps = powers is not None
            self.seen = powers or ()
        else:
            self.has_clamps = False
        if self.solar and self.solar[0] in values:
            powers = _numbers(values, self.solar)
            self.has_solar = powers is not None
            self.at_solar = powers or ()
            if self.has_solar:
                self.solar_time = time
        if not self.terminals or self.terminals[0] not in values:
            if self.has_clamps or self.has_solar:
                self.time = time
            return
        self.time = time
        powers = _numbers(values, self.terminals)
        self.has_terminals = powers is not None
        self.own = powers or ()
        self.sun = self._take_strings(time, values)
        stage = values.get(self._stage[0]) if self._stage else None
        self.stage = stage if isinstance(stage, (int, float)) else math.nan
        if self.balance is not None:
            self._judge_battery(time, values)

    def _take_strings(self, time: float, values: Mapping[str, Value | None]) -> float:
        """Judge the strings; their power, which is `nan` while that of one is not polled."""
        if not self._string_powers <= values.keys():
            return math.nan
        # As at night, one that is polled and gives no number gives nothing.
        produced = [
            value if isinstance(value := values[key], (int, float)) else 0.0
            for key, _ in self._strings
        ]
        if self._pv is not None:
            volts = [
                value if isinstance(value := values.get(key), (int, float)) else None
                for _, key in self._strings
            ]
            self._pv.add(time, produced, volts)
        return sum(produced)

    def _judge_battery(self, time: float, values: Mapping[str, Value | None]) -> None:
        battery, sun, stage = values.get("battery_power"), self.sun, self.stage
        if not isinstance(battery, (int, float)) or math.isnan(stage):
            return
        watts, share = BALANCE_SLACK
        slack = watts + share * (sun + abs(stage) + abs(battery))
        if self.balance is not None and not math.isnan(sun):
            self.balance.add(time, battery, left_over(sun, stage), slack)
        volts, amperes = values.get("battery_voltage"), values.get("battery_current")
        if not isinstance(volts, (int, float)) or not isinstance(amperes, (int, float)):
            return
        watts, share = PAIR_SLACK
        power = volts * amperes
        if self._by_current is not None:
            self._by_current.add(time, power, battery, watts + share * abs(battery))
        bms = values.get("bms_current")
        if self._by_bms is not None and isinstance(bms, (int, float)):
            # It comes in whole amperes.
            self._by_bms.add(time, power, volts * bms, watts + volts + share * abs(power))

    def findings(self) -> list[tuple[Finding, ...]]:
        """What is wrong with its strings and its battery."""
        found = [] if self._pv is None else self._pv.findings()
        for comparison in (self.balance, self._by_current, self._by_bms):
            if comparison is not None and (finding := comparison.finding) is not None:
                found.append((finding,))
                break
        return found


def _numbers(values: Mapping[str, Value | None], keys: tuple[str, ...]) -> tuple[float, ...] | None:
    """The numbers of some keys; None when one is unknown."""
    found = [value for key in keys if isinstance(value := values.get(key), (int, float))]
    return tuple(found) if len(found) == len(keys) else None
