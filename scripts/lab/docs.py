"""The documents that are made from the tables, the entities and the manual's items. See scripts/docs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
import json
from pathlib import Path
from typing import Any, Final

from custom_components.hybrid_inverter import ALWAYS, DESCRIPTIONS
from custom_components.hybrid_inverter.const import SUBENTRY_METER, MeterRole
from custom_components.hybrid_inverter.entity import Part, UnitEntityDescription, translation_of
from custom_components.hybrid_inverter.modbus.codec_time import Hhmm
from custom_components.hybrid_inverter.modbus.family import Family
from custom_components.hybrid_inverter.modbus.register import Group, Ref, Register
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.usage import (
    BY_STATE_OF_CHARGE,
    BY_VOLTAGE,
    GENERATOR_INPUT,
    MICRO_INVERTER,
    SMART_LOAD,
    SWITCHED_PORT,
    Usage,
)
from tests import manual_items, manual_items_saj
from tests.manual_items import Item, Page

ROOT: Final = Path(__file__).parents[2]
TEXTS: Final[dict[str, Any]] = json.loads(
    (ROOT / "custom_components/hybrid_inverter/translations/en.json").read_text(encoding="utf-8")
)

PLATFORMS: Final = {"binary_sensor": "binary sensor"}
ORDER: Final = ("sensor", "binary_sensor", "select", "number", "switch", "time")
SHOW_ONLY: Final = frozenset({"binary_sensor", "calendar", "event", "sensor"})
PARTS: Final = {
    Part.INVERTER: "Inverter",
    Part.PV: "PV",
    Part.BATTERY: "Battery",
    Part.GRID: "Grid",
    Part.LOAD: "Load",
    Part.GENERATOR: "Generator port",
    Part.METER_A: "Meter A",
    Part.METER_B: "Meter B",
    Part.METER: "Meter",
}
# Whose entity it is, where meters have different ones by what they measure.
METERS: Final = {
    MeterRole.GRID: "of a grid meter",
    MeterRole.SOLAR: "of a solar meter",
    MeterRole.LOAD: "of a load meter",
}
GROUPS: Final = {
    Group.POWER: "Powers, faults and grid",
    Group.ENERGY: "Energy counters, status and temperatures",
    Group.SETTINGS: "Settings",
    Group.IDENTITY: "Identity",
}
# When a setting counts; otherwise its entity is not there.
WHEN: Final[dict[Usage, str]] = {
    BY_VOLTAGE: "the battery is controlled by voltage",
    BY_STATE_OF_CHARGE: "the battery is controlled by state of charge",
    GENERATOR_INPUT: "the port is a generator input",
    SMART_LOAD: "the port is a smart load output",
    MICRO_INVERTER: "the port is a micro inverter input",
    SWITCHED_PORT: "the port is a smart load output or a micro inverter input",
}
UNITS: Final = {"degC": "°C", "mV/degC/cell": "mV/°C/cell", "mOhm": "mΩ"}
NOTICE: Final = "<!-- Made by scripts/docs. Change the tables, the translations or the list of items instead. -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A family, and how the list of its entities and registers begins."""

    family: Family
    # The name of the document, what it is called, and what it says of the entities.
    entities: str
    entities_title: str
    entities_intro: str
    # What is said of the addresses, and how one is written.
    addresses: str
    address_format: str

    def rows(self) -> dict[str, Register]:
        """Return the rows by key, with those that only some machines have; of several, one that can be changed."""
        rows: dict[str, Register] = {}
        for row in self.family.every_row():
            if row.key not in rows or row.writable:
                rows[row.key] = row
        return rows

    def complete(self) -> Family:
        """Return the family as a machine that has everything would have it."""
        return self.family.fitted({feature.key for feature in self.family.features}, None)

    def keys(self) -> set[str]:
        """Return all keys that a machine of the family can have."""
        derived = (feature.derived for feature in self.family.features)
        return {*self.rows(), *self.family.derived}.union(*derived)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book(Tables):
    """A family with the items of its manual, and how the document about these begins."""

    pages: tuple[Page, ...]
    reasons: Mapping[str, str]
    # The name of the document, what it is called, and what it says of itself.
    manual: str
    manual_title: str
    manual_intro: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An entity as a person meets it."""

    key: str
    platform: str
    # The name with its placeholders, and what is put into them.
    template: str
    placeholders: tuple[tuple[str, str], ...]
    part: Part
    enabled: bool
    unit: str
    # The tier that may change it; empty for what is only shown.
    tier: str
    # When it is there, in words; empty for always.
    when: str
    # Which meters have it, in words; empty for all of them.
    whose: str

    @property
    def device(self) -> str:
        """Return which device it belongs to."""
        return PARTS[self.part]

    @property
    def kind(self) -> str:
        """Return the platform, with what else there is to know."""
        words = [PLATFORMS.get(self.platform, self.platform), self.whose, self.tier]
        if not self.enabled:
            words.append("off at first")
        return ", ".join(word for word in words if word)


def described(book: Tables) -> Iterator[tuple[str, UnitEntityDescription]]:
    """Yield all entities of a family; a setting that a tier may change is named as its control, not as what is shown."""
    keys, complete = book.keys(), book.complete()
    for platform, descriptions in DESCRIPTIONS.items():
        for description in descriptions:
            if (
                (description.part is Part.METER) == (book.family.kind == SUBENTRY_METER)
                and description.writable in (None, is_control(book, description))
                and description.polled_from(complete) <= keys
            ):
                yield platform, description
    yield from ALWAYS


def is_control(book: Tables, description: UnitEntityDescription) -> bool:
    """Whether some tier may write what an entity stands for."""
    row = book.rows().get(description.value_key)
    return row is not None and row.writable


def kind_order(entity: Shown) -> int:
    """Return where an entity stands: what is shown before what is set, the rest at the end."""
    return ORDER.index(entity.platform) if entity.platform in ORDER else len(ORDER)


def entities(book: Tables) -> list[Shown]:
    """Return everything that an inverter of the family can show, sorted by what it is."""
    found = []
    for platform, description in described(book):
        translation, placeholders = translation_of(description.text_key)
        found.append(
            Shown(
                key=description.key,
                platform=str(platform),
                template=TEXTS["entity"][platform][translation]["name"],
                placeholders=tuple(placeholders.items()),
                # A meter has no parts.
                part=Part.METER if book.family.kind == SUBENTRY_METER else description.part,
                enabled=description.entity_registry_enabled_default,
                unit=getattr(description, "native_unit_of_measurement", None) or "",
                tier=tier_of(book, platform, description),
                when=" and ".join(WHEN[usage] for usage in description.used_when),
                whose=METERS[description.role] if description.role else "",
            )
        )
    return sorted(found, key=kind_order)


def tier_of(book: Tables, platform: str, description: UnitEntityDescription) -> str:
    """Return the tier that may change what an entity stands for; empty for what is only shown."""
    row = book.rows().get(description.value_key)
    if platform in SHOW_ONLY or row is None or row.tier is None:
        return ""
    return str(row.tier)


def by_key(book: Book) -> dict[str, list[Shown]]:
    """Return the entities of every key."""
    found: dict[str, list[Shown]] = {}
    for entity in entities(book):
        found.setdefault(entity.key, []).append(entity)
    return found


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def code(text: str) -> str:
    """Return text that is typed as it stands."""
    return f"`{text}`"


# ---------------------------------------------------------------------- the manual


MANUAL: Final = """\
# {title}: the manual, page by page

