"""Find out what is behind an endpoint, and when nothing usable is, why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import Final

from .errors import (
    LinkBusy,
    LinkError,
    LinkRefused,
    LinkUnresolved,
    RejectedError,
    WrongDeviceError,
)
from .identify import Identity, identify
from .link import Endpoint, Framing, Link, TcpEndpoint
from .unit import LinkUnit

# A machine answers within a second; a person waits for the form.
PROBE_TIMEOUT: Final = 2.0
SCAN_TIMEOUT: Final = 0.6
SCAN_SECONDS: Final = 15.0
SCAN_UNITS: Final = range(1, 17)
# Every family has a register here, or refuses it; either answer shows that somebody is there.
SCAN_REGISTER: Final = 0
# Exceptions by which a gateway says that it got no answer from the unit (10: no path, 11: no response).
GATEWAY_SILENCE: Final = frozenset({10, 11})

# Proper names, the same in every language.
FRAMING_NAMES: Final = {Framing.TCP: "Modbus TCP", Framing.RTU: "RTU over TCP"}


class Failure(StrEnum):
    """Why nothing usable is behind an endpoint; each is a message to a person."""

    UNRESOLVED = "name_not_resolved"
    REFUSED = "connection_refused"
    BUSY = "port_busy"
    UNREACHABLE = "cannot_connect"
    NO_ANSWER = "no_answer"
    WRONG_FRAMING = "wrong_framing"
    WRONG_UNIT = "wrong_unit"
    WRONG_DEVICE = "wrong_device"
    # What only a Wi-Fi stick can be the reason for.
    NO_LOCAL_PORT = "no_local_port"
    STICK_BUSY = "stick_busy"
    OTHER_STICK = "other_stick"
    NO_INVERTER = "no_inverter"
    WRONG_LOGGER_SERIAL = "wrong_logger_serial"
    NO_LOGGER_SERIAL = "no_logger_serial"


class ProbeError(Exception):
    """A probe that did not find a machine we know."""

    def __init__(self, failure: Failure, found: str = "") -> None:
        """Keep why, and what was found instead, in words for a person."""
        super().__init__(failure, found)
        self.failure = failure
        self.found = found


# What a connection that cannot be opened means; the first that fits.
UNOPENED: Final = {
    LinkUnresolved: Failure.UNRESOLVED,
    LinkRefused: Failure.REFUSED,
    LinkBusy: Failure.BUSY,
    LinkError: Failure.UNREACHABLE,
}


def failure_of(error: LinkError) -> Failure:
    """Return what it means that a connection cannot be opened."""
    return next(failure for kind, failure in UNOPENED.items() if isinstance(error, kind))


async def probe(endpoint: Endpoint, unit_id: int) -> Identity:
    """Return the identity of the machine at this endpoint and unit id; ProbeError when there is none."""
    try:
        return await identify_at(endpoint, unit_id, PROBE_TIMEOUT)
    except WrongDeviceError as err:
        raise ProbeError(Failure.WRONG_DEVICE, err.found) from err
    except RejectedError as err:
        if err.code not in GATEWAY_SILENCE:
            raise ProbeError(Failure.WRONG_DEVICE, str(err)) from err
    except LinkError as err:
        if isinstance(endpoint, TcpEndpoint):
            other = replace(
                endpoint, framing=Framing.RTU if endpoint.framing is Framing.TCP else Framing.TCP
            )
            if await scan(other, [unit_id], PROBE_TIMEOUT):
                raise ProbeError(Failure.WRONG_FRAMING, FRAMING_NAMES[other.framing]) from err
    units = await scan(endpoint, (unit for unit in SCAN_UNITS if unit != unit_id), SCAN_TIMEOUT)
    if units:
        raise ProbeError(Failure.WRONG_UNIT, ", ".join(str(unit) for unit in units))
    raise ProbeError(Failure.NO_ANSWER)


async def scan(endpoint: Endpoint, units: Iterable[int], answer_within: float) -> list[int]:
    """Return the unit ids that answer anything at all within these seconds, as far as SCAN_SECONDS allow."""
    found: list[int] = []
    link = Link(endpoint, timeout=answer_within, read_retries=0)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(SCAN_SECONDS):
                for unit in units:
                    try:
                        await link.read_holding_registers(unit, SCAN_REGISTER, 1)
                    except RejectedError as err:
                        if err.code not in GATEWAY_SILENCE:
                            found.append(unit)
                    except LinkError:
                        continue
                    else:
                        found.append(unit)
    finally:
        await link.close()
    return found


async def identify_at(endpoint: Endpoint, unit_id: int, answer_within: float) -> Identity:
    """Identify over a link of its own, within these seconds for each answer; ProbeError when it cannot be opened."""
    link = Link(endpoint, timeout=answer_within)
    try:
        try:
            await link.connect()
        except LinkError as err:
            raise ProbeError(failure_of(err), str(err)) from err
        return await identify(LinkUnit(link, unit_id))
    finally:
        await link.close()


async def identify_all(endpoint: Endpoint, unit_ids: Iterable[int]) -> dict[int, Identity]:
    """Return the machines that answer on these unit ids; ProbeError when one is none that a table is made for."""
    found: dict[int, Identity] = {}
    link = Link(endpoint, timeout=PROBE_TIMEOUT)
    try:
        for unit_id in unit_ids:
            try:
                found[unit_id] = await identify(LinkUnit(link, unit_id))
            except WrongDeviceError as err:
                raise ProbeError(Failure.WRONG_DEVICE, err.found) from err
            except LinkError, RejectedError:
                # It may be asleep.
                continue
    finally:
        await link.close()
    return found
