"""What the doctor finds, in the words of a person."""

from collections.abc import Iterable
from typing import Final

from homeassistant.core import HomeAssistant

from ..entry.texts import async_load_texts, async_text
from ..modbus.doctor.verdict import Cause, Finding

# What to read in the manual of the family's device about each cause; those that are not named are about clamps.
SUBJECTS: Final = {
    Cause.STRING_DEAD: "pv",
    Cause.STRING_SHADED: "pv",
    Cause.BATTERY_CURRENT: "battery",
    Cause.METERS_EXCHANGED: "meters",
    Cause.CLOCK_OFF: "clock",
    Cause.SOURCE_NOT_COUNTED: "port",
}
CLAMPS: Final = "clamps"


async def async_load_wiring_texts(hass: HomeAssistant) -> None:
    """Load the texts that reports, messages and issues are made of."""
    for category in ("selector", "exceptions", "entity"):
        await async_load_texts(hass, category)


def cause_text(hass: HomeAssistant, cause: Cause) -> str:
    """A cause as the sensor shows it."""
    return async_text(hass, f"entity.sensor.wiring.state.{cause}") or cause.value


def places_text(hass: HomeAssistant, places: Iterable[str]) -> str:
    """Phases, strings or meters as they are written on devices; the only clamp of a device has no phase."""
    named = [_option(hass, "wiring_place", place) for place in places]
    return ", ".join(named) or _option(hass, "wiring_place", "only")


def finding_text(hass: HomeAssistant, finding: Finding) -> str:
    """A cause, with the places where there are any."""
    cause = cause_text(hass, finding.cause)
    return f"{cause} ({places_text(hass, finding.places)})" if finding.places else cause


def manual_text(hass: HomeAssistant, family: str, cause: Cause) -> str:
    """Where the manual of a device says how it is to be."""
    subject = SUBJECTS.get(cause, CLAMPS)
    path = f"selector.wiring_manual.options.{family}_{subject}"
    return async_text(hass, path) or _option(hass, "wiring_manual", "other")


def ratio_text(ratio: float | None) -> str:
    """What is shown for each watt that flows."""
    return "?" if ratio is None else f"{ratio:g}"


def _option(hass: HomeAssistant, name: str, option: str) -> str:
    return async_text(hass, f"selector.{name}.options.{option}") or option.upper()
