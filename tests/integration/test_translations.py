"""Everything a person reads has a text, every text is read, and icons are where they help."""

import ast
from collections.abc import Iterator
from dataclasses import replace
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

from custom_components.hybrid_inverter import ALWAYS, DESCRIPTIONS
from custom_components.hybrid_inverter.actions import async_setup_actions
from custom_components.hybrid_inverter.const import (
    CONF_CT_RATIO,
    CONF_FAMILY,
    DOMAIN,
    MeterRole,
)
from custom_components.hybrid_inverter.entity import (
    WHOLE,
    Part,
    UnitEntityDescription,
    translation_of,
)
from custom_components.hybrid_inverter.event import OUTAGE
from custom_components.hybrid_inverter.flow_inverter import InverterFlow
from custom_components.hybrid_inverter.flow_meter import WIRINGS, MeterFlow
from custom_components.hybrid_inverter.flow_plant import (
    CAPACITY_SCHEMA,
    grid_schema,
    members_schema,
)
from custom_components.hybrid_inverter.flow_schemas import (
    LISTEN_OPTIONS,
    LISTEN_SCHEMAS,
    METER_SETTINGS,
    SCHEMAS,
    STICK_WITH_SERIAL,
    UNIT_ID,
    candidate_schema,
    found_schema,
    rated_power_schema,
)
from custom_components.hybrid_inverter.flow_units import WAYS
from custom_components.hybrid_inverter.link_device import (
    LINK_CONNECTIVITY,
    LINK_SENSORS,
    LISTENER_SENSORS,
)
from custom_components.hybrid_inverter.modbus.listen_for import Unheard
from custom_components.hybrid_inverter.modbus.probe import Failure
from custom_components.hybrid_inverter.modbus.schedule import DAYS, Reason
from custom_components.hybrid_inverter.modbus.schedule_windows import MODES
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.plant_sensor import PLANT_SENSORS
from custom_components.hybrid_inverter.sensor_descriptions import CODES

from .helpers import network_entry

INTEGRATION: Final = Path(__file__).parents[2] / "custom_components" / "hybrid_inverter"


def load(name: str) -> dict[str, Any]:
    """Return a JSON file of the integration."""
    content: dict[str, Any] = json.loads((INTEGRATION / name).read_text(encoding="utf-8"))
    return content


TEXTS: Final = load("translations/en.json")
ICONS: Final = load("icons.json")

SHOWN: Final[list[tuple[Platform, EntityDescription]]] = [
    *((platform, item) for platform, items in DESCRIPTIONS.items() for item in items),
    *ALWAYS,
    (Platform.BINARY_SENSOR, LINK_CONNECTIVITY),
    *((Platform.SENSOR, item) for item in (*LINK_SENSORS, *LISTENER_SENSORS)),
]
# A plant has names of its own, and nothing of a machine.
OF_A_PLANT: Final = [
    (Platform.SENSOR, replace(item, key=f"plant_{item.key}")) for item in PLANT_SENSORS
]
EVERY_NAME: Final = [*SHOWN, *OF_A_PLANT]


def named(description: EntityDescription) -> tuple[str, dict[str, str]]:
    """Return the translation key of an entity, and its placeholders."""
    of_unit = isinstance(description, UnitEntityDescription)
    return translation_of(description.text_key if of_unit else description.key)


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


def test_entity_names() -> None:
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
OWN_STATES: Final = {"active_window": {"none", "charge", "discharge"}}


def test_states() -> None:
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
        elif description in CODES:
            labels = {
                label for row in rows if row.key == description.key for label in row.labels.values()
            }
            # "F13" is "F13" in every language.
            states |= {"none", *(label for label in labels if label.islower())}
    for (platform, key), states in expected.items():
        known = TEXTS["entity"][platform][key].get("state", {})
        assert set(known) == states, (platform, key)


