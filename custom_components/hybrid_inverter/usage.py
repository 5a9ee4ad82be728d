"""When a machine goes by a setting, as its other settings tell; its display shows a setting only then, too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .modbus.codec import Value


@dataclass(frozen=True, slots=True)
class Usage:
    """The combinations of other settings in which a setting counts."""

    keys: tuple[str, ...]
    # Each with a value for every key, in their order.
    cases: frozenset[tuple[str, ...]]

    def applies(self, values: Mapping[str, Value | None]) -> bool:
        """Return whether the setting counts, as far as that is known: what is not speaks against nothing."""
        held = [values.get(key) for key in self.keys]
        return any(
            all(value in (None, wanted) for value, wanted in zip(held, case, strict=True))
            for case in self.cases
        )

    def is_known(self, values: Mapping[str, Value | None]) -> bool:
        """Return whether the other settings were read; a code without a meaning is all that they may say."""
        return all(key in values for key in self.keys)


def port(*modes: str) -> Usage:
    """Return the usage of a setting that counts in these modes of the generator port."""
    return Usage(("generator_port_mode",), frozenset((mode,) for mode in modes))


_BATTERY: Final = ("battery_operation_mode", "battery_chemistry")
BY_VOLTAGE: Final = Usage(_BATTERY, frozenset({("voltage", "lead_acid")}))
# A lithium battery goes by its state of charge, whatever is chosen.
BY_STATE_OF_CHARGE: Final = Usage(
    _BATTERY,
    frozenset(
        {
            ("state_of_charge", "lead_acid"),
            ("state_of_charge", "lithium"),
            ("voltage", "lithium"),
        }
    ),
)

GENERATOR_INPUT: Final = port("generator_input")
SMART_LOAD: Final = port("smart_load_output")
MICRO_INVERTER: Final = port("micro_inverter_input")
# The thresholds of the smart load are those of the micro inverter, too.
SWITCHED_PORT: Final = port("smart_load_output", "micro_inverter_input")
