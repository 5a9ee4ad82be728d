"""Listening on real sockets and a pseudo terminal: what is heard, what happens when it is lost, and not a byte sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
import os
import pty
import struct
import termios
from unittest.mock import patch

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import (
    LinkBusy,
    LinkError,
    LinkRefused,
    LinkUnresolved,
    NotHeardError,
    SilenceError,
)
from custom_components.hybrid_inverter.modbus.listen import (
    listener as listener_module,
    receiver as receive,
)
from custom_components.hybrid_inverter.modbus.listen.listener import HeardUnit, Listener
from custom_components.hybrid_inverter.modbus.transport.link import (
    Framing,
    SerialEndpoint,
    TcpEndpoint,
)
from simulator.overheard import POLLS, OverheardLine
from tests.overheard import overheard_line

from .test_device import numbered

# The line is faster here than an inverter, to keep the tests short.
PERIOD = 0.02


def respond(unit: int, pdu: bytes) -> bytes | None:
    """Answer for unit 1: every pair of registers holds its own address as a number."""
    function, address, count = struct.unpack(">BHH", pdu)
    if unit != 1:
        return None
    pairs = range(address, address + count + 1, 2)
    values = b"".join(struct.pack(">f", place) for place in pairs)
    return bytes((function, 2 * count)) + values[: 2 * count]


# 0x151E is 5406, 0x1520 is 5408, as numbers of single precision.
FIRST, SECOND = [0x45A8, 0xF000], [0x45A9, 0x0000]


@pytest.fixture
async def line(socket_enabled: None) -> AsyncIterator[OverheardLine]:
    """Return a line on which a Deye asks for three powers."""
    async with overheard_line(respond, POLLS["deye_three_phase"], period=PERIOD) as line:
        yield line


def source(line: OverheardLine) -> TcpEndpoint:
    """Return where a line can be heard."""
    return TcpEndpoint("127.0.0.1", line.port, Framing.RTU)


@pytest.fixture
async def listener(line: OverheardLine) -> AsyncIterator[Listener]:
    """Return a listener that is not open yet; in the end nothing was sent."""
    listener = Listener(source(line), timeout=0.5, settling=0.3)
    yield listener
    await listener.close()
    assert line.statistics.bytes_from_clients == 0


@pytest.fixture
async def changes(listener: Listener) -> asyncio.Queue[bool]:
    """Return what the listener tells of its connection."""
    changes: asyncio.Queue[bool] = asyncio.Queue()
    listener.add_listener(changes.put_nowait)
    return changes


async def test_first_read_waits_for_the_data_that_is_about_to_arrive(listener: Listener) -> None:
    """The first read waits for what is about to be heard."""
    await listener.connect()
    unit = HeardUnit(listener, 1)
    assert await unit.read_holding_registers(0x151E, 4) == FIRST + SECOND
    assert await unit.read_holding_registers(0x1520, 2, urgent=True) == SECOND
    statistics = listener.statistics.as_dict()
    assert statistics["connects"] == 1
    assert statistics["connection_losses"] == 0
    assert statistics["understood"] == 1.0
    assert bytes.fromhex("0103151e0006a1c2") in {frame.data for frame in listener.frames}
    assert not any(frame.sent for frame in listener.frames)


async def test_at_least_99_of_100_exchanges_on_a_clean_line_are_heard(
    line: OverheardLine, listener: Listener
) -> None:
    """Of what goes over a clean line from the first request on, at least 99 of 100 exchanges are heard."""
    await listener.connect()
    async with asyncio.timeout(5):
        while not listener.statistics.heard.exchanges:
            await listener._wait_for_reading(asyncio.get_running_loop().time() + 1)
        first = line.talk.exchanges
        while line.talk.exchanges < first + 50:
            await listener._wait_for_reading(asyncio.get_running_loop().time() + 1)
    heard = listener.statistics.heard
    # The last answer may still be on its way.
    assert heard.exchanges >= 50
    assert heard.requests - heard.exchanges <= 1
    assert heard.understood == 1.0


async def test_what_nobody_asks_for(listener: Listener) -> None:
    """It is waited for in the beginning only."""
    clock = asyncio.get_running_loop().time
    await listener.connect()
    started = clock()
    with pytest.raises(NotHeardError):
        await listener.read_holding_registers(1, 0x2000, 2)
    assert 0.25 < clock() - started < 0.6
    with pytest.raises(NotHeardError):
        await listener.read_holding_registers(1, 0x1522, 4)
    with pytest.raises(SilenceError):
        await listener.read_holding_registers(2, 0x151E, 2)
    assert clock() - started < 0.6


async def test_listener_has_no_way_to_send(listener: Listener) -> None:
    """There is no way to tell anything, and none below either."""
    await listener.connect()
    unit = HeardUnit(listener, 1)
    with pytest.raises(LinkError):
        await unit.write_register(2, 1)
    with pytest.raises(LinkError):
        await unit.write_registers(2, [1])
    assert not hasattr(listener, "write_register")


async def test_one_read_at_a_time_is_enough_for_a_device(listener: Listener) -> None:
    """A device finds out what is heard, and does not rest for a day what is heard later."""
    await listener.connect()
    family = replace(numbered(0x151A, 0x151E, 0x1523, 0x1526), readable=((0x1500, 0x15FF),))
    device = Device(HeardUnit(listener, 1), family)
    keys = [f"r{address}" for address in (0x151A, 0x151E, 0x1523, 0x1526)]
    snapshot = await device.poll(keys)
    assert snapshot.values == {"r5406": 0x45A8, "r5411": 0x1000}
    assert device.quarantined == [0x151A, 0x1526]
    loop = asyncio.get_running_loop()
    now = loop.time()
    for seconds, due in ((29, []), (31, [((0x151A, 0x151A),), ((0x1526, 0x1526),)])):
        with patch.object(loop, "time", lambda later=now + seconds: later):
            assert [suspect.spans for suspect in device._reader.quarantine.due()] == due


async def test_heard_values_hold_for_a_while_after_the_inverter_stops_asking(
    line: OverheardLine, listener: Listener
) -> None:
    """The inverter sleeps: what was heard holds for a while, and then it is an answer that does not come."""
    await listener.connect()
    assert await listener.read_holding_registers(1, 0x151E, 2) == FIRST
    line.talk.trouble.silent = True
    loop = asyncio.get_running_loop()
    now = loop.time()
    with patch.object(listener_module, "_now", lambda: now + 9.5):
        assert await listener.read_holding_registers(1, 0x151E, 2) == FIRST
    with (
        patch.object(listener_module, "_now", lambda: now + 11),
        pytest.raises(SilenceError),
    ):
        await listener.read_holding_registers(1, 0x151E, 2)
    assert listener.connected


async def test_listener_reconnects_after_a_gateway_restart(
    line: OverheardLine, listener: Listener, changes: asyncio.Queue[bool]
) -> None:
    """A gateway that restarts is found again without being asked for anything."""
    await listener.connect()
    assert await changes.get()
    await listener.read_holding_registers(1, 0x151E, 2)
    line.drop_connections()
    assert not await changes.get()
    with pytest.raises(LinkError):
        await listener.read_holding_registers(1, 0x151E, 2)
    async with asyncio.timeout(2):
        assert await changes.get()
    heard = listener.statistics.heard.exchanges
    async with asyncio.timeout(2):
        while listener.statistics.heard.exchanges == heard:
            await listener._wait_for_reading(asyncio.get_running_loop().time() + 1)
    assert (listener.statistics.connects, listener.statistics.connection_losses) == (2, 1)


async def test_tries_again_with_longer_pauses(
    line: OverheardLine, listener: Listener, changes: asyncio.Queue[bool]
) -> None:
    """While nobody is there the pauses double, from a quarter of a second to five; here they are shorter."""
    assert (listener_module.FIRST_PAUSE, listener_module.MAX_PAUSE) == (0.25, 2.0)
    clock = asyncio.get_running_loop().time
    attempts: list[float] = []
    enough = asyncio.Event()

    async def nobody(*_: object, **__: object) -> asyncio.ReadTransport:
        attempts.append(clock())
        if len(attempts) == 6:
            enough.set()
        raise LinkRefused("nobody")

    await listener.connect()
    assert await changes.get()
    with (
        patch.object(listener_module, "FIRST_PAUSE", 0.01),
        patch.object(listener_module, "MAX_PAUSE", 0.05),
    ):
        with patch.object(listener_module, "open_receiver", nobody):
            line.drop_connections()
            assert not await changes.get()
            async with asyncio.timeout(2):
                await enough.wait()
        async with asyncio.timeout(2):
            assert await changes.get()
    pauses = [after - before for before, after in pairwise(attempts)]
    for pause, least in zip(pauses, (0.02, 0.04, 0.05, 0.05, 0.05), strict=True):
        assert least - 0.002 < pause < 2 * least + 0.2


async def test_gateway_that_hangs_up_at_once_is_a_lost_connection(socket_enabled: None) -> None:
    """A gateway that takes one client hangs up on the second."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    listener = Listener(TcpEndpoint("127.0.0.1", port, Framing.RTU), settling=1)
    changes: asyncio.Queue[bool] = asyncio.Queue()
    listener.add_listener(changes.put_nowait)
    try:
        await listener.connect()
        async with asyncio.timeout(1):
            while await changes.get():
                pass
    except LinkError:
        pass
    assert not listener.connected
    with pytest.raises(LinkError):
        await listener.read_holding_registers(1, 0, 2)
    await listener.close()
    server.close()
    await server.wait_closed()