def test_codes_are_named() -> None:
    """The list of codes is an attribute that a person can read, and so is what faults and warnings mean."""
    for description in CODES:
        key, _ = named(description)
        attributes = TEXTS["entity"]["sensor"][key]["state_attributes"]
        expected = {"codes": {"name": "Codes"}}
        if description.key in ("fault", "warning"):
            expected["meanings"] = {"name": "Meanings"}
        assert attributes == expected


def test_meanings_of_codes() -> None:
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


def test_what_events_tell() -> None:
    """Every type of an event and every attribute has a text."""
    attributes = TEXTS["entity"]["event"]["fault"]["state_attributes"]
    assert set(attributes) == {"event_type", "code", "meaning", "kind", "since"}
    assert set(attributes["kind"]["state"]) == {"fault", "warning"}
    attributes = TEXTS["entity"]["event"]["outage"]["state_attributes"]
    assert set(attributes) == {"event_type", "since", "duration"}
    assert set(attributes["event_type"]["state"]) == set(OUTAGE.event_types or [])


def test_a_setting_has_one_name() -> None:
    """Whether the tier lets it be changed or only be seen."""
    entities = TEXTS["entity"]
    for platform, stand_in in (
        ("select", "sensor"),
        ("number", "sensor"),
        ("switch", "binary_sensor"),
        ("time", "sensor"),
    ):
        for key, text in entities[platform].items():
            assert entities[stand_in][key] == text


def test_device_names() -> None:
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
    assert set(step["data"]) == plain
    assert set(step["data_description"]) == plain
    assert set(step.get("sections", {})) == set(sections)
    for name, inner in sections.items():
        assert step["sections"][name]["name"]
        check_step(step["sections"][name], inner)


async def options_schema(hass: HomeAssistant) -> vol.Schema:
    """Return the form of the options."""
    entry = network_entry(502)
    entry.add_to_hass(hass)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["data_schema"] is not None
    return result["data_schema"]


