"""Polls of an inverter that a doctor is told, for the tests: what the clamps show and what the inverter draws, in W."""

from collections.abc import Mapping
from typing import Final

from custom_components.hybrid_inverter.modbus.doctor.doctor import Doctor
from custom_components.hybrid_inverter.modbus.doctor.member import Member, Role

type Powers = tuple[float, float, float]

PHASES: Final = ("l1", "l2", "l3")
CT_KEYS: Final = tuple(f"grid_{phase}_ct_power" for phase in PHASES)
OWN_KEYS: Final = tuple(f"grid_{phase}_internal_power" for phase in PHASES)
JSO: Final = Member(
    id="jso",
    family="jso",
    keys=frozenset({*CT_KEYS, *OWN_KEYS, "inverter_power", "pv1_power", "pv1_voltage"}),
)
GRID_METER: Final = Member(
    id="meter",
    family="dtsu666",
    role=Role.GRID_METER,
    keys=frozenset(f"{phase}_power" for phase in PHASES),
)
# Seconds between two polls.
POLL: Final = 5.0


def values(seen: Powers, own: Powers, *, stage: float = 0.0, sun: float = 0.0) -> dict[str, float]:
    """What a poll of the inverter brings."""
    return {
        **dict(zip(CT_KEYS, seen, strict=True)),
        **dict(zip(OWN_KEYS, own, strict=True)),
        "inverter_power": stage,
        "pv1_power": sun,
        "pv1_voltage": 400.0,
    }


class Polls:
    """A doctor of one inverter, and the time that passes for it."""

    def __init__(self, *members: Member) -> None:
        self.doctor = Doctor(members or (JSO,))
        self.time = 0.0

    def poll(self, member: str, shown: Mapping[str, float | None]) -> None:
        """Let the time of a poll pass, and tell the doctor what it brought."""
        self.time += POLL
        self.doctor.observe(member, self.time, shown)

    def moment(
        self, seen: Powers, own: Powers, *, stage: float = 0.0, sun: float = 0.0, polls: int = 3
    ) -> None:
        """Let so many polls bring the same."""
        for _ in range(polls):
            self.poll("jso", values(seen, own, stage=stage, sun=sun))

    def alternate(
        self, first: tuple[Powers, Powers], second: tuple[Powers, Powers], steps: int
    ) -> None:
        """Let a load on the backup output come and go: what is seen and drawn without it, and with it."""
        for number in range(steps + 1):
            self.moment(*(second if number % 2 else first))
