"""Everything a person is shown comes from the translations: in a made-up language no English is left."""

from collections.abc import Callable, Iterator
import re
from typing import Any, Final
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import translation
from homeassistant.helpers.selector import SelectSelector
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.entry.texts import async_load_texts, error_text
from custom_components.hybrid_inverter.modbus.errors import (
    ImplausibleError,
    LinkBusy,
    LinkError,
    LinkErrorCode,
    LinkTimeout,
    NotAppliedError,
    NotRememberedError,
    RejectedError,
    WriteBudgetError,
    WrongDeviceError,
)
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import async_raise, issue_id
from custom_components.hybrid_inverter.runtime.writes import async_write_setting
from custom_components.hybrid_inverter.schedule.charge_watch import CHARGE_OFF
from simulator import SimulatedPlant

from .helpers import (
    SERIAL,
    add_unit,
    answer,
    choose,
    refresh,
    searched,
    unit_of,
)
from .test_config_flow import start, submit
from .test_schedule import calendar_events

# Names that are the same in every language, and units.
PROPER: Final = {
    "JUSTSTANDOUT",
    "CHINT",
    "SAJ",
    "DTSU",
    "DDSU",
    "JSO",
    "Modbus",
    "TCP",
    "RTU",
    "kWh",
}

LOAD: Final = translation._load_translations_files_by_language


def made_up(text: str) -> str:
    """The text with other letters, but with its placeholders."""
    parts = re.split(r"(\{[^}]*\})", text)
    return "".join(
        part if part.startswith("{") else re.sub(r"[A-Za-z]", "ж", part) for part in parts
    )


def translated(branch: Any) -> Any:
    """A branch of the translations in the made-up language."""
    if isinstance(branch, str):
        return made_up(branch)
    return {key: translated(below) for key, below in branch.items()}


def english(*texts: str) -> set[str]:
    """The words that are neither of the made-up language nor proper names."""
    words = {word for text in texts for word in re.findall(r"[A-Za-z]{2,}", text)}
    return words - PROPER


def shown(result: dict[str, Any]) -> list[str]:
    """What a dialog shows beside its translated texts: placeholders, and the labels of options that have none."""
    placeholders = result.get("description_placeholders") or {}
    schema = result.get("data_schema")
    labels = [
        option["label"]
        for field in (schema.schema.values() if schema is not None else ())
        if isinstance(field, SelectSelector)
        for option in field.config["options"]
        if isinstance(option, dict)
    ]
    return [*placeholders.values(), *labels]


