"""What the automations of the other blueprints order, and when: the inverter only writes it down."""

from collections.abc import Sequence
from typing import Any, Final

from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import HomeAssistant
import pytest

from .blueprints import DEVICE, automation, ledger, rows

PRICE: Final = "sensor.price"
# Cents of each hour.
EVENING: Final = (*(20,) * 17, 50, 50, 50, *(20,) * 4)
NOON: Final = (*(20,) * 11, -1, -2, -1, *(20,) * 10)

SELL: Final[dict[str, Any]] = {"inverter": DEVICE, "prices": [PRICE], "price_limit": 40}
NO_EXPORT: Final[dict[str, Any]] = {"inverter": DEVICE, "prices": [PRICE]}


def show(hass: HomeAssistant, state: float | str, prices: Sequence[float] = ()) -> None:
    """Have the sensor show a price of now, and those of 30 November if it knows them."""
    hass.states.async_set(
        PRICE, str(state), {"raw_today": rows("2026-11-30", prices)} if prices else {}
    )


# ---------------------------------------------------------------------- sell above a price, no export below a price


async def test_one_order_sells_until_the_price_falls(hass: HomeAssistant) -> None:
    """Power at the grid, down to a state of charge, and only while nothing else is in force."""
    async with ledger(hass, "2026-11-30 12:00") as book:
        show(hass, 20, EVENING)
        async with automation(hass, "sell_above_price", **SELL, power=2500, target_soc=30):
            await book.live(12 * 60)
        assert book.taken() == [
            (
                "30. 17:00",
                "control_battery",
                {
                    "mode": "discharge",
                    "at": "grid",
                    "power": 2500,
                    "target_soc": 30,
                    "until": "2026-11-30T20:00:00+01:00",
                    "if_busy": "refuse",
                },
            )
        ]


async def test_one_limit_is_in_force_until_the_price_rises(hass: HomeAssistant) -> None:
    """From 11:00 to 14:00."""
    async with ledger(hass, "2026-11-30 08:00") as book:
        show(hass, 20, NOON)
        async with automation(hass, "no_export_below_price", **NO_EXPORT, power=100):
            await book.live(12 * 60)
        assert book.taken() == [
            ("30. 11:00", "limit_export", {"power": 100, "until": "2026-11-30T14:00:00+01:00"})
        ]


@pytest.mark.parametrize(
    ("name", "inputs", "price", "end"),
    [
        ("sell_above_price", SELL, 50, "release_battery"),
        ("no_export_below_price", NO_EXPORT, -1, "limit_export"),
    ],
)
async def test_without_a_list_an_order_of_an_hour_is_renewed_and_ended(
    hass: HomeAssistant, name: str, inputs: dict[str, Any], price: float, end: str
) -> None:
    """Before the hour is over, as long as the price says so; as soon as it does not, the order is ended."""
    async with ledger(hass, "2026-11-30 16:50") as book:
        show(hass, 20)
        async with automation(hass, name, **inputs):
            await book.live(10)
            show(hass, price)
            await book.live(105)
            show(hass, 20)
            await book.live(60)
        assert book.orders() == [
            ("30. 17:00", "30. 18:00"),
            ("30. 17:45", "30. 18:45"),
            ("30. 18:30", "30. 19:30"),
            ("30. 18:45", end),
        ]


async def test_what_was_ordered_once_is_not_ordered_again_in_the_same_hours(
    hass: HomeAssistant,
) -> None:
    """Whoever has released it does not want it; new lists, and a new price, change nothing."""
    async with ledger(hass, "2026-11-30 16:50") as book:
        show(hass, 20, EVENING)
        async with automation(hass, "sell_above_price", **SELL):
            for hour in (50, 51, 52, 53):
                await book.live(50)
                show(hass, hour, EVENING)
        assert book.orders() == [("30. 17:00", "30. 20:00")]


