"""What the settings of the generator port depend on."""

from __future__ import annotations

from typing import Final

from ...model.condition import Condition


def port(*modes: str) -> Condition:
    """The generator port is in one of these modes."""
    return Condition(("generator_port_mode",), frozenset((mode,) for mode in modes))


GENERATOR_INPUT: Final = port("generator_input")
SMART_LOAD: Final = port("smart_load_output")
MICRO_INVERTER: Final = port("micro_inverter_input")
# A micro inverter is switched by the thresholds of the smart load.
SWITCHED_PORT: Final = port("smart_load_output", "micro_inverter_input")
