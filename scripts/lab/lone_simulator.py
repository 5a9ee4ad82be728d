"""The simulator as a process of its own: `python -m lab.lone_simulator`, with the options of `python -m simulator`.

It needs the register tables of the integration, but nothing of Home Assistant, whose import takes four seconds of
processor time: as much as half a minute of simulation, in each of the many plants of a check.
"""

import runpy
import sys
from types import ModuleType
from typing import Final

from .process import REPOSITORY

INTEGRATION: Final = "custom_components.hybrid_inverter"


def leave_out_home_assistant() -> None:
    """Have the packages below the integration's be imported without the integration itself."""
    package = ModuleType(INTEGRATION)
    package.__path__ = [str(REPOSITORY.joinpath(*INTEGRATION.split(".")))]
    sys.modules[INTEGRATION] = package


if __name__ == "__main__":
    leave_out_home_assistant()
    runpy.run_module("simulator", run_name="__main__")