async def test_a_list_that_goes_on_makes_the_order_go_on(hass: HomeAssistant) -> None:
    """The hour from 20:00 on is dear, too: known from 18:30 on, ordered when the first order is about to end."""
    async with ledger(hass, "2026-11-30 16:50") as book:
        show(hass, 20, EVENING[:20])
        async with automation(hass, "sell_above_price", **SELL):
            await book.live(100)
            show(hass, 50, (*EVENING[:20], 50, 20))
            await book.live(4 * 60)
        assert book.orders() == [("30. 17:00", "30. 20:00"), ("30. 19:45", "30. 21:00")]


async def test_a_list_that_was_wrong_ends_the_order(hass: HomeAssistant) -> None:
    """At 18:20, when the right one comes."""
    async with ledger(hass, "2026-11-30 16:50") as book:
        show(hass, 20, EVENING)
        async with automation(hass, "sell_above_price", **SELL):
            await book.live(90)
            show(hass, 20, (20,) * 24)
            await book.live(120)
        assert book.orders() == [("30. 17:00", "30. 20:00"), ("30. 18:20", "release_battery")]


async def test_an_order_that_fails_is_given_with_the_next_slot(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """The inverter did not answer, or something else controlled the battery."""
    async with ledger(hass, "2026-11-30 16:50") as book:
        show(hass, 20, EVENING)
        book.failures = 1
        async with automation(hass, "sell_above_price", **SELL):
            await book.live(4 * 60)
        assert book.orders() == [("30. 17:00", "30. 20:00"), ("30. 17:15", "30. 20:00")]
    assert "It does not answer" in caplog.text


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        ("2026-11-30 18:20", [("30. 18:20", "30. 20:00")]),
        ("2026-11-30 19:57", []),
        ("2026-11-30 20:20", []),
    ],
)
async def test_a_start_in_the_middle_gives_the_rest(
    hass: HomeAssistant, begin: str, expected: list[tuple[str, str]]
) -> None:
    """But nothing for the last five minutes, or when the price is not above the limit."""
    async with ledger(hass, begin) as book:
        show(hass, 20, EVENING)
        async with automation(hass, "sell_above_price", **SELL):
            hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
            await book.live(5 * 60)
        assert book.orders() == expected


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (44, ("30. 11:00", "30. 11:45")),
        (45, ("30. 11:15", "30. 12:00")),
        (46, ("30. 11:30", "30. 12:15")),
        (47, ("30. 11:45", "30. 12:30")),
    ],
)
async def test_a_slot_may_begin_at_any_quarter_of_an_hour(
    hass: HomeAssistant, first: int, expected: tuple[str, str]
) -> None:
    """Three dear ones in a row, by their number in the day; the state does not show it, as that of Octopus' events."""
    prices = [50 if first <= number < first + 3 else 20 for number in range(96)]
    async with ledger(hass, "2026-11-30 08:00") as book:
        hass.states.async_set(PRICE, "20", {"raw_today": rows("2026-11-30", prices, minutes=15)})
        async with automation(hass, "sell_above_price", **SELL):
            await book.live(8 * 60)
        assert book.orders() == [expected]


async def test_prices_that_come_late_count_at_once(hass: HomeAssistant) -> None:
    """At 17:07, long after the price has risen."""
    async with ledger(hass, "2026-11-30 16:50") as book:
        async with automation(hass, "sell_above_price", **SELL):
            await book.live(17)
            show(hass, 50, EVENING)
            await book.live(60)
        assert book.orders() == [("30. 17:07", "30. 20:00")]


async def test_an_automation_that_is_made_meanwhile_begins_with_the_next_slot(
    hass: HomeAssistant,
) -> None:
    """Made, or changed, at 18:20."""
    async with ledger(hass, "2026-11-30 18:20") as book:
        show(hass, 50, EVENING)
        async with automation(hass, "sell_above_price", **SELL):
            await book.live(60)
        assert book.orders() == [("30. 18:30", "30. 20:00")]