async def test_failed_opening_gives_the_reason_and_is_not_retried(socket_enabled: None) -> None:
    """What does not open says why, and is not tried again by itself."""
    async with overheard_line(respond, POLLS["sofar"]) as line:
        endpoint = source(line)
    listener = Listener(endpoint, timeout=0.5)
    with pytest.raises(LinkRefused):
        await listener.connect()
    await listener.close()
    with pytest.raises(LinkError):
        await listener.connect()


async def test_close_ends_the_wait(line: OverheardLine) -> None:
    """Whoever waits for the first exchange gets an error when the listener is closed."""
    line.talk.trouble.silent = True
    listener = Listener(source(line), settling=30)
    await listener.connect()
    reading = asyncio.create_task(listener.read_holding_registers(1, 0x151E, 2))
    await asyncio.sleep(0)
    await listener.close()
    with pytest.raises(LinkError):
        await asyncio.wait_for(reading, 1)


async def test_a_gateway_that_is_gone_is_noticed(line: OverheardLine, listener: Listener) -> None:
    """The system asks a silent gateway for a sign of life, as nothing else would ever be sent to it."""
    await listener.connect()
    assert isinstance(listener._transport, asyncio.Transport)
    connection = listener._transport.get_extra_info("socket")
    assert connection.getsockopt(receive.socket.SOL_SOCKET, receive.socket.SO_KEEPALIVE)


