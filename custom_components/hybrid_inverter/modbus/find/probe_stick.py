"""Find out what is behind a Wi-Fi stick, which protocol the stick uses, and when nothing usable is, why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, override

from ..errors import (
    LinkError,
    LinkErrorCode,
    LinkLost,
    RejectedError,
    StickError,
    StickSerialError,
    WrongDeviceError,
)
from ..transport.endpoint import Framing, StickEndpoint, TcpEndpoint
from ..transport.link import REPEATABLE, Link, LinkUnit
from .identify import Identity
from .probe import (
    Failure,
    ProbeError,
    identify_at,
    not_ours,
    probe,
    refuse_other_units,
)
from .sticks import FoundStick, find_sticks

# A stick forwards a request at 9600 baud, when its own poll of the inverter is over.
STICK_TIMEOUT: Final = 3.0
STICK_SCAN_TIMEOUT: Final = 0.7
# The other protocol is tried after the likely one has failed, while a person waits.
PLAIN_TIMEOUT: Final = 1.0
# What the radio of a stick says where another stick lets the inverter answer.
AT_COMMANDS: Final = (b"AT+", b"+ok", b"+ERR")
# The port of sticks that use plain Modbus, if it is not that of the others.
PLAIN_PORT: Final = 502

type StickLink = StickEndpoint | TcpEndpoint


@dataclass(frozen=True, slots=True)
class DeviceBehindStick:
    """A device behind a stick, and the endpoint that reaches it."""

    endpoint: StickLink
    identity: Identity


async def ask_stick(host: str) -> FoundStick | None:
    """What the stick at this host reports about itself; None if it does not answer a search, as some do not."""
    return next(iter(await find_sticks(host=host)), None)


async def probe_stick(
    host: str, port: int, logger_serial: int | None, unit_id: int
) -> DeviceBehindStick:
    """The device behind this stick; ProbeError when there is none.

    Without the logger serial only a stick that uses plain Modbus can be read.
    """
    failure: ProbeError | LinkError | None = None
    for endpoint in _endpoints(host, port, logger_serial):
        if _only_at(failure) and endpoint.port == port:
            continue
        try:
            identity = await (
                identify_at(endpoint, unit_id, STICK_TIMEOUT, _UnitBehindStick)
                if isinstance(endpoint, StickEndpoint)
                else identify_at(endpoint, unit_id, PLAIN_TIMEOUT)
            )
        except WrongDeviceError as err:
            raise not_ours(err) from err
        except RejectedError:
            # The stick works; what is wrong is behind it.
            return DeviceBehindStick(endpoint, await probe(endpoint, unit_id))
        except StickSerialError as err:
            raise ProbeError(Failure.WRONG_LOGGER_SERIAL, str(err.logger_serial)) from err
        except StickError as err:
            failure = err
            break
        except (ProbeError, LinkError) as err:
            if isinstance(err, ProbeError) and err.failure is Failure.UNRESOLVED:
                raise
            # The first way is the likeliest, so it says most.
            failure = failure or err
        else:
            return DeviceBehindStick(endpoint, identity)
    raise await _explain(host, port, logger_serial, unit_id, failure) from failure


def _endpoints(host: str, port: int, logger_serial: int | None) -> Iterator[StickLink]:
    """The endpoints that may reach the stick, the likeliest first."""
    if logger_serial is not None:
        yield StickEndpoint(host, port, logger_serial=logger_serial)
    for plain_port in dict.fromkeys((port, PLAIN_PORT)):
        yield TcpEndpoint(host, plain_port, Framing.TCP)


def _only_at(failure: ProbeError | LinkError | None) -> bool:
    """Whether the stick has been found to know AT commands only."""
    return isinstance(failure, ProbeError) and failure.failure is Failure.ONLY_AT_COMMANDS


class _UnitBehindStick(LinkUnit):
    """A unit behind a stick; ProbeError as soon as the stick is found to know AT commands only."""

    def __init__(self, link: Link, unit_id: int) -> None:
        super().__init__(link, unit_id, retries=0)

    @override
    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False, once: bool = False
    ) -> list[int]:
        """The words, asked for twice if that can help."""
        try:
            return await super().read_holding_registers(address, count, urgent=urgent, once=once)
        except REPEATABLE as err:
            if self._speaks_at():
                raise ProbeError(Failure.ONLY_AT_COMMANDS) from err
        except RejectedError as err:
            if not err.is_busy:
                raise
        return await super().read_holding_registers(address, count, urgent=urgent, once=once)

    def _speaks_at(self) -> bool:
        """Whether the stick says something of its own, and nothing in its envelope."""
        statistics = self._link.statistics
        if statistics.total.answers or statistics.stick_errors:
            return False
        received = b"".join(frame.data for frame in self._link.frames if not frame.sent)
        return any(word in received for word in AT_COMMANDS)


async def _explain(
    host: str,
    port: int,
    logger_serial: int | None,
    unit_id: int,
    failure: ProbeError | LinkError | None,
) -> ProbeError:
    """Why a stick cannot be read, from the failure at its first endpoint and from what it reports about itself."""
    if isinstance(failure, ProbeError) and failure.failure is Failure.REFUSED:
        return ProbeError(Failure.NO_LOCAL_PORT)
    if _only_at(failure):
        return ProbeError(Failure.ONLY_AT_COMMANDS)
    if isinstance(failure, LinkError) and failure.code is LinkErrorCode.WEB_PAGE:
        return ProbeError(Failure.WEB_PAGE)
    stick = await ask_stick(host)
    if stick is not None and logger_serial not in (None, stick.logger_serial):
        return ProbeError(Failure.WRONG_LOGGER_SERIAL, str(stick.logger_serial))
    if isinstance(failure, ProbeError) and failure.failure is not Failure.HUNG_UP:
        # It answers a search and accepts no connection: another client has the only one.
        return failure if stick is None else ProbeError(Failure.STICK_BUSY)
    if isinstance(failure, ProbeError | LinkLost):
        return ProbeError(Failure.STICK_BUSY)
    if logger_serial is None:
        return ProbeError(Failure.NO_LOGGER_SERIAL)
    endpoint = StickEndpoint(host, port, logger_serial=logger_serial)
    try:
        await refuse_other_units(endpoint, unit_id, STICK_SCAN_TIMEOUT)
    except ProbeError as err:
        return err
    if isinstance(failure, StickError):
        return ProbeError(Failure.NO_INVERTER)
    # A stick of this kind that is free answers, if only that the device does not.
    return ProbeError(Failure.OTHER_STICK if stick is None else Failure.STICK_BUSY)
