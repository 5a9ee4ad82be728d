"""Everything a person reads has a text, every text is read, and icons are where they help."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Set as AbstractSet
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.selector import SelectSelector
from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from custom_components.hybrid_inverter.condition import CONDITIONS
from custom_components.hybrid_inverter.const import (
    CONF_CT_RATIO,
    CONF_FAMILY,
    DOMAIN,
    MeterRole,
)
from custom_components.hybrid_inverter.control.automations import REASONS
from custom_components.hybrid_inverter.control.plant_numbers import PLANT_NUMBERS
from custom_components.hybrid_inverter.control.refusals import Mistake
from custom_components.hybrid_inverter.control.request import ControlEventType
from custom_components.hybrid_inverter.doctor.checks import Obstacle as WiringObstacle
from custom_components.hybrid_inverter.energy.sources import Flow
from custom_components.hybrid_inverter.entities.link import (
    LINK_CONNECTIVITY,
    LINK_SENSORS,
    LISTENER_SENSORS,
)
from custom_components.hybrid_inverter.event import OUTAGE
from custom_components.hybrid_inverter.flow.energy import energy_schema
from custom_components.hybrid_inverter.flow.machines import WAYS, InverterFlow, MeterFlow
from custom_components.hybrid_inverter.flow.mirror import SCHEMA as MIRROR_OPTIONS
from custom_components.hybrid_inverter.flow.plant import (
    CAPACITY_SCHEMA,
    grid_schema,
    members_schema,
)
from custom_components.hybrid_inverter.flow.questions import WIRINGS
from custom_components.hybrid_inverter.flow.schemas import (
    LISTEN_OPTIONS,
    LISTEN_SCHEMAS,
    METER_SETTINGS,
    SCHEMAS,
    STICK_WITH_SERIAL,
    UNIT_ID,
    choice_schema,
    maker_schema,
    rated_power_schema,
)
from custom_components.hybrid_inverter.maintenance.adopt_entities import (
    SOURCES as FORMER_INTEGRATIONS,
)
from custom_components.hybrid_inverter.maintenance.adoption import Obstacle
from custom_components.hybrid_inverter.modbus.control.order import (
    ControlMode,
    PowerAt,
    Refusal,
)
from custom_components.hybrid_inverter.modbus.control.plan import AfterEnd, EndsBy, Recurs, Why
from custom_components.hybrid_inverter.modbus.doctor.verdict import Cause
from custom_components.hybrid_inverter.modbus.errors import LinkErrorCode
from custom_components.hybrid_inverter.modbus.find.identify import NO_TYPE
from custom_components.hybrid_inverter.modbus.find.probe import Failure
from custom_components.hybrid_inverter.modbus.listen.session import Unheard
from custom_components.hybrid_inverter.modbus.mirror.server import REASONS as PORT_REASONS
from custom_components.hybrid_inverter.modbus.model.codec import Bits
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.part import WHOLE, Kind, Part
from custom_components.hybrid_inverter.modbus.model.recognition import (
    NO_SERIAL_NUMBER,
    OtherDevice,
)
from custom_components.hybrid_inverter.modbus.model.slots import MODES
from custom_components.hybrid_inverter.modbus.schedule.days import DAYS
from custom_components.hybrid_inverter.modbus.schedule.schedule import Reason, Text
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.planners.services import PLANNERS
from custom_components.hybrid_inverter.planners.site import Missing
from custom_components.hybrid_inverter.plant.sensors import PLANT_BINARY_SENSORS, PLANT_SENSORS
from custom_components.hybrid_inverter.runtime.mirror import NOT_SERVED
from custom_components.hybrid_inverter.schedule.automations import SLOTS
from custom_components.hybrid_inverter.schedule.request import SOURCES
from custom_components.hybrid_inverter.services import async_setup_actions
from custom_components.hybrid_inverter.trigger import CHANGES, KINDS, TRIGGERS

from .described import everything_described
from .helpers import network_entry, open_settings

INTEGRATION: Final = Path(__file__).parents[2] / "custom_components" / "hybrid_inverter"


def load(name: str) -> dict[str, Any]:
    """Return a JSON file of the integration."""
    content: dict[str, Any] = json.loads((INTEGRATION / name).read_text(encoding="utf-8"))
    return content


TEXTS: Final = load("translations/en.json")
ICONS: Final = load("icons.json")

SHOWN: Final[list[tuple[Platform, EntityDescription]]] = [
    *everything_described(),
    (Platform.BINARY_SENSOR, LINK_CONNECTIVITY),
    *((Platform.SENSOR, item) for item in (*LINK_SENSORS, *LISTENER_SENSORS)),
]
# The fields of flags that are shown as codes, each with the key of its text.
CODES: Final = {
    row.key: row.name.key if row.name else row.key
    for family in FAMILIES.values()
    for row in family.every_row()
    if isinstance(row.codec, Bits) and row.part is not None and row.kind is not Kind.DAYS
}
# A plant has names of its own, and nothing of a machine.
OF_A_PLANT: Final[list[tuple[Platform, EntityDescription]]] = [
    *((Platform.SENSOR, item) for item in PLANT_SENSORS),
    *((Platform.BINARY_SENSOR, item) for item in PLANT_BINARY_SENSORS),
    *((Platform.NUMBER, item) for item in PLANT_NUMBERS),
]
EVERY_NAME: Final = [*SHOWN, *OF_A_PLANT]


def named(description: EntityDescription) -> tuple[str, dict[str, str]]:
    """Return the translation key of an entity, and its placeholders."""
    key = description.translation_key or description.key
    return key, dict(description.translation_placeholders or {})


def placeholders(text: str) -> set[str]:
    """Return the names in curly brackets."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def texts(branch: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return every text with the keys that lead to it."""
    if isinstance(branch, str):
        yield path, branch
        return
    for key, below in branch.items():
        yield from texts(below, (*path, key))


# ---------------------------------------------------------------------- entities


def test_every_entity_has_a_name_and_every_name_an_entity() -> None:
    """Every entity has a name, and every name an entity."""
    used: dict[str, set[str]] = {}
    for platform, description in EVERY_NAME:
        key, _ = named(description)
        used.setdefault(platform, set()).add(key)
    assert {platform: set(names) for platform, names in TEXTS["entity"].items()} == used


def test_placeholders_of_entity_names() -> None:
    """A name asks for exactly what the entity gives."""
    for platform, description in EVERY_NAME:
        key, given = named(description)
        assert placeholders(TEXTS["entity"][platform][key]["name"]) == set(given), (platform, key)


# What is made of several values has states of its own.
OWN_STATES: Final = {
    "active_window": {"none", "charge", "discharge"},
    "battery_control": {"auto", "hold", "charge", "discharge", "no_charge", "idle"},
    "wiring": {
        *("gathering", "right", "unsure", "several"),
        *("clamp_reversed", "phases_exchanged", "meters_exchanged", "clamp_ratio"),
        *("clamp_house_side", "clamp_inverter_side", "clamp_silent", "source_not_counted"),
        *("string_dead", "string_shaded", "battery_current", "clock_off"),
    },
}
# What is not one setting, and so is there only for who may change it.
NO_SETTINGS: Final = frozenset(
    {
        *("battery_reserve", "plant_battery_reserve", "export_limit", "battery_control"),
        *("control_power", "control_target_soc", "control_duration"),
    }
)