# ---------------------------------------------------------------------- a serial port


@pytest.fixture
async def port(line: OverheardLine) -> str:
    """Return the path of the same line as a serial port."""
    return await line.start_serial()


@pytest.fixture
async def serial(line: OverheardLine, port: str) -> AsyncIterator[Listener]:
    """Return a listener on it; in the end nothing was sent."""
    listener = Listener(SerialEndpoint(port), settling=0.3)
    yield listener
    await listener.close()
    assert line.statistics.bytes_from_clients == 0


async def test_serial_port_is_heard_like_a_network(serial: Listener) -> None:
    """A serial port is heard as a network is."""
    await serial.connect()
    assert await serial.read_holding_registers(1, 0x151E, 4) == FIRST + SECOND
    assert serial.connected


async def test_serial_is_opened_for_reading_only(serial: Listener, port: str) -> None:
    """Writing to the descriptor is an error of the system; RTS and DTR are taken back."""
    opened: list[int] = []
    real_open = os.open

    def remember(path: str, flags: int) -> int:
        opened.append(real_open(path, flags))
        return opened[-1]

    with (
        patch.object(receive.os, "open", remember),
        patch.object(receive.fcntl, "ioctl") as ioctl,
    ):
        await serial.connect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(opened[0], b"\x00")
    # Linux: TIOCMBIC is 0x5417, RTS is 4 and DTR is 2.
    ioctl.assert_called_once_with(opened[0], 0x5417, struct.pack("I", 6))


async def test_serial_settings_are_applied_and_not_changed(serial: Listener, port: str) -> None:
    """Speed, parity and stop bits are set, and nothing is changed on the way."""
    listener = Listener(SerialEndpoint(port, baudrate=4800, parity="E", stopbits=2))
    await listener.connect()
    descriptor = os.open(port, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        inwards, outwards, control, local, speed, _, _ = termios.tcgetattr(descriptor)
    finally:
        os.close(descriptor)
        await listener.close()
    assert (inwards, outwards, local) == (0, 0, 0)
    assert speed == termios.B4800
    wanted = termios.PARENB | termios.CSTOPB | termios.CS8 | termios.CREAD | termios.CLOCAL
    # A pseudo terminal has no parity; the kernel takes that flag away.
    assert control & (wanted & ~termios.PARENB) == wanted & ~termios.PARENB
    assert not control & (termios.PARODD | getattr(termios, "CRTSCTS", 0))


async def test_serial_port_in_use_can_be_opened_once_given_back(
    serial: Listener, port: str
) -> None:
    """A port has one program; given back it can be opened."""
    await serial.connect()
    other = Listener(SerialEndpoint(port))
    with pytest.raises(LinkBusy):
        await other.connect()
    await serial.close()
    await other.connect()
    await other.close()


@pytest.mark.parametrize(
    ("endpoint", "error"),
    [
        (SerialEndpoint("/dev/there-is-no-such-port"), LinkUnresolved),
        (SerialEndpoint("/dev/null"), LinkError),
        (SerialEndpoint("socket://127.0.0.1:1"), LinkError),
        (SerialEndpoint("/dev/null", baudrate=12345), LinkError),
    ],
)
async def test_device_that_is_no_serial_port_is_reported(
    endpoint: SerialEndpoint, error: type[LinkError]
) -> None:
    """What is no serial port says so."""
    listener = Listener(endpoint)
    with pytest.raises(error):
        await listener.connect()
    assert not listener.connected
    await listener.close()


async def test_unplugged_adapter_is_a_lost_connection() -> None:
    """An adapter that is pulled out is a lost connection."""
    ours, theirs = pty.openpty()
    path = os.ttyname(theirs)
    listener = Listener(SerialEndpoint(path))
    changes: asyncio.Queue[bool] = asyncio.Queue()
    listener.add_listener(changes.put_nowait)
    await listener.connect()
    assert await changes.get()
    os.close(theirs)
    os.close(ours)
    async with asyncio.timeout(1):
        assert not await changes.get()
    await listener.close()
