"""The physics of a house with hybrid inverters: pure and seeded, without registers, sockets and a wall clock."""

from .installation import Installation
from .inverter import Inverter
from .jso_rules import JsoControls, Slot, WorkMode
from .orders import Controls, Orders, PortUse
from .phases import NOTHING, PHASES, Phases
from .point import Measure, Measurement, Point
from .saj_rules import Action, ExportLimit, SajControls, SajMode, Window
from .site import Site
from .solar_inverter import SolarInverter

__all__ = [
    "NOTHING",
    "PHASES",
    "Action",
    "Controls",
    "ExportLimit",
    "Installation",
    "Inverter",
    "JsoControls",
    "Measure",
    "Measurement",
    "Orders",
    "Phases",
    "Point",
    "PortUse",
    "SajControls",
    "SajMode",
    "Site",
    "Slot",
    "SolarInverter",
    "Window",
    "WorkMode",
]
