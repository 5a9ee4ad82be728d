"""The logbook: a setting that somebody else than Home Assistant has changed, in a sentence."""

from collections.abc import Callable

from homeassistant.components.logbook.const import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.const import ATTR_NAME
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN
from .entry.texts import async_text
from .runtime.setting_news import (
    ATTR_CHANGE,
    ATTR_NEW,
    ATTR_OLD,
    ATTR_SETTING_NAME,
    EVENT_SETTING_CHANGED,
)


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, str]]], None],
) -> None:
    """Describe the events that the logbook shows."""

    @callback
    def describe(event: Event) -> dict[str, str]:
        """The machine, and what has happened to which of its settings."""
        data = event.data
        message = async_text(
            hass,
            f"selector.setting_news.options.{data[ATTR_CHANGE]}",
            setting=data[ATTR_SETTING_NAME],
            old=data[ATTR_OLD],
            new=data[ATTR_NEW],
        )
        return {LOGBOOK_ENTRY_NAME: data[ATTR_NAME], LOGBOOK_ENTRY_MESSAGE: message or ""}

    async_describe_event(DOMAIN, EVENT_SETTING_CHANGED, describe)
