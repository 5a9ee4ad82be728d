"""Find out what is behind an endpoint, and when nothing usable is, why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ..device.device import Device
from ..errors import (
    DeviceError,
    LinkBusy,
    LinkError,
    LinkErrorCode,
    LinkRefused,
    LinkUnresolved,
    RejectedError,
    WrongDeviceError,
)
from ..tables import FAMILIES
from ..transport.link import (
    Endpoint,
    Framing,
    Link,
    LinkUnit,
    TcpEndpoint,
)
from ..transport.unit import Unit
from .identify import Identity, identify

# A device answers within a second; a person waits for the form.
PROBE_TIMEOUT: Final = 2.0
SCAN_TIMEOUT: Final = 0.6
SCAN_SECONDS: Final = 15.0
SCAN_UNITS: Final = range(1, 17)
# Every family has a register here, or refuses it; either answer shows that there is a device.
SCAN_REGISTER: Final = 0

# Proper names, the same in every language.
FRAMING_NAMES: Final = {Framing.TCP: "Modbus TCP", Framing.RTU: "RTU over TCP"}


class Failure(StrEnum):
    """Why nothing usable is behind an endpoint; each is the key of a message to a person."""

    UNRESOLVED = "name_not_resolved"
    REFUSED = "connection_refused"
    BUSY = "port_busy"
    UNREACHABLE = "cannot_connect"
    NO_ANSWER = "no_answer"
    HUNG_UP = "hung_up"
    WEB_PAGE = "web_page"
    DEVICE_BUSY = "device_busy"
    WRONG_FRAMING = "wrong_framing"
    WRONG_UNIT = "wrong_unit"
    WRONG_DEVICE = "wrong_device"
    # What only a Wi-Fi stick can be the reason for.
    NO_LOCAL_PORT = "no_local_port"
    STICK_BUSY = "stick_busy"
    OTHER_STICK = "other_stick"
    ONLY_AT_COMMANDS = "only_at_commands"
    NO_INVERTER = "no_inverter"
    WRONG_LOGGER_SERIAL = "wrong_logger_serial"
    NO_LOGGER_SERIAL = "no_logger_serial"


@dataclass(frozen=True, slots=True)
class Answering:
    """Unit ids that answer at an endpoint, where another one was asked for."""

    endpoint: Endpoint
    unit_ids: tuple[int, ...]


class ProbeError(Exception):
    """No device that the integration knows was found.

    `found` is what was found instead where that is the same in every language: unit ids, a serial number, a framing.
    `other` is the other device of `Failure.WRONG_DEVICE`, `answering` the endpoint and the unit ids that answer of
    `Failure.WRONG_UNIT`.
    """

    def __init__(
        self,
        failure: Failure,
        found: str = "",
        *,
        other: WrongDeviceError | None = None,
        answering: Answering | None = None,
    ) -> None:
        if answering is not None:
            found = ", ".join(str(unit_id) for unit_id in answering.unit_ids)
        super().__init__(failure, found or str(other or ""))
        self.failure = failure
        self.found = found
        self.other = other
        self.answering = answering


def not_ours(error: DeviceError) -> ProbeError:
    """The failure of a device that answers and could not be identified."""
    match error:
        case WrongDeviceError():
            other = error
        case RejectedError(is_busy=True):
            return ProbeError(Failure.DEVICE_BUSY, str(error.code))
        case RejectedError():
            other = WrongDeviceError("modbus_exception", code=str(error.code))
        case _:
            other = WrongDeviceError("implausible_values")
    return ProbeError(Failure.WRONG_DEVICE, other=other)


# The failure for a connection that shows what is wrong with it when it is used, or before that.
UNUSABLE: Final = {
    LinkErrorCode.HUNG_UP: Failure.HUNG_UP,
    LinkErrorCode.WEB_PAGE: Failure.WEB_PAGE,
}
# The failure for each error of a connection that cannot be opened; the first that fits.
UNOPENED: Final = {
    LinkUnresolved: Failure.UNRESOLVED,
    LinkRefused: Failure.REFUSED,
    LinkBusy: Failure.BUSY,
    LinkError: Failure.UNREACHABLE,
}


def failure_of(error: LinkError) -> Failure:
    """The failure for a connection that cannot be opened."""
    return UNUSABLE.get(error.code) or next(
        failure for kind, failure in UNOPENED.items() if isinstance(error, kind)
    )


async def probe(endpoint: Endpoint, unit_id: int) -> Identity:
    """The identity of the device at this endpoint and unit id; ProbeError when there is none."""
    silence = Failure.NO_ANSWER
    try:
        return await identify_at(endpoint, unit_id, PROBE_TIMEOUT)
    except WrongDeviceError as err:
        raise not_ours(err) from err
    except RejectedError as err:
        if not err.is_silence:
            raise not_ours(err) from err
    except LinkError as err:
        silence = UNUSABLE.get(err.code, silence)
        if silence is Failure.WEB_PAGE:
            raise ProbeError(silence) from err
        if isinstance(endpoint, TcpEndpoint):
            other = replace(
                endpoint, framing=Framing.RTU if endpoint.framing is Framing.TCP else Framing.TCP
            )
            if await scan(other, [unit_id], PROBE_TIMEOUT):
                raise ProbeError(Failure.WRONG_FRAMING, FRAMING_NAMES[other.framing]) from err
    await refuse_other_units(endpoint, unit_id, SCAN_TIMEOUT)
    raise ProbeError(silence)


async def probe_framings(host: str, port: int, unit_id: int) -> tuple[TcpEndpoint, Identity]:
    """The device at an address whose framing is not known, with the endpoint that reaches it; ProbeError when there is none."""
    as_tcp = TcpEndpoint(host, port, Framing.TCP)
    as_rtu = replace(as_tcp, framing=Framing.RTU)
    try:
        return as_tcp, await probe(as_tcp, unit_id)
    except ProbeError as err:
        if err.failure is Failure.NO_ANSWER:
            await refuse_other_units(as_rtu, unit_id, SCAN_TIMEOUT)
        if err.failure is not Failure.WRONG_FRAMING:
            raise
    return as_rtu, await probe(as_rtu, unit_id)


async def refuse_other_units(endpoint: Endpoint, unit_id: int, answer_within: float) -> None:
    """Raise ProbeError when other unit ids than this one answer at an endpoint, each within these seconds."""
    others = (other for other in SCAN_UNITS if other != unit_id)
    if units := await scan(endpoint, others, answer_within):
        raise ProbeError(Failure.WRONG_UNIT, answering=Answering(endpoint, tuple(units)))


async def scan(endpoint: Endpoint, units: Iterable[int], answer_within: float) -> list[int]:
    """The unit ids that answer anything at all within these seconds, as far as SCAN_SECONDS allow."""
    found: list[int] = []
    link = Link(endpoint, timeout=answer_within, read_retries=0)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(SCAN_SECONDS):
                for unit in units:
                    try:
                        await link.read_holding_registers(unit, SCAN_REGISTER, 1)
                    except RejectedError as err:
                        if not err.is_silence:
                            found.append(unit)
                    except LinkError:
                        continue
                    else:
                        found.append(unit)
    finally:
        await link.close()
    return found


async def identify_at(
    endpoint: Endpoint,
    unit_id: int,
    answer_within: float,
    unit: Callable[[Link, int], Unit] = LinkUnit,
) -> Identity:
    """Identify over a link of its own, within these seconds for each answer; ProbeError when it cannot be opened."""
    link = Link(endpoint, timeout=answer_within)
    try:
        try:
            await link.connect()
        except LinkError as err:
            raise ProbeError(failure_of(err)) from err
        return await identify(unit(link, unit_id))
    finally:
        await link.close()


async def identify_all(endpoint: Endpoint, unit_ids: Iterable[int]) -> dict[int, Identity]:
    """The devices that answer on these unit ids; ProbeError when no table is made for one of them."""
    found: dict[int, Identity] = {}
    link = Link(endpoint, timeout=PROBE_TIMEOUT)
    try:
        for unit_id in unit_ids:
            try:
                found[unit_id] = await identify(LinkUnit(link, unit_id))
            except WrongDeviceError as err:
                raise not_ours(err) from err
            except LinkError, RejectedError:
                # It may be off, as at night.
                continue
    finally:
        await link.close()
    return found


async def are_at(
    endpoint: Endpoint, machines: Mapping[int, Identity], answer_within: float
) -> bool:
    """Whether machines that are known, by unit id, answer at an endpoint: one has proved it, and none is another one.

    A meter without a serial number proves it only where no other machine could.
    """
    numbered = {
        unit_id: identity
        for unit_id, identity in machines.items()
        if FAMILIES[identity.family].serial is not None
    }
    proved = False
    link = Link(endpoint, timeout=answer_within)
    try:
        await link.connect()
        for unit_id, identity in (numbered or machines).items():
            family = FAMILIES[identity.family]
            try:
                await Device(LinkUnit(link, unit_id), family, serial=identity.serial).verify()
            except WrongDeviceError:
                return False
            except DeviceError:
                # It may be off, as at night.
                continue
            proved = True
    except LinkError:
        return False
    finally:
        await link.close()
    return proved
