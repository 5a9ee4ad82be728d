"""When a device uses a setting, as its other settings say; its display shows a setting only then, too."""

from dataclasses import dataclass
from typing import Final

from .codec import Values


@dataclass(frozen=True, slots=True)
class Condition:
    """The combinations of other settings in which a setting is used."""

    keys: tuple[str, ...]
    # Each with a value for every key, in their order.
    cases: frozenset[tuple[str, ...]]

    def is_met(self, values: Values) -> bool:
        """Whether the setting is used; a value that is not known speaks against nothing."""
        held = [values.get(key) for key in self.keys]
        return any(
            all(value in (None, wanted) for value, wanted in zip(held, case, strict=True))
            for case in self.cases
        )

    def is_known(self, values: Values) -> bool:
        """Whether the other settings were read, be it as a code without a meaning."""
        return all(key in values for key in self.keys)


_BATTERY: Final = ("battery_operation_mode", "battery_chemistry")
BY_VOLTAGE: Final = Condition(_BATTERY, frozenset({("voltage", "lead_acid")}))
# A lithium battery is controlled by its state of charge, whatever is chosen.
BY_STATE_OF_CHARGE: Final = Condition(
    _BATTERY,
    frozenset(
        {
            ("state_of_charge", "lead_acid"),
            ("state_of_charge", "lithium"),
            ("voltage", "lithium"),
        }
    ),
)