@pytest.fixture(autouse=True)
def language(hass: HomeAssistant) -> Iterator[None]:
    """Load the texts of the integration in the made-up language."""
    # The tests share what was loaded before; this one neither uses it nor adds to it.
    cache = translation._async_get_translations_cache(hass)
    cache.cache_data = type(cache.cache_data)({}, {})

    def load(files: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        loaded = LOAD(files)
        for components in loaded.values():
            if DOMAIN in components:
                components[DOMAIN] = translated(components[DOMAIN])
        return loaded

    with patch.object(translation, "_load_translations_files_by_language", load):
        yield


def test_english_is_noticed() -> None:
    """The measure itself: a word of English counts, a proper name or a placeholder's text does not."""
    assert made_up("{model} did not answer") == "{model} жжж жжж жжжжжж"
    assert english("жж JSO8048104", "11: CHINT DTSU666 (meter)") == {"meter"}


async def test_the_dialog_of_an_entry(hass: HomeAssistant, plant: SimulatedPlant) -> None:
    """Another device, another unit id, another framing."""
    network = {"host": "127.0.0.1", "port": plant.tcp_port, "framing": "tcp"}
    form = await start(hass, "network")
    plant.machine().panel_change(0, 3)
    form = await submit(hass, form, network)
    assert form["errors"] == {"base": "wrong_device"}
    assert form["description_placeholders"]["found"] == "ж жжжжжж-жжжжж жжжжжж жжжжжжжж"
    assert english(*shown(form)) == set()
    plant.machine().panel_change(0, 5)
    form = await submit(hass, form, {**network, "framing": "rtu"})
    assert form["errors"] == {"base": "wrong_framing"}
    assert english(*shown(form)) == set()


async def test_the_dialog_that_adds_a_meter(hass: HomeAssistant, house: SimulatedPlant) -> None:
    """What the search has found, in words, and what stands at a unit id."""
    form = await start(hass, "network")
    result = await submit(
        hass, form, {"host": "127.0.0.1", "port": house.tcp_port, "framing": "tcp"}
    )
    entry = result["result"]
    await hass.async_block_till_done()
    form = await searched(hass, await choose(hass, await add_unit(hass, entry, "meter"), "direct"))
    assert [label.partition(" ")[2] for label in shown(form)] == [
        "CHINT DTSU666 (жжжжж)",
        "CHINT DDSU666 (жжжжж)",
    ]
    form = await answer(hass, form, {"unit_id": "11"})
    assert english(*shown(form)) == set()
    result = await answer(hass, form, {"role": "grid", "inverted": False})
    assert result["title"] == "жжжж жжжжж"


async def test_what_fills_the_messages(hass: HomeAssistant) -> None:
    """Errors of the device layer, whatever their English for the log."""
    await async_load_texts(hass, "selector")
    endpoint = "192.0.2.1:502"
    errors = [
        WrongDeviceError("other_serial_number"),
        RejectedError(4, "unit 1"),
        ImplausibleError(1, 2),
        NotAppliedError("work_mode", 142, "a", "b"),
        WriteBudgetError("work_mode", 142, 20),
        NotRememberedError("work_mode"),
        LinkTimeout("no answer", unit_id=1, seconds=3),
        LinkBusy("another program", endpoint=endpoint),
        *(
            LinkError(
                "reason",
                code,
                endpoint=endpoint,
                **dict.fromkeys(("unit_id", "seconds", "baudrate", "version", "stick_code"), 1),
            )
            for code in LinkErrorCode
            # What the operating system says has a language of its own.
            if code is not LinkErrorCode.FAILED
        ),
    ]
    assert english(*(error_text(hass, error) for error in errors)) == set()


async def test_another_inverter_at_the_address(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The message names the model, and what answers in its place."""
    plant.machine().trouble.silent = True
    await refresh(hass, loaded, Group.POWER)
    plant.machine().trouble.silent = False
    # The last character of the serial number.
    plant.machine().panel_change(7, 0x3039)
    await refresh(hass, loaded, Group.POWER)
    error = unit_of(loaded).coordinators[Group.POWER].last_exception
    assert isinstance(error, HomeAssistantError)
    assert error.translation_key == "wrong_machine"
    placeholders = error.translation_placeholders or {}
    assert placeholders["found"] == "ж жжжжжж жжжж жжжжжжж жжжжжж жжжжжж"
    assert english(*placeholders.values()) == set()


async def test_the_calendar(
    hass: HomeAssistant, loaded: MockConfigEntry, calendar_at: Callable[[str], None]
) -> None:
    """What the inverter does by the clock, in sentences made of codes and numbers."""
    calendar_at("2026-06-10T00:30:00+00:00")
    events = await calendar_events(hass, "2026-06-10T00:00:00+00:00", "2026-06-11T00:00:00+00:00")
    texts = [text for event in events for text in (event["summary"], event["description"])]
    assert "JSO8048104: жжж жжжжжжж жжжж жж 40 %" in texts
    assert english(*texts) == set()


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("battery_capacity", 300, "needs_tier"),
        ("max_sell_power", 9000, "out_of_range"),
        ("battery_low_soc", 60, "too_high"),
        ("battery_low_soc", 10, "too_low"),
        ("work_mode", "selling_first", "not_applied"),
    ],
)
async def test_a_refused_setting(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    key: str,
    value: int | str,
    reason: str,
) -> None:
    """The message names the setting, the tier and the values as the person sees them."""
    plant.machine().trouble.locked = True
    with pytest.raises(HomeAssistantError) as caught:
        await async_write_setting(unit_of(loaded), key, value)
    assert caught.value.translation_key == reason
    assert english(*(caught.value.translation_placeholders or {}).values()) == set()


@pytest.mark.parametrize(
    ("action", "data", "reason"),
    [
        ("read_registers", {"register": 587}, "registers_need_tier"),
        ("control_battery", {"mode": "idle", "duration": 60}, "control_not_supported"),
        (
            "set_schedule",
            {"windows": [{"start": "01:00", "end": "05:00", "target": 80, "days": ["monday"]}]},
            "schedule_unknown_window_field",
        ),
    ],
)
async def test_a_refused_action(
    hass: HomeAssistant, loaded: MockConfigEntry, action: str, data: dict[str, Any], reason: str
) -> None:
    """The message names tiers, modes and fields as the forms do."""
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": unit_of(loaded).device_id, **data},
            blocking=True,
            return_response=True,
        )
    assert caught.value.translation_key == reason
    assert caught.value.translation_placeholders
    assert english(*caught.value.translation_placeholders.values()) == set()


async def test_a_repair_that_fails(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """What keeps it from being done is told in the same language as the dialog."""
    assert await async_setup_component(hass, "repairs", {})
    async_raise(
        hass, SERIAL, CHARGE_OFF, "grid_charge_enabled", name="JSO8048104", setting="жжжж жжжжжж"
    )
    plant.machine().panel_change(130, 0)
    plant.machine().trouble.locked = True
    client = await hass_client()
    shown: dict[str, Any] = {}
    for path, sent in (
        ("", {"handler": DOMAIN, "issue_id": issue_id(SERIAL, CHARGE_OFF, "grid_charge_enabled")}),
        ("/{flow_id}", {}),
    ):
        url = "/api/repairs/issues/fix" + path.format(**shown)
        shown = await (await client.post(url, json=sent)).json()
    assert shown["errors"] == {"base": "not_switched_on"}
    assert "130" in shown["description_placeholders"]["error"]
    # These two are Home Assistant's own, and in its language.
    assert english(*shown["description_placeholders"].values()) == {"On", "Off"}
