"""The record of the quality scale is whole, and what can be checked of it is true."""

from collections.abc import Callable
from pathlib import Path
import re
from typing import Any, Final

import pytest
import yaml

from custom_components.hybrid_inverter import PLATFORMS

INTEGRATION: Final = Path(__file__).parents[2] / "custom_components" / "hybrid_inverter"

# Home Assistant 2026.11: bronze 20, silver 10, gold 21, platinum 3.
RULES: Final = {
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow",
    "config-flow-test-coverage",
    "dependency-transparency",
    "docs-actions",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "docs-triggers",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
    "devices",
    "diagnostics",
    "discovery",
    "discovery-update-info",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "stale-devices",
    "async-dependency",
    "inject-websession",
    "strict-typing",
}


@pytest.fixture(name="rules")
def recorded_rules() -> dict[str, Any]:
    """Return the record."""
    record = yaml.safe_load((INTEGRATION / "quality_scale.yaml").read_text(encoding="utf-8"))
    rules: dict[str, Any] = record["rules"]
    return rules


def test_every_rule_has_a_status(rules: dict[str, Any]) -> None:
    """A rule is done, or it is said why not."""
    assert len(RULES) == 54
    assert set(rules) == RULES
    for name, rule in rules.items():
        if rule != "done":
            assert set(rule) == {"status", "comment"}, name
            assert rule["status"] in {"exempt", "todo"}, name
            assert rule["comment"], name


# What shows that a rule is kept: files, and what has to be found in one of them. A folder stands for all code in it.
type Evidence = tuple[str, str]

SHOWN: Final[dict[str, tuple[Evidence, ...]]] = {
    "action-setup": (
        ("__init__.py", r"async def async_setup\([^)]*\)[^:]*:\s+.*\s+async_setup_actions"),
    ),
    "appropriate-polling": (
        ("runtime/coordinator.py", r"update_interval=timedelta\(seconds=self\.interval\)"),
    ),
    "brands": (("brand/icon.png", r""),),
    "common-modules": (
        ("runtime/coordinator.py", r"class GroupCoordinator"),
        ("entities/base.py", r"class UnitEntity\("),
    ),
    "config-flow": (
        ("manifest.json", r'"config_flow": true'),
        ("config_flow.py", r"class HybridInverterConfigFlow"),
        ("translations/en.json", r'"data_description"'),
    ),
    "config-flow-test-coverage": (("../../.ci/run", r"covers 100 '.*config_flow\.py'"),),
    "dependency-transparency": (("manifest.json", r'"pymodbus>=.*"pyserial>='),),
    "docs-actions": (
        ("../../docs/schedule.md", r"hybrid_inverter\.set_schedule"),
        ("../../docs/schedule.md", r"hybrid_inverter\.get_schedule"),
        ("../../docs/battery-control.md", r"hybrid_inverter\.control_battery"),
        ("../../docs/battery-control.md", r"hybrid_inverter\.release_battery"),
        ("../../docs/battery-control.md", r"limit_export"),
        ("../../docs/battery-control.md", r"get_control"),
        ("../../docs/registers.md", r"hybrid_inverter\.read_registers"),
        ("../../docs/moving.md", r"hybrid_inverter\.adopt_entities"),
        ("../../README.md", r"hybrid_inverter\.undo_last_change"),
    ),
    "docs-conditions": (
        ("condition.py", r"async_get_conditions"),
        ("../../docs/battery-control.md", r"(?i)condition"),
    ),
    "docs-high-level-description": (
        ("../../README.md", r"reads and controls|[Rr]ead and control"),
    ),
    "docs-installation-instructions": (("../../README.md", r"^## Installation$"),),
    "docs-removal-instructions": (("../../README.md", r"^## Removing it$"),),
    "docs-triggers": (
        ("trigger.py", r"async_get_triggers"),
        ("../../docs/battery-control.md", r"(?i)trigger"),
    ),
    "entity-event-setup": (("entities", r"async_added_to_hass"),),
    "entity-unique-id": (("entities/base.py", r"_attr_unique_id = unique_id\("),),
    "has-entity-name": (("entities/base.py", r"_attr_has_entity_name = True"),),
    "runtime-data": (
        ("runtime/runtime.py", r"type HybridInverterConfigEntry = ConfigEntry\["),
        ("runtime/setup.py", r"entry\.runtime_data = "),
    ),
    "test-before-configure": (("flow/link.py", r"probe"),),
    "test-before-setup": (("runtime/setup.py", r"raise ConfigEntryNotReady\("),),
    "unique-config-entry": (("flow/link.py", r'reason="already_configured"'),),
    "action-exceptions": (("runtime/writes.py", r"ServiceValidationError\("),),
    "config-entry-unloading": (("__init__.py", r"async def async_unload_entry"),),
    "docs-configuration-parameters": (("../../README.md", r"^## Options$"),),
    "docs-installation-parameters": (("../../README.md", r"^## Adding the inverter$"),),
    "entity-unavailable": (("entities/base.py", r"def available"),),
    "integration-owner": (("manifest.json", r'"codeowners": \["@'),),
    "log-when-unavailable": (("runtime", r"return UpdateFailed"),),
    "test-coverage": (("../../.ci/run", r"covers 97 'custom_components/hybrid_inverter/\*'"),),
    "devices": (("runtime/setup.py", r"async_get_or_create\("),),
    "diagnostics": (("diagnostics.py", r"async def async_get_config_entry_diagnostics"),),
    "discovery": (("manifest.json", r'"dhcp"'), ("config_flow.py", r"LinkSteps")),
    "discovery-update-info": (("runtime/stick_address.py", r"async_follow"),),
    "docs-data-update": (("../../README.md", r"Interval of powers \| 5 s"),),
    "docs-examples": (("../../docs/battery-control.md", r"```yaml"),),
    "docs-known-limitations": (("../../README.md", r"^## Known limitations$"),),
    "docs-supported-devices": (("../../README.md", r"^## Supported devices$"),),
    "docs-supported-functions": (("../../README.md", r"^## What you get$"),),
    "docs-troubleshooting": (("../../README.md", r"^## Troubleshooting$"),),
    "docs-use-cases": (("../../README.md", r"^## What you can do with it$"),),
    "dynamic-devices": (("runtime/setup.py", r"_async_rediscover"),),
    "entity-category": (("entities/descriptions.py", r"EntityCategory\.DIAGNOSTIC"),),
    "entity-device-class": (("entities/kinds.py", r"SensorDeviceClass\."),),
    "entity-disabled-by-default": (
        ("entities/descriptions.py", r"entity_registry_enabled_default"),
    ),
    "entity-translations": (("entities/base.py", r"_attr_translation_key"),),
    "exception-translations": (("runtime/writes.py", r"translation_key="),),
    "icon-translations": (("icons.json", r'"entity"'),),
    "reconfiguration-flow": (
        ("config_flow.py", r"async_step_reconfigure"),
        ("flow/machines.py", r"async_step_reconfigure"),
    ),
    "repair-issues": (("repairs.py", r"async def async_create_fix_flow"),),
    "stale-devices": (
        ("__init__.py", r"async def async_remove_config_entry_device"),
        ("maintenance/removed_parts.py", r"async_forget"),
    ),
    "async-dependency": (("modbus/transport", r"async def"),),
    "strict-typing": (("modbus/py.typed", r""), ("../../pyproject.toml", r"^strict = true$")),
}
# What would make a rule apply that the record calls exempt.
NOT_EXEMPT: Final[dict[str, Evidence]] = {
    "reauthentication-flow": (".", r"async_step_reauth|CONF_PASSWORD|ConfigEntryAuthFailed"),
    "inject-websession": (".", r"import aiohttp|import httpx|async_get_clientsession"),
}


