"""Find out what is behind a Wi-Fi stick, which language the stick speaks, and when nothing usable is, why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .discover import FoundStick, find_sticks
from .endpoint import Framing, StickEndpoint, TcpEndpoint
from .errors import (
    LinkError,
    LinkLost,
    RejectedError,
    StickError,
    StickSerialError,
    WrongDeviceError,
)
from .identify import Identity
from .probe import SCAN_UNITS, Failure, ProbeError, identify_at, probe, scan

# A stick passes a request on at 9600 baud, when its own turn with the inverter is over.
STICK_TIMEOUT: Final = 3.0
STICK_SCAN_TIMEOUT: Final = 0.7
# The other way is tried after the likely one has failed, while a person waits.
PLAIN_TIMEOUT: Final = 1.0
# Where sticks that speak plain Modbus listen, if not on the port of the others.
PLAIN_PORT: Final = 502

type StickLink = StickEndpoint | TcpEndpoint


@dataclass(frozen=True, slots=True)
class Reached:
    """A machine behind a stick, and how the stick is spoken to."""

    endpoint: StickLink
    identity: Identity


async def ask_stick(host: str) -> FoundStick | None:
    """Return what the stick at this host says of itself; None when it says nothing, as some do."""
    return next(iter(await find_sticks(host=host)), None)


async def probe_stick(host: str, port: int, logger_serial: int | None, unit_id: int) -> Reached:
    """Return the machine behind this stick; ProbeError when there is none.

    Without the logger serial only a stick that speaks plain Modbus can be understood.
    """
    failure: ProbeError | LinkError | None = None
    for endpoint in _ways(host, port, logger_serial):
        answer_within = STICK_TIMEOUT if isinstance(endpoint, StickEndpoint) else PLAIN_TIMEOUT
        try:
            identity = await identify_at(endpoint, unit_id, answer_within)
        except WrongDeviceError as err:
            raise ProbeError(Failure.WRONG_DEVICE, err.found) from err
        except RejectedError:
            # The stick is understood; what is wrong is behind it.
            return Reached(endpoint, await probe(endpoint, unit_id))
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
            return Reached(endpoint, identity)
    raise await _explain(host, port, logger_serial, unit_id, failure) from failure


def _ways(host: str, port: int, logger_serial: int | None) -> Iterator[StickLink]:
    """Return the ways to speak to a stick, the likeliest first."""
    if logger_serial is not None:
        yield StickEndpoint(host, port, logger_serial=logger_serial)
    for plain_port in dict.fromkeys((port, PLAIN_PORT)):
        yield TcpEndpoint(host, plain_port, Framing.TCP)


async def _explain(
    host: str,
    port: int,
    logger_serial: int | None,
    unit_id: int,
    failure: ProbeError | LinkError | None,
) -> ProbeError:
    """Return why a stick was not understood, from how the first way to it has failed and from what it tells itself."""
    if isinstance(failure, ProbeError) and failure.failure is Failure.REFUSED:
        return ProbeError(Failure.NO_LOCAL_PORT)
    told = await ask_stick(host)
    if told is not None and logger_serial not in (None, told.logger_serial):
        return ProbeError(Failure.WRONG_LOGGER_SERIAL, str(told.logger_serial))
    if isinstance(failure, ProbeError):
        # It tells who it is, and takes no connection: somebody else has the only one.
        return failure if told is None else ProbeError(Failure.STICK_BUSY)
    if isinstance(failure, LinkLost):
        return ProbeError(Failure.STICK_BUSY)
    if logger_serial is None:
        return ProbeError(Failure.NO_LOGGER_SERIAL)
    stick = StickEndpoint(host, port, logger_serial=logger_serial)
    others = (unit for unit in SCAN_UNITS if unit != unit_id)
    if units := await scan(stick, others, STICK_SCAN_TIMEOUT):
        return ProbeError(Failure.WRONG_UNIT, ", ".join(str(unit) for unit in units))
    if isinstance(failure, StickError):
        return ProbeError(Failure.NO_INVERTER)
    # A stick of this kind that has time for us answers, if only that the machine does not.
    return ProbeError(Failure.OTHER_STICK if told is None else Failure.STICK_BUSY)