def test_every_state_of_a_select_or_enum_has_a_text() -> None:
    """Every choice that a select or an enum can show has a text; codes have theirs."""
    rows = [row for family in FAMILIES.values() for row in family.every_row()]
    expected: dict[tuple[Platform, str], set[str]] = {}
    for platform, description in SHOWN:
        key, _ = named(description)
        # Phases, packs and slots share their texts, and so do families.
        states = expected.setdefault((platform, key), set())
        if key in ("charge_slot_days", "discharge_slot_days"):
            states |= {"every_day", "weekdays", "weekend", *DAYS, "custom"}
        elif platform is Platform.SELECT or description.device_class is SensorDeviceClass.ENUM:
            states.update(*(row.names for row in rows if row.key == description.key))
            states |= OWN_STATES.get(description.key, set())
        elif platform is Platform.SENSOR and description.key in CODES:
            labels = {
                label for row in rows if row.key == description.key for label in row.labels.values()
            }
            # A fault has its code and what it means; other codes are the same in every language.
            has_meanings = description.key in ("fault", "warning")
            states |= {
                "none",
                *(label.lower() for label in labels if has_meanings or label.islower()),
            }
    for (platform, key), states in expected.items():
        known = TEXTS["entity"][platform][key].get("state", {})
        assert set(known) == states, (platform, key)


def test_code_lists_and_meanings_have_attribute_names() -> None:
    """The list of codes is an attribute that a person can read, and so is what faults and warnings mean."""
    for key, text_key in CODES.items():
        attributes = TEXTS["entity"]["sensor"][text_key]["state_attributes"]
        expected = {"codes": {"name": "Codes"}}
        if key in ("fault", "warning"):
            expected["meanings"] = {"name": "Meanings"}
        assert attributes == expected


def test_every_documented_code_has_a_meaning() -> None:
    """Every fault of the JSO but F17, which no list explains, its five documented warnings, and every code of the SAJ."""
    known = TEXTS["entity"]["event"]["fault"]["state_attributes"]["event_type"]["state"]
    faults = {f"f{number:02d}" for number in range(1, 65)} - {"f17"}
    reserved = {6, 11, 13, 14, 49, 52, 57, 58, *range(71, 76), *range(84, 88), *range(93, 97)}
    codes = {f"e{number:02d}" for number in range(1, 97) if number not in reserved}
    assert set(known) == faults | codes | {"w02", "w03", "w04", "w31", "w32"}
    labels = {
        label.lower()
        for family in FAMILIES.values()
        if family.faults is not None
        for key in family.faults.fields
        for label in family.registers[key].labels.values()
    }
    assert set(known) <= labels


def test_every_event_type_and_attribute_has_a_text() -> None:
    """Every type of an event and every attribute has a text."""
    attributes = TEXTS["entity"]["event"]["fault"]["state_attributes"]
    assert set(attributes) == {"event_type", "code", "meaning", "kind", "since"}
    assert set(attributes["kind"]["state"]) == {"fault", "warning"}
    attributes = TEXTS["entity"]["event"]["outage"]["state_attributes"]
    assert set(attributes) == {"event_type", "since", "duration"}
    assert set(attributes["event_type"]["state"]) == set(OUTAGE.event_types or [])
    attributes = TEXTS["entity"]["event"]["battery_control"]["state_attributes"]
    assert set(attributes["event_type"]["state"]) == set(ControlEventType)
    assert set(attributes["mode"]["state"]) == set(ControlMode)
    assert set(attributes["reason"]["state"]) == set(Why)
    assert set(attributes["ends_by"]["state"]) == set(EndsBy)
    assert set(attributes["recurs"]["state"]) == set(Recurs)
    assert set(attributes["after_end"]["state"]) == set(AfterEnd)
    told = {"mode", "power", "target_soc", "until", "ends_by", "recurs", "after_end", "stays"}
    told |= {"limited", "target_reached"}
    more = {"event_type", "owner", "previous_owner", "reason", "settings", "ours", "found"}
    more.add("inverter")
    assert set(attributes) == told | more
    assert set(TEXTS["entity"]["sensor"]["control_until"]["state_attributes"]) == {
        *("owner", "ends_by", "recurs", "stays")
    }
    assert set(TEXTS["entity"]["select"]["battery_control"]["state_attributes"]) == {"inverters"}


def test_a_setting_has_one_name() -> None:
    """Whether the tier lets it be changed or only be seen."""
    entities = TEXTS["entity"]
    for platform, read_only_counterpart in (
        ("select", "sensor"),
        ("number", "sensor"),
        ("switch", "binary_sensor"),
        ("time", "sensor"),
    ):
        for key, text in entities[platform].items():
            if key not in NO_SETTINGS:
                assert entities[read_only_counterpart][key] == text


def test_parts_are_named_after_the_inverter_meters_by_role_links_by_host() -> None:
    """Parts have the inverter's name in theirs, meters one by what they measure; a link tells where it leads."""
    links = {"network_link": {"host"}, "serial_link": set[str]()}
    parts = {part: {"inverter"} for part in set(Part) - WHOLE}
    meters = {f"{role}_meter": set[str]() for role in MeterRole}
    given = {key: placeholders(text["name"]) for key, text in TEXTS["device"].items()}
    assert given == {**links, **parts, **meters}


# ---------------------------------------------------------------------- dialogs


def fields(schema: vol.Schema) -> tuple[set[str], dict[str, vol.Schema]]:
    """Return the fields of a form, and its sections by name."""
    plain, sections = set(), {}
    for key, value in schema.schema.items():
        if isinstance(value, section):
            sections[str(key)] = value.schema
        else:
            plain.add(str(key))
    return plain, sections


def check_step(step: dict[str, Any], schema: vol.Schema) -> None:
    """Every field of a form has a name and an explanation, and nothing else has."""
    plain, sections = fields(schema)
    assert set(step.get("data", {})) == plain
    assert set(step.get("data_description", {})) == plain
    assert set(step.get("sections", {})) == set(sections)
    for name, inner in sections.items():
        assert step["sections"][name]["name"]
        check_step(step["sections"][name], inner)


async def options_schema(hass: HomeAssistant) -> vol.Schema:
    """Return the form of the options."""
    entry = network_entry(502)
    entry.add_to_hass(hass)
    result = await open_settings(hass, entry)
    schema: vol.Schema = result["data_schema"]
    return schema


