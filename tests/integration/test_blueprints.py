"""What an owner imports: each blueprint passes Home Assistant's own checks, is explained, and becomes an automation."""

from pathlib import Path
import re
from typing import Any, Final
from urllib.parse import unquote

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import selector
import pytest

from .blueprints import DEVICE, FOLDER, PATHS, ROOT, automation, imported

# Where the repository is on the web.
REPOSITORY: Final = "https://github.com/hybrid-inverter/hybrid-inverter/blob/main/"
IMPORT: Final = "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="
# What an owner has to choose; everything else has a default.
CHOICES: Final[dict[str, dict[str, Any]]] = {
    "alert": {"devices": [DEVICE], "phones": ["notify.phone"]},
    "cheapest_hours": {"inverter": DEVICE, "prices": ["sensor.price"]},
    "emhass": {"inverter": DEVICE},
    "hold_while_car_charges": {"inverter": DEVICE, "charger": "sensor.charger"},
    "monthly_full_charge": {"inverter": DEVICE},
    "no_export_below_price": {"inverter": DEVICE, "prices": ["sensor.price"]},
    "reserve": {"inverter": DEVICE, "warnings": ["binary_sensor.storm"]},
    "sell_above_price": {"inverter": DEVICE, "prices": ["sensor.price"], "price_limit": 0.4},
}
# What reads a list of prices, which no file can share with another one: from its first line to its last one.
READS_PRICES: Final = re.compile(
    r"^ *\{#- Every attribute .*?(?=^ *\{%- set now_|^ *\{%- for slot in slots -%\}$)",
    re.MULTILINE | re.DOTALL,
)


def inputs_of(name: str) -> dict[str, dict[str, Any]]:
    """Return the inputs of a blueprint, without their sections."""
    return {
        key: value or {} for key, value in imported(f"hybrid_inverter/{name}.yaml").inputs.items()
    }


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_blueprint_passes_home_assistants_schema_and_says_where_it_is_from(path: Path) -> None:
    """A person who imports it gets newer versions from there, and is told if Home Assistant is too old."""
    blueprint = imported(str(path.relative_to(FOLDER)))
    assert blueprint.validate() is None
    assert blueprint.name.startswith("Hybrid Inverter: ")
    assert blueprint.metadata["source_url"] == REPOSITORY + str(path.relative_to(ROOT))
    assert blueprint.metadata["homeassistant"] == {"min_version": "2026.10.0"}
    assert len(blueprint.metadata["description"]) > 100


@pytest.mark.parametrize("name", CHOICES)
def test_only_what_nobody_else_can_know_has_to_be_chosen(name: str) -> None:
    """Every input has a name and a selector, and a default that the selector takes."""
    inputs = inputs_of(name)
    assert {key for key, one in inputs.items() if "default" not in one} == set(CHOICES[name])
    for key, one in inputs.items():
        assert one["name"], key
        # An empty list is no entity, and null no number.
        if one.get("default") not in (None, []):
            selector(one["selector"])(one["default"])


@pytest.mark.parametrize("name", CHOICES)
async def test_with_these_choices_it_is_an_automation(
    hass: HomeAssistant, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One that Home Assistant finds nothing wrong with."""
    async with automation(hass, name, **CHOICES[name]) as entity_id:
        assert hass.states.is_state(entity_id, STATE_ON)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_all_read_a_list_of_prices_in_the_same_way() -> None:
    """Indented as each file needs it."""
    parts = {
        tuple(line.strip() for line in found.group().splitlines())
        for path in PATHS
        for found in READS_PRICES.finditer(path.read_text(encoding="utf-8"))
    }
    assert len(parts) == 1
    readers = [path.stem for path in PATHS if READS_PRICES.search(path.read_text(encoding="utf-8"))]
    assert readers == ["cheapest_hours", "no_export_below_price", "sell_above_price"]


def test_the_import_links_lead_to_the_blueprints() -> None:
    """Each of them has one in the README, and each link names a file that is there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = {unquote(found) for found in re.findall(re.escape(IMPORT) + r"([^)\s]+)", text)}
    assert {f"{REPOSITORY}{path.relative_to(ROOT)}" for path in PATHS} <= links
    for link in links:
        assert (ROOT / link.removeprefix(REPOSITORY)).is_file(), link
