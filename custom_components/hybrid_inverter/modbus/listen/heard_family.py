"""A meter that is only heard: it has the registers that somebody reads, and nothing else can be found out about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from math import prod
from typing import Final

from ..device.image import Span
from ..find.identify import Identity
from ..model.codec import Codec, FloatNumber, Value
from ..model.derived import Derived, total
from ..model.family import Family
from ..model.part import Part
from ..model.recognition import Recognition
from ..model.register import Group, Register
from ..tables import FAMILIES
from .heard import Request

# What meters can be heard of.
HEARD_FAMILIES: Final = tuple(key for key, family in FAMILIES.items() if family.kind == "meter")

CT_RATIO: Final = "ct_ratio"
PT_RATIO: Final = "pt_ratio"
# The total, which some inverters do not ask for, and the phases that it is the sum of.
POWER: Final = "power"
PHASE_POWERS: Final = ("l1_power", "l2_power", "l3_power")


def as_heard(family: Family, requests: Collection[Request], facts: Mapping[str, Value]) -> Family:
    """The family as a meter has it of which these registers are read, and whose facts are known."""
    spans = sorted((one.address, one.address + one.count - 1) for one in requests)
    # Of two places for the same value the later one is better: the primary side knows no ratios.
    registers = {
        row.key: replace(row, codec=_completed(row.codec, facts))
        for row in family.every_row()
        if _is_within(row, spans)
    }
    derived: dict[str, Derived] = {}
    if POWER not in registers and registers.keys() >= set(PHASE_POWERS):
        derived[POWER] = Derived(
            key=POWER,
            inputs=PHASE_POWERS,
            compute=total(*PHASE_POWERS),
            group=Group.POWER,
            unit="W",
            part=Part.METER,
            shown=True,
        )
    return replace(
        family,
        registers=registers,
        derived=derived,
        features=(),
        readable=spans,
        recognise=_on_trust,
        firmware=tuple(key for key in family.firmware if key in registers),
    )


def identity_of_heard(family_key: str, ct_ratio: float | None) -> Identity:
    """What is known of a meter that must not be polled: its kind, and its transformers' ratio, 1 where none is needed."""
    family = FAMILIES[family_key]
    values: dict[str, Value | None] = {CT_RATIO: ct_ratio or 1, PT_RATIO: 1}
    values |= {key: compute(values) for key, compute in family.computed.items()}
    facts = {
        key: value for key in family.facts if isinstance(value := values.get(key), (int, float))
    }
    return Identity(
        family=family_key,
        serial="",
        manufacturer=family.other_model.manufacturer,
        model=family.other_model.name,
        firmware=None,
        facts=facts,
    )


def model_of_heard(family_key: str | None) -> str:
    """The name of a meter's model, or of all that it may be."""
    keys = HEARD_FAMILIES if family_key is None else (family_key,)
    return " / ".join(FAMILIES[key].other_model.name for key in keys)


def rests_on_ct_ratio(family_key: str, requests: Collection[Request]) -> bool:
    """Whether any value that is heard of a meter is multiplied by the ratio of its current transformers."""
    spans = [(one.address, one.address + one.count - 1) for one in requests]
    kept = {row.key: row for row in FAMILIES[family_key].every_row() if _is_within(row, spans)}
    return any(
        isinstance(row.codec, FloatNumber) and CT_RATIO in row.codec.ratios for row in kept.values()
    )


def _on_trust() -> Recognition:
    """Recognise a meter as what it was set up as: it cannot be polled."""
    yield from ()
    return True


def _is_within(row: Register, spans: Sequence[Span]) -> bool:
    """Whether all words of each part of a row come with one answer."""
    return bool(row.spans) and all(
        any(low <= first and last <= high for low, high in spans) for first, last in row.spans
    )


def _completed(codec: Codec, facts: Mapping[str, Value]) -> Codec:
    """A codec with the ratios that it rests on worked in: they are facts, and need not be heard again."""
    if not isinstance(codec, FloatNumber):
        return codec
    factors = [codec.scale, *(facts.get(key, 1) for key in codec.ratios)]
    scale = float(prod(Decimal(str(factor)) for factor in factors))
    return replace(codec, scale=scale, ratios=())
