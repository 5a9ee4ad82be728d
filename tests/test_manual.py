"""Everything in the manuals is in Home Assistant, or the document says why not."""

from collections import Counter
import re
from typing import Final

import pytest

from docs.manual import Item, Page
from scripts.lab.docs import BOOKS, DOCUMENTS, METER_TABLES, ROOT, Book, described

BY_FAMILY: Final = {book.family.key: book for book in BOOKS}
EVERY_BOOK: Final = pytest.mark.parametrize("book", BOOKS, ids=list(BY_FAMILY))
# What the machines serve no single register for: the integration's own.
OWN: Final = {
    "jso": {
        *("connectivity", "clock_drift", "sync_clock", "active_slot", "next_schedule_change"),
        *("schedule", "outage", "last_outage", "last_outage_duration"),
    },
    "saj": {
        *("connectivity", "active_window", "next_schedule_change", "schedule"),
        *("outage", "last_outage", "last_outage_duration"),
    },
}
# The fewest things that there are to find again.
FEWEST: Final = {"jso": 150, "saj": 130}
# The sections in which a person can see or set something.
SECTIONS: Final = {
    "jso": {
        *("2.1", "3", "4.2", "5.1", "5.2", "5.3", "5.5", "5.6", "5.7", "5.8", "5.9", "5.10"),
        *("5.11", "6", "7", "9"),
    },
    "saj": {
        *("1", "2", "3", "4", "5.1, 5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "5.8", "5.9"),
        *("5.10", "5.11", "5.12", "6"),
    },
}
REASONS: Final = {
    "jso": {
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
    },
    "saj": {
        "not_public",
        "app",
        "hardware",
        "commissioning",
        "battery_type",
        "parallel",
        "bus_address",
        "protection",
        "module",
        "clock",
        "device_page",
        "home_assistant",
    },
}
# The codes of the JSO's fault table, and of the SAJ the ones that have a repair or tell of the grid.
CODES: Final = {
    "jso": [
        *("F08", "F13", "F18", "F20", "F22", "F23", "F24", "F26", "F29", "F34"),
        *("F35", "F41", "F42", "F47", "F48", "F56", "F58", "F63", "F64"),
    ],
    "saj": [
        *("E03", "E04", "E15", "E17", "E18", "E19", "E20", "E21", "E26", "E28", "E29", "E30"),
        *("E35", "E36", "E41", "E42", "E43", "E44", "E45", "E46", "E47", "E50", "E51", "E56"),
        *("E59", "E63", "E66", "E69", "E70", "E76", "E77", "E78", "E79", "E80", "E81", "E82"),
        *("E83", "E89", "E91", "E01"),
    ],
}
# The page of the codes, and the items of it without a repair of their own: no grid, and every other code.
CODE_PAGE: Final = {"jso": "7", "saj": "6"}
WITHOUT_REPAIR: Final = {"jso": {"F35"}, "saj": {"E56", "E01"}}
# The keys of all entities, each with the canonical key that it rests on.
ENTITIES: Final = {
    item.key: item.value_key
    for tables in (*BOOKS, *METER_TABLES)
    for _, item, _ in described(tables)
}


def items_of(book: Book) -> list[tuple[Page, Item]]:
    """Return all items, each with its page."""
    return [(page, item) for page in book.pages for item in page.items]


def keys_of_items(book: Book) -> set[str]:
    """Return the keys that any item names."""
    return {key for _, item in items_of(book) for key in item.keys}


@EVERY_BOOK
def test_list_is_long_enough(book: Book) -> None:
    """The manual has so many things to find again."""
    assert len(items_of(book)) >= FEWEST[book.family.key]


@EVERY_BOOK
def test_every_section_is_there(book: Book) -> None:
    """The sections of the manual that a person can see or set something in."""
    assert {page.section for page in book.pages} == SECTIONS[book.family.key]


@EVERY_BOOK
def test_no_item_stands_twice(book: Book) -> None:
    """An item of a page is one row."""
    names = Counter((page.title, item.name) for page, item in items_of(book))
    assert [name for name, times in names.items() if times > 1] == []


@EVERY_BOOK
def test_keys_are_known(book: Book) -> None:
    """A key is one of the register table, of the derived values, or of the integration's own entities."""
    assert keys_of_items(book) - book.values().keys() == OWN[book.family.key]


@EVERY_BOOK
def test_items_have_entities_or_a_reason(book: Book) -> None:
    """An item without a reason is in Home Assistant with every value that it names."""
    missing = [
        (page.title, item.name)
        for page, item in items_of(book)
        if item.reason is None and (not item.keys or not ENTITIES.keys() >= set(item.keys))
    ]
    assert missing == []


@EVERY_BOOK
def test_reasons_are_the_known_ones(book: Book) -> None:
    """There are few good reasons, and each is used."""
    assert set(book.reasons) == REASONS[book.family.key]
    assert {item.reason for _, item in items_of(book)} - {None} == set(book.reasons)


@EVERY_BOOK
def test_every_register_of_a_manual_page_is_an_item(book: Book) -> None:
    """A register that rests on the manual is found on the page it rests on."""
    of_manual = {key for key, row in book.rows().items() if row.source.startswith("manual")}
    found = keys_of_items(book)
    assert of_manual - found - {ENTITIES[key] for key in found & ENTITIES.keys()} == set()


def test_everything_that_can_be_changed_is_an_item() -> None:
    """The SAJ's registers rest on a protocol; what a person can set is in the list all the same."""
    book = BY_FAMILY["saj"]
    changeable = {key for key, row in book.rows().items() if row.writable}
    assert len(changeable) > 80
    assert changeable - keys_of_items(book) == set()


@EVERY_BOOK
def test_a_setting_of_uncertain_meaning_says_so(book: Book) -> None:
    """Of what its sources contradict each other in, a person learns where they look the setting up."""
    uncertain = {
        row.key for row in book.family.every_row() if row.writable and row.confidence == "low"
    }
    silent = {
        item.name
        for _, item in items_of(book)
        if uncertain.intersection(item.keys) and not item.note
    }
    assert silent == set()


@EVERY_BOOK
def test_what_has_a_reason_is_never_written(book: Book) -> None:
    """What the document says is only shown is nothing that a tier may write."""
    shown = {key for _, item in items_of(book) if item.reason is not None for key in item.keys}
    assert {key for key in shown if book.rows()[key].writable} == set()


@EVERY_BOOK
def test_every_code_is_an_item(book: Book) -> None:
    """The codes of the fault page, and a repair for each that has one."""
    family = book.family.key
    codes = [item.name[:3] for page, item in items_of(book) if page.section == CODE_PAGE[family]]
    assert codes == CODES[family]
    with_repair = {item.name[:3] for _, item in items_of(book) if item.code}
    assert with_repair == set(codes) - WITHOUT_REPAIR[family]
    assert book.family.faults is not None
    assert with_repair == book.family.faults.remedies


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
