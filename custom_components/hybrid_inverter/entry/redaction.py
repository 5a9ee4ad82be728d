"""What a download must not tell: where a link leads, and whose devices are behind it."""

from collections.abc import Iterable
from itertools import chain
import re
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_MAC

from ..const import CONF_LOGGER_SERIAL

REDACTED: Final = "**REDACTED**"
TO_REDACT: Final = {CONF_HOST, CONF_DEVICE, CONF_LOGGER_SERIAL, CONF_MAC, "serial"}
# Who has given an order: the name of a person, or of an automation.
OWNERS: Final = {"owner"}

ADDRESS: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
# What may be a serial number, or a piece of one, in bytes: all text that these devices hold is one.
TEXT: Final = re.compile(rb"[0-9A-Za-z]{4,}")
# The stick's serial number in the head of its envelope.
ENVELOPE: Final = re.compile(rb"\xa5(?s:..)\x10(?s:...)(?P<serial>(?s:....))")
MASK: Final = "**"


def redacted_text(entry: ConfigEntry, text: str) -> str:
    """A text, such as an error, without what the data of an entry would tell."""
    # A serial number that begins like another one would leave the rest of it.
    for secret in sorted(_secrets(entry), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    # An entry may have led to another address when it failed.
    return ADDRESS.sub(REDACTED, text)


def redacted_bytes(data: bytes) -> str:
    """Bytes in hexadecimal, with a mask over what may be a serial number."""
    spans = chain(
        (match.span() for match in TEXT.finditer(data)),
        (match.span("serial") for match in ENVELOPE.finditer(data)),
    )
    hidden = set(chain.from_iterable(range(*span) for span in spans))
    return " ".join(MASK if at in hidden else f"{byte:02x}" for at, byte in enumerate(data))


def renamed(content: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The content of a file by names instead of serial numbers; numbers for those that have none."""
    others = (key for key in content if key not in names)
    names = {**names, **{key: f"other_{number}" for number, key in enumerate(others, 1)}}
    return {names[key]: kept for key, kept in content.items()}


def _secrets(entry: ConfigEntry) -> Iterable[str]:
    """What identifies an entry, its stick and its devices."""
    own = (entry.data.get(key) for key in TO_REDACT)
    devices = (subentry.unique_id for subentry in entry.subentries.values())
    return {str(secret) for secret in chain(own, [entry.unique_id], devices) if secret}
