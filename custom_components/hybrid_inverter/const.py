"""Constants of the Hybrid Inverter integration."""

from enum import StrEnum
import logging
from typing import Final

from .modbus.model.register import Group

DOMAIN: Final = "hybrid_inverter"
LOGGER = logging.getLogger(__package__)

CONF_TYPE: Final = "type"
TYPE_NETWORK: Final = "network"
TYPE_SERIAL: Final = "serial"
TYPE_STICK: Final = "stick"
# A line that is only listened to, as it has its master already.
TYPE_LISTEN: Final = "listen"
# No link: a view of the machines of other entries.
TYPE_PLANT: Final = "plant"

CONF_FRAMING: Final = "framing"
CONF_LOGGER_SERIAL: Final = "logger_serial"
CONF_UNIT_ID: Final = "unit_id"
CONF_BAUDRATE: Final = "baudrate"
CONF_PARITY: Final = "parity"
CONF_STOPBITS: Final = "stopbits"
SECTION_ADVANCED: Final = "advanced"
# The step that asks for it, and its field.
CONF_MAKER: Final = "maker"
# The step that asks for it, and the fact that the answer becomes.
CONF_RATED_POWER: Final = "rated_power"

DEFAULT_PORT: Final = 502
DEFAULT_STICK_PORT: Final = 8899
# Of many gateways that pass the bytes through; there is no standard.
DEFAULT_TRANSPARENT_PORT: Final = 8899
DEFAULT_UNIT_ID: Final = 1
DEFAULT_BAUDRATE: Final = 9600

# Where a person finds more than a form has room for.
DOCS_URL: Final = "https://github.com/hybrid-inverter/hybrid-inverter/blob/main/docs"

SUBENTRY_INVERTER: Final = "inverter"
SUBENTRY_METER: Final = "meter"


class MeterRole(StrEnum):
    """What flows through a meter."""

    # Between the house and the grid: import is positive.
    GRID = "grid"
    # What a solar inverter of another maker feeds into the house: production is positive, and counts as import.
    SOLAR = "solar"
    # A part of the house: consumption is positive.
    LOAD = "load"


CONF_ROLE: Final = "role"
# Whether a meter is wired, or its clamps lie, the other way round.
CONF_INVERTED: Final = "inverted"

# What a subentry keeps of its machine.
CONF_IDENTITY: Final = "identity"
# What a meter is asked for that is only listened to: first address and number of registers of each request.
CONF_HEARD: Final = "heard"
# What a person tells of it where nothing was heard.
CONF_FAMILY: Final = "family"
CONF_CT_RATIO: Final = "ct_ratio"

# What a plant keeps of its members: their names by serial number, the inverter that sees the grid, and the capacities of
# the inverters' batteries in kilowatt-hours.
CONF_MEMBERS: Final = "members"
CONF_GRID_INVERTER: Final = "grid_inverter"
CONF_CAPACITY: Final = "capacity"
CONF_CAPACITIES: Final = "capacities"

# The option under which the mirror of a link is kept, and its fields beside host and port: whether it is on, and the
# registers that are polled for it alone, as a person writes them.
CONF_MIRROR: Final = "mirror"
CONF_ENABLED: Final = "enabled"
CONF_REGISTERS: Final = "registers"
# Whoever wants others to reach it chooses another address.
DEFAULT_MIRROR_HOST: Final = "127.0.0.1"
DEFAULT_MIRROR_PORT: Final = 5020

CONF_TIER: Final = "tier"
# What an owner allows: to sell from the battery, and how many watts may come from the grid.
CONF_MAY_SELL: Final = "may_sell_from_battery"
CONF_MAX_IMPORT: Final = "maximum_import"
# The groups that are polled, with their default interval and its bounds in seconds.
CONF_INTERVALS: Final = {
    Group.POWER: "power_interval",
    Group.ENERGY: "energy_interval",
    Group.SETTINGS: "settings_interval",
}
INTERVAL_BOUNDS: Final = {
    Group.POWER: (1, 60),
    Group.ENERGY: (10, 3600),
    Group.SETTINGS: (30, 3600),
}
DEFAULT_INTERVALS: Final = {
    Group.POWER: 5,
    Group.FAULTS: 15,
    Group.ENERGY: 60,
    Group.SETTINGS: 300,
    Group.IDENTITY: 24 * 60 * 60,
}
# To look at what was heard costs nothing.
LISTEN_INTERVALS: Final = {
    **DEFAULT_INTERVALS,
    Group.POWER: 1,
    Group.ENERGY: 10,
    Group.SETTINGS: 30,
}
