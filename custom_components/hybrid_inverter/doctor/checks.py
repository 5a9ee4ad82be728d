"""Why a test of the wiring is not begun: what keeps it from showing anything, or from being harmless."""

from dataclasses import replace
from enum import StrEnum
from typing import Final

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..control.orders import async_order
from ..control.refusals import Mistake, mistake
from ..control.request import OrderRequest
from ..control.setup import driver_of
from ..control.targets import Controlled
from ..control.times import SHORTEST
from ..modbus.control.order import ControlMode
from ..modbus.doctor.member import Role, first_served
from ..modbus.doctor.owner_test import POWER
from ..modbus.model.codec import as_number
from ..modbus.model.register import Group
from ..runtime.issues import machine_name
from ..runtime.lookup import async_running_units
from ..runtime.runtime import UnitRuntime
from .houses import House


class Obstacle(StrEnum):
    """Why a test does not begin, or does not come to its end: the key of a message."""

    RUNNING = "wiring_test_running"
    CHARGE = "wiring_test_charge"
    DISCHARGE = "wiring_test_discharge"
    GRID = "wiring_test_grid"
    SILENT = "wiring_test_silent"
    NO_CLAMPS = "wiring_test_no_clamps"
    ENDED = "wiring_test_ended"
    STOPPED = "wiring_test_stopped"
    FAILED = "wiring_test_failed"


# Percent that the battery has to be away from where charging or discharging ends.
MARGIN: Final = 3.0
SOC: Final = "battery_soc"
GRID: Final = "grid_connected"


def request_for(watts: float, owner: str, *, of_person: bool) -> OrderRequest:
    """The order for so many watts out of the battery."""
    return OrderRequest(
        mode=ControlMode.DISCHARGE if watts > 0 else ControlMode.CHARGE,
        until=dt_util.utcnow() + SHORTEST,
        owner=owner,
        of_person=of_person,
        power=abs(watts),
        replaces=False,
    )


def hold_for(owner: str, *, of_person: bool) -> OrderRequest:
    """The order that keeps a battery still meanwhile."""
    return OrderRequest(
        mode=ControlMode.HOLD,
        until=dt_util.utcnow() + SHORTEST,
        owner=owner,
        of_person=of_person,
        replaces=False,
    )


def others_of(one: Controlled, house: House) -> list[Controlled]:
    """The other inverters of a house that take orders."""
    running = async_running_units(one.unit.hass)
    others = [running[serial] for serial in house.inverters if serial in running]
    return [
        Controlled(unit, driver)
        for unit in others
        if unit.identity.serial != one.unit.identity.serial
        and (driver := driver_of(unit.hass, unit)) is not None
    ]


def units_of(one: Controlled, house: House) -> dict[str, UnitRuntime]:
    """The devices of a house; ServiceValidationError when one of them is not here, or does not answer."""
    running = async_running_units(one.unit.hass)
    units: dict[str, UnitRuntime] = {}
    for member in house.members:
        unit = running.get(member.id)
        if unit is None or not unit.coordinators[Group.POWER].last_update_success:
            raise wrong(Obstacle.SILENT, device=_name(unit) or member.family.upper())
        clamps = first_served(member.instruments.clamps, member.keys)
        if member.sees_grid and any(unit.device.values.get(key, 0) is None for key in clamps):
            raise wrong(Obstacle.SILENT, device=_name(unit))
        units[member.id] = unit
    return units


async def async_check(one: Controlled, house: House, owner: str, *, of_person: bool) -> None:
    """Raise the error with the reason why a test cannot begin; nothing is written."""
    values = one.unit.device.values
    if not _has_clamps(house):
        raise wrong(Obstacle.NO_CLAMPS, device=one.name)
    units_of(one, house)
    if values.get(GRID) is False:
        raise wrong(Obstacle.GRID, device=one.name)
    for each in (one, *others_of(one, house)):
        if leases := each.driver.keeper.leases:
            raise mistake(Mistake.BUSY, owner=leases[0].owner)
    for watts in (-POWER, POWER):
        request = replace(request_for(watts, owner, of_person=of_person), dry_run=True)
        told = await async_order(one, request)
        # It was just read for that, whether or not it is polled.
        soc, end = as_number(values.get(SOC)), told.get("target_soc")
        is_near = isinstance(end, int | float) and soc is not None and _is_near(end, soc, watts)
        if told.get("target_reached") or is_near:
            kind = Obstacle.CHARGE if watts < 0 else Obstacle.DISCHARGE
            raise wrong(kind, device=one.name, soc="?" if soc is None else f"{soc:g}")


def _is_near(end: float, soc: float, watts: float) -> bool:
    """Whether a battery is about to reach the charge in percent at which such an order ends."""
    return (end - soc if watts < 0 else soc - end) < MARGIN


def _has_clamps(house: House) -> bool:
    """Whether a device of a house measures the grid with clamps that can be judged."""
    return any(
        one.sees_grid
        and one.role is not Role.SOLAR_METER
        and first_served(one.instruments.clamps, one.keys)
        for one in house.members
    )


def _name(unit: UnitRuntime | None) -> str:
    """What a person calls a device."""
    return machine_name(unit.hass, unit.entry_id, unit.identity) if unit else ""


def wrong(obstacle: Obstacle, **placeholders: str) -> ServiceValidationError:
    """The error for a test that is not begun, or does not come to its end."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=obstacle.value,
        translation_placeholders=placeholders,
    )
