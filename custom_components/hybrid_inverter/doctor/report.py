"""What a test has shown: to read, and to share. It names no serial number."""

from typing import Any, Final

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..control.refusals import spoken_error
from ..entry.data import identity_of
from ..entry.texts import async_text
from ..modbus.doctor.owner_test import ClampReport
from ..modbus.doctor.verdict import Cause, Finding, Verdict
from ..plant.members import async_devices
from ..runtime.issues import issue_id, machine_name
from ..runtime.runtime import UnitRuntime
from .outcome import Outcome
from .texts import finding_text, places_text, ratio_text
from .wiring_test import WiringTest

# What is told of clamps that show nothing of what the inverter does.
UNREACHED: Final = frozenset({Cause.CLAMP_HOUSE_SIDE, Cause.CLAMP_SILENT})


def as_dict(finding: Finding) -> dict[str, Any]:
    """A finding with plain values."""
    return {"cause": finding.cause.value, "places": list(finding.places), "ratio": finding.ratio}


def verdict_as_dict(verdict: Verdict) -> dict[str, Any]:
    """A verdict with plain values, for diagnostics."""
    return {
        "state": verdict.state.value,
        "suspicions": [
            {"causes": list(map(as_dict, one.causes)), "minutes": one.minutes}
            for one in verdict.suspicions
        ],
        "unexplained": verdict.unexplained,
        "minutes": verdict.evidence.minutes,
        "steps": verdict.evidence.steps,
        "share": round(verdict.share, 2),
    }


def report_of(hass: HomeAssistant, outcome: Outcome) -> dict[str, Any]:
    """The report of a test, clamp by clamp, and the same in words."""
    clamps = outcome.report.clamps
    return {
        "result": outcome.result.value,
        "ended": outcome.ended.isoformat(timespec="seconds"),
        "clamps": [_clamp(hass, one) for one in clamps],
        "text": _text(hass, outcome),
    }


def failed_report(hass: HomeAssistant, error: HomeAssistantError) -> dict[str, Any]:
    """The report of a test that was broken off: why, in words."""
    return {
        "result": "failed",
        "ended": dt_util.utcnow().isoformat(timespec="seconds"),
        "clamps": [],
        "text": _failed(hass, error),
    }


def _failed(hass: HomeAssistant, error: HomeAssistantError) -> str:
    return _said(hass, "failed", error=spoken_error(hass, error))


def _clamp(hass: HomeAssistant, one: ClampReport) -> dict[str, Any]:
    """One clamp: what it showed for each watt of the inverter, and what follows from that."""
    response, finding = one.response, one.finding
    cause = finding.cause if finding else None
    # A clamp that the inverter's power does not reach has no direction, phase or ratio that could be told.
    is_known = response is not None and cause not in UNREACHED
    on_other_phase = cause is Cause.PHASES_EXCHANGED
    return {
        "device": _model(hass, one.member),
        "phase": one.phase or None,
        "response": response,
        "reversed": cause is Cause.CLAMP_REVERSED if is_known and not on_other_phase else None,
        "right_phase": not on_other_phase if is_known else None,
        "ratio": abs(response)
        if response is not None and is_known and not on_other_phase
        else None,
        "finding": None if finding is None else as_dict(finding),
    }


def _text(hass: HomeAssistant, outcome: Outcome) -> str:
    """The result, and a line for each clamp."""
    lines = [_said(hass, outcome.result.value), ""]
    for one in outcome.report.clamps:
        if one.response is None:
            finding = _said(hass, "clamp_unknown")
        else:
            known = finding_text(hass, one.finding) if one.finding else _said(hass, "clamp_right")
            response = _said(hass, "response", ratio=ratio_text(one.response))
            finding = f"{known}, {response}"
        place = places_text(hass, filter(None, (one.phase,)))
        model = _model(hass, one.member)
        lines.append(f"- {_said(hass, 'clamp', device=model, place=place, finding=finding)}")
    return "\n".join(lines)


def _model(hass: HomeAssistant, serial: str) -> str:
    """What a device is, without what identifies it."""
    device = async_devices(hass).get(serial)
    return identity_of(device.subentry.data).model if device else "?"


def _said(hass: HomeAssistant, option: str, **placeholders: str) -> str:
    path = f"selector.wiring_report.options.{option}"
    return async_text(hass, path, **placeholders) or option


@callback
def async_notify(unit: UnitRuntime, test: WiringTest) -> None:
    """Show what comes of a test that nobody waits for, in a notification."""

    @callback
    def over(done: Any) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            _show(unit, _text(unit.hass, done.result()))
        elif isinstance(error, HomeAssistantError):
            async_notify_failure(unit, error)

    test.done.add_done_callback(over)


@callback
def async_notify_failure(unit: UnitRuntime, error: HomeAssistantError) -> None:
    """Show why a test that nobody waits for has not begun, or has not come to its end."""
    _show(unit, _failed(unit.hass, error))


def _show(unit: UnitRuntime, text: str) -> None:
    """Show the latest of an inverter's tests."""
    hass = unit.hass
    persistent_notification.async_create(
        hass,
        text,
        _said(hass, "title", device=machine_name(hass, unit.entry_id, unit.identity)),
        f"{DOMAIN}_{issue_id(unit.identity.serial, 'wiring_test')}",
    )
