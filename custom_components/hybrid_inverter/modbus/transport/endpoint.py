"""Where a link leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

# Where a stick listens.
STICK_PORT: Final = 8899

# How many seconds an answer may take. Between our requests a stick sends its own to the inverter.
DEFAULT_TIMEOUT: Final = 3.0
STICK_ANSWER_TIMEOUT: Final = 10.0


class Framing(StrEnum):
    """What is around a request: a header with a transaction id, or unit id and checksum only."""

    TCP = "tcp"
    RTU = "rtu"


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A network socket that speaks Modbus TCP, or passes RTU frames on to a serial line."""

    host: str
    port: int
    framing: Framing

    @property
    def has_transaction_id(self) -> bool:
        """Whether an answer says which request it belongs to."""
        return self.framing is Framing.TCP

    @property
    def max_silent_requests(self) -> int:
        """After how many unanswered requests the connection counts as dead if no other unit has used it."""
        return 2 if self.has_transaction_id else 1

    def __str__(self) -> str:
        """The address as a person writes it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class StickEndpoint:
    """A Wi-Fi stick that takes RTU frames in its own envelope (Solarman V5)."""

    host: str
    port: int = STICK_PORT
    # What is printed on the stick as its serial; not the inverter's.
    logger_serial: int = field(kw_only=True)

    @property
    def framing(self) -> Framing:
        """The framing inside the envelope."""
        return Framing.RTU

    @property
    def has_transaction_id(self) -> bool:
        """Whether an answer says which request it belongs to."""
        return True

    @property
    def max_silent_requests(self) -> int:
        """After how many unanswered requests the connection counts as dead if no other unit has used it."""
        return 3

    def __str__(self) -> str:
        """The address as a person writes it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialEndpoint:
    """A serial port, 8 data bits, RTU frames: one of this computer, or the URL of one that another device lends."""

    device: str
    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1

    @property
    def framing(self) -> Framing:
        """The framing of every serial line."""
        return Framing.RTU

    @property
    def has_transaction_id(self) -> bool:
        """Whether an answer says which request it belongs to."""
        return False

    @property
    def max_silent_requests(self) -> int:
        """After how many unanswered requests the port is opened again if no other unit has used it."""
        return 1

    @property
    def is_url(self) -> bool:
        """Whether the port is reached over the network."""
        return "://" in self.device

    def __str__(self) -> str:
        """The path of the port, or its URL without what may be a secret."""
        return self.device.partition("?")[0]


type Endpoint = TcpEndpoint | StickEndpoint | SerialEndpoint


def default_timeout(endpoint: Endpoint) -> float:
    """How many seconds an answer may take there."""
    return STICK_ANSWER_TIMEOUT if isinstance(endpoint, StickEndpoint) else DEFAULT_TIMEOUT
