"""Which device answers at a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
import re
from typing import Final

from ..device.device import Device
from ..errors import LinkTimeout, RejectedError, WrongDeviceError
from ..model.codec import RATED_POWER, Values, as_number
from ..model.family import Family, Model
from ..model.recognition import NO_SERIAL_NUMBER, OtherDevice, Words, conclude
from ..tables import FAMILIES
from ..transport.unit import Unit

NO_TYPE: Final = "no_type"
# What a serial number is made of. It stands in texts that are formatted, and must not format them.
SERIAL_NUMBER: Final = re.compile(r"[0-9A-Za-z]([0-9A-Za-z /+-]*[0-9A-Za-z])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a device reports about itself: enough to build its entities while it does not answer."""

    family: str
    # Empty for a device that has none.
    serial: str
    manufacturer: str
    model: str
    firmware: str | None
    # What bounds or shapes other values, by key: rated power, inputs, phases, transformer ratios.
    facts: Mapping[str, int | float]
    # The features that were found in it, of those that only some devices of its family have.
    features: tuple[str, ...] = ()
    # What only a person can say while it is added: whether it is of the family at all, and who has made it, with what
    # it is called by each of those who may have.
    is_doubtful: bool = field(default=False, compare=False)
    makers: Mapping[str, Model] = field(default_factory=dict, compare=False)

    @property
    def kind(self) -> str:
        """`inverter` or `meter`."""
        return FAMILIES[self.family].kind

    @property
    def lacks_rated_power(self) -> bool:
        """Whether the device does not report its rated power, so that a person has to enter it."""
        return RATED_POWER not in self.facts

    @property
    def rated_powers(self) -> tuple[float, float]:
        """The smallest and largest rated power in watts of its family."""
        return FAMILIES[self.family].rated_powers

    @property
    def sizes(self) -> tuple[int, ...]:
        """The rated powers in watts that models of its family are sold with."""
        return FAMILIES[self.family].sizes

    def with_rated_power(self, watts: float) -> Identity:
        """The same device with a rated power that a person has entered, which is also part of the model's name."""
        facts = {**self.facts, RATED_POWER: watts}
        model = FAMILIES[self.family].model(facts)
        return replace(self, facts=facts, manufacturer=model.manufacturer, model=model.name)

    @property
    def likeliest_maker(self) -> str:
        """The maker that it is called after until a person has said who has made it."""
        return next(
            maker
            for maker, model in self.makers.items()
            if (model.manufacturer, model.name) == (self.manufacturer, self.model)
        )

    def with_maker(self, maker: str) -> Identity:
        """The same device by one of its makers, under the name that this one gives it."""
        return self.named(self.makers[maker])

    def named(self, model: Model) -> Identity:
        """The same device, of which a person has said what it is."""
        return replace(
            self,
            manufacturer=model.manufacturer,
            model=model.name,
            is_doubtful=False,
            makers={},
        )

    def with_scaling_inputs(self, values: Values) -> Identity:
        """The same device with these values of what its other values are scaled by, as somebody may have changed them.

        The facts that are computed from them follow: the largest power of a meter depends on its transformers.
        """
        read = {key: number for key in values if (number := as_number(values[key])) is not None}
        if read.items() <= self.facts.items():
            return self
        facts = {**self.facts, **read}
        for key, compute in FAMILIES[self.family].computed.items():
            if (computed := compute(facts)) is not None:
                facts[key] = computed
        return replace(self, facts=facts)


async def identify(unit: Unit) -> Identity:
    """Identify the device at a unit.

    WrongDeviceError when something else answers, LinkError when nothing usable does, RejectedError when a device or a
    gateway cannot answer now.
    """
    questions = _Questions(unit)
    other: OtherDevice | None = None
    for kind in dict.fromkeys(family.kind for family in FAMILIES.values()):
        try:
            found = await questions.recognise(kind)
        except LinkTimeout, RejectedError:
            # Its earlier answers have already shown what it is not.
            if other is None:
                raise
            continue
        if isinstance(found, Family):
            try:
                return await _identify_as(unit, found)
            except WrongDeviceError as err:
                found = OtherDevice(err.found, err.details)
        # What looks like another known inverter may still be a meter: its first registers hold any numbers.
        if other is None or found.certain:
            other = found
    if other is None:
        raise WrongDeviceError(NO_TYPE)
    raise WrongDeviceError(other.code, **other.details)


class _Questions:
    """Reads what the recognition of the families yields for, the same words only once."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._answers: dict[tuple[int, int], Words | LinkTimeout] = {}
        # The first address that was refused.
        self._refused: int | None = None

    async def recognise(self, kind: str) -> Family | OtherDevice:
        """The family of this kind that the device belongs to, or what it is instead.

        LinkTimeout when it did not answer and is not known to be something else.
        """
        found: OtherDevice | None = None
        silence: LinkTimeout | None = None
        self._refused = None
        for family in FAMILIES.values():
            if family.kind != kind:
                continue
            try:
                verdict = await conclude(family.recognise(), self._ask)
            except LinkTimeout as err:
                # Some devices do not refuse registers that they do not have but stay silent.
                silence = err
                continue
            if verdict is True:
                return family
            if verdict is not None:
                found = verdict
                if found.certain:
                    return found
        # That a device refuses another family's register says nothing if it was silent about its own.
        if found is None and silence is not None:
            raise silence
        return found or self._unreadable()

    def _unreadable(self) -> OtherDevice:
        """A device whose type could not be read."""
        if self._refused is None:
            return OtherDevice(NO_TYPE, certain=False)
        return OtherDevice("refuses_register", {"address": str(self._refused)}, certain=False)

    async def _ask(self, address: int, count: int) -> Words:
        """Words of the device, or None where it refuses them."""
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
    """Read the identity of a device that was recognised as one of this family."""
    device = Device(unit, family)
    values = dict(await device.read(family.identity))
    values |= {key: compute(values) for key, compute in family.computed.items()}
    serial, rated = (
        "" if family.serial is None else values.get(family.serial),
        values.get(RATED_POWER),
    )
    if not isinstance(serial, str):
        raise WrongDeviceError(NO_SERIAL_NUMBER)
    if serial and not SERIAL_NUMBER.fullmatch(serial):
        raise WrongDeviceError("impossible_serial_number")
    for key in sorted(family.needs - {RATED_POWER}):
        if as_number(values.get(key)) is None:
            raise WrongDeviceError(f"impossible_{key}")
    low, high = family.rated_powers
    reports_rated = isinstance(rated, (int, float)) and low <= rated <= high
    if not reports_rated and not family.asks_rated_power:
        if rated is None:
            raise WrongDeviceError("no_rated_power")
        raise WrongDeviceError("impossible_rated_power", power=f"{rated:g}")
    # The model's name is made again from its key when a person has entered the rated power.
    kept = family.facts if reports_rated else (*family.facts, family.model_key)
    facts: dict[str, int | float] = dict(family.assumed)
    facts.update(
        {key: number for key in kept if (number := as_number(values.get(key))) is not None}
    )
    if not reports_rated:
        facts.pop(RATED_POWER, None)
    features = await device.discover()
    known = {**device.values, **values, RATED_POWER: rated if reports_rated else None}
    model = family.model(known)
    return Identity(
        family=family.key,
        serial=serial,
        manufacturer=model.manufacturer,
        model=model.name,
        firmware=family.firmware_text(values),
        facts=facts,
        features=tuple(sorted(features)),
        is_doubtful=not family.is_sure(known),
        makers={maker: family.model(known, maker) for maker in family.makers},
    )
