"""Questions to a device beside its polls: whether it is the right one, and what it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from ..errors import (
    DeviceError,
    ImplausibleError,
    WrongDeviceError,
)
from ..model.codec import Values
from ..model.features import Feature
from ..model.recognition import NO_SERIAL_NUMBER, Words, conclude
from ..model.register import Tier
from .register_reader import RegisterReader


async def verify(reader: RegisterReader, serial: str) -> None:
    """Raise WrongDeviceError when another device answers than the one with this serial number."""
    family = reader.unfitted
    await reader.read_fresh([family.registers[key] for key in reader.scaling_inputs], urgent=False)
    reader.refit()
    if family.serial is None:
        if await conclude(family.recognise(), reader.probe) is not True:
            raise WrongDeviceError(f"not_{family.key}")
        return
    row = reader.family.registers[family.serial]
    await reader.read_fresh([row], urgent=False)
    if (found := reader.values[row.key]) != serial:
        if not found:
            raise WrongDeviceError(NO_SERIAL_NUMBER)
        # Not which: what goes wrong ends up in a log that people share.
        raise WrongDeviceError("other_serial_number")


async def discover(
    reader: RegisterReader, tier: Tier, among: Collection[str] | None = None
) -> frozenset[str]:
    """Look for what only some devices of the family have; the features that were not known before.

    Only `among` these, if they are given.
    """
    before = reader.features
    waiting = [
        feature
        for feature in reader.unfitted.features
        if feature.key not in before
        and tier.allows(feature.tier)
        and (among is None or feature.key in among)
    ]
    while waiting:
        undecided = {feature.key for feature in waiting}
        decidable = [one for one in waiting if undecided.isdisjoint(one.needs | one.unless)]
        waiting = [one for one in waiting if one not in decidable]
        possible = [
            feature
            for feature in decidable
            if feature.needs <= reader.features and feature.unless.isdisjoint(reader.features)
        ]
        if found := await _find(reader, possible):
            reader.fit(reader.features | found)
    return reader.features - before


async def identification_dump(reader: RegisterReader) -> Mapping[int, int]:
    """The words that show which device this is and what it has, as far as it answers."""

    async def ask(address: int, count: int) -> Words:
        if (words := await reader.probe(address, count)) is not None:
            recognised.update(enumerate(words, address))
        return words

    recognised: dict[int, int] = {}
    with suppress(DeviceError):
        if await conclude(reader.unfitted.recognise(), ask) is not True:
            recognised.clear()
        await reader.read(reader.unfitted.identity)
        await discover(reader, Tier.INSTALLER)
    return {**recognised, **reader.image.words}


async def _find(reader: RegisterReader, sought: Collection[Feature]) -> set[str]:
    """The keys of those features that the device has."""
    proof_rows = {key: row for feature in sought for key, row in feature.proof.rows.items()}
    keys = {key for feature in sought for key in feature.proof.keys} - proof_rows.keys()
    rows = reader.unfitted.rows_of(keys)
    spans = {span for row in (*rows.values(), *proof_rows.values()) for span in row.spans}
    for together in reader.planner.reads_of(spans, alone=spans):
        # An answer that cannot be true proves nothing.
        with suppress(ImplausibleError):
            await reader.read_served(together)
    values: Values = {
        **reader.values,
        **reader.decode(rows),
        **{
            key: row.decode(reader.image.words)
            for key, row in proof_rows.items()
            if reader.image.has(row)
        },
    }
    return {feature.key for feature in sought if feature.proof.holds(values)}
