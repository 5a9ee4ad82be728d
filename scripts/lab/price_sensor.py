"""A sensor with the prices of electricity, as integrations for dynamic tariffs have one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.util import dt as dt_util

# When the prices of tomorrow are known.
PUBLISHED: Final = time(13)


@dataclass(frozen=True, slots=True)
class Slot:
    """What a kilowatt-hour costs from one time to another."""

    start: datetime
    end: datetime
    price: float


def slots_of(
    day: date, zone: tzinfo, length: timedelta, price_at: Callable[[datetime], float]
) -> list[Slot]:
    """The slots of a day of 23, 24 or 25 hours."""
    start, end = (
        datetime.combine(one, time(), zone).astimezone(UTC)
        for one in (day, day + timedelta(days=1))
    )
    starts = [start + number * length for number in range(int((end - start) / length))]
    local = [moment.astimezone(zone) for moment in (*starts, end)]
    return [Slot(one, after, price_at(one)) for one, after in pairwise(local)]


def _nordpool(today: Sequence[Slot], tomorrow: Sequence[Slot]) -> dict[str, Any]:
    def rows(slots: Sequence[Slot]) -> list[dict[str, Any]]:
        return [{"start": one.start, "end": one.end, "value": one.price} for one in slots]

    return {
        "raw_today": rows(today),
        "raw_tomorrow": rows(tomorrow),
        "tomorrow_valid": bool(tomorrow),
    }


def _octopus(today: Sequence[Slot], tomorrow: Sequence[Slot]) -> dict[str, Any]:
    return {
        "rates": [
            {"start": one.start, "end": one.end, "value_inc_vat": one.price}
            for one in (*today, *tomorrow)
        ]
    }


def _epex(today: Sequence[Slot], tomorrow: Sequence[Slot]) -> dict[str, Any]:
    return {
        "data": [
            {
                "start_time": one.start.isoformat(),
                "end_time": one.end.isoformat(),
                "price_per_kwh": one.price,
            }
            for one in (*today, *tomorrow)
        ]
    }


def _entsoe(today: Sequence[Slot], tomorrow: Sequence[Slot]) -> dict[str, Any]:
    def rows(slots: Sequence[Slot]) -> list[dict[str, Any]]:
        return [{"time": str(one.start), "price": one.price} for one in slots]

    return {
        "prices_today": rows(today),
        "prices_tomorrow": rows(tomorrow),
        "prices": rows((*today, *tomorrow)),
    }


def _nothing(_today: Sequence[Slot], _tomorrow: Sequence[Slot]) -> dict[str, Any]:
    return {}


# How the attributes of a sensor look, by whose they are.
SHAPES: Final[Mapping[str, Callable[[Sequence[Slot], Sequence[Slot]], dict[str, Any]]]] = {
    "nordpool": _nordpool,
    "octopus": _octopus,
    "epex": _epex,
    "entsoe": _entsoe,
    "price_only": _nothing,
}


class PriceSensor:
    """Shows the price of now, and those of today, and those of tomorrow once they are known."""

    def __init__(
        self,
        hass: HomeAssistant,
        price_at: Callable[[datetime], float],
        entity_id: str,
        shape: str,
        length: timedelta,
    ) -> None:
        """Show them from now on; KeyError for an unknown shape."""
        self._hass = hass
        self._price_at = price_at
        self._entity_id = entity_id
        self._attributes = SHAPES[shape]
        self._length = length
        minutes = range(0, 60, min(60, length // timedelta(minutes=1)))
        self.stop = async_track_utc_time_change(hass, self._show, minute=list(minutes), second=0)
        self._show(dt_util.utcnow())

    @callback
    def _show(self, moment: datetime) -> None:
        now = dt_util.as_local(moment)
        today = self._slots(now.date())
        is_known = now.time() >= PUBLISHED
        tomorrow = self._slots(now.date() + timedelta(days=1)) if is_known else []
        (price,) = [one.price for one in today if one.start <= now < one.end]
        self._hass.states.async_set(
            self._entity_id,
            f"{price:.5f}",
            {
                **self._attributes(today, tomorrow),
                "unit_of_measurement": "EUR/kWh",
                "state_class": "measurement",
                "friendly_name": "Electricity price",
            },
        )

    def _slots(self, day: date) -> list[Slot]:
        return slots_of(day, dt_util.get_default_time_zone(), self._length, self._price_at)
