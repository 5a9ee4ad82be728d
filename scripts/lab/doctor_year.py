"""The doctor in the simulator's houses: whether it finds what is wrong there, and is silent in the right ones. See scripts/bench."""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import time
from typing import Final

from custom_components.hybrid_inverter.modbus.doctor.doctor import Doctor
from custom_components.hybrid_inverter.modbus.doctor.member import Member, Role
from custom_components.hybrid_inverter.modbus.doctor.verdict import Suspicion, Verdict
from simulator.fast_house import FastHouse
from simulator.houses import HOUSES
from simulator.physics import Weather

BEGIN: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - the machines know no zone
DAYS: Final = 365
# Seconds between two polls of the year, and of the days in which something is wrong.
MINUTE: Final = 60.0
POLL: Final = 5.0
# What the meters of the houses are.
ROLES: Final = {
    "jso": Role.INVERTER,
    "saj": Role.INVERTER,
    "dtsu666": Role.GRID_METER,
    "ddsu666": Role.SOLAR_METER,
}


def members_of(house: FastHouse) -> list[Member]:
    """The devices of a house, as they are added to Home Assistant."""
    return [
        Member(
            id=str(reading.unit),
            family=house.families[reading.unit],
            role=ROLES[house.families[reading.unit]],
            keys=frozenset(reading.values),
        )
        for reading in house.step()
    ]


class WatchedHouse:
    """A house with a doctor that is told every reading."""

    def __init__(self, house: FastHouse) -> None:
        self.house = house
        self.members = members_of(house)
        self.doctor = Doctor(self.members)
        # The seconds that the doctor has taken.
        self.took = 0.0

    def step(self) -> None:
        """Let a step pass."""
        readings = self.house.step()
        began = time.perf_counter()
        for reading in readings:
            self.doctor.observe(str(reading.unit), reading.time, reading.values)
        self.took += time.perf_counter() - began

    def verdict_after(self, steps: int) -> Verdict:
        """What the doctor says after so many steps."""
        for _ in range(steps):
            self.step()
        return self.doctor.verdict()


@dataclass(slots=True)
class Lived:
    """What was said in a house, and how long it took."""

    name: str
    seconds: float = 0.0
    doctor_seconds: float = 0.0
    readings: int = 0
    said: list[tuple[datetime, tuple[Suspicion, ...]]] = field(default_factory=list)
    verdict: Verdict | None = None


def live(name: str, begins: Iterable[datetime], days: int, seed: int = 1) -> Lived:
    """Let a right house live so many days from each of some days on; whatever is said there is wrong."""
    lived = Lived(name)
    began = time.monotonic()
    for begin in begins:
        house = FastHouse(
            HOUSES[name], start=begin, weather=Weather.CHANGING, seed=seed, step=MINUTE
        )
        watched = WatchedHouse(house)
        end = begin + timedelta(days=days)
        while house.site.now < end:
            verdict = watched.verdict_after(1)
            lived.readings += len(watched.members)
            if verdict.suspicions and (not lived.said or lived.said[-1][1] != verdict.suspicions):
                lived.said.append((house.site.now, verdict.suspicions))
        lived.verdict = watched.doctor.verdict()
        lived.doctor_seconds += watched.took
    lived.seconds = time.monotonic() - began
    return lived


def _live_a_year(name: str) -> Lived:
    return live(name, (BEGIN,), DAYS)


def doctor_year() -> bool:
    """Print what is said in a year of the right houses; whether nothing is."""
    print(f"\n{DAYS} days in steps of {MINUTE:.0f} s, two houses at a time:")
    with ProcessPoolExecutor(2) as pool:
        houses = list(pool.map(_live_a_year, HOUSES))
    for lived in houses:
        each = lived.doctor_seconds / lived.readings * 1e6
        state = lived.verdict.state if lived.verdict is not None else ""
        print(
            f"{lived.name:<16}{lived.seconds:>6.0f} s, the doctor {each:.0f} us a reading; "
            f"{state}, false alarms: {len(lived.said)}"
        )
        for moment, suspicions in lived.said:
            print(f"    {moment} {suspicions}")
    return not any(lived.said for lived in houses)