async def test_every_form_field_has_a_name_and_an_explanation(hass: HomeAssistant) -> None:
    """Fields, sections, menus."""
    steps = TEXTS["config"]["step"]
    assert set(steps) == {
        "user",
        "reconfigure",
        "rated_power",
        "unknown_type",
        "maker",
        "search",
        "nothing_found",
        "confirm",
        "unit",
        "wiring",
        "direct",
        "listen",
        "heard",
        "heard_meter",
        "plant",
        "plant_grid",
        "plant_battery",
        *SCHEMAS,
        *LISTEN_SCHEMAS,
    }
    check_step(steps["plant"], members_schema([]))
    check_step(steps["plant_grid"], grid_schema([]))
    check_step(steps["plant_battery"], CAPACITY_SCHEMA)
    for part in ("title", "description"):
        assert placeholders(steps["plant_battery"][part]) == {"inverter"}
    check_step(steps["search"], choice_schema("stick", {"2700000001": "192.0.2.20"}))
    check_step(steps["stick"], STICK_WITH_SERIAL)
    assert placeholders(steps["stick"]["description"]) == {"label_url", "wiring_url"}
    assert placeholders(steps["confirm"]["description"]) == {"host", "logger_serial"}
    assert placeholders(TEXTS["config"]["flow_title"]) == {"host"}
    check_step(steps["rated_power"], rated_power_schema([6000]))
    assert placeholders(steps["rated_power"]["description"]) == {"model", "serial"}
    check_step(steps["unit"], choice_schema("unit_id", {"1": "1: DTSU666"}))
    assert placeholders(steps["unit"]["description"]) == {"unit_id"}
    check_step(steps["unknown_type"], vol.Schema({}))
    assert placeholders(steps["unknown_type"]["description"]) == {"model", "serial"}
    check_step(steps["maker"], MAKERS)
    assert placeholders(steps["maker"]["description"]) == {"serial"}
    for name, schema in (SCHEMAS | LISTEN_SCHEMAS).items():
        check_step(steps[name], schema)
    check_step(steps["heard"], choice_schema("unit_id", {"1": "1: DTSU666"}))
    check_step(steps["heard_meter"], HEARD_NOTHING_OF)
    assert placeholders(steps["heard_meter"]["description"]) == HEARD
    assert set(TEXTS["config"]["progress"]) == {"hear"}
    for menu, options in (
        ("user", {*SCHEMAS, "search", "listen", "plant"}),
        ("listen", set(LISTEN_SCHEMAS)),
        ("reconfigure", set(SCHEMAS)),
        ("nothing_found", {"search", "stick", "network"}),
        ("wiring", set(WIRINGS)),
    ):
        assert set(steps[menu]["menu_options"]) == options
    assert set(steps["wiring"]["menu_option_descriptions"]) == set(WIRINGS)
    check_step(steps["direct"], vol.Schema(METER_SETTINGS))
    for step in ("wiring", "direct"):
        assert placeholders(steps[step]["description"]) == {"model"}
    steps = TEXTS["options"]["step"]
    assert set(steps) == {
        *("init", "settings", "listen", "energy", "mirror"),
        *("next_inverter", "next_meter", "next_plant"),
    }
    check_step(steps["listen"], LISTEN_OPTIONS)
    check_step(steps["settings"], await options_schema(hass))
    check_step(steps["energy"], energy_schema({"grid_1": "Grid"}, []))
    for menu, options in (
        ("init", {"energy", "settings", "listen", "mirror"}),
        ("next_inverter", {"energy", "settings", "finish"}),
        ("next_meter", {"energy", "settings", "listen", "finish"}),
        ("next_plant", {"energy", "finish"}),
    ):
        assert set(steps[menu]["menu_options"]) == options
        assert set(steps[menu]["menu_option_descriptions"]) == options
    assert {
        menu: placeholders(steps[menu]["description"])
        for menu in ("next_inverter", "next_meter", "next_plant")
    } == {
        "next_inverter": {"model", "serial", "dashboard_url", "schedule_url", "control_url"},
        "next_meter": {"model", "plant_url"},
        "next_plant": {"plant", "dashboard_url", "control_url"},
    }
    check_step(steps["mirror"], MIRROR_OPTIONS)
    assert placeholders(steps["mirror"]["description"]) == {"mirror_url"}
    assert {name: placeholders(text) for name, text in TEXTS["options"]["error"].items()} == {
        "nothing_chosen": set(),
        "mirror_no_address": set(),
        "mirror_no_such_unit": {"named"},
        "mirror_not_readable": {"named"},
        "mirror_too_many": {"named"},
        "mirror_unreadable": {"named"},
        **{f"mirror_{reason}": set() for reason in (*PORT_REASONS.values(), "other")},
    }
    assert {name: placeholders(text) for name, text in TEXTS["options"]["abort"].items()} == {
        "no_energy_dashboard": set(),
        "energy_nothing": set(),
        "energy_complete": {"energy_url", "sources"},
        "energy_added": {"energy_url", "sources"},
        "energy_not_accepted": {"energy_url"},
    }


# A meter of which nothing was heard but that it is there: everything has to be told.
HEARD_NOTHING_OF: Final = vol.Schema(
    {vol.Required(CONF_FAMILY): str, vol.Required(CONF_CT_RATIO): int, **METER_SETTINGS}
)
HEARD: Final = {"model", "unit_id", "count", "period"}

# The menus of the dialogs that add a machine to an entry, and what a person can choose there.
UNIT_MENUS: Final = {
    "inverter": {"user": WAYS, "nothing_found": WAYS},
    "meter": {"user": WIRINGS, "direct": WAYS, "nothing_found": WAYS},
}
MAKERS: Final = maker_schema(list(FAMILIES["jso"].makers), "deye")
# Their forms, with what is said of the machine besides the errors.
UNIT_FORMS: Final[dict[str, dict[str, tuple[vol.Schema, set[str]]]]] = {
    "inverter": {
        "choose": (choice_schema("unit_id", {"2": "2: SAJ H2-6K-S2 (inverter)"}), set()),
        "unit_id": (vol.Schema(UNIT_ID), set()),
        "rated_power": (rated_power_schema([6000]), {"model", "serial"}),
        "unknown_type": (vol.Schema({}), {"model", "serial"}),
        "maker": (MAKERS, {"serial"}),
        "reconfigure": (InverterFlow.settings, set()),
    },
    "meter": {
        "choose": (choice_schema("unit_id", {"2": "2: CHINT DTSU666 (meter)"}), set()),
        "unit_id": (vol.Schema(UNIT_ID), set()),
        "role": (vol.Schema(METER_SETTINGS), {"model"}),
        "reconfigure": (MeterFlow.settings, set()),
        "heard": (choice_schema("unit_id", {"2": "2: DTSU666"}), set()),
        "heard_meter": (HEARD_NOTHING_OF, HEARD),
        "heard_settings": (vol.Schema({vol.Required(CONF_CT_RATIO): int, **METER_SETTINGS}), set()),
    },
}
UNIT_ERRORS: Final = {
    "no_answer": {"unit_id"},
    "device_busy": {"unit_id", "found"},
    "wrong_device": {"unit_id", "found"},
    "cannot_connect": set(),
    "not_running": set(),
    "unit_id_taken": {"unit_id", "name"},
    "wrong_kind": {"unit_id", "model"},
    "already_configured": {"model", "name", "entry"},
    "another_machine": {"unit_id", "model", "name"},
}
UNIT_ABORTS: Final[dict[str, dict[str, set[str]]]] = {
    "inverter": {"not_running": set(), "answers_everywhere": {"model"}},
    "meter": {
        "not_running": set(),
        "answers_everywhere": {"model"},
        "read_by_inverter": {"entities"},
        "read_by_other": set(),
        "listen_only": set(),
        "nothing_else_heard": set(),
    },
}