async def test_a_price_that_is_high_for_days_gives_no_order_that_is_too_long(
    hass: HomeAssistant,
) -> None:
    """Twenty-three hours at most."""
    async with ledger(hass, "2026-11-29 23:50") as book:
        show(hass, 20, (50,) * 48)
        async with automation(hass, "sell_above_price", **SELL):
            await book.live(60)
        assert book.orders() == [("30. 00:00", "30. 23:00")]


# ---------------------------------------------------------------------- hold while the car charges


HOLD: Final[dict[str, Any]] = {"inverter": DEVICE, "charger": "sensor.charger"}


def charge(hass: HomeAssistant, state: str, unit: str | None = None) -> None:
    """Have the charger show a power, or anything else."""
    hass.states.async_set("sensor.charger", state, {"unit_of_measurement": unit} if unit else {})


@pytest.mark.parametrize(
    ("busy", "idle", "unit"),
    [
        ("11000", "3", "W"),
        ("3.7", "0.4", "kW"),
        ("on", "off", None),
        ("Charging", "Ready", None),
        ("charging", "unavailable", None),
    ],
)
async def test_the_battery_is_held_while_the_car_charges(
    hass: HomeAssistant, busy: str, idle: str, unit: str | None
) -> None:
    """An hour at a time; five minutes after it has stopped, the order is ended."""
    async with ledger(hass, "2026-11-30 17:59") as book:
        charge(hass, idle, unit)
        async with automation(hass, "hold_while_car_charges", **HOLD):
            await book.live(1)
            charge(hass, busy, unit)
            await book.live(120)
            charge(hass, idle, unit)
            await book.live(30)
        assert book.orders() == [
            ("30. 18:01", "60 min"),
            ("30. 18:51", "60 min"),
            ("30. 19:41", "60 min"),
            ("30. 20:05", "release_battery"),
        ]


async def test_a_short_peak_and_a_short_break_do_not_count(hass: HomeAssistant) -> None:
    """Half a minute of charging is none, and four minutes without are no end."""
    async with ledger(hass, "2026-11-30 18:00") as book:
        charge(hass, "0", "W")
        async with automation(hass, "hold_while_car_charges", **HOLD):
            charge(hass, "7000", "W")
            await book.live(0.5)
            charge(hass, "0", "W")
            await book.live(9.5)
            assert book.orders() == []
            charge(hass, "7000", "W")
            await book.live(30)
            charge(hass, "0", "W")
            await book.live(4)
            charge(hass, "7000", "W")
            await book.live(10)
        assert [order for _, order in book.orders()] == ["60 min", "60 min"]


@pytest.mark.parametrize("mode", ["charge", "hold"])
async def test_an_order_that_does_not_empty_the_battery_is_left_alone(
    hass: HomeAssistant, mode: str
) -> None:
    """Somebody else's, as in the cheap hours; it is not ended either."""
    async with ledger(hass, "2026-11-30 18:00") as book:
        charge(hass, "0", "W")
        book.in_force = {"mode": mode, "owner": "Cheap hours"}
        async with automation(hass, "hold_while_car_charges", **HOLD):
            charge(hass, "7000", "W")
            await book.live(60)
            charge(hass, "0", "W")
            await book.live(60)
        assert book.orders() == []


async def test_an_order_that_empties_the_battery_gives_way_to_the_car(hass: HomeAssistant) -> None:
    """Be it somebody else's. Of a plant, all inverters do the same."""
    async with ledger(hass, "2026-11-30 18:00") as book:
        charge(hass, "0", "W")
        book.in_force = {
            "1": {"mode": "discharge", "owner": "Sell"},
            "2": {"mode": "discharge", "owner": "Sell"},
        }
        async with automation(hass, "hold_while_car_charges", **HOLD):
            charge(hass, "7000", "W")
            await book.live(10)
        assert book.taken() == [("30. 18:01", "control_battery", {"mode": "hold", "duration": 60})]