async def test_forms(hass: HomeAssistant) -> None:
    """Fields, sections, menus."""
    steps = TEXTS["config"]["step"]
    assert set(steps) == {
        "user",
        "reconfigure",
        "rated_power",
        "search",
        "nothing_found",
        "confirm",
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
    check_step(steps["search"], found_schema({"2700000001": "192.0.2.20"}))
    check_step(steps["stick"], STICK_WITH_SERIAL)
    assert placeholders(steps["stick"]["description"]) == {"label_url", "wiring_url"}
    assert placeholders(steps["confirm"]["description"]) == {"host", "logger_serial"}
    assert placeholders(TEXTS["config"]["flow_title"]) == {"host"}
    check_step(steps["rated_power"], rated_power_schema((1000, 60000)))
    assert placeholders(steps["rated_power"]["description"]) == {"model", "serial"}
    for name, schema in (SCHEMAS | LISTEN_SCHEMAS).items():
        check_step(steps[name], schema)
    check_step(steps["heard"], candidate_schema({"1": "1: DTSU666"}))
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
    assert set(TEXTS["options"]["step"]) == {"init", "listen"}
    check_step(TEXTS["options"]["step"]["listen"], LISTEN_OPTIONS)
    check_step(TEXTS["options"]["step"]["init"], await options_schema(hass))


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
# Their forms, with what is said of the machine besides the errors.
UNIT_FORMS: Final[dict[str, dict[str, tuple[vol.Schema, set[str]]]]] = {
    "inverter": {
        "choose": (candidate_schema({"2": "2: SAJ H2-6K-S2 (inverter)"}), set()),
        "unit_id": (vol.Schema(UNIT_ID), set()),
        "rated_power": (rated_power_schema((1000, 60000)), {"model", "serial"}),
        "reconfigure": (InverterFlow.settings, set()),
    },
    "meter": {
        "choose": (candidate_schema({"2": "2: CHINT DTSU666 (meter)"}), set()),
        "unit_id": (vol.Schema(UNIT_ID), set()),
        "role": (vol.Schema(METER_SETTINGS), {"model"}),
        "reconfigure": (MeterFlow.settings, set()),
        "heard": (candidate_schema({"2": "2: DTSU666"}), set()),
        "heard_meter": (HEARD_NOTHING_OF, HEARD),
        "heard_settings": (vol.Schema({vol.Required(CONF_CT_RATIO): int, **METER_SETTINGS}), set()),
    },
}
UNIT_ERRORS: Final = {
    "no_answer": {"unit_id"},
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
def test_forms_of_units(kind: str) -> None:
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
    assert errors == UNIT_ERRORS
    assert {name: placeholders(text) for name, text in dialog["abort"].items()} == UNIT_ABORTS[kind]


def test_what_ends_the_dialogs_of_units() -> None:
    """Every reason that they give is one of those above."""
    assert set(TEXTS["config_subentries"]) == {"inverter", "meter"}
    assert keywords(
        "reason", "flow_units.py", "flow_inverter.py", "flow_meter.py", "flow_listen.py"
    ) == set(UNIT_ABORTS["meter"])


def selects(schema: vol.Schema) -> Iterator[SelectSelector]:
    """Return the selectors of a form that offer a few options."""
    for value in schema.schema.values():
        if isinstance(value, section):
            yield from selects(value.schema)
        elif isinstance(value, SelectSelector):
            yield value


async def test_options_of_selectors(hass: HomeAssistant) -> None:
    """Every option has a text, but for the letters of a parity."""
    offered = {
        selector.config["translation_key"]: set(selector.config["options"])
        for schema in (*SCHEMAS.values(), MeterFlow.settings, await options_schema(hass))
        for selector in selects(schema)
        if "translation_key" in selector.config
    }
    offered["day"] = set(DAYS)
    offered["slot_mode"] = set(MODES)
    # In the names of what was found on a line.
    offered["found"] = {"inverter", "meter", "unknown"}
    selectors = TEXTS["selector"]
    known = {name: set(item["options"]) for name, item in selectors.items() if "options" in item}
    assert known == offered
    assert set(known) == {"framing", "tier", "day", "slot_mode", "role", "found"}


def test_failures() -> None:
    """Each way to fail has a message, with what was found where it helps."""
    errors = TEXTS["config"]["error"]
    of_a_plant = {
        "no_source": set(),
        "too_many_inverters": {"most"},
        "in_another_plant": {"machine", "plant"},
    }
    assert set(errors) == {
        "port_on_network",
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
        "wrong_logger_serial",
    }
    # Only the form of a stick has links.
    assert {name for name, names in used.items() if "wiring_url" in names} == {
        "no_local_port",
        "other_stick",
    }
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


def test_reasons_to_abort() -> None:
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
    assert keywords("reason", "config_flow.py", "flow_meter.py", "flow_plant.py") == set(
        TEXTS["config"]["abort"]
    )
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
    "too_early": {"entity", "value", "limit", "neighbour"},
    "too_late": {"entity", "value", "limit", "neighbour"},
    "out_of_range": {"entity", "value", "minimum", "maximum"},
    "off_step": {"entity", "value", "step"},
    "invalid_value": {"entity", "value"},
    "write_budget": {"entity", "limit"},
    "nothing_to_undo": {"entity"},
    "former_value_unknown": {"entity"},
    "not_applied": {"entity", "address", "wanted", "held"},
    "rejected": {"entity", "code"},
    "write_not_confirmed": {"entity", "error"},
    "mode_left_behind": {"entity", "left", "error"},
    "partly_changed": {"entity", "left", "error"},
    "no_such_unit": {"device"},
    "schedule_not_supported": set(),
    "schedule_not_readable": set(),
    "schedule_unknown_field": {"field"},
    "schedule_unknown_window_field": {"window", "field"},
    "schedule_missing_field": {"window", "field"},
    "schedule_no_windows": set(),
    "schedule_no_days": {"window"},
    "schedule_no_slots": {"mode"},
    "schedule_off_grid": {"window", "time", "minutes"},
    "schedule_empty_window": {"window", "time"},
    "schedule_last_minute": {"window", "time"},
    "schedule_overlap": {"window", "other", "time"},
    "schedule_target": {"window", "value", "minimum", "maximum", "step"},
    "schedule_power": {"window", "value", "minimum", "maximum", "step"},
    "schedule_too_many_slots": {"count", "most"},
    "schedule_too_many_windows": {"mode", "count", "most"},
    "schedule_stays_on": set(),
    "schedule_not_applied": {"address", "wanted", "held"},
    "schedule_not_restored": {"address", "wanted", "held"},
    "written_to_nobody": {"entity", "found"},
}


def test_exceptions() -> None:
    """Every exception that is raised has a message, and every message is raised."""
    modules = [path.name for path in INTEGRATION.glob("*.py")]
    # Selects of forms have translation keys, too, but are no keyword arguments with a literal; the key of a repair is.
    assert keywords("translation_key", *modules) | set(Reason) == {
        *TEXTS["exceptions"],
        "plant_member_missing",
    }
    assert set(TEXTS["exceptions"]) == set(EXCEPTIONS)
    for name, text in TEXTS["exceptions"].items():
        assert placeholders(text["message"]) <= EXCEPTIONS[name], name


# ---------------------------------------------------------------------- repairs


def test_issues() -> None:
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


def test_texts_are_clean() -> None:
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


def test_no_unknown_branches() -> None:
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


async def test_actions(hass: HomeAssistant) -> None:
    """Every action and every field of one has a name, an explanation and, the action, an icon; nothing else has."""
    actions = await hass.async_add_executor_job(load_yaml_dict, str(INTEGRATION / "services.yaml"))
    async_setup_actions(hass)
    assert set(actions) == set(hass.services.async_services_for_domain(DOMAIN))
    assert set(actions) == set(TEXTS["services"]) == set(ICONS["services"])
    for name, action in actions.items():
        text = TEXTS["services"][name]
        assert set(text) == {"name", "description", "fields"}
        assert set(text["fields"]) == set(action["fields"])
        assert all(set(field) == {"name", "description"} for field in text["fields"].values())
    for name in ("window", "otherwise"):
        (selector,) = (
            field["selector"]["object"]
            for field in actions["set_schedule"]["fields"].values()
            if field["selector"].get("object", {}).get("translation_key") == name
        )
        text = TEXTS["selector"][name]["fields"]
        assert set(text) == set(selector["fields"])
        assert all(set(field) == {"name", "description"} for field in text.values())


# ---------------------------------------------------------------------- icons

# Device classes whose own icon says less than ours: that of a power does not tell sun from battery.
OUR_ICON_IS_BETTER: Final = {"power", "energy", "enum", None}


def test_icons() -> None:
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
    assert set(ICONS) == {"entity", "services"}


def test_icons_are_material_design() -> None:
    """Hassfest allows nothing else, and no state icon that is the default."""
    for path, icon in texts(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9]+(?:-[a-z0-9]+)*", icon), path
        assert path[-1] in ("default", "service") or path[-2] == "state", path


def test_a_setting_has_one_icon() -> None:
    """Whether the tier lets it be changed or only be seen."""
    entities = ICONS["entity"]
    for platform, stand_in in (
        ("select", "sensor"),
        ("number", "sensor"),
        ("switch", "binary_sensor"),
        ("time", "sensor"),
    ):
        for key, icon in entities[platform].items():
            assert entities[stand_in][key] == icon


@pytest.mark.parametrize(
    ("text", "names"), [("{a} of {b}", {"a", "b"}), ("plain", set()), ("{a}, {a}", {"a"})]
)
def test_placeholders_are_found(text: str, names: set[str]) -> None:
    """The tests above rest on this."""
    assert placeholders(text) == names
