"""What a machine is asked once it is met: whether it is the right one, what it has, and what it looks like."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from .errors import DeviceError, ImplausibleError, LinkTimeout, WrongDeviceError
from .features import Feature, Values
from .reader import Reader
from .recognise import Words, conclude


async def verify(reader: Reader, serial: str) -> None:
    """Raise WrongDeviceError when another machine answers than the one with this serial number."""
    family = reader.unfitted
    await reader.read_now([family.registers[key] for key in reader.foundations], urgent=False)
    reader.complete()
    if family.serial is None:
        if await conclude(family.recognise(), reader.raw.ask) is not True:
            raise WrongDeviceError(f"a machine that is not {family.what}")
        return
    row = reader.family.registers[family.serial]
    await reader.read_now([row], urgent=False)
    if (found := reader.values[row.key]) != serial:
        raise WrongDeviceError(
            f"a machine with the serial number {found}"
            if found
            else "a machine without a serial number"
        )


async def discover(reader: Reader) -> frozenset[str]:
    """Look for what only some machines of the family have; return the features that were not known before."""
    before = reader.features
    waiting = [feature for feature in reader.unfitted.features if feature.key not in before]
    while waiting:
        undecided = {feature.key for feature in waiting}
        now = [one for one in waiting if undecided.isdisjoint(one.needs | one.unless)]
        waiting = [one for one in waiting if one not in now]
        found = await _look_for(
            reader,
            [
                feature
                for feature in now
                if feature.needs <= reader.features and feature.unless.isdisjoint(reader.features)
            ],
        )
        if found:
            reader.fit(reader.features | found)
    return reader.features - before


async def portrait(stranger: Reader) -> Mapping[int, int]:
    """Return the words of what tells which machine a stranger is and what it has, as far as it answers."""

    async def ask(address: int, count: int) -> Words:
        if (words := await stranger.raw.ask(address, count)) is not None:
            recognised.update(enumerate(words, address))
        return words

    recognised: dict[int, int] = {}
    with suppress(DeviceError):
        if await conclude(stranger.unfitted.recognise(), ask) is not True:
            recognised.clear()
        await stranger.read(stranger.unfitted.identity)
        await discover(stranger)
    return {**recognised, **stranger.image}


async def _look_for(reader: Reader, sought: Collection[Feature]) -> set[str]:
    """Return which of these features the machine has."""
    looked_at = {key: row for feature in sought for key, row in feature.proof.rows.items()}
    keys = {key for feature in sought for key in feature.proof.keys} - looked_at.keys()
    rows = reader.unfitted.rows_of(keys)
    spans = [span for row in (*rows.values(), *looked_at.values()) for span in row.spans]
    for together in reader.raw.reads_of(spans, alone=spans):
        try:
            await reader.raw.try_to_read(together)
        except LinkTimeout:
            # Some machines keep silent where others refuse. If this one is there, that was its answer.
            await reader.read_now([reader.unfitted.registers[reader.unfitted.marker]], urgent=False)
        except ImplausibleError:
            # What cannot be true proves nothing.
            continue
    values: Values = {
        **reader.values,
        **reader.decode(rows),
        **{key: row.decode(reader.image) for key, row in reader.brought(looked_at).items()},
    }
    return {feature.key for feature in sought if feature.proof.holds(values)}