async def test_a_hold_that_fails_is_tried_again_after_ten_minutes(hass: HomeAssistant) -> None:
    """While the car charges."""
    async with ledger(hass, "2026-11-30 18:00") as book:
        charge(hass, "0", "W")
        book.failures = 2
        async with automation(hass, "hold_while_car_charges", **HOLD):
            charge(hass, "7000", "W")
            await book.live(60)
        assert [when for when, _ in book.orders()] == ["30. 18:01", "30. 18:11", "30. 18:21"]


async def test_a_start_while_the_car_charges_holds_the_battery(hass: HomeAssistant) -> None:
    """And one while it does not, does not."""
    async with ledger(hass, "2026-11-30 18:00") as book:
        charge(hass, "0", "W")
        async with automation(hass, "hold_while_car_charges", **HOLD):
            hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
            await book.live(10)
        assert book.orders() == []


async def test_a_start_finds_the_car_charging(hass: HomeAssistant) -> None:
    """Since before the start."""
    async with ledger(hass, "2026-11-30 18:00") as book:
        charge(hass, "7000", "W")
        async with automation(hass, "hold_while_car_charges", **HOLD):
            hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
            await book.live(10)
        assert book.orders() == [("30. 18:00", "60 min")]


# ---------------------------------------------------------------------- a reserve before a storm


RESERVE: Final[dict[str, Any]] = {
    "inverter": DEVICE,
    "warnings": ["binary_sensor.storm", "sensor.level", "weather.home"],
}


@pytest.mark.parametrize(
    ("entity_id", "off", "on"),
    [
        ("binary_sensor.storm", "off", "on"),
        ("sensor.level", "1", "2"),
        ("weather.home", "rainy", "lightning-rainy"),
        ("binary_sensor.storm", "unavailable", "on"),
    ],
)
async def test_the_battery_is_filled_while_there_is_a_warning(
    hass: HomeAssistant, entity_id: str, off: str, on: str
) -> None:
    """Four hours at a time, given again after three; ended with the warning."""
    async with ledger(hass, "2026-11-30 11:00") as book:
        hass.states.async_set(entity_id, off)
        async with automation(hass, "reserve", **RESERVE, level=2, target_soc=90):
            await book.live(60)
            hass.states.async_set(entity_id, on)
            await book.live(5 * 60)
            hass.states.async_set(entity_id, off)
            await book.live(60)
        calls = book.taken()
    assert calls[0] == (
        "30. 12:00",
        "control_battery",
        {"mode": "charge", "power": 5000, "target_soc": 90, "duration": 240},
    )
    assert [(when, action) for when, action, _ in calls[1:]] == [
        ("30. 15:00", "control_battery"),
        ("30. 17:00", "release_battery"),
    ]


async def test_without_the_grid_the_battery_is_held(hass: HomeAssistant) -> None:
    """The sun charges it."""
    async with ledger(hass, "2026-11-30 12:00") as book:
        hass.states.async_set("binary_sensor.storm", "off")
        async with automation(hass, "reserve", **RESERVE, from_grid=False):
            hass.states.async_set("binary_sensor.storm", "on")
            await book.live(10)
        ((_, _, data),) = book.taken()
        assert data["mode"] == "hold"


async def test_a_warning_that_does_not_end_is_not_obeyed_for_ever(hass: HomeAssistant) -> None:
    """Seven hours: the last order is given for one, and the next warning counts again."""
    async with ledger(hass, "2026-11-30 12:00") as book:
        hass.states.async_set("binary_sensor.storm", "off")
        async with automation(hass, "reserve", **RESERVE, longest=7):
            hass.states.async_set("binary_sensor.storm", "on")
            await book.live(12 * 60)
            assert book.orders() == [
                ("30. 12:00", "240 min"),
                ("30. 15:00", "240 min"),
                ("30. 18:00", "60 min"),
                ("30. 19:00", "release_battery"),
            ]
            hass.states.async_set("binary_sensor.storm", "off")
            await book.live(1)
            hass.states.async_set("binary_sensor.storm", "on")
            await book.live(1)
            assert book.orders() == [("01. 00:01", "240 min")]


