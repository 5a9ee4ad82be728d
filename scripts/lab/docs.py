"""The documents that are made from the tables, the entities and the manual's items. See scripts/docs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
import json
from pathlib import Path
from typing import Any, Final

from custom_components.hybrid_inverter import ALWAYS, DESCRIPTIONS
from custom_components.hybrid_inverter.entity import Part, UnitEntityDescription, translation_of
from custom_components.hybrid_inverter.modbus.register import Group, Hhmm, Ref, Register
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
from tests.manual_items import PAGES, REASONS, Item, Page

ROOT: Final = Path(__file__).parents[2]
TEXTS: Final[dict[str, Any]] = json.loads(
    (ROOT / "custom_components/hybrid_inverter/translations/en.json").read_text(encoding="utf-8")
)
JSO: Final = FAMILIES["jso"]
# With everything that only some of its machines have.
FAMILY: Final = JSO.fitted([feature.key for feature in JSO.features], None)

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

    @property
    def device(self) -> str:
        """Return which device it belongs to."""
        return PARTS[self.part]

    @property
    def kind(self) -> str:
        """Return the platform, with what else there is to know."""
        words = [PLATFORMS.get(self.platform, self.platform), self.tier]
        if not self.enabled:
            words.append("off at first")
        return ", ".join(word for word in words if word)


def described() -> Iterator[tuple[str, UnitEntityDescription]]:
    """Yield all entities; a setting that may only be looked at in a lower tier is named as the control it stands for."""
    for platform, descriptions in DESCRIPTIONS.items():
        for description in descriptions:
            if description.writable is not False:
                yield platform, description
    yield from ALWAYS


def kind_order(entity: Shown) -> int:
    """Return where an entity stands: what is shown before what is set, the rest at the end."""
    return ORDER.index(entity.platform) if entity.platform in ORDER else len(ORDER)


def entities() -> list[Shown]:
    """Return everything that an inverter of the family can show, sorted by what it is."""
    found = []
    for platform, description in described():
        translation, placeholders = translation_of(description.key)
        found.append(
            Shown(
                key=description.key,
                platform=str(platform),
                template=TEXTS["entity"][platform][translation]["name"],
                placeholders=tuple(placeholders.items()),
                part=description.part,
                enabled=description.entity_registry_enabled_default,
                unit=getattr(description, "native_unit_of_measurement", None) or "",
                tier=tier_of(platform, description),
                when=" and ".join(WHEN[usage] for usage in description.used_when),
            )
        )
    return sorted(found, key=kind_order)


def tier_of(platform: str, description: UnitEntityDescription) -> str:
    """Return the tier that may change what an entity stands for; empty for what is only shown."""
    register = FAMILY.registers.get(description.value_key)
    if platform in SHOW_ONLY or register is None or register.tier is None:
        return ""
    return str(register.tier)


def by_key() -> dict[str, list[Shown]]:
    """Return the entities of every key."""
    found: dict[str, list[Shown]] = {}
    for entity in entities():
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
# JSO8048104: the manual, page by page

{notice}

What stands on each page of the manual and of the display, and where it is in Home Assistant: {count} items.

- **Kind** says what it is, and from which [tier](../README.md#options) on it can be changed: `everyday` or `installer`.
  Without a tier it is only shown. In a lower tier a setting is shown as a sensor with the same name.
- *Off at first* means that the entity is disabled until you enable it on the page of its device.
- *Only while* means that the entity is not there otherwise: the inverter does not go by the setting then. It comes and
  goes by itself when the mode is changed, and keeps its name and whatever else you gave it.
- **Key** is the end of the entity's unique id. The addresses are in the
  [list of entities and registers](entities-jso.md).
"""


def manual() -> str:
    """Return the manual of the JSO8048104, item by item."""
    shown = by_key()
    parts = [MANUAL.format(notice=NOTICE, count=sum(len(page.items) for page in PAGES)).rstrip()]
    for page in PAGES:
        parts.append(f"## {page.section} {page.title}")
        if page.intro:
            parts.append(page.intro)
        parts.append(manual_table(page, shown))
    return "\n\n".join(parts) + "\n"


def manual_table(page: Page, shown: Mapping[str, list[Shown]]) -> str:
    """Return the items of one page; neighbours of which the same is to be said share a row."""
    rows = [
        ["; ".join(item.name for item in alike), *cells]
        for cells, alike in groupby(page.items, key=lambda item: manual_cells(item, shown))
    ]
    return table(("Item", "In Home Assistant", "Kind", "Key"), rows)


def manual_cells(item: Item, shown: Mapping[str, list[Shown]]) -> list[str]:
    """Return what is to be said of an item: its entities, or why there are none."""
    found = [entity for key in item.keys for entity in shown.get(key, ())]
    where = names(found) if item.code is None else repair(item.code)
    limits = [
        f"Only while {when}." for when in dict.fromkeys(entity.when for entity in found) if when
    ]
    remarks = [text for text in (item.note, REASONS.get(item.reason or "")) if text]
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
# Entities and registers of the JSO8048104 and its twins

{notice}

By the pages of the manual: [the manual, page by page](jso8048104.md).

## Entities

*Off at first* means that the entity is disabled until you enable it on the page of its device. `everyday` and
`installer` are the [tiers](../README.md#options) from which on a setting can be changed. In a lower tier it is shown as
a sensor with the same name.
"""

REGISTERS: Final = """\
## Registers

Addresses are decimal and start at 0. A mask says which bits of a register are meant, where it holds more than one thing.
What has no tier is never written.
"""


def listing() -> str:
    """Return the list of all entities and of all registers."""
    parts = [ENTITIES.format(notice=NOTICE).rstrip()]
    found = entities()
    for part, title in PARTS.items():
        rows = [
            entity_row(list(group))
            for _, group in groupby(
                (entity for entity in found if entity.part is part),
                key=lambda entity: (entity.platform, entity.template, entity.kind),
            )
        ]
        if rows:
            parts += [f"### {title}", table(("Name", "Kind", "Unit", "Key"), rows)]
    parts.append(REGISTERS.rstrip())
    for group, title in GROUPS.items():
        registers = sorted(
            (row for row in FAMILY.registers.values() if row.group is group),
            key=lambda row: (row.addresses, row.mask or 0),
        )
        head = ("Address", "Key", "Unit", "Can be changed", "Source")
        parts += [f"### {title}", table(head, (register_row(row) for row in registers))]
    return "\n\n".join(parts) + "\n"


def entity_row(alike: list[Shown]) -> list[str]:
    """Return the cells of an entity, or of several that differ in a number only."""
    return [name_of(alike), alike[0].kind, alike[0].unit, keys_of(alike)]


def register_row(row: Register) -> list[str]:
    """Return the cells of a register."""
    address = " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in row.spans)
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


DOCUMENTS: Final = {"jso8048104.md": manual, "entities-jso.md": listing}


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
