"""What hassfest and HACS check of this integration, as far as it can be checked without them.

The rules for translations are in test_translations.py, those for brand files and HACS in tests/test_repository.py.
"""

import ast
from collections.abc import Mapping
import json
from pathlib import Path
import re
from typing import Any, Final

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from homeassistant.const import Platform
from homeassistant.helpers import selector
from packaging.requirements import Requirement
import pytest
import yaml

INTEGRATION: Final = Path(__file__).parents[2] / "custom_components" / "hybrid_inverter"

MANIFEST: Final[dict[str, Any]] = json.loads((INTEGRATION / "manifest.json").read_text("utf-8"))
ICONS: Final[dict[str, Any]] = json.loads((INTEGRATION / "icons.json").read_text("utf-8"))
TEXTS: Final[dict[str, Any]] = json.loads((INTEGRATION / "translations/en.json").read_text("utf-8"))

NEEDED: Final = {
    *("domain", "name", "codeowners", "documentation", "iot_class", "version"),
    # HACS.
    "issue_tracker",
}
KNOWN: Final = NEEDED | {
    *("after_dependencies", "bluetooth", "categories", "config_flow", "connectivity"),
    *("dependencies", "dhcp", "disabled", "homekit", "import_executor", "integration_type"),
    *("loggers", "mqtt", "preview_features", "quality_scale", "requirements"),
    *("single_config_entry", "ssdp", "usb", "zeroconf"),
}
IOT_CLASSES: Final = {
    *("assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push"),
}
TYPES: Final = {"device", "entity", "hardware", "helper", "hub", "service", "system"}
# What Home Assistant sets up before any integration.
ALWAYS_THERE: Final = {"websocket_api", "frontend", "persistent_notification"}
VERSIONS: Final = [
    AwesomeVersionStrategy.CALVER,
    AwesomeVersionStrategy.SEMVER,
    AwesomeVersionStrategy.SIMPLEVER,
    AwesomeVersionStrategy.BUILDVER,
    AwesomeVersionStrategy.PEP440,
]


def manifest_faults(manifest: Mapping[str, Any], folder: str) -> list[str]:
    """What is wrong with a manifest in a folder of this name."""
    keys = list(manifest)
    dhcp = [match.get("macaddress", "*") for match in manifest.get("dhcp", [])]
    requirements = manifest.get("requirements", [])
    rules = {
        "a key is missing": manifest.keys() >= NEEDED,
        "a key is unknown": not manifest.keys() - KNOWN,
        "the keys are not in order": keys[:2] == ["domain", "name"]
        and keys[2:] == sorted(keys[2:]),
        "the domain is not that of the folder": manifest.get("domain") == folder,
        "the IoT class is unknown": manifest.get("iot_class") in IOT_CLASSES,
        "the type is unknown": manifest.get("integration_type") in TYPES,
        "the documentation is that of core": re.match(
            r"https://(?!www\.home-assistant\.io/)", manifest.get("documentation", "")
        ),
        "a code owner has no @": all(one.startswith("@") for one in manifest["codeowners"]),
        "a requirement has a space": not any(" " in one for one in requirements),
        "a requirement is not of the index": all(
            Requirement(one).url is None for one in requirements
        ),
        "an address of DHCP is in lower case, or without *": all(
            one == one.upper() and "*" in one for one in dhcp
        ),
        "a category is no slug": all(
            re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", one) for one in manifest.get("categories", [])
        ),
    }
    return [fault for fault, holds in rules.items() if not holds]


