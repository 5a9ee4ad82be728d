"""Finds the Wi-Fi sticks of the local network: they answer a broadcast with address, MAC and logger serial.

The address is believed of the network, not of the answer: a stick may tell one that it had before, or that of another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import product
import re
from socket import AF_INET, SOCK_DGRAM
from typing import Any, Final, override

DISCOVERY_PORT: Final = 48899
# The local network, and this computer, where the stick of a simulator is.
BROADCASTS: Final = ("255.255.255.255", "127.255.255.255")
# The questions that sticks answer; older and newer ones know one of them.
QUESTIONS: Final = (b"WIFIKIT-214028-READ", b"HF-A11ASSISTHREAD")
# How often they are sent while the time lasts; a datagram may get lost.
ROUNDS: Final = 3

MAC: Final = re.compile(r"[0-9a-f]{12}")
# Digits of a logger serial, which is a number of 32 bits.
SERIAL: Final = re.compile(r"[1-9][0-9]{0,9}")
SERIALS: Final = range(1, 1 << 32)


@dataclass(frozen=True, slots=True)
class FoundStick:
    """A stick that answered: the IPv4 address it answered from, its MAC as aa:bb:cc:dd:ee:ff, and its logger serial."""

    host: str
    mac: str
    logger_serial: int


async def find_sticks(
    timeout: float = 3.0,  # noqa: ASYNC109 - it listens for all of it
    host: str | None = None,
) -> list[FoundStick]:
    """The sticks that answer within these seconds, in the order of their answers; none if nothing can be sent.

    Without a host the search is a broadcast; with one, which may be a name, its first answer ends the search.
    """
    loop = asyncio.get_running_loop()
    targets: list[tuple[str, int]] = []
    for name in BROADCASTS if host is None else (host,):
        # Without an address there is no answer; UnicodeError is raised for what cannot be a name.
        with suppress(OSError, UnicodeError):
            *_, address = (
                await loop.getaddrinfo(name, DISCOVERY_PORT, family=AF_INET, type=SOCK_DGRAM)
            )[0]
            targets.append((str(address[0]), DISCOVERY_PORT))
    if not targets:
        return []
    answers = _Answers(None if host is None else {address[0] for address in targets})
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


def parse(answer: bytes, sender: str) -> FoundStick | None:
    """The stick at the sender's address that an answer describes ("address,MAC,serial"); None when it is no stick's."""
    try:
        address, mac, serial, *_ = answer.decode("ascii").strip("\0 \r\n").split(",")
        IPv4Address(address.strip())
    except ValueError:
        return None
    digits = mac.strip().lower().replace(":", "").replace("-", "")
    number = serial.strip()
    if not MAC.fullmatch(digits) or not SERIAL.fullmatch(number) or int(number) not in SERIALS:
        return None
    pairs = [digits[i : i + 2] for i in range(0, 12, 2)]
    return FoundStick(sender, ":".join(pairs), int(number))


class _Answers(asyncio.DatagramProtocol):
    """The sticks that have answered so far."""

    def __init__(self, asked: Container[str] | None) -> None:
        """`asked` are the addresses of the one stick whose answer completes the search; None for all sticks."""
        self._asked = asked
        # In the order of their answers, each once.
        self.sticks: dict[FoundStick, None] = {}
        self.complete = asyncio.Event()

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Keep the stick that an answer describes, if it was asked."""
        sender = addr[0]
        if self._asked is not None and sender not in self._asked:
            return
        if (stick := parse(data, sender)) is not None:
            self.sticks[stick] = None
            if self._asked is not None:
                self.complete.set()
