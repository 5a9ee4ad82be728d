"""A simulated plant: machines that answer on the wire like real ones, fed by simple physics."""

from .machine import Machine, Write
from .meter_models import METERS, MeterModel
from .options import PlantOptions
from .server import LineTiming, ModbusServer
from .simulation import SimulatedPlant
from .stick import Stick, StickHabits
from .trouble import Rewrite, Spike, Trouble

__all__ = [
    "METERS",
    "LineTiming",
    "Machine",
    "MeterModel",
    "ModbusServer",
    "PlantOptions",
    "Rewrite",
    "SimulatedPlant",
    "Spike",
    "Stick",
    "StickHabits",
    "Trouble",
    "Write",
]