@pytest.mark.parametrize("kind", ["inverter", "meter"])
def test_dialogs_for_units_have_texts_for_every_step_error_and_reason(kind: str) -> None:
    """The dialogs that add an inverter or a meter to an entry: steps, fields, menus, errors, reasons to end."""
    dialog = TEXTS["config_subentries"][kind]
    assert set(dialog) == {"entry_type", "initiate_flow", "abort", "error", "progress", "step"}
    assert set(dialog["initiate_flow"]) == {"user", "reconfigure"}
    assert set(dialog["progress"]) == {"search"}
    steps = dialog["step"]
    assert set(steps) == {*UNIT_MENUS[kind], *UNIT_FORMS[kind]}
    for name, options in UNIT_MENUS[kind].items():
        assert set(steps[name]["menu_options"]) == set(options)
        assert steps[name]["title"]
        assert not placeholders(steps[name]["description"])
        if name != "nothing_found":
            assert set(steps[name]["menu_option_descriptions"]) == set(options)
    for name, (schema, given) in UNIT_FORMS[kind].items():
        check_step(steps[name], schema)
        assert placeholders(steps[name]["description"]) == given
        named = name in ("reconfigure", "heard_settings")
        assert placeholders(steps[name]["title"]) == ({"name"} if named else set())
    errors = {name: placeholders(text) for name, text in dialog["error"].items()}
    assert errors == UNIT_ERRORS | (
        {"no_rated_power": {"low", "high"}} if kind == "inverter" else {}
    )
    assert {name: placeholders(text) for name, text in dialog["abort"].items()} == UNIT_ABORTS[kind]


def test_what_ends_the_dialogs_of_units() -> None:
    """Every reason that they give is one of those above."""
    assert set(TEXTS["config_subentries"]) == {"inverter", "meter"}
    assert keywords("reason", "flow/machines.py", "flow/questions.py", "flow/listen.py") == set(
        UNIT_ABORTS["meter"]
    )


def selects(schema: vol.Schema) -> Iterator[SelectSelector]:
    """Return the selectors of a form that offer a few options."""
    for value in schema.schema.values():
        if isinstance(value, section):
            yield from selects(value.schema)
        elif isinstance(value, SelectSelector):
            yield value


DASHBOARD_TEXTS: Final = {
    *("title", "now", "battery", "schedule", "controls", "health", "today", "energy", "meters"),
    *("devices", "solar", "grid", "home", "control", "producing", "no_sun", "charging"),
    *("discharging", "idle", "buying", "selling", "balanced", "using", "using_nothing", "unknown"),
    *("order_until", "produced", "used", "bought", "sold", "charged", "discharged"),
    *("autarky_today", "self_consumption_today", "state_of_charge", "state_of_charge_day"),
    *("power_and_energy", "battery_power_day", "battery_energy_hours", "schedule_ahead"),
    *("temperatures_and_grid", "temperatures", "frequency_hours"),
}


async def test_every_selector_option_has_a_text(hass: HomeAssistant) -> None:
    """Every option has a text, but for the letters of a parity."""
    offered = {
        selector.config["translation_key"]: set(selector.config["options"])
        for schema in (*SCHEMAS.values(), MeterFlow.settings, MAKERS, await options_schema(hass))
        for selector in selects(schema)
        if "translation_key" in selector.config
    }
    offered["day"] = set(DAYS)
    offered["slot_mode"] = set(MODES)
    offered["schedule_event"] = {*Text, "of_inverter"}
    # What set_schedule answers with.
    offered["schedule_summary"] = {
        *("set", "unchanged", "dry_run", "later"),
        *("window", "empty", "on_days", "off"),
    }
    sides = {f"{unit}{side}" for unit in ("", "hour_", "days_") for side in ("ahead", "behind")}
    offered["clock_drift"] = sides | {"no_time"}
    # In the names of what was found on a line.
    offered["found"] = {"inverter", "meter", "unknown"}
    offered["other_device"] = set(OTHER_DEVICES)
    offered["link_error"] = set(LinkErrorCode)
    offered["device_error"] = set(DEVICE_ERRORS)
    # Who writes too often, and whose order it is, where nobody knows.
    offered["caller"] = {"unknown", "automation"}
    # What is ordered of a battery, and what messages call it.
    offered["control_mode"] = set(ControlMode)
    offered["control_at"] = set(PowerAt)
    offered["control_if_busy"] = {"replace", "refuse"}
    offered["controlled"] = {"battery", "export"}
    # 9 is not assigned, and some devices have codes of their own.
    offered["modbus_exception"] = {*map(str, (*range(1, 9), 10, 11)), "other"}
    # What is offered to the Energy dashboard.
    offered["energy_source"] = {*Flow, "adds", "completes", "capacity"}
    # What is on the dashboard, and what can be returned of it.
    offered["dashboard"] = DASHBOARD_TEXTS
    offered["dashboard_kind"] = {"dashboard", "sunsynk_power_flow_card", "power_flow_card_plus"}
    # The programs that plan for a battery, and what their configuration lacks.
    offered["planner"] = set(PLANNERS)
    offered["planner_missing"] = set(Missing)
    # The settings that no entity shows, in messages.
    offered["setting"] = {"system_time"}
    # What the trigger of an order's end asks for.
    offered["control_end"] = set(REASONS)
    # Why the port of a mirror cannot be opened.
    offered["mirror_error"] = {*PORT_REASONS.values(), "other"}
    # What an owner may take away from an inverter.
    offered["removable"] = {
        feature.removable.key
        for family in FAMILIES.values()
        for feature in family.features
        if feature.removable is not None
    }
    # What the triggers and conditions of an inverter ask for.
    offered["charge_source"] = set(SOURCES)
    offered["fault_kind"] = set(KINDS)
    offered["setting_change"] = set(CHANGES)
    offered["schedule_slot"] = set(SLOTS)
    # From where entity ids come, and why they stay where they are.
    offered["adopt_integration"] = set(FORMER_INTEGRATIONS)
    offered["adopt_obstacle"] = set(Obstacle)
    # What the doctor says: where something is wrong, where the manual says how it is to be, and what a test has shown.
    offered["wiring_place"] = {
        *("l1", "l2", "l3", "only", "meter_a", "meter_b", "battery"),
        *("pv1", "pv2", "pv3", "pv4"),
    }
    offered["wiring_manual"] = {
        *("jso_clamps", "jso_port", "jso_pv", "jso_battery", "jso_clock"),
        *("saj_clamps", "saj_port", "saj_meters", "saj_clock", "dtsu666_clamps", "other"),
    }
    offered["wiring_report"] = {
        *("title", "right", "wrong", "uncertain", "failed"),
        *("clamp", "clamp_right", "clamp_unknown", "response"),
    }
    # What the logbook says of a setting.
    offered["setting_news"] = {"changed_elsewhere", "taken_back"}
    selectors = TEXTS["selector"]
    known = {name: set(item["options"]) for name, item in selectors.items() if "options" in item}
    assert known == offered
    assert set(known) == {
        "caller",
        "framing",
        "tier",
        "day",
        "slot_mode",
        "schedule_event",
        "schedule_summary",
        "clock_drift",
        "control_end",
        "charge_source",
        "fault_kind",
        "setting_change",
        "schedule_slot",
        "role",
        "maker",
        "found",
        "other_device",
        "link_error",
        "mirror_error",
        "device_error",
        "modbus_exception",
        "setting",
        "setting_news",
        "removable",
        "adopt_integration",
        "adopt_obstacle",
        "control_mode",
        "control_at",
        "control_if_busy",
        "controlled",
        "wiring_place",
        "wiring_manual",
        "wiring_report",
        "energy_source",
        "dashboard",
        "dashboard_kind",
        "planner",
        "planner_missing",
    }


