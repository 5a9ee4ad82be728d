"""Everything in the JSO8048104's manual is in Home Assistant, or the document says why not."""

from collections import Counter
import re
from typing import Final

import pytest

from custom_components.hybrid_inverter import ALWAYS, DESCRIPTIONS
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from scripts.lab.docs import DOCUMENTS, ROOT
from tests.manual_items import PAGES, REASONS

JSO: Final = FAMILIES["jso"]
FAMILY: Final = JSO.fitted([feature.key for feature in JSO.features], None)
ITEMS: Final = [(page, item) for page in PAGES for item in page.items]
# What the machine serves no single register for: the integration's own.
OWN: Final = {
    *("connectivity", "clock_drift", "sync_clock", "active_slot", "next_schedule_change"),
    *("schedule", "outage", "last_outage", "last_outage_duration"),
}
# The keys of all entities, each with the canonical key that it rests on.
ENTITIES: Final = {
    **{item.key: item.value_key for items in DESCRIPTIONS.values() for item in items},
    **{item.key: item.value_key for _, item in ALWAYS},
}


def keys_of_items() -> set[str]:
    """Return the keys that any item names."""
    return {key for _, item in ITEMS for key in item.keys}


def test_list_is_long_enough() -> None:
    """The manual has more than 150 things to find again."""
    assert len(ITEMS) >= 150


def test_every_page_of_the_display_is_there() -> None:
    """The sections of the manual that a person can see or set something in."""
    assert {page.section for page in PAGES} == {
        *("2.1", "3", "4.2", "5.1", "5.2", "5.3", "5.5", "5.6", "5.7", "5.8", "5.9", "5.10"),
        *("5.11", "6", "7", "9"),
    }


def test_no_item_stands_twice() -> None:
    """An item of a page is one row."""
    names = Counter((page.title, item.name) for page, item in ITEMS)
    assert [name for name, times in names.items() if times > 1] == []


def test_keys_are_known() -> None:
    """A key is one of the register table, of the derived values, or of the integration's own entities."""
    assert keys_of_items() - {*FAMILY.registers, *FAMILY.derived} == OWN


def test_items_have_entities_or_a_reason() -> None:
    """An item without a reason is in Home Assistant with every value that it names."""
    missing = [
        (page.title, item.name)
        for page, item in ITEMS
        if item.reason is None and (not item.keys or not ENTITIES.keys() >= set(item.keys))
    ]
    assert missing == []


def test_reasons_are_the_known_ones() -> None:
    """There are few good reasons, and each is used."""
    assert set(REASONS) == {
        "no_register",
        "grid_code",
        "factory",
        "us_market",
        "parallel",
        "bus_address",
        "commissioning",
        "without_effect",
        "unconfirmed",
        "hardware",
        "device_page",
        "home_assistant",
        "advice",
        "cloud_stick",
    }
    assert {item.reason for _, item in ITEMS} - {None} == set(REASONS)


def test_every_register_of_a_manual_page_is_an_item() -> None:
    """A register that rests on the manual is found on the page it rests on."""
    of_manual = {key for key, row in FAMILY.registers.items() if row.source.startswith("manual")}
    found = keys_of_items()
    assert of_manual - found - {ENTITIES[key] for key in found & ENTITIES.keys()} == set()


def test_what_has_a_reason_is_never_written() -> None:
    """What the document says is only shown is nothing that a tier may write."""
    shown = {key for _, item in ITEMS if item.reason is not None for key in item.keys}
    assert {key for key in shown if FAMILY.registers[key].tier is not None} == set()


def test_every_fault_of_the_manual_is_an_item() -> None:
    """The codes of the manual's table."""
    codes = [item.name[:3] for page, item in ITEMS if page.section == "7"]
    assert codes == [
        *("F08", "F13", "F18", "F20", "F22", "F23", "F24", "F26", "F29", "F34"),
        *("F35", "F41", "F42", "F47", "F48", "F56", "F58", "F63", "F64"),
    ]
    assert {item.name[:3] for _, item in ITEMS if item.code} == set(codes) - {"F35"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_up_to_date(name: str) -> None:
    """The committed document is the one that the tables make; `scripts/docs` writes it anew."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == DOCUMENTS[name]()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tables_hold_together(name: str) -> None:
    """Every row of a table has as many cells as its head, and no cell of an item is empty."""
    columns = 0
    for line in (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines():
        cells = re.split(r"(?<!\\)\|", line)[1:-1] if line.startswith("|") else []
        if cells and columns:
            assert len(cells) == columns, line
            assert cells[0].strip(), line
            assert cells[1].strip(), line
        columns = len(cells)


@pytest.mark.parametrize("name", [*DOCUMENTS, "wiring.md"])
def test_links_of_documents_lead_somewhere(name: str) -> None:
    """A relative link of a document is a file in the repository."""
    path = ROOT / "docs" / name
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (path.parent / target).exists()] == []
