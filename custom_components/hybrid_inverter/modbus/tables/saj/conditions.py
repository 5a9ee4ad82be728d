"""What the settings of the work modes depend on."""

from __future__ import annotations

from typing import Final

from ...model.condition import Condition

PASSIVE_MODE: Final = Condition(("work_mode",), frozenset({("passive",)}))