async def test_a_second_warning_goes_on_with_the_first(hass: HomeAssistant) -> None:
    """It ends with the last one."""
    async with ledger(hass, "2026-11-30 12:00") as book:
        for entity_id in ("binary_sensor.storm", "sensor.level"):
            hass.states.async_set(entity_id, "0")
        async with automation(hass, "reserve", **RESERVE):
            hass.states.async_set("binary_sensor.storm", "on")
            await book.live(60)
            hass.states.async_set("sensor.level", "3")
            await book.live(60)
            hass.states.async_set("binary_sensor.storm", "off")
            await book.live(60)
            assert "release_battery" not in [order for _, order in book.orders()]
            hass.states.async_set("sensor.level", "0")
            await book.live(60)
        assert book.orders() == [("30. 15:00", "release_battery")]


async def test_a_reserve_that_fails_is_tried_again_after_ten_minutes(hass: HomeAssistant) -> None:
    """A start in the middle of a warning counts, too."""
    async with ledger(hass, "2026-11-30 12:00") as book:
        hass.states.async_set("binary_sensor.storm", "on")
        book.failures = 1
        async with automation(hass, "reserve", **RESERVE):
            hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
            await book.live(60)
        assert [when for when, _ in book.orders()] == ["30. 12:00", "30. 12:10"]


# ---------------------------------------------------------------------- monthly full charge


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        # Sundays are 6, 13, 20 and 27 December.
        ({}, [("06. 10:00", "06. 18:00")]),
        (
            {"weeks": ["1", "3"], "hours": 4},
            [("06. 10:00", "06. 14:00"), ("20. 10:00", "20. 14:00")],
        ),
        ({"weekday": "tue", "start": "23:00:00"}, [("01. 23:00", "02. 07:00")]),
        ({"weekday": "mon", "weeks": ["4"]}, [("28. 10:00", "28. 18:00")]),
    ],
)
async def test_the_battery_is_filled_on_the_chosen_days(
    hass: HomeAssistant, inputs: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Once each, in December."""
    async with ledger(hass, "2026-11-30 12:00") as book:
        async with automation(hass, "monthly_full_charge", inverter=DEVICE, **inputs):
            await book.live(31 * 24 * 60)
        assert book.orders() == expected


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        ("2026-12-06 12:30", [("06. 12:30", "06. 18:00")]),
        ("2026-12-06 17:56", []),
        ("2026-12-06 09:30", []),
        ("2026-12-07 12:30", []),
    ],
)
async def test_a_start_gives_what_is_left_of_the_day(
    hass: HomeAssistant, begin: str, expected: list[tuple[str, str]]
) -> None:
    """Of the chosen one."""
    async with ledger(hass, begin) as book:
        async with automation(hass, "monthly_full_charge", inverter=DEVICE):
            hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
            await book.live(20)
        assert book.orders() == expected


async def test_a_full_charge_over_midnight_is_given_again_after_a_start(
    hass: HomeAssistant,
) -> None:
    """It began on Sunday at 22:00, and lasts eight hours."""
    async with ledger(hass, "2026-12-07 02:00") as book:
        async with automation(hass, "monthly_full_charge", inverter=DEVICE, start="22:00:00"):
            hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
            await book.live(20)
        assert book.orders() == [("07. 02:00", "07. 06:00")]


async def test_by_hand_the_full_charge_begins_now(hass: HomeAssistant) -> None:
    """On any day; one that fails is tried again after a quarter of an hour, for what is left."""
    async with ledger(hass, "2026-12-09 12:00") as book:
        async with automation(hass, "monthly_full_charge", inverter=DEVICE) as entity_id:
            book.failures = 1
            await hass.services.async_call(AUTOMATION, "trigger", {"entity_id": entity_id})
            await book.live(60)
        calls = book.taken()
    data = {
        "mode": "charge",
        "power": 2000,
        "target_soc": 100,
        "until": "2026-12-09T20:00:00+01:00",
    }
    assert calls == [(f"09. 12:{minute}", "control_battery", data) for minute in ("00", "15")]
