"""The physics of a house with hybrid inverters: pure and seeded, without registers, sockets and a wall clock."""

from .installation import Installation
from .inverter import Inverter
from .jso_rules import JsoControls, Slot, WorkMode
from .orders import Controls, Orders, PortUse
from .phases import NOTHING, PHASES, Phases
from .point import Measure, Measurement, Point
from .saj_rules import Action, ExportLimit, SajControls, SajMode, Window
from .senses import Accuracy, Read, Senses, exactly
from .site import Site
from .sky import Weather
from .solar_inverter import SolarInverter
from .wiring import RIGHT, Clamps, Place, Wiring

__all__ = [
    "NOTHING",
    "PHASES",
    "RIGHT",
    "Accuracy",
    "Action",
    "Clamps",
    "Controls",
    "ExportLimit",
    "Installation",
    "Inverter",
    "JsoControls",
    "Measure",
    "Measurement",
    "Orders",
    "Phases",
    "Place",
    "Point",
    "PortUse",
    "Read",
    "SajControls",
    "SajMode",
    "Senses",
    "Site",
    "Slot",
    "SolarInverter",
    "Weather",
    "Window",
    "Wiring",
    "WorkMode",
    "exactly",
]
