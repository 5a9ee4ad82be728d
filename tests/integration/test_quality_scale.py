"""The record of the quality scale is whole, and what can be checked of it is true."""

from pathlib import Path
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


def test_rules_that_files_can_show(rules: dict[str, Any]) -> None:
    """What the record says of files is so."""
    facts = {
        "action-setup": (INTEGRATION / "services.yaml").exists(),
        "brands": (INTEGRATION / "brand" / "icon.png").exists(),
        "common-modules": (INTEGRATION / "runtime" / "coordinator.py").exists()
        and (INTEGRATION / "entities" / "base.py").exists(),
        "diagnostics": (INTEGRATION / "diagnostics.py").exists(),
        "docs-triggers": (INTEGRATION / "trigger.py").exists(),
        "docs-conditions": (INTEGRATION / "condition.py").exists(),
        "icon-translations": (INTEGRATION / "icons.json").exists(),
        "repair-issues": (INTEGRATION / "repairs.py").exists(),
        "strict-typing": (INTEGRATION / "modbus" / "py.typed").exists(),
        "parallel-updates": all(
            "\nPARALLEL_UPDATES = " in (INTEGRATION / f"{platform}.py").read_text(encoding="utf-8")
            for platform in PLATFORMS
        ),
    }
    assert {name: rules[name] == "done" for name in facts} == facts