{notice}

{intro}: {count} items.

- **Kind** says what it is, and from which [tier](../README.md#options) on it can be changed: `everyday` or `installer`.
  Without a tier it is only shown. In a lower tier a setting is shown as a sensor with the same name.
- *Off at first* means that the entity is disabled until you enable it on the page of its device.
- *Only while* means that the entity is not there otherwise: the inverter does not go by the setting then. It comes and
  goes by itself when the mode is changed, and keeps its name and whatever else you gave it.
- **Key** is the end of the entity's unique id. The addresses are in the
  [list of entities and registers]({entities}).
"""


def manual(book: Book) -> str:
    """Return the manual of a family, item by item."""
    shown = by_key(book)
    head = MANUAL.format(
        title=book.manual_title,
        notice=NOTICE,
        intro=book.manual_intro,
        count=sum(len(page.items) for page in book.pages),
        entities=book.entities,
    )
    parts = [head.rstrip()]
    for page in book.pages:
        parts.append(f"## {page.section} {page.title}")
        if page.intro:
            parts.append(page.intro)
        parts.append(manual_table(book, page, shown))
    return "\n\n".join(parts) + "\n"


def manual_table(book: Book, page: Page, shown: Mapping[str, list[Shown]]) -> str:
    """Return the items of one page; neighbours of which the same is to be said share a row."""
    rows = [
        ["; ".join(item.name for item in alike), *cells]
        for cells, alike in groupby(page.items, key=lambda item: manual_cells(book, item, shown))
    ]
    return table(("Item", "In Home Assistant", "Kind", "Key"), rows)


def manual_cells(book: Book, item: Item, shown: Mapping[str, list[Shown]]) -> list[str]:
    """Return what is to be said of an item: its entities, or why there are none."""
    found = [entity for key in item.keys for entity in shown.get(key, ())]
    where = names(found) if item.code is None else repair(item.code)
    limits = [
        f"Only while {when}." for when in dict.fromkeys(entity.when for entity in found) if when
    ]
    remarks = [text for text in (item.note, book.reasons.get(item.reason or "")) if text]
    kinds = [] if item.code is None else ["repair"]
    kinds += dict.fromkeys(entity.kind for entity in found)
    keys = [keys_of(alike) for alike in same_name(found)]
    text = ". ".join(part for part in (where, " ".join(limits + remarks)) if part)
    return [text, " / ".join(kinds), ", ".join(dict.fromkeys(keys))]


def same_name(found: Iterable[Shown]) -> list[list[Shown]]:
    """Return neighbours that differ in a number only, together."""
    grouped = groupby(found, key=lambda entity: (entity.part, entity.template, entity.platform))
    return [list(alike) for _, alike in grouped]


def names(found: Iterable[Shown]) -> str:
    """Return the names of entities, each device once before its own."""
    return "; ".join(
        f"{device}: "
        + ", ".join(dict.fromkeys(f"*{name_of(alike)}*" for alike in same_name(group)))
        for device, group in groupby(found, key=lambda entity: entity.device)
    )


def name_of(alike: list[Shown]) -> str:
    """Return the name that a person reads, with the numbers of all that share it."""
    return alike[0].template.format_map(
        {
            name: listed([dict(entity.placeholders)[name] for entity in alike])
            for name, _ in alike[0].placeholders
        }
    )


def listed(numbers: list[str]) -> str:
    """Return numbers in words."""
    return f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 2 else " and ".join(numbers)


def keys_of(alike: list[Shown]) -> str:
    """Return the keys of entities that share a name."""
    keys = [code(entity.key) for entity in alike]
    return f"{keys[0]} to {keys[-1]}" if len(keys) > 2 else ", ".join(keys)


def repair(fault: str) -> str:
    """Return what a person is told to do about a fault."""
    title: str = TEXTS["issues"][f"fault_{fault.lower()}"]["title"]
    return f"*{title.removesuffix(' ({name})')}*"


# ---------------------------------------------------------------------- entities and registers


ENTITIES: Final = """\
# Entities and registers of {title}

{notice}

{intro}
"""

INVERTER_INTRO: Final = """\
By the pages of the manual: [the manual, page by page]({manual}).

## Entities

*Off at first* means that the entity is disabled until you enable it on the page of its device. `everyday` and
`installer` are the [tiers](../README.md#options) from which on a setting can be changed. In a lower tier it is shown as
a sensor with the same name.\
"""

METER_INTRO: Final = """\
Which meters may be asked at all: [Meters](wiring.md#meters).

## Entities

*Off at first* means that the entity is disabled until you enable it on the page of its device. What a meter measures,
as you said when you added it, decides what its counters are called. Nothing is ever written to a meter.\
"""

REGISTERS: Final = """\
## Registers

{addresses} A mask says which bits of a register are meant, where it holds more than one thing.
What has no tier is never written.
"""


def listing(book: Tables) -> str:
    """Return the list of all entities and of all registers."""
    head = ENTITIES.format(title=book.entities_title, notice=NOTICE, intro=book.entities_intro)
    parts = [head.rstrip()]
    found = entities(book)
    for part, title in PARTS.items():
        alike: dict[tuple[str, str, str], list[Shown]] = {}
        for entity in found:
            if entity.part is part:
                alike.setdefault((entity.platform, entity.template, entity.kind), []).append(entity)
        rows = [entity_row(group) for group in alike.values()]
        if rows:
            parts += [f"### {title}", table(("Name", "Kind", "Unit", "Key"), rows)]
    parts.append(REGISTERS.format(addresses=book.addresses).rstrip())
    parts += [text for group, title in GROUPS.items() for text in registers(book, group, title)]
    return "\n\n".join(parts) + "\n"


def registers(book: Tables, group: Group, title: str) -> list[str]:
    """Return the registers that are read together; of those that not every machine has, also what they belong to."""
    rows = [("", row) for row in book.family.registers.values()]
    for feature in book.family.features:
        rows += [(feature.key, row) for row in feature.registers.values()]
    found = sorted(
        ((feature, row) for feature, row in rows if row.group is group),
        key=lambda item: (item[1].addresses, item[1].mask or 0),
    )
    head = ["Address", "Key", "Unit", "Can be changed", "Source"]
    if not book.family.features:
        return [f"### {title}", table(head, (register_row(book, row) for _, row in found))]
    cells = ([*register_row(book, row), feature.replace("_", " ")] for feature, row in found)
    return [f"### {title}", table([*head, "Only with"], cells)]


def entity_row(alike: list[Shown]) -> list[str]:
    """Return the cells of an entity, or of several that differ in a number only."""
    return [name_of(alike), alike[0].kind, alike[0].unit, keys_of(alike)]


def register_row(book: Tables, row: Register) -> list[str]:
    """Return the cells of a register."""
    write = book.address_format.format
    address = " ".join(write(a) if a == b else f"{write(a)}-{write(b)}" for a, b in row.spans)
    if row.mask is not None:
        address += f" & 0x{row.mask:04X}"
    unit = UNITS.get(row.unit or "", row.unit or "")
    changed = ", ".join(text for text in (str(row.tier or ""), bounds(row)) if text)
    source = (
        row.source if row.confidence == "high" else f"{row.source} ({row.confidence} confidence)"
    )
    return [address, code(row.key), unit, changed, source]


def bounds(row: Register) -> str:
    """Return the bounds of a setting in words."""
    if (limits := row.limits) is None:
        return ""
    if isinstance(row.codec, Hhmm):
        return f"every {limits.step:g} minutes, in the order of the slots"
    step = "" if limits.step == 1 else f", step {limits.step:g}"
    return f"{bound(limits.minimum)} to {bound(limits.maximum)}{step}"


def bound(limit: float | Ref) -> str:
    """Return one bound: a number, or the setting that decides."""
    if not isinstance(limit, Ref):
        return f"{limit:g}"
    if limit.by_value:
        return f"{limit.by_value[8000]:g} (8 kW)"
    factor = f"{limit.factor:g} × " if limit.factor != 1 else ""  # noqa: RUF001 - the sign of a product
    offset = f" {'+' if limit.offset > 0 else '-'} {abs(limit.offset):g}" if limit.offset else ""
    return f"{factor}{code(limit.key)}{offset}"


BOOKS: Final = (
    Book(
        family=FAMILIES["jso"],
        pages=manual_items.PAGES,
        reasons=manual_items.REASONS,
        manual="jso8048104.md",
        entities="entities-jso.md",
        manual_title="JSO8048104",
        manual_intro="What stands on each page of the manual and of the display, and where it is in Home Assistant",
        entities_title="the JSO8048104 and its twins",
        entities_intro=INVERTER_INTRO.format(manual="jso8048104.md"),
        addresses="Addresses are decimal and start at 0.",
        address_format="{:d}",
    ),
    Book(
        family=FAMILIES["saj"],
        pages=manual_items_saj.PAGES,
        reasons=manual_items_saj.REASONS,
        manual="saj.md",
        entities="entities-saj.md",
        manual_title="SAJ H2, HS2, AS2 and HS3",
        manual_intro="What the manual says of each step of the installation and of each page of the maker's app, "
        "and where it is\nin Home Assistant",
        entities_title="the SAJ H2, HS2, AS2 and HS3",
        entities_intro=INVERTER_INTRO.format(manual="saj.md"),
        addresses="Addresses are hexadecimal, as on the wire. *Only with* names what a machine must have to serve a register;\n"
        "the integration looks for it.",
        address_format="0x{:04X}",
    ),
)

METER_ADDRESSES: Final = (
    "Addresses are hexadecimal, as on the wire. *Only with* names what a meter must have to serve a register; the\n"
    "integration looks for it."
)
METER_TABLES: Final = (
    Tables(
        family=FAMILIES["dtsu666"],
        entities="entities-dtsu666.md",
        entities_title="the CHINT DTSU666",
        entities_intro=METER_INTRO,
        addresses=METER_ADDRESSES,
        address_format="0x{:04X}",
    ),
    Tables(
        family=FAMILIES["ddsu666"],
        entities="entities-ddsu666.md",
        entities_title="the CHINT DDSU666",
        entities_intro=METER_INTRO,
        addresses=METER_ADDRESSES,
        address_format="0x{:04X}",
    ),
)

DOCUMENTS: Final[Mapping[str, Callable[[], str]]] = {
    **{book.manual: partial(manual, book) for book in BOOKS},
    **{tables.entities: partial(listing, tables) for tables in (*BOOKS, *METER_TABLES)},
}


def main() -> None:
    """Write the documents that have changed."""
    for name, make in DOCUMENTS.items():
        path = ROOT / "docs" / name
        text = make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"docs/{name} written")


if __name__ == "__main__":
    main()
