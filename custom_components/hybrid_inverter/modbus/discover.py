"""Finds the Wi-Fi sticks of the local network: they answer a broadcast with address, MAC and logger serial."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import product
import re
from socket import AF_INET, SOCK_DGRAM
from typing import Any, Final, override

DISCOVERY_PORT: Final = 48899
# Everybody on the local network, and on this computer, where the stick of a simulator is.
BROADCASTS: Final = ("255.255.255.255", "127.255.255.255")
# What sticks answer to; older and newer ones know one of them.
QUESTIONS: Final = (b"WIFIKIT-214028-READ", b"HF-A11ASSISTHREAD")
# How often they are asked while the time lasts; a datagram may get lost.
ROUNDS: Final = 3

MAC: Final = re.compile(r"[0-9a-f]{12}")
# Digits of a logger serial, which is a number of 32 bits.
SERIAL: Final = re.compile(r"[1-9][0-9]{0,9}")
SERIALS: Final = range(1, 1 << 32)


@dataclass(frozen=True, slots=True)
class FoundStick:
    """A stick that answered: its IPv4 address, its MAC as aa:bb:cc:dd:ee:ff, and its logger serial."""

    host: str
    mac: str
    logger_serial: int


async def find_sticks(
    timeout: float = 3.0,  # noqa: ASYNC109 - it listens for all of it
    host: str | None = None,
) -> list[FoundStick]:
    """Return the sticks that answer within these seconds, in the order of their answers; none when nobody may be asked.

    Without a host everybody is asked; with one only that host, which may be a name, and its first answer ends the search.
    """
    answers = _Answers(enough=1 if host is not None else None)
    loop = asyncio.get_running_loop()
    targets = []
    for name in BROADCASTS if host is None else (host,):
        # Where nobody can be asked, nobody answers; UnicodeError is for what is no name.
        with suppress(OSError, UnicodeError):
            *_, address = (
                await loop.getaddrinfo(name, DISCOVERY_PORT, family=AF_INET, type=SOCK_DGRAM)
            )[0]
            targets.append(address)
    if not targets:
        return []
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: answers, family=AF_INET, allow_broadcast=True
        )
    except OSError:
        return []
    try:
        for _ in range(ROUNDS):
            for question, target in product(QUESTIONS, targets):
                transport.sendto(question, target)
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout / ROUNDS):
                    await answers.complete.wait()
                break
    finally:
        transport.close()
    return list(answers.sticks)


def parse(answer: bytes) -> FoundStick | None:
    """Return the stick that an answer describes ("address,MAC,serial"); None when it is no stick's."""
    try:
        host, mac, serial, *_ = answer.decode("ascii").strip("\0 \r\n").split(",")
        address = IPv4Address(host.strip())
    except ValueError:
        return None
    digits = mac.strip().lower().replace(":", "").replace("-", "")
    number = serial.strip()
    if address.is_unspecified or not MAC.fullmatch(digits) or not SERIAL.fullmatch(number):
        return None
    if int(number) not in SERIALS:
        return None
    pairs = [digits[i : i + 2] for i in range(0, 12, 2)]
    return FoundStick(str(address), ":".join(pairs), int(number))


class _Answers(asyncio.DatagramProtocol):
    """The sticks that have answered so far."""

    def __init__(self, enough: int | None) -> None:
        """Take how many sticks complete the search; None for never."""
        self._enough = enough
        # In the order of their answers, each once.
        self.sticks: dict[FoundStick, None] = {}
        self.complete = asyncio.Event()

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Keep what a stick says of itself."""
        if (stick := parse(data)) is not None:
            self.sticks[stick] = None
        if len(self.sticks) == self._enough:
            self.complete.set()