# What answers instead of the device that is wanted, with what its text is given.
OTHER_DEVICES: Final[dict[str, AbstractSet[str]]] = {
    **dict.fromkeys(
        (
            "string_inverter",
            "single_phase_hybrid",
            "high_voltage_hybrid",
            "micro_inverter",
            "off_grid_inverter",
            "storage_system",
            "power_conversion_system",
            "balcony_storage",
            "saj_as1",
            "saj_h1",
            "huawei_meter",
            "sungrow_meter",
            "echoing_meter",
            "unknown_meter",
            "not_dtsu666",
            "not_ddsu666",
            "no_type",
            "no_serial_number",
            "impossible_serial_number",
            "other_serial_number",
            "no_rated_power",
            "impossible_ct_ratio",
            "impossible_pt_ratio",
            "implausible_values",
        ),
        frozenset(),
    ),
    "unknown_type": {"type"},
    "refuses_register": {"address"},
    "impossible_rated_power": {"power"},
    "modbus_exception": {"code", "meaning"},
}
# What the text of a link error may name beside the endpoint and the reason.
LINK_ERRORS: Final[dict[str, set[str]]] = {
    "unsupported_baudrate": {"baudrate"},
    "unsupported_pymodbus": {"version"},
    "no_answer": {"unit_id", "seconds"},
    "unit_silent": {"unit_id"},
    "stick_error": {"stick_code"},
    "not_heard": {"unit_id"},
}
DEVICE_ERRORS: Final[dict[str, set[str]]] = {
    "rejected": {"code", "meaning"},
    "implausible": set(),
    "not_applied": {"address"},
    "write_budget": {"address", "limit"},
    "not_remembered": set(),
    "invalid_value": set(),
    "other_device": {"found"},
}


def test_what_fills_a_message_asks_for_what_it_is_given() -> None:
    """The other devices, and the errors of a device."""
    for name, expected in (("other_device", OTHER_DEVICES), ("device_error", DEVICE_ERRORS)):
        options = TEXTS["selector"][name]["options"]
        assert {code: placeholders(text) for code, text in options.items()} == expected
    for code, text in TEXTS["selector"]["link_error"]["options"].items():
        assert placeholders(text) <= LINK_ERRORS.get(code, set()) | {"endpoint", "reason"}, code


def verdicts(family: Family, code: int) -> Iterator[str]:
    """Return the code of what the family's recognition makes of a type, if it is another device."""
    recognition = family.recognise()
    next(recognition)
    try:
        recognition.send([code])
    except StopIteration as stopped:
        if isinstance(stopped.value, OtherDevice):
            yield stopped.value.code


def test_every_other_device_has_a_text() -> None:
    """The ones that the tables know by their type, and those that the device layer has a reason to refuse."""
    by_type = {
        found
        for family in FAMILIES.values()
        if family.kind == "inverter"
        for code in range(0x10000)
        for found in verdicts(family, code)
    }
    refused = {
        *(f"not_{family.key}" for family in FAMILIES.values() if family.serial is None),
        *(
            f"impossible_{key}"
            for family in FAMILIES.values()
            for key in family.needs - {"rated_power"}
        ),
    }
    literals = {
        node.args[0].value
        for path in (INTEGRATION / "modbus").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("OtherDevice", "WrongDeviceError")
        and isinstance(node.args[0], ast.Constant)
    }
    constants = {NO_SERIAL_NUMBER, NO_TYPE}
    assert by_type | refused | literals | constants == set(OTHER_DEVICES)


def test_every_failure_has_a_message_with_its_placeholders() -> None:
    """Each way to fail has a message, with what was found where it helps."""
    errors = TEXTS["config"]["error"]
    of_a_plant = {
        "no_source": set(),
        "too_many_inverters": {"most"},
        "in_another_plant": {"machine", "plant"},
    }
    assert set(errors) == {
        "port_on_network",
        "no_logger_serial_number",
        "no_host",
        "in_use",
        "no_rated_power",
        "wrong_units",
        "other_meters_heard",
        *of_a_plant,
        *(failure.value for failure in Failure),
        *(reason.value for reason in Unheard),
    }
    used = {name: placeholders(text) for name, text in errors.items()}
    assert {name: used.pop(name) for name in of_a_plant} == of_a_plant
    assert {name for name, names in used.items() if "found" in names} == {
        "wrong_framing",
        "wrong_unit",
        "wrong_units",
        "wrong_device",
        "device_busy",
        "wrong_logger_serial",
        "no_logger_serial_number",
    }
    # Only the form of a stick has links.
    assert {name for name, names in used.items() if "wiring_url" in names} == {
        "no_local_port",
        "other_stick",
        "only_at_commands",
    }
    assert used.pop("in_use") == {"others"}
    assert used.pop("no_rated_power") == {"low", "high"}
    assert set().union(*used.values()) == {"found", "unit_id", "wiring_url"}


