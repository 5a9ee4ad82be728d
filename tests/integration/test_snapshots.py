"""A line for every entity as a person meets it, to see in a review what a change changes."""

from collections.abc import Iterator
from unittest.mock import patch

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.hybrid_inverter import PLATFORMS

from .helpers import SERIAL

SHOWN_ATTRIBUTES = ("unit_of_measurement", "device_class", "state_class", "min", "max", "options")


@pytest.fixture
def shown_by_default() -> Iterator[set[str]]:
    """Switch every entity on, and return the unique ids of those that would have been anyway."""
    by_default: set[str] = set()

    def note(entity: object) -> bool:
        description = entity.entity_description  # type: ignore[attr-defined]
        if description.entity_registry_enabled_default:
            by_default.add(entity.unique_id)  # type: ignore[attr-defined]
        return True

    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", property(note)
    ):
        yield by_default


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_entities_of_each_platform_match_the_snapshot(
    hass: HomeAssistant,
    pictured: MockConfigEntry,
    shown_by_default: set[str],
    snapshot: SnapshotAssertion,
    platform: Platform,
) -> None:
    """The machine of the fixture; that its values are right is shown in test_entities."""
    with patch("custom_components.hybrid_inverter.PLATFORMS", [platform]):
        assert await hass.config_entries.async_setup(pictured.entry_id)
        await hass.async_block_till_done()
    lines = []
    for known in er.async_entries_for_config_entry(er.async_get(hass), pictured.entry_id):
        state = hass.states.get(known.entity_id)
        assert state is not None
        attributes = [
            f"{name}={state.attributes[name]}"
            for name in SHOWN_ATTRIBUTES
            if name in state.attributes
        ]
        lines.append(
            " | ".join(
                (
                    known.unique_id.removeprefix(f"{SERIAL}_").removeprefix(
                        f"{pictured.entry_id}_"
                    ),
                    known.entity_id,
                    state.attributes["friendly_name"],
                    known.entity_category or "-",
                    "shown" if known.unique_id in shown_by_default else "hidden",
                    *attributes,
                )
            )
        )
    assert sorted(lines) == snapshot
    assert await hass.config_entries.async_unload(pictured.entry_id)