def read(path: str) -> str | None:
    """Return the text of a file, or all code below a folder; None where there is neither."""
    found = INTEGRATION / path
    if found.is_dir():
        return "\n".join(file.read_text(encoding="utf-8") for file in sorted(found.rglob("*.py")))
    return found.read_text(encoding="utf-8", errors="replace") if found.exists() else None


def is_shown(evidence: Evidence, reader: Callable[[str], str | None] = read) -> bool:
    """Return whether there is evidence."""
    path, pattern = evidence
    text = reader(path)
    return text is not None and re.search(pattern, text, re.MULTILINE) is not None


def faults(rules: dict[str, Any], reader: Callable[[str], str | None] = read) -> set[str]:
    """Return the rules of which the record says what is not so."""
    wrong = set()
    for name, rule in rules.items():
        if name == "parallel-updates":
            kept = all(
                is_shown((f"{one}.py", r"^PARALLEL_UPDATES = "), reader) for one in PLATFORMS
            )
        elif name in NOT_EXEMPT:
            if is_shown(NOT_EXEMPT[name], reader) or rule == "done":
                wrong.add(name)
            continue
        else:
            kept = all(is_shown(one, reader) for one in SHOWN[name])
        if kept != (rule == "done"):
            wrong.add(name)
    return wrong


def test_what_the_record_says_is_so(rules: dict[str, Any]) -> None:
    """Of each rule there is something in the code or in the docs."""
    assert faults(rules) == set()


def test_a_record_that_is_wrong_is_noticed(rules: dict[str, Any]) -> None:
    """The measure itself: nothing is left of the code, and a rule that is kept is called exempt."""
    assert faults(rules, lambda _: None) == RULES - NOT_EXEMPT.keys()
    exempt = {"status": "exempt", "comment": "No devices."}
    assert faults({**rules, "stale-devices": exempt}) == {"stale-devices"}
    assert faults({**rules, "inject-websession": "done"}) == {"inject-websession"}
    with_password = lambda path: "CONF_PASSWORD" if path == "." else read(path)  # noqa: E731
    assert faults(rules, with_password) == {"reauthentication-flow"}
