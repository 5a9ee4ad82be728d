"""The cheapest hours: which ones are planned, and what is ordered in them. The inverter only writes it down."""

from collections.abc import Sequence
from typing import Any, Final

from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .blueprints import DEVICE, automation, ledger, rows

PRICE: Final = "sensor.price"
# Cents of each hour, dearest in the evening, and cheapest from 02:00 to 05:00.
TODAY: Final = (*(30,) * 8, *(20,) * 9, *(50,) * 4, 24, 22, 26)
TOMORROW: Final = (9, 5, 2, 1, 3, 6, 7, 8, *(30,) * 16)


def show(hass: HomeAssistant, state: float = 20, **days: Sequence[float | None]) -> None:
    """Have the sensor show these prices of 30 November and of 1 December."""
    dates = {"today": "2026-11-30", "tomorrow": "2026-12-01"}
    lists = {f"raw_{day}": rows(dates[day], prices) for day, prices in days.items()}
    hass.states.async_set(PRICE, str(state), lists)


CHEAPEST: Final[dict[str, Any]] = {"inverter": DEVICE, "prices": [PRICE]}


async def plan(
    hass: HomeAssistant, tomorrow: Sequence[float | None] = TOMORROW, **inputs: Any
) -> list[tuple[str, str]]:
    """Return what is ordered in the night from 30 November on, of which all prices are known at noon."""
    async with ledger(hass, "2026-11-30 12:00") as book:
        show(hass, today=TODAY, tomorrow=tomorrow)
        async with automation(hass, "cheapest_hours", **CHEAPEST | inputs):
            await book.live(20 * 60)
            return book.orders()


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, [("01. 02:00", "01. 05:00")]),
        ({"hours": 1}, [("01. 03:00", "01. 04:00")]),
        # 1, 2, 3 and 5 cents; 6 is the next one, and for half an hour of it the whole hour is taken.
        ({"hours": 4.5}, [("01. 01:00", "01. 06:00")]),
        ({"hours": 10}, [("30. 22:00", "01. 06:00")]),
        ({"hours": 4, "in_one_go": False}, [("01. 01:00", "01. 05:00")]),
        # 22 cents are cheaper than 24 and 26.
        (
            {"hours": 7, "in_one_go": False},
            [("30. 22:00", "30. 23:00"), ("01. 00:00", "01. 06:00")],
        ),
        ({"hours": 3, "price_limit": 2}, [("01. 03:00", "01. 04:00")]),
        ({"hours": 3, "price_limit": 0.5}, []),
        # Two hours of 3000 W; 3.1 hours are four.
        ({"amount": "energy", "energy": 6}, [("01. 02:00", "01. 04:00")]),
        ({"amount": "energy", "energy": 9.3}, [("01. 01:00", "01. 05:00")]),
        # The same time twice is the whole day from then on, but nothing is left of 30 November.
        (
            {"earliest": "12:30:00", "latest": "12:30:00", "hours": 3},
            [("01. 02:00", "01. 05:00")],
        ),
        ({"earliest": "14:00:00", "latest": "16:00:00", "hours": 1}, [("30. 14:00", "30. 15:00")]),
    ],
)
async def test_the_cheapest_hours_of_the_time_frame(
    hass: HomeAssistant, inputs: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """In a row or wherever they are, by hours or by energy, and only below a limit."""
    assert await plan(hass, **inputs) == expected


async def test_in_one_go_the_row_with_the_lowest_sum_wins(hass: HomeAssistant) -> None:
    """7 + 2 is less than 1 + 9, although 1 is the cheapest hour; with a limit, the longest row that is left."""
    prices = (30, 9, 1, 9, 7, 2, 30, 30)
    assert await plan(hass, prices, hours=2) == [("01. 04:00", "01. 06:00")]


async def test_with_a_limit_in_one_go_the_longest_row_is_taken(hass: HomeAssistant) -> None:
    """Two hours below it are better than the cheapest one alone, if three were wanted."""
    prices = (30, 9, 1, 30, 7, 8, 30, 30)
    assert await plan(hass, prices, hours=3, price_limit=8.5) == [("01. 04:00", "01. 06:00")]


async def test_what_is_ordered_to_charge(hass: HomeAssistant) -> None:
    """Power, target and end, and nothing that the integration knows better."""
    async with ledger(hass, "2026-11-30 21:00") as book:
        show(hass, today=TODAY, tomorrow=TOMORROW)
        async with automation(hass, "cheapest_hours", **CHEAPEST, power=2500, target_soc=90):
            await book.live(6 * 60)
        (call,) = book.taken()
    assert call == (
        "01. 02:00",
        "control_battery",
        {
            "mode": "charge",
            "power": 2500,
            "target_soc": 90,
            "until": "2026-12-01T05:00:00+01:00",
        },
    )


async def test_an_energy_is_shared_among_the_windows(hass: HomeAssistant) -> None:
    """3 kWh in each hour, and the rest in the last one."""
    async with ledger(hass, "2026-11-30 21:00") as book:
        show(hass, today=TODAY, tomorrow=(9, 1, 9, 1, 9, 1, *(30,) * 18))
        inputs = {"amount": "energy", "energy": 7.5, "in_one_go": False}
        async with automation(hass, "cheapest_hours", **CHEAPEST, **inputs):
            await book.live(10 * 60)
        told = [(when, data.get("energy"), "target_soc" in data) for when, _, data in book.taken()]
    assert told == [("01. 01:00", 3, False), ("01. 03:00", 3, False), ("01. 05:00", 1.5, False)]


@pytest.mark.parametrize(
    ("soc", "expected"),
    [
        # 80 % of 10 kWh are missing, of which 8.42 kWh are bought: 2.8 hours of 3000 W.
        ("20", [("01. 02:00", "01. 05:00")]),
        ("75", [("01. 03:00", "01. 04:00")]),
        ("100", []),
        # As if it were empty, while it is not known.
        ("unavailable", [("01. 01:00", "01. 05:00")]),
    ],
)
async def test_up_to_a_state_of_charge(
    hass: HomeAssistant, soc: str, expected: list[tuple[str, str]]
) -> None:
    """As many hours as it takes."""
    hass.states.async_set("sensor.battery_soc", soc)
    inputs = {"amount": "state_of_charge", "soc_entity": "sensor.battery_soc", "capacity": 10}
    assert await plan(hass, **inputs) == expected


async def test_it_waits_for_the_prices_of_tomorrow(hass: HomeAssistant) -> None:
    """The evening alone is no time frame; at half past two they come, and the cheapest hours that are left are taken."""
    async with ledger(hass, "2026-11-30 21:00") as book:
        show(hass, today=TODAY, tomorrow=[])
        async with automation(hass, "cheapest_hours", **CHEAPEST):
            await book.live(5.5 * 60 + 1)
            assert book.orders() == []
            show(hass, today=TODAY, tomorrow=TOMORROW)
            await book.live(4 * 60)
            # From 02:00 to 05:00, of which the plan has a part left.
            assert book.orders() == [("01. 02:35", "01. 05:00")]


async def test_prices_that_never_come_are_an_error(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """When the time frame is over."""
    async with ledger(hass, "2026-11-30 21:00") as book:
        show(hass, today=TODAY, tomorrow=[None] * 24)
        async with automation(hass, "cheapest_hours", **CHEAPEST):
            await book.live(8.9 * 60)
            assert "never been known" not in caplog.text
            await book.live(0.5 * 60)
            assert "never been known" in caplog.text
        assert book.orders() == []


async def test_a_sensor_without_a_list_is_an_error(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told at once, and not while the sensor is unavailable."""
    async with ledger(hass, "2026-11-30 21:50") as book:
        hass.states.async_set(PRICE, "unavailable")
        async with automation(hass, "cheapest_hours", **CHEAPEST):
            await book.live(20)
            assert "no list of prices" not in caplog.text
            hass.states.async_set(PRICE, "20")
            await book.live(6)
            assert "no list of prices" in caplog.text
        assert book.orders() == []


async def test_a_list_may_end_an_hour_before_the_time_frame_does(hass: HomeAssistant) -> None:
    """In Great Britain prices are known until 23:00."""
    async with ledger(hass, "2026-11-30 23:50", "Europe/London") as book:
        show(hass, today=[], tomorrow=(9, 5, 2, 1, 3, *(9,) * 18))
        times = {"earliest": "00:00:00", "latest": "00:00:00"}
        async with automation(hass, "cheapest_hours", **CHEAPEST, **times, hours=2):
            await book.live(8 * 60)
        assert book.orders() == [("01. 02:00", "01. 04:00")]


@pytest.mark.parametrize(
    ("begin", "date", "count", "expected"),
    [
        # 25 hours: 02:00 comes twice. The cheapest three of the first six hours are 02:00, 02:00 again, and 03:00.
        ("2026-10-24 23:50", "2026-10-25", 25, ("25. 02:00", "25. 04:00")),
        # 23 hours: the third one begins at 03:00, as there is no 02:00.
        ("2026-03-28 23:50", "2026-03-29", 23, ("29. 03:00", "29. 06:00")),
    ],
)
async def test_the_nights_in_which_the_clock_is_changed(
    hass: HomeAssistant, begin: str, date: str, count: int, expected: tuple[str, str]
) -> None:
    """Three hours are three hours."""
    async with ledger(hass, begin) as book:
        prices = [9, 9, 1, 1, 1, *(9,) * 20][:count]
        hass.states.async_set(PRICE, "9", {"raw_today": rows(date, prices)})
        times = {"earliest": "00:00:00", "latest": "06:00:00"}
        async with automation(hass, "cheapest_hours", **CHEAPEST, **times):
            await book.live(9 * 60)
        assert book.orders() == [expected]


async def test_quarters_of_an_hour_make_windows_of_their_own(hass: HomeAssistant) -> None:
    """From 00:15 to 00:45, and from 01:30 to 01:45."""
    async with ledger(hass, "2026-11-30 23:50") as book:
        prices = [9, 1, 1, 9, 9, 9, 1, 9, *(9,) * 88]
        hass.states.async_set(PRICE, "9", {"raw_tomorrow": rows("2026-12-01", prices, 15)})
        times = {"earliest": "00:00:00", "latest": "06:00:00"}
        inputs = {"hours": 0.75, "in_one_go": False}
        async with automation(hass, "cheapest_hours", **CHEAPEST, **times, **inputs):
            await book.live(4 * 60)
        assert book.orders() == [("01. 00:15", "01. 00:45"), ("01. 01:30", "01. 01:45")]


async def test_an_order_that_fails_is_tried_again_with_the_next_slot(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """The error is in the log, too; what is given then still ends with the window."""
    async with ledger(hass, "2026-11-30 21:00") as book:
        show(hass, today=TODAY, tomorrow=TOMORROW)
        book.failures = 2
        async with automation(hass, "cheapest_hours", **CHEAPEST):
            await book.live(10 * 60)
        assert book.orders() == [
            (when, "01. 05:00") for when in ("01. 02:00", "01. 02:15", "01. 02:30")
        ]
    assert "It does not answer" in caplog.text


async def test_of_a_window_in_which_every_order_fails_nothing_is_left(hass: HomeAssistant) -> None:
    """The last one is tried a quarter of an hour before its end."""
    async with ledger(hass, "2026-11-30 21:00") as book:
        show(hass, today=TODAY, tomorrow=TOMORROW)
        book.failures = 99
        async with automation(hass, "cheapest_hours", **CHEAPEST, hours=1):
            await book.live(10 * 60)
        assert [when for when, _ in book.orders()] == [
            f"01. 03:{minute}" for minute in ("00", "15", "30", "45")
        ]


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        ("2026-12-01 01:20", [("01. 02:00", "01. 05:00")]),
        # In the middle of the window, the rest of it.
        ("2026-12-01 03:20", [("01. 03:20", "01. 05:00")]),
        ("2026-12-01 04:58", []),
        ("2026-12-01 06:10", []),
    ],
)
async def test_a_start_of_home_assistant_goes_on_with_the_plan(
    hass: HomeAssistant, begin: str, expected: list[tuple[str, str]]
) -> None:
    """Outside of the time frame nothing happens."""
    async with ledger(hass, begin) as book:
        hass.states.async_set(PRICE, "9", {"raw_today": rows("2026-12-01", TOMORROW)})
        async with automation(hass, "cheapest_hours", **CHEAPEST):
            hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
            await book.live(6 * 60)
        assert book.orders() == expected


async def test_by_hand_a_plan_is_made_at_once(hass: HomeAssistant) -> None:
    """Of the next time frame."""
    async with ledger(hass, "2026-11-30 18:00") as book:
        show(hass, today=TODAY, tomorrow=TOMORROW)
        times = {"earliest": "02:00:00", "latest": "06:00:00"}
        async with automation(hass, "cheapest_hours", **CHEAPEST, **times, hours=1) as entity_id:
            await hass.services.async_call(AUTOMATION, "trigger", {"entity_id": entity_id})
            await book.live(1)
            state = hass.states.get(entity_id)
            assert state is not None
            # It waits for its window.
            assert state.attributes["current"] == 1
            await book.live(10 * 60)
        assert book.orders() == [("01. 03:00", "01. 04:00")]


def price_sensor_of(
    hass: HomeAssistant, domain: str, identifier: str, name: str
) -> tuple[str, str]:
    """Return the id of the entry of an integration, and its price sensor, which has no list."""
    entry = MockConfigEntry(domain=domain)
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(domain, identifier)}, name=name
    )
    sensor = er.async_get(hass).async_get_or_create(
        "sensor", domain, "price", config_entry=entry, device_id=device.id
    )
    hass.states.async_set(sensor.entity_id, "0.02")
    return entry.entry_id, sensor.entity_id


async def test_nord_pool_of_home_assistant_is_asked_for_its_prices(hass: HomeAssistant) -> None:
    """Those of the area of the sensor, of both days; they are per MWh. While they cannot be had, it waits."""
    asked = []
    async with ledger(hass, "2026-11-30 21:59") as book:
        entry_id, sensor = price_sensor_of(hass, "nordpool", "SE3", "Nord Pool SE3")

        async def prices(call: ServiceCall) -> dict[str, Any]:
            asked.append((f"{dt_util.now():%H:%M}", dict(call.data)))
            if len(asked) == 1:
                raise HomeAssistantError("No connection")
            day = call.data["date"]
            cents = {"2026-11-30": TODAY, "2026-12-01": TOMORROW}[day]
            # An area that is not meant is dear when the other one is cheap.
            return {
                area: [
                    {
                        "start": row["start"].isoformat(),
                        "end": row["end"].isoformat(),
                        "price": factor * row["value"] * 10.0,
                    }
                    for row in rows(day, cents)
                ]
                for area, factor in (("SE4", -1), ("SE3", 1))
            }

        hass.services.async_register(
            "nordpool", "get_prices_for_date", prices, supports_response=SupportsResponse.ONLY
        )
        inputs = {"inverter": DEVICE, "prices": [sensor], "price_limit": 0.025}
        async with automation(hass, "cheapest_hours", **inputs):
            await book.live(8 * 60)
        # Below 2.5 cents.
        assert book.orders() == [("01. 02:00", "01. 04:00")]
    dates = ["2026-11-30", "2026-12-01"]
    assert asked == [
        (time, {"config_entry": entry_id, "date": date})
        for time in ("22:00", "22:05")
        for date in dates
    ]


async def test_tibber_is_asked_for_its_prices(hass: HomeAssistant) -> None:
    """Those of the home of the sensor, from the beginning of the time frame to its end."""
    asked = []
    async with ledger(hass, "2026-11-30 21:59") as book:
        _, sensor = price_sensor_of(hass, "tibber", "1", "Cabin")

        async def prices(call: ServiceCall) -> dict[str, Any]:
            asked.append(dict(call.data))
            slots = [*rows("2026-11-30", TODAY), *rows("2026-12-01", TOMORROW)]
            return {
                "prices": {
                    home: [
                        {"start_time": row["start"].isoformat(), "price": factor * row["value"]}
                        for row in slots
                    ]
                    for home, factor in (("House", -1), ("Cabin", 1))
                }
            }

        hass.services.async_register(
            "tibber", "get_prices", prices, supports_response=SupportsResponse.ONLY
        )
        async with automation(hass, "cheapest_hours", inverter=DEVICE, prices=[sensor]):
            await book.live(8 * 60)
        assert book.orders() == [("01. 02:00", "01. 05:00")]
    assert asked == [{"start": "2026-11-30T22:00:00+01:00", "end": "2026-12-01T06:00:00+01:00"}]
