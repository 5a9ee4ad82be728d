"""How blueprints read prices, whoever has made the sensor: until when a price is above a limit, or below it."""

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.util import dt as dt_util
import pytest

from .blueprints import imported

BERLIN: Final = ZoneInfo("Europe/Berlin")
PRICE: Final = "sensor.price"
OCTOPUS: Final = ("event.current_day_rates", "event.next_day_rates")


@pytest.fixture(autouse=True)
async def _berlin(hass: HomeAssistant) -> None:
    """Live in a time zone with summer time: two hours ahead of UTC from 29 March to 25 October 2026, else one."""
    await hass.config.async_set_time_zone("Europe/Berlin")


def until(
    hass: HomeAssistant,
    limit: float,
    *entities: str,
    name: str = "sell_above_price",
) -> str:
    """Return until when the price goes on as it is now, as the clock on the wall shows; "-" if it is no such price now."""
    template = Template(imported(f"hybrid_inverter/{name}.yaml").data["variables"]["until"], hass)
    variables = {"prices": list(entities or (PRICE,)), "price_limit": limit}
    end = template.async_render(variables)
    assert isinstance(end, int | float)
    return f"{dt_util.as_local(dt_util.utc_from_timestamp(end)):%d. %H:%M}" if end else "-"


def show(hass: HomeAssistant, state: str = "0", entity_id: str = PRICE, **attributes: Any) -> None:
    """Have a sensor show a price, and these attributes."""
    hass.states.async_set(entity_id, state, attributes)


@pytest.mark.freeze_time("2026-11-30 17:20:00+00:00")
async def test_of_the_nord_pool_sensor_from_hacs_both_days_are_read(hass: HomeAssistant) -> None:
    """Its times are no text, and the price that is not known yet is none. It is 18:20."""

    def row(day: int, hour: int, value: float | None) -> dict[str, Any]:
        start = datetime(2026, 11, day, hour, tzinfo=BERLIN)
        return {"start": start, "end": start + timedelta(hours=1), "value": value}

    show(
        hass,
        raw_today=[row(30, hour, 0.2 if hour < 17 else 0.5) for hour in range(24)],
        raw_tomorrow=[],
    )
    assert until(hass, 0.4) == "01. 00:00"
    assert until(hass, 0.5) == "-"
    december = datetime(2026, 12, 1, tzinfo=BERLIN)
    tomorrow = [
        {"start": december, "end": december + timedelta(hours=1), "value": 0.41},
        {
            "start": december + timedelta(hours=1),
            "end": december + timedelta(hours=2),
            "value": None,
        },
    ]
    show(
        hass,
        raw_today=[row(30, 18, 0.5), row(30, 19, 0.5), row(30, 21, 0.5)],
        raw_tomorrow=tomorrow,
    )
    # The hour from 20:00 on is missing.
    assert until(hass, 0.4) == "30. 20:00"
    show(hass, raw_today=[row(30, hour, 0.5) for hour in range(18, 24)], raw_tomorrow=tomorrow)
    assert until(hass, 0.4) == "01. 01:00"


@pytest.mark.freeze_time("2026-11-30 17:20:00+00:00")
@pytest.mark.parametrize(
    ("prices", "limit"),
    [
        ([{"price_per_kwh": 0.5}, {"price_per_kwh": 0.3}], 0.4),
        # As older versions have it: of two prices, the one in the unit of the sensor counts.
        (
            [
                {"price_eur_per_mwh": 500.0, "price_ct_per_kwh": 50.0},
                {"price_eur_per_mwh": 300.0, "price_ct_per_kwh": 30.0},
            ],
            400,
        ),
    ],
)
async def test_of_epex_spot_texts_with_an_offset_are_read(
    hass: HomeAssistant, prices: list[dict[str, float]], limit: float
) -> None:
    """From 18:15 and from 18:30 on, in the zone of the sensor, which may be another one."""
    times = [
        {"start_time": "2026-11-30T18:15:00+01:00", "end_time": "2026-11-30T18:30:00+01:00"},
        {"start_time": "2026-11-30T17:30:00+00:00", "end_time": "2026-11-30T17:45:00+00:00"},
    ]
    show(hass, data=[one | price for one, price in zip(times, prices, strict=True)])
    assert until(hass, limit) == "30. 18:30"


@pytest.mark.freeze_time("2026-11-30 17:20:00+00:00")
async def test_of_octopus_energy_two_events_are_read(hass: HomeAssistant) -> None:
    """Half hours, with tax, and flags beside the price. An event's state is a time, and no price."""

    def rate(start: str, end: str, value: float) -> dict[str, Any]:
        return {
            "start": datetime.fromisoformat(start),
            "end": datetime.fromisoformat(end),
            "value_inc_vat": value,
            "is_capped": False,
            "is_intelligent_adjusted": True,
        }

    today, tomorrow = OCTOPUS
    rates = [
        rate("2026-11-30T17:00+00:00", "2026-11-30T17:30+00:00", 0.35),
        rate("2026-11-30T17:30+00:00", "2026-11-30T18:00+00:00", 0.36),
    ]
    later = [rate("2026-11-30T18:00+00:00", "2026-11-30T18:30+00:00", 0.37)]
    show(hass, "2026-11-30T00:05:00.000+00:00", today, rates=rates)
    assert until(hass, 0.34, *OCTOPUS) == "30. 19:00"
    show(hass, "2026-11-30T16:05:00.000+00:00", tomorrow, rates=later)
    assert until(hass, 0.34, *OCTOPUS) == "30. 19:30"
    assert until(hass, 0.355, *OCTOPUS) == "-"
    show(hass, "2026-11-30T16:05:00.000+00:00", today)
    assert until(hass, -1, today) == "-"