def keywords(name: str, *files: str) -> set[str]:
    """Return the literals that are given as this keyword, or assigned to this name, in these modules."""
    found: set[str] = set()

    def keep(node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)

    for file in files:
        for node in ast.walk(ast.parse((INTEGRATION / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == name:
                keep(node.value)
            if isinstance(node, ast.Assign):
                target = node.targets[-1]
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                for left, right in pairs:
                    if isinstance(left, ast.Name) and left.id == name:
                        keep(right)
    return found


def test_every_reason_to_abort_has_a_text() -> None:
    """Home Assistant itself knows `reconfigure_successful`; the others are ours."""
    assert {name: placeholders(text) for name, text in TEXTS["config"]["abort"].items()} == {
        "already_configured": set(),
        "machine_already_configured": {"model", "entry"},
        "another_machine": {"model", "found"},
        "no_machine": set(),
        "stick_already_configured": {"entry"},
        "not_a_stick": set(),
        "read_by_inverter": {"entities"},
        "read_by_other": set(),
        "listen_only": set(),
        "no_machines": set(),
    }
    assert keywords(
        "reason",
        "config_flow.py",
        "flow/link.py",
        "flow/conflicts.py",
        "flow/questions.py",
        "flow/plant.py",
    ) == set(TEXTS["config"]["abort"])
    created = TEXTS["config"]["create_entry"]
    assert {name: placeholders(text) for name, text in created.items()} == {
        "default": {"model", "serial"},
        "meter": {"model"},
        "plant": {"plant"},
    }


# ---------------------------------------------------------------------- exceptions

# What each message is given, by hand from where it is raised.
EXCEPTIONS: Final = {
    "cannot_connect": {"error"},
    "no_unit_answers": set(),
    "no_answer": {"model", "error"},
    "wrong_machine": {"model", "found"},
    "needs_tier": {"entity", "value", "tier"},
    "not_served": {"entity", "value"},
    "too_low": {"entity", "value", "limit", "neighbour", "held"},
    "too_high": {"entity", "value", "limit", "neighbour", "held"},
    "too_early": {"entity", "value", "limit", "neighbour"},
    "too_late": {"entity", "value", "limit", "neighbour"},
    "out_of_range": {"entity", "value", "minimum", "maximum"},
    "off_step": {"entity", "value", "step"},
    "invalid_value": {"entity", "value"},
    "write_budget": {"entity", "limit"},
    "not_remembered": {"entity"},
    "nothing_to_undo": {"entity"},
    "changed_elsewhere": {"entity", "written", "held"},
    "former_value_unknown": {"entity"},
    "not_applied": {"entity", "address", "wanted", "held"},
    "not_acknowledged": {"entity", "address", "wanted", "held"},
    "not_changed": {"entity", "error"},
    "kept_otherwise": {"entity", "address", "wanted", "held"},
    "rejected": {"entity", "error"},
    "part_rejected": {"entity", "part", "address", "error"},
    "write_not_confirmed": {"entity", "error"},
    "mode_left_behind": {"entity", "left", "error"},
    "interrupted": {"entity", "left", "error"},
    "partly_changed": {"entity", "left", "error"},
    "no_such_unit": {"device"},
    "registers_need_tier": {"device", "tier"},
    "registers_not_readable": {"device", "first", "last", "areas"},
    "registers_not_read": {"device", "error"},
    "device_is_entry": {"device"},
    "device_is_unit": {"device"},
    "device_is_there": {"device"},
    "device_not_asked": {"device", "error"},
    "device_not_loaded": {"device"},
    "machine_not_found": {"name"},
    "adopt_nothing": {"device", "prefix"},
    "adopt_no_prefix": {"integration"},
    "adopt_several_devices": set(),
    "adopt_which_prefix": {"integration", "prefixes"},
    "schedule_not_supported": set(),
    "schedule_not_readable": set(),
    "schedule_unknown_field": {"field"},
    "schedule_unknown_window_field": {"window", "field"},
    "schedule_missing_field": {"window", "field"},
    "schedule_no_windows": set(),
    "schedule_no_days": {"window"},
    "schedule_no_slots": {"mode"},
    "schedule_not_on_step": {"window", "time", "minutes"},
    "schedule_empty_window": {"window", "time"},
    "schedule_last_minute": {"window", "time"},
    "schedule_overlap": {"window", "other", "time"},
    "schedule_target": {"window", "value", "minimum", "maximum", "step"},
    "schedule_power": {"window", "value", "minimum", "maximum", "step"},
    "schedule_default_target": {"value", "minimum", "maximum", "step"},
    "schedule_default_power": {"value", "minimum", "maximum", "step"},
    "schedule_too_many_slots": {"count", "most"},
    "schedule_too_many_windows": {"mode", "count", "most"},
    "schedule_stays_on": set(),
    "schedule_with_modes": set(),
    "schedule_without_modes": set(),
    "schedule_not_applied": {"address", "wanted", "held"},
    "schedule_not_restored": {"address", "wanted", "held"},
    "written_to_nobody": {"entity", "found"},
    "control_busy": {"owner"},
    "control_not_yours": {"owner"},
    "control_one_end": set(),
    "control_duration": {"minutes"},
    "control_until": {"until"},
    "control_until_now": {"until"},
    "control_until_past": {"until"},
    "control_over": set(),
    "control_unloading": set(),
    "control_too_far": {"until"},
    "control_no_power": set(),
    "control_no_limit": set(),
    "control_at_grid": set(),
    "control_one_target": set(),
    "control_target_range": {"value"},
    "control_energy": set(),
    "control_energy_mode": set(),
    "control_no_capacity": {"device"},
    "no_target": set(),
    "no_device": {"entity"},
    "control_view_only": {"device"},
    "control_not_controlled": {"device"},
    "control_member_missing": {"plant", "member"},
    "control_give_to_plant": {"plant", "device"},
    "control_member_refused": {"member", "error"},
    "control_member_failed": {"member", "error"},
    "control_left": {"entity", "left", "error"},
    "control_not_supported": {"mode", "nearest"},
    "control_no_mode": {"mode"},
    "control_no_soc": set(),
    "control_by_voltage": set(),
    "control_no_battery": set(),
    "control_lead_acid": set(),
    "control_fault": set(),
    "control_clock": set(),
    "control_run_elsewhere": {"mode"},
    "control_no_slot": {"kind"},
    "control_target": {"minimum", "maximum"},
    "control_too_long": {"hours"},
    "control_power": {"minimum", "maximum"},
    "control_least_power": {"minimum"},
    "control_not_readable": {"setting"},
    "control_parallel": set(),
    "control_not_ordered": {"entity"},
    "wiring_test_running": set(),
    "wiring_test_charge": {"device", "soc"},
    "wiring_test_discharge": {"device", "soc"},
    "wiring_test_grid": {"device"},
    "wiring_test_silent": {"device"},
    "wiring_test_no_clamps": {"device"},
    "wiring_test_ended": {"device"},
    "wiring_test_stopped": {"device"},
    "wiring_test_failed": {"device"},
    "nothing_to_show": set(),
    "planner_one_target": set(),
}


def test_every_exception_has_a_message_and_every_message_is_raised() -> None:
    """Every exception that is raised has a message, and every message is raised."""
    modules = [str(path.relative_to(INTEGRATION)) for path in INTEGRATION.rglob("*.py")]
    # Selects of forms have translation keys, too, but are no keyword arguments with a literal; the key of a repair is.
    reasons = {*Reason, *Refusal, *Mistake, *WiringObstacle}
    assert keywords("translation_key", *modules) | reasons == {
        *TEXTS["exceptions"],
        "plant_member_missing",
    }
    assert set(TEXTS["exceptions"]) == set(EXCEPTIONS)
    for name, text in TEXTS["exceptions"].items():
        assert placeholders(text["message"]) <= EXCEPTIONS[name], name


# ---------------------------------------------------------------------- repairs

# What the dialog of each issue about a machine is given, by hand from where it is raised.
DIALOGS: Final = {
    "mode_left": {"name", "mode", "now"},
    "mode_not_left": {"name", "mode"},
    "busy_automation": {"name", "entity", "limit", "automation"},
    "change_finished": {"name", "settings"},
    "change_put_back": {"name", "settings"},
    "change_left": {"name", "settings"},
    "setting_taken_back": {"name", "setting", "wanted", "held"},
    "control_put_back": {"name", "mode", "owner"},
    "control_two_masters": {"name", "times", "settings", "owner"},
    "control_given_up": {"name", "mode", "owner", "until", "settings"},
    "control_left_alone": {"name", "mode", "owner", "until", "settings"},
}


def test_every_issue_with_a_dialog_has_its_texts() -> None:
    """A title in the list, which says whose it is, and a step of the dialog, which says all of it."""
    for kind, given in DIALOGS.items():
        text = TEXTS["issues"][kind]
        assert set(text) == {"title", "fix_flow"}, kind
        assert set(text["fix_flow"]["step"]) == {"confirm"}, kind
        step = text["fix_flow"]["step"]["confirm"]
        assert "name" in placeholders(text["title"]) <= given, kind
        assert placeholders(step["title"]) <= given, kind
        assert placeholders(step["description"]) == given, kind


def test_a_clock_that_is_off_has_its_texts() -> None:
    """One that is set from here has a dialog, the other one says where it is set."""
    here, elsewhere = TEXTS["issues"]["clock_off"], TEXTS["issues"]["clock_off_elsewhere"]
    assert set(here) == {"title", "fix_flow"}
    assert set(here["fix_flow"]) == {"step", "error", "abort"}
    assert set(elsewhere) == {"title", "description"}
    step = here["fix_flow"]["step"]["confirm"]
    for text in (step["description"], elsewhere["description"]):
        assert placeholders(text) == {"name", "drift"}
    assert placeholders(here["fix_flow"]["error"]["clock_not_set"]) == {"error"}
    drifts = TEXTS["selector"]["clock_drift"]["options"]
    assert {key: placeholders(text) for key, text in drifts.items()} == {
        "ahead": {"time"},
        "behind": {"time"},
        "days_ahead": {"days"},
        "days_behind": {"days"},
        "hour_ahead": set(),
        "hour_behind": set(),
        "no_time": set(),
    }


# The issues that a dialog does something about, with what they name, and the error that says why it was in vain.
MENDED: Final = {
    "control_not_put_back": ({"name", "settings"}, "not_put_back"),
    "charge_off": ({"name", "setting"}, "not_switched_on"),
    "other_machine": ({"name", "unit_id", "found"}, "not_found"),
    "parts_gone": ({"name", "parts"}, "not_forgotten"),
    "wiring_unsure": ({"name", "first", "second", "manual"}, "not_started"),
}


def test_every_issue_that_a_dialog_mends_has_its_texts() -> None:
    """A title in the list, a step that says what it does, and an error with the reason."""
    for kind, (given, failure) in MENDED.items():
        text = TEXTS["issues"][kind]
        assert set(text) == {"title", "fix_flow"}, kind
        assert set(text["fix_flow"]) == {"step", "error", "abort"}, kind
        step = text["fix_flow"]["step"]["confirm"]
        assert "name" in placeholders(text["title"]) <= given, kind
        assert placeholders(step["title"]) <= given, kind
        assert placeholders(step["description"]) == given, kind
        assert set(text["fix_flow"]["error"]) == {failure}, kind
        assert placeholders(text["fix_flow"]["error"][failure]) == {"error"}, kind
        assert set(text["fix_flow"]["abort"]) == {"not_loaded"}, kind


# What each issue about the wiring names beside the device and the manual.
WIRING: Final = {
    "wiring_clamp_reversed": {"places"},
    "wiring_phases_exchanged": {"places"},
    "wiring_meters_exchanged": set(),
    "wiring_clamp_ratio": {"places", "ratio"},
    "wiring_clamp_house_side": {"places"},
    "wiring_clamp_inverter_side": {"places"},
    "wiring_clamp_silent": {"places"},
    "wiring_source_not_counted": set(),
    "wiring_string_dead": {"places"},
    "wiring_string_shaded": {"places"},
    "wiring_battery_current": {"ratio"},
    "wiring_clock_off": set(),
}


def test_every_cause_of_wrong_wiring_has_a_repair_that_names_the_manual() -> None:
    """There is nothing to confirm: it goes when it is right again."""
    assert set(WIRING) == {f"wiring_{cause}" for cause in Cause} - {"wiring_no_load_before"}
    for kind, named in WIRING.items():
        text = TEXTS["issues"][kind]
        assert set(text) == {"title", "description"}, kind
        assert placeholders(text["title"]) == {"name"}, kind
        assert named | {"manual"} <= placeholders(text["description"]), kind
        assert placeholders(text["description"]) <= named | {"name", "manual"}, kind


# Characters of a title that a phone of 390 pixels shows in one line.
LONGEST_TITLE: Final = 30


def test_the_title_of_a_dialog_of_an_issue_fits_on_a_phone() -> None:
    """The page of Home Assistant writes what is below it over its second line; a setting or a mode is a few words long."""
    titles = [
        step["title"].format_map(defaultdict(lambda: "Generator charge"))
        for issue in TEXTS["issues"].values()
        if "fix_flow" in issue
        for step in issue["fix_flow"]["step"].values()
    ]
    assert len(titles) >= 15
    assert [title for title in titles if len(title) > LONGEST_TITLE] == []


def test_every_code_with_a_remedy_has_a_repair_with_numbered_steps() -> None:
    """A repair for every code that has a remedy: its code, the inverter's name, and numbered steps."""
    remedies = [
        code
        for family in FAMILIES.values()
        if family.faults is not None
        for code in family.faults.remedies
    ]
    assert len(remedies) == len(set(remedies))
    issues = dict(TEXTS["issues"])
    missing = issues.pop("plant_member_missing")
    assert placeholders(missing["title"]) == {"plant"}
    assert placeholders(missing["description"]) == {"plant", "machines"}
    not_served = issues.pop(NOT_SERVED)
    assert placeholders(not_served["title"]) == {"name"}
    assert placeholders(not_served["description"]) == {"name", "port", "reason"}
    watched = {*DIALOGS, *MENDED, *WIRING, "clock_off", "clock_off_elsewhere"}
    issues = {key: text for key, text in issues.items() if key not in watched}
    assert set(issues) == {f"fault_{code.lower()}" for code in remedies}
    for key, text in issues.items():
        code = key.removeprefix("fault_").upper()
        assert set(text) == {"title", "description"}, key
        assert text["title"].startswith(f"{code}: "), key
        assert placeholders(text["title"]) == placeholders(text["description"]) == {"name"}, key
        assert len(text["title"]) <= 80, key
        _, *steps = text["description"].split("\n\n", 1)[1].split("\n")
        assert text["description"].count("\n\n") == 1, key
        assert [step.split(". ")[0] for step in steps] == [
            str(number) for number in range(2, len(steps) + 2)
        ], key
        assert "installer" in steps[-1], key


# ---------------------------------------------------------------------- what hassfest asks for


def test_texts_keep_hassfests_rules() -> None:
    """The rules that hassfest has for translations."""
    for path, text in texts(TEXTS):
        assert text == text.strip(), path
        assert text, path
        assert "://" not in text, path
        assert not re.search(r"</?[a-z]+>", text), path
        assert not re.search(r"'\{[^}]*\}'", text), path
        for key in path:
            assert re.fullmatch(r"[a-z0-9]+(?:[-_][a-z0-9]+)*", key), path
        if "state" in path:
            assert not placeholders(text), path


def test_translations_have_no_unknown_branches() -> None:
    """A misspelled branch would never be read."""
    assert set(TEXTS) == {
        "title",
        "config",
        "config_subentries",
        "options",
        "selector",
        "device",
        "entity",
        "exceptions",
        "issues",
        "services",
        "triggers",
        "conditions",
    }
    assert set(TEXTS["config"]) == {
        "flow_title",
        "abort",
        "create_entry",
        "error",
        "progress",
        "step",
    }


# ---------------------------------------------------------------------- actions


async def test_every_action_and_field_has_a_name_and_an_explanation(hass: HomeAssistant) -> None:
    """Every action and every field of one has a name, an explanation and, the action, an icon; nothing else has."""
    actions = await hass.async_add_executor_job(load_yaml_dict, str(INTEGRATION / "services.yaml"))
    async_setup_actions(hass)
    assert set(actions) == set(hass.services.async_services_for_domain(DOMAIN))
    assert set(actions) == set(TEXTS["services"]) == set(ICONS["services"])
    for name, action in actions.items():
        text = TEXTS["services"][name]
        sections = {key for key, field in action["fields"].items() if "fields" in field}
        assert set(text) == {"name", "description", "fields", *(["sections"] if sections else [])}
        assert set(text.get("sections", {})) == sections
        assert set(text["fields"]) == set(fields_of(action))
        for field in (*text["fields"].values(), *text.get("sections", {}).values()):
            assert set(field) == {"name", "description"}
    for name, told_only in (
        ("window", {"mode", "days", "grid_charge", "generator_charge"}),
        ("mode_window", set()),
        ("otherwise", set()),
    ):
        selector = next(
            field["selector"]["object"]
            for field in fields_of(actions["set_schedule"]).values()
            if field["selector"].get("object", {}).get("translation_key") == name
        )
        text = TEXTS["selector"][name]["fields"]
        # Messages name what is not in the form, too.
        assert set(text) == set(selector["fields"]) | told_only
        for key in selector["fields"]:
            assert set(text[key]) - {"overview_label"} == {"name", "description"}
            label = text[key].get("overview_label", "{value}")
            assert placeholders(label) == {"value"}


def fields_of(action: dict[str, Any]) -> dict[str, Any]:
    """The fields of an action, in whatever section they are."""
    found: dict[str, Any] = {}
    for name, field in action["fields"].items():
        found |= field.get("fields", {name: field})
    return found


# ---------------------------------------------------------------------- triggers and conditions


@pytest.mark.parametrize(
    ("kind", "known"), [("triggers", set(TRIGGERS)), ("conditions", set(CONDITIONS))]
)
async def test_every_trigger_and_condition_and_their_fields_have_texts(
    hass: HomeAssistant, kind: str, known: set[str]
) -> None:
    """A name, an explanation and an icon; what Home Assistant explains itself has only a name."""
    described = await hass.async_add_executor_job(load_yaml_dict, str(INTEGRATION / f"{kind}.yaml"))
    described = {key: item for key, item in described.items() if not key.startswith(".")}
    assert set(described) == known == set(TEXTS[kind]) == set(ICONS[kind])
    for key, item in described.items():
        text = TEXTS[kind][key]
        assert set(text) == {"name", "description", "fields"}
        assert set(text["fields"]) == set(item["fields"])
        for name, field in text["fields"].items():
            explained = set() if name in ("behavior", "for") else {"description"}
            assert set(field) == {"name"} | explained, name


@pytest.mark.parametrize("kind", ["services", "triggers", "conditions"])
async def test_every_choice_has_its_words_in_the_file_too(hass: HomeAssistant, kind: str) -> None:
    """The page draws a form before it has the translations, and does not draw it again when they come."""
    described = await hass.async_add_executor_job(load_yaml_dict, str(INTEGRATION / f"{kind}.yaml"))
    choices = list(selects_of(described))
    assert choices
    for choice in choices:
        words = TEXTS["selector"][choice["translation_key"]]["options"]
        for option in choice["options"]:
            assert option == {"value": option["value"], "label": words[option["value"]]}


def selects_of(part: Any) -> Iterator[dict[str, Any]]:
    """Every select in a described action, trigger or condition, however deep."""
    for key, item in part.items() if isinstance(part, dict) else ():
        if key == "select":
            yield item
        else:
            yield from selects_of(item)


# ---------------------------------------------------------------------- icons

# Device classes whose own icon says less than ours: that of a power does not tell sun from battery, and a clock what ends.
OUR_ICON_IS_BETTER: Final = {"battery", "power", "energy", "timestamp", "enum", None}
KINDS_OF_ICONS: Final = {"default", "service", "trigger", "condition"}


def test_entities_without_a_device_class_have_an_icon() -> None:
    """Where there is no device class there is an icon; a device class that draws its state keeps its own."""
    with_icon = {
        (platform, key) for platform, entities in ICONS["entity"].items() for key in entities
    }
    used = set()
    for platform, description in EVERY_NAME:
        key, _ = named(description)
        device_class = description.device_class
        used.add((platform, key))
        if device_class in (None, "enum"):
            assert (platform, key) in with_icon, (platform, key)
        if platform is Platform.BINARY_SENSOR and device_class is not None:
            assert (platform, key) not in with_icon, (platform, key)
        if (platform, key) in with_icon:
            assert device_class in OUR_ICON_IS_BETTER, (platform, key)
    assert with_icon <= used
    assert set(ICONS) == {"entity", "services", "triggers", "conditions"}


def test_icons_are_material_design() -> None:
    """Hassfest allows nothing else, and no state icon that is the default."""
    for path, icon in texts(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9]+(?:-[a-z0-9]+)*", icon), path
        assert path[-1] in KINDS_OF_ICONS or path[-2] == "state", path


def test_a_setting_has_one_icon() -> None:
    """Whether the tier lets it be changed or only be seen."""
    entities = ICONS["entity"]
    for platform, read_only_counterpart in (
        ("select", "sensor"),
        ("number", "sensor"),
        ("switch", "binary_sensor"),
        ("time", "sensor"),
    ):
        for key, icon in entities[platform].items():
            if key not in NO_SETTINGS:
                assert entities[read_only_counterpart][key] == icon


@pytest.mark.parametrize(
    ("text", "names"), [("{a} of {b}", {"a", "b"}), ("plain", set()), ("{a}, {a}", {"a"})]
)
def test_placeholders_of_a_text_are_found(text: str, names: set[str]) -> None:
    """The tests above rest on this."""
    assert placeholders(text) == names
