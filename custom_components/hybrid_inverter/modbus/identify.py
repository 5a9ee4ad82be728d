"""Which machine answers on a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .codec import RATED_POWER, as_number
from .device import Device
from .errors import LinkTimeout, RejectedError, WrongDeviceError
from .family import Family
from .features import Values
from .recognise import Stranger, Words, conclude
from .tables import FAMILIES
from .unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a machine says about itself, enough to build its entities while it sleeps."""

    family: str
    # Empty for a machine that has none.
    serial: str
    manufacturer: str
    model: str
    firmware: str | None
    # What bounds or shapes other values, by key: rated power, inputs, phases, transformer ratios.
    facts: Mapping[str, int | float]
    # What it was found to have of what only some machines of its family have.
    features: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return `inverter` or `meter`."""
        return FAMILIES[self.family].kind

    @property
    def lacks_rated_power(self) -> bool:
        """Whether the machine has not told its rated power, so that a person has to."""
        return RATED_POWER not in self.facts

    @property
    def rated_powers(self) -> tuple[float, float]:
        """Return the smallest and largest rated power in watts that its family is built with."""
        return FAMILIES[self.family].rated_powers

    def with_rated_power(self, watts: float) -> Identity:
        """Return the identity of a machine whose rated power a person has told, with the model's name made of it."""
        facts = {**self.facts, RATED_POWER: watts}
        model = FAMILIES[self.family].model(facts)
        return replace(self, facts=facts, manufacturer=model.manufacturer, model=model.name)

    def with_foundations(self, values: Values) -> Identity:
        """Return the identity of a machine at which somebody may have changed what its values rest on, to these values.

        What is computed of them follows: behind other transformers a meter measures another power at most.
        """
        told = {key: number for key in values if (number := as_number(values[key])) is not None}
        if told.items() <= self.facts.items():
            return self
        facts = {**self.facts, **told}
        for key, compute in FAMILIES[self.family].computed.items():
            if (computed := compute(facts)) is not None:
                facts[key] = computed
        return replace(self, facts=facts)


async def identify(unit: Unit, kind: str | None = None) -> Identity:
    """Ask a unit what it is; with a kind, `inverter` or `meter`, whether it is one of that.

    WrongDeviceError when something answers that no table is made for, or that is of the other kind, LinkError when
    nothing usable does, RejectedError when a machine or a gateway cannot answer now.
    """
    inquiry = _Inquiry(unit)
    stranger: Stranger | None = None
    for sought in _kinds(kind):
        try:
            found = await inquiry.of_kind(sought)
        except LinkTimeout, RejectedError:
            # It has said before what it is not.
            if stranger is None:
                raise
            continue
        if isinstance(found, Family):
            if kind not in (None, sought):
                raise WrongDeviceError(found.what)
            try:
                return await _identify_as(unit, found)
            except WrongDeviceError as err:
                found = Stranger(err.found)
        # What is known for something else may still be a meter: its first registers hold any numbers.
        if stranger is None or found.certain:
            stranger = found
    raise WrongDeviceError(stranger.name if stranger else f"no {kind}")


def _kinds(first: str | None) -> list[str]:
    """Return all kinds of machines, the one that is looked for first."""
    kinds = dict.fromkeys(family.kind for family in FAMILIES.values())
    return sorted(kinds, key=lambda each: each != first)


class _Inquiry:
    """Asks a unit what the families' recognition wants to know, the same thing once."""

    def __init__(self, unit: Unit) -> None:
        """Ask this unit."""
        self._unit = unit
        self._answers: dict[tuple[int, int], Words | LinkTimeout] = {}
        # The first address that was refused.
        self._refused: int | None = None

    async def of_kind(self, kind: str) -> Family | Stranger:
        """Return the family of a kind that the machine is of, or what it is instead.

        LinkTimeout when it did not answer what it was asked for, and is not known for something else.
        """
        found: Stranger | None = None
        silence: LinkTimeout | None = None
        self._refused = None
        for family in FAMILIES.values():
            if family.kind != kind:
                continue
            try:
                verdict = await conclude(family.recognise(), self._ask)
            except LinkTimeout as err:
                # Some machines do not refuse what they do not have, they keep silent.
                silence = err
                continue
            if verdict is True:
                return family
            if verdict is not None:
                found = verdict
                if found.certain:
                    return found
        # That it refuses another family's register says nothing of one that was silent when it was asked for its own.
        if found is None and silence is not None:
            raise silence
        unreadable = (
            "a machine without a readable type"
            if self._refused is None
            else f"a machine that refuses register {self._refused}"
        )
        return found or Stranger(unreadable, certain=False)

    async def _ask(self, address: int, count: int) -> Words:
        """Return words of the machine, or None where it refuses them."""
        question = (address, count)
        if question not in self._answers:
            try:
                self._answers[question] = await self._unit.read_holding_registers(address, count)
            except LinkTimeout as err:
                self._answers[question] = err
            except RejectedError as err:
                if not err.is_refusal:
                    raise
                self._answers[question] = None
                if self._refused is None:
                    self._refused = address
        answer = self._answers[question]
        if isinstance(answer, LinkTimeout):
            raise answer
        return answer


async def _identify_as(unit: Unit, family: Family) -> Identity:
    """Read the identity of a machine that was recognised as one of this family."""
    device = Device(unit, family)
    values = dict(await device.read(family.identity))
    values |= {key: compute(values) for key, compute in family.computed.items()}
    serial, rated = (
        "" if family.serial is None else values.get(family.serial),
        values.get(RATED_POWER),
    )
    if not isinstance(serial, str):
        raise WrongDeviceError("a machine without a serial number")
    for key in sorted(family.needs - {RATED_POWER}):
        if as_number(values.get(key)) is None:
            raise WrongDeviceError(f"{family.what} with an impossible {key.replace('_', ' ')}")
    low, high = family.rated_powers
    tells = isinstance(rated, (int, float)) and low <= rated <= high
    if not tells and not family.asks_rated_power:
        raise WrongDeviceError(
            "a machine that does not tell its rated power"
            if rated is None
            else f"a machine with a rated power of {rated:g} W"
        )
    # What the model's name is made of, to name it again when a person has told the rated power.
    kept = family.facts if tells else (*family.facts, family.model_key)
    facts: dict[str, int | float] = dict(family.assumed)
    facts.update(
        {key: number for key in kept if (number := as_number(values.get(key))) is not None}
    )
    if not tells:
        facts.pop(RATED_POWER, None)
    features = await device.discover()
    model = family.model({**device.values, **values, RATED_POWER: rated if tells else None})
    return Identity(
        family=family.key,
        serial=serial,
        manufacturer=model.manufacturer,
        model=model.name,
        firmware=family.firmware_text(values),
        facts=facts,
        features=tuple(sorted(features)),
    )