@pytest.mark.freeze_time("2026-11-30 17:20:00+00:00")
async def test_without_ends_a_slot_is_as_long_as_the_others(hass: HomeAssistant) -> None:
    """ENTSO-e: the same prices in three lists, by their begin. A single one lasts an hour."""
    quarters = [
        {"time": "2026-11-30 18:00:00+01:00", "price": 0.5},
        {"time": "2026-11-30 18:15:00+01:00", "price": 0.5},
        {"time": "2026-11-30 18:30:00+01:00", "price": 0.5},
    ]
    show(hass, "0.31", prices_today=quarters, prices_tomorrow=[], prices=quarters)
    assert until(hass, 0.4) == "30. 18:45"
    show(hass, "0.31", prices_today=quarters[:1])
    assert until(hass, 0.4) == "30. 19:00"


@pytest.mark.freeze_time("2026-11-30 17:20:00+00:00")
async def test_lists_as_tibber_and_awattar_have_them_are_read(hass: HomeAssistant) -> None:
    """Also prices that are texts, and times without an offset, which are those of the clock on the wall."""
    show(hass, today=[{"startsAt": "2026-11-30T18:00:00.000+01:00", "total": 0.5, "energy": 0.2}])
    assert until(hass, 0.4) == "30. 19:00"
    show(
        hass,
        prices=[{"from": "2026-11-30T18:00:00", "till": "2026-11-30T18:30:00", "price": "0.5"}],
    )
    assert until(hass, 0.4) == "30. 18:30"


@pytest.mark.freeze_time("2026-11-30 17:20:00+00:00")
@pytest.mark.parametrize(
    ("state", "above", "below"),
    [
        ("0.5", "30. 19:20", "-"),
        ("-0.01", "-", "30. 19:20"),
        (STATE_UNAVAILABLE, "-", "-"),
        (STATE_UNKNOWN, "-", "-"),
    ],
)
async def test_a_sensor_without_a_list_is_good_for_an_hour(
    hass: HomeAssistant, state: str, above: str, below: str
) -> None:
    """Lists of anything else do not matter, nor does a sensor that is not there."""
    show(hass, state, options=["cheap", "dear"], levels=[{"name": "cheap"}], friendly_name="Price")
    assert until(hass, 0.4) == above
    assert until(hass, 0, name="no_export_below_price") == below
    assert until(hass, 0.4, "sensor.gone") == "-"


@pytest.mark.freeze_time("2026-11-30 17:20:00+00:00")
async def test_a_list_that_is_over_is_no_reason_for_anything(hass: HomeAssistant) -> None:
    """The state of such a sensor may be an average."""
    show(hass, "0.5", prices=[{"time": "2026-11-29 18:00:00+01:00", "price": 0.5}])
    assert until(hass, 0.4) == "-"


@pytest.mark.freeze_time("2026-06-21 10:20:00+00:00")
async def test_negative_prices_are_below_nothing(hass: HomeAssistant) -> None:
    """12:20 in summer; nothing is paid from 14:00 on, which is not below nothing."""
    prices = {11: 0.02, 12: -0.05, 13: -0.001, 14: 0.0, 15: -0.02}
    rows = [
        {"start": f"2026-06-21T{hour}:00:00+02:00", "value": price}
        for hour, price in prices.items()
    ]
    show(hass, raw_today=rows)
    assert until(hass, 0, name="no_export_below_price") == "21. 14:00"
    assert until(hass, -0.01, name="no_export_below_price") == "21. 13:00"
    assert until(hass, -0.05, name="no_export_below_price") == "-"


@pytest.mark.parametrize(
    ("starts", "end"),
    [
        # 02:00 is followed by 02:00: the night has 25 hours. From 01:30 on, four hours are 04:30.
        (("01:00:00+02:00", "02:00:00+02:00", "02:00:00+01:00", "03:00:00+01:00"), "25. 04:00"),
        (("01:00:00+02:00", "02:00:00+02:00", "02:00:00+01:00"), "25. 03:00"),
    ],
)
@pytest.mark.freeze_time("2026-10-24 23:30:00+00:00")
async def test_the_hour_that_the_clock_shows_twice_is_two(
    hass: HomeAssistant, starts: tuple[str, ...], end: str
) -> None:
    """It is 01:30."""
    show(hass, raw_today=[{"start": f"2026-10-25T{start}", "value": 0.5} for start in starts])
    assert until(hass, 0.4) == end


@pytest.mark.freeze_time("2026-03-29 00:30:00+00:00")
async def test_the_hour_that_the_clock_skips_is_none(hass: HomeAssistant) -> None:
    """01:00 is followed by 03:00."""
    starts = ("01:00:00+01:00", "03:00:00+02:00")
    show(hass, raw_today=[{"start": f"2026-03-29T{start}", "value": 0.5} for start in starts])
    assert until(hass, 0.4) == "29. 04:00"
