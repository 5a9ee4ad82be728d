"""What goes wrong with a Wi-Fi stick and with no other link."""

from __future__ import annotations

import asyncio

from .fault_server import Fault, Talk, crc16, shifted
from .stick_frames import answer_of, v5

HEARTBEAT = 0x4710
DATA = 0x4210


async def other_serial(talk: Talk) -> None:
    """Answer in the name of another stick, with another register's value."""
    pdu = bytes([talk.request.unit]) + shifted(talk)
    talk.peer.write(answer_of(pdu + crc16(pdu), sequence=talk.transaction, serial=99))


async def other_client(talk: Talk) -> None:
    """Answer another client before us: another number, the same shape, and other values."""
    talk.peer.write(talk.frame(shifted(talk), transaction=talk.transaction + 1))
    talk.peer.write(talk.frame())


async def unsolicited(talk: Talk) -> None:
    """Send a heartbeat, a push to the cloud and an answer to the stick's own question before the answer."""
    talk.peer.write(v5(b"\x00", control=HEARTBEAT, sequence=talk.transaction))
    talk.peer.write(v5(bytes(200), control=DATA, sequence=talk.transaction))
    talk.peer.write(talk.frame(shifted(talk), transaction=0))
    talk.peer.write(talk.frame())


async def only_heartbeat(talk: Talk) -> None:
    """Send a heartbeat with the number of the request, and no answer."""
    talk.peer.write(v5(b"\x00", control=HEARTBEAT, sequence=talk.transaction))


async def noise_before(talk: Talk) -> None:
    """Say something on the serial line's behalf, and begin a frame that never ends, before the answer."""
    talk.peer.write(b"AT+YZCMPVER=MW3_16U_5406_2.32-D1\r\n\r\n\xa5\xf0\x00\x10\x15" + talk.frame())


async def cut_and_repeated(talk: Talk) -> None:
    """Send the beginning of the answer, and then all of it."""
    talk.peer.write(talk.frame()[:20])
    await asyncio.sleep(0.001)
    talk.peer.write(talk.frame())


async def double_checksum(talk: Talk) -> None:
    """Put a checksum behind the checksum, as some sticks do; it is always zero."""
    pdu = bytes([talk.request.unit]) + talk.pdu()
    talk.peer.write(answer_of(pdu + crc16(pdu) + b"\x00\x00", sequence=talk.transaction))


def error(code: int, serial: int | None = None) -> Fault:
    """Return a fault by which the stick answers with an error code of its own."""

    async def fault(talk: Talk) -> None:
        own = talk.server.logger_serial if serial is None else serial
        assert own is not None
        frame = code.to_bytes(2, "little")
        talk.peer.write(answer_of(frame, sequence=talk.transaction, serial=own))

    return fault
