"""A repair issue for each cause that is found, which is gone when it is right again."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..entry.data import identity_of
from ..modbus.doctor.verdict import Cause, State, Suspicion, Verdict
from ..plant.members import PlantDevice, async_devices
from ..runtime.issues import (
    async_kinds_raised,
    async_raise,
    async_withdraw,
    issue_id,
    machine_name,
)
from ..schedule.clock_watch import CLOCK_OFF, CLOCK_OFF_ELSEWHERE
from .texts import finding_text, manual_text, places_text, ratio_text

# How the kinds of issues begin, and that of two possible causes, whose dialog starts the test.
KIND: Final = "wiring_"
UNSURE: Final = f"{KIND}unsure"
# Seconds for which two causes have to stay possible before a person is told: until then they often become one.
LASTING: Final = 3600.0
# Not a mistake, and nothing that a test could tell from one.
NO_MISTAKE: Final = frozenset({Cause.NO_LOAD_BEFORE})
# What is wrong with a device itself, wherever its clamps are.
OF_THE_DEVICE: Final = (
    Cause.STRING_DEAD,
    Cause.STRING_SHADED,
    Cause.BATTERY_CURRENT,
    Cause.CLOCK_OFF,
)


@dataclass(frozen=True, slots=True)
class Raised:
    """One issue: its kind, and what tells it from others of the kind."""

    kind: str
    about: str


class WiringIssues:
    """The issues about the devices of one house."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        # Since when two causes are possible, by device and issue.
        self._since: dict[tuple[str, Raised], float] = {}
        # The ids of those that were raised for certain: what is not found any more has been seen to be right.
        self._certain: set[str] = set()

    @callback
    def strings_told(self, serial: str) -> tuple[str, ...]:
        """The strings of a device that have been told to be dead, be it before a restart."""
        kind = f"{KIND}{Cause.STRING_DEAD}_"
        raised = async_kinds_raised(self._hass, serial, kind)
        return tuple(known.removeprefix(kind) for known in raised)

    @callback
    def async_update(self, serial: str, verdict: Verdict) -> None:
        """Raise what is wrong with a device, and withdraw what is right again.

        After a start nothing is known for a while: what was raised before it stays until then.
        """
        device = async_devices(self._hass).get(serial)
        if device is None:
            return
        found: set[Raised] = set()
        waiting: set[tuple[str, Raised]] = set()
        for suspicion in verdict.suspicions:
            raised = _raised(suspicion)
            if not suspicion.is_certain:
                waiting.add((serial, raised))
                since = self._since.setdefault((serial, raised), monotonic())
                if _is_harmless(suspicion) or monotonic() - since < LASTING:
                    continue
            if self._is_told_elsewhere(serial, raised):
                continue
            found.add(raised)
            if suspicion.is_certain:
                self._certain.add(issue_id(serial, raised.kind, raised.about))
            self._raise(device, raised, suspicion)
        for known in [one for one in self._since if one[0] == serial and one not in waiting]:
            del self._since[known]
        self._withdraw(serial, found, is_known=verdict.state is not State.GATHERING)

    def _is_told_elsewhere(self, serial: str, raised: Raised) -> bool:
        """Whether another issue tells the same: that of a clock on which the schedule rests can even set it."""
        if raised.kind != f"{KIND}{Cause.CLOCK_OFF}":
            return False
        registry = ir.async_get(self._hass)
        return any(
            registry.async_get_issue(DOMAIN, issue_id(serial, kind))
            for kind in (CLOCK_OFF, CLOCK_OFF_ELSEWHERE)
        )

    def _raise(self, device: PlantDevice, raised: Raised, suspicion: Suspicion) -> None:
        hass, identity = self._hass, identity_of(device.subentry.data)
        first, last = suspicion.causes[0], suspicion.causes[-1]
        details = {"name": machine_name(hass, device.entry.entry_id, identity)}
        details["manual"] = manual_text(hass, identity.family, first.cause)
        if suspicion.is_certain:
            details["places"] = places_text(hass, first.places)
            details["ratio"] = ratio_text(first.ratio)
        else:
            details["first"] = finding_text(hass, first)
            details["second"] = finding_text(hass, last)
        async_raise(
            hass,
            device.serial,
            raised.kind,
            raised.about,
            fixable=not suspicion.is_certain,
            severity=ir.IssueSeverity.WARNING,
            **details,
        )

    def _withdraw(self, serial: str, found: Collection[Raised], *, is_known: bool) -> None:
        """Withdraw the issues about a device but for these; ignored ones stay ignored for the next time.

        While too little `is_known`, only those go whose end has been seen.
        """
        kept = {issue_id(serial, one.kind, one.about) for one in found}
        for kind in async_kinds_raised(self._hass, serial, KIND):
            known = issue_id(serial, kind)
            if known not in kept and (is_known or known in self._certain):
                self._certain.discard(known)
                async_withdraw(self._hass, serial, kind, keep_ignored=True)


@callback
def async_withdraw_wiring(hass: HomeAssistant, serial: str, but: Iterable[Cause] = ()) -> None:
    """Withdraw what nobody judges any more at a device, but for these causes."""
    kept = tuple(f"{KIND}{cause}" for cause in but)
    for kind in async_kinds_raised(hass, serial, KIND):
        if not kind.startswith(kept):
            async_withdraw(hass, serial, kind, keep_ignored=True)


def _raised(suspicion: Suspicion) -> Raised:
    """The issue of a suspicion."""
    if suspicion.is_certain:
        (finding,) = suspicion.causes
        return Raised(f"{KIND}{finding.cause}", "_".join(finding.places))
    return Raised(UNSURE, "_".join(finding.cause for finding in suspicion.causes))


def _is_harmless(suspicion: Suspicion) -> bool:
    """Whether nothing may be wrong at all."""
    return any(finding.cause in NO_MISTAKE for finding in suspicion.causes)
