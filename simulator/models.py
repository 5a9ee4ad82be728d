"""The machines that can be simulated, by the name on their type plate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from . import jso8048104
from .inverter_machine import InverterMachine
from .jso import JsoMachine
from .physics import Installation, Inverter, SolarInverter
from .saj import SajMachine
from .saj_models import SAJ_MODELS, SERIAL_NUMBER


class Build(Protocol):
    """Make a machine of one model."""

    def __call__(
        self,
        inverter: Inverter,
        *,
        serial_number: str,
        unit: int,
        readable: Sequence[tuple[int, int]] | None,
        packs: bool | None,
        timer: Callable[[], float],
    ) -> InverterMachine:
        """`readable` replaces the ranges that it serves, `packs` whether its packs report themselves."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is built in beside the machine, and how it is reached."""

    build: Build
    family: str
    serial_number: str
    installation: Installation = field(default_factory=Installation)
    # A solar inverter that it cannot do without.
    solar: SolarInverter | None = None
    # Its network module serves one client, and answers to every unit id.
    module: bool = False


MODELS: Final[Mapping[str, Model]] = {
    jso8048104.NAME: Model(build=JsoMachine, family="jso", serial_number=jso8048104.SERIAL_NUMBER),
    **{
        model.name: Model(
            build=partial(SajMachine, model),
            family="saj",
            serial_number=SERIAL_NUMBER,
            installation=model.installation,
            solar=model.solar,
            module=model.module,
        )
        for model in SAJ_MODELS
    },
}
