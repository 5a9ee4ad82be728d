"""What it means when a connection cannot be opened, or leads to something that is not meant for us."""

from __future__ import annotations

from collections.abc import Mapping
import errno
import socket
from typing import Final

from ..errors import (
    LinkBusy,
    LinkDesync,
    LinkError,
    LinkErrorCode,
    LinkLost,
    LinkRefused,
    LinkUnresolved,
)
from .endpoint import Endpoint, SerialEndpoint

# How the answer of a web server begins. No frame does: it would be one of unit 72 with function 84.
WEB_PAGE: Final = b"HTTP/"

# What an error of the operating system says about an endpoint.
CAUSES: Final[Mapping[int, tuple[type[LinkError], LinkErrorCode, str]]] = {
    errno.ECONNREFUSED: (
        LinkRefused,
        LinkErrorCode.CONNECTION_REFUSED,
        "the connection was refused",
    ),
    **dict.fromkeys(
        (errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ETIMEDOUT),
        (LinkError, LinkErrorCode.UNREACHABLE, "there is no way to this address"),
    ),
    errno.ECONNRESET: (LinkLost, LinkErrorCode.HUNG_UP, "the connection was closed at once"),
    errno.ENOENT: (LinkUnresolved, LinkErrorCode.NO_SUCH_PORT, "there is no such port"),
    errno.ENXIO: (
        LinkUnresolved,
        LinkErrorCode.NO_DEVICE_AT_PORT,
        "there is no device behind this port",
    ),
    errno.ENODEV: (
        LinkUnresolved,
        LinkErrorCode.NO_DEVICE_AT_PORT,
        "there is no device behind this port",
    ),
    errno.EACCES: (
        LinkRefused,
        LinkErrorCode.PORT_NOT_PERMITTED,
        "this user may not open the port",
    ),
    errno.EPERM: (LinkRefused, LinkErrorCode.PORT_NOT_PERMITTED, "this user may not open the port"),
    errno.EAGAIN: (LinkBusy, LinkErrorCode.PORT_IN_USE, "another program uses the port"),
    errno.EBUSY: (LinkBusy, LinkErrorCode.PORT_IN_USE, "another program uses the port"),
}


def connect_error(endpoint: object, error: Exception | None) -> LinkError:
    """What a failed attempt to connect means; no error stands for no answer in time."""
    if error is None:
        return LinkError(
            "nobody answered in time", LinkErrorCode.CONNECT_TIMEOUT, endpoint=endpoint
        )
    if isinstance(error, socket.gaierror):
        return LinkUnresolved("the name is not known", endpoint=endpoint)
    for number, (kind, code, meaning) in CAUSES.items():
        # A name with several addresses fails with one error that only quotes the others in its text.
        if f"[Errno {number}]" in str(error):
            return kind(meaning, code, endpoint=endpoint)
    return LinkError(str(error) or type(error).__name__, endpoint=endpoint)


def not_a_local_port(endpoint: object) -> LinkError:
    """The error of a serial port that is an address on the network."""
    return LinkError(
        "is an address on the network, not a port of this computer",
        LinkErrorCode.NOT_A_LOCAL_PORT,
        endpoint=endpoint,
    )


def connection_loss(endpoint: Endpoint, *, answered: bool) -> LinkLost:
    """The error of a connection that was closed: a gateway that has not answered over it may have another client."""
    if answered or isinstance(endpoint, SerialEndpoint):
        return LinkLost("the connection was lost", endpoint=endpoint)
    return LinkLost(
        "the connection was closed before anything was answered",
        LinkErrorCode.HUNG_UP,
        endpoint=endpoint,
    )


def web_page(endpoint: Endpoint) -> LinkDesync:
    """The error of a port at which a web server answers."""
    return LinkDesync("a web page answers", LinkErrorCode.WEB_PAGE, endpoint=endpoint)