def test_the_manifest_keeps_the_rules() -> None:
    """And its version is one that Home Assistant loads a custom integration with."""
    assert manifest_faults(MANIFEST, INTEGRATION.name) == []
    assert AwesomeVersion(MANIFEST["version"], ensure_strategy=VERSIONS).valid


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"iot_class": "local"}, "the IoT class is unknown"),
        ({"requirements": ["pymodbus >= 3"]}, "a requirement has a space"),
        ({"zz_own": 1}, "a key is unknown"),
        (
            {"dhcp": [{"macaddress": "98d863*"}]},
            "an address of DHCP is in lower case, or without *",
        ),
        ({"documentation": "https://www.home-assistant.io/integrations/x"}, "the documentation is"),
        ({"domain": "inverter"}, "the domain is not that of the folder"),
        ({"codeowners": ["somebody"]}, "a code owner has no @"),
    ],
)
def test_a_wrong_manifest_is_noticed(changed: dict[str, Any], fault: str) -> None:
    """The measure itself."""
    (found,) = manifest_faults({**MANIFEST, **changed}, INTEGRATION.name)
    assert found.startswith(fault)


def test_every_component_that_is_imported_is_a_dependency() -> None:
    """Or a platform: hassfest takes a file or a folder of its name for one, as our `modbus` and `energy`."""
    platforms = {path.stem for path in INTEGRATION.iterdir()} | {*Platform}
    declared = {*MANIFEST["dependencies"], *MANIFEST.get("after_dependencies", ())}
    used = set()
    for path in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                used |= {
                    name.split(".")[2]
                    for name in names
                    if name.startswith("homeassistant.components.")
                }
    assert used - platforms - declared - ALWAYS_THERE == set()
    # And no more than these is set up first.
    assert declared <= used | {"usb"}


def test_discovery_has_a_unique_id() -> None:
    """A flow that a discovery starts has to tell that a device is known."""
    flows = [INTEGRATION / "config_flow.py", *(INTEGRATION / "flow").glob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in flows)
    assert MANIFEST["config_flow"] is True
    assert "async_step_dhcp" in code
    assert "async_set_unique_id" in code


def fields_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an action, those of its sections among them."""
    found: dict[str, Any] = {}
    for name, described in fields.items():
        if described and "fields" in described:
            found |= fields_of(described["fields"])
        else:
            found[name] = described or {}
    return found


@pytest.mark.parametrize(
    ("file", "branch", "icon"),
    [
        ("services.yaml", "services", "service"),
        ("triggers.yaml", "triggers", "trigger"),
        ("conditions.yaml", "conditions", "condition"),
    ],
)
def test_every_action_trigger_and_condition_is_described(file: str, branch: str, icon: str) -> None:
    """A name, a description, an icon, and for every field a selector that Home Assistant knows, and its texts."""
    described = yaml.safe_load((INTEGRATION / file).read_text(encoding="utf-8"))
    described = {name: one for name, one in described.items() if not name.startswith(".")}
    assert set(described) == set(TEXTS[branch]) == set(ICONS[branch])
    for name, one in described.items():
        text = TEXTS[branch][name]
        assert text["name"], name
        assert text["description"], name
        assert ICONS[branch][name][icon].startswith("mdi:"), name
        fields = fields_of((one or {}).get("fields", {}))
        assert set(fields) == set(text.get("fields", {})), name
        for field, parts in fields.items():
            selector.validate_selector(parts["selector"])
            texts = text["fields"][field]
            assert texts["name"], (name, field)
            # Of a trigger or a condition, the name may be enough.
            assert branch != "services" or texts["description"], (name, field)


def test_icons_are_of_the_set_that_home_assistant_ships_and_belong_to_texts() -> None:
    """A state that looks like the default needs no icon of its own."""
    assert set(ICONS) <= {"entity", "services", "triggers", "conditions"}
    for platform, icons in ICONS["entity"].items():
        for key, icon in icons.items():
            assert key in TEXTS["entity"][platform], (platform, key)
            assert set(icon) <= {"default", "state", "range", "state_attributes"}, (platform, key)
            for state, shown in icon.get("state", {}).items():
                assert shown.startswith("mdi:"), (platform, key, state)
                assert shown != icon["default"], (platform, key, state)
            assert icon["default"].startswith("mdi:"), (platform, key)
