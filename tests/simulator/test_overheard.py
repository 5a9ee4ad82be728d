"""The simulated line between an inverter and its meter."""

from __future__ import annotations

import asyncio
import os
import struct

import aiohttp
import pytest

from simulator import SimulatedPlant
from simulator.control import ControlServer
from simulator.overheard import (
    POLLS,
    LineTrouble,
    Poll,
    Talk,
    as_dict,
    change_line,
)
from tests.overheard import overheard_line


def respond(unit: int, pdu: bytes) -> bytes | None:
    """Answer for unit 1 with words that count up from the address."""
    function, address, count = struct.unpack(">BHH", pdu)
    if unit != 1:
        return None
    return bytes((function, 2 * count)) + b"".join(
        word.to_bytes(2) for word in range(address, address + count)
    )


def test_frames_match_those_of_a_real_line_with_each_poll_in_turn() -> None:
    """Requests and answers as they are on a real line, each pattern in turn."""
    talk = Talk(respond, POLLS["sofar"])
    # The published requests; the answer to the first, whose checksum is worked out by the rule.
    assert talk.next() == (bytes.fromhex("010300060001640b"), bytes.fromhex("0103020006 3846"))
    assert talk.next()[0] == bytes.fromhex("0103201400068e0c")
    assert talk.next()[0] == bytes.fromhex("0103101e000c2109")
    assert talk.next()[0] == bytes.fromhex("010300060001640b")
    assert Talk(respond, POLLS["deye_three_phase"]).next()[0] == bytes.fromhex("0103151e0006a1c2")
    assert Talk(respond, POLLS["foxess_single_phase"]).next()[0] == bytes.fromhex(
        "0103200400028e0a"
    )
    request, answer = Talk(respond, POLLS["sigenergy"]).next()
    assert request == bytes.fromhex("0a04151c00103577")
    assert answer == b""
    assert talk.exchanges == 4


def test_every_kind_of_line_trouble_takes_effect_and_is_repeatable() -> None:
    """Each kind of trouble, and that it is repeatable."""

    def bytes_of(trouble: LineTrouble, seed: int = 1) -> list[bytes]:
        talk = Talk(respond, POLLS["deye_three_phase"], seed=seed)
        talk.trouble = trouble
        return [b"".join(talk.next()) for _ in range(2000)]

    clean = bytes_of(LineTrouble())
    assert {len(one) for one in clean} == {25}
    corrupted = bytes_of(LineTrouble(corrupted=0.05))
    pairs = zip(b"".join(clean), b"".join(corrupted), strict=True)
    assert 0.045 < sum(sent != arrived for sent, arrived in pairs) / 50000 < 0.055
    missing = bytes_of(LineTrouble(missing=0.05))
    assert 0.94 < sum(map(len, missing)) / 50000 < 0.96
    noise = bytes_of(LineTrouble(noise=0.5))
    # Three of four exchanges: before the request, before the answer, or before both.
    assert 1400 < sum(len(one) > 25 for one in noise) < 1600
    assert bytes_of(LineTrouble(corrupted=0.05)) == corrupted
    assert bytes_of(LineTrouble(corrupted=0.05), seed=2) != corrupted
    assert set(bytes_of(LineTrouble(silent=True))) == {b""}
    assert set(bytes_of(LineTrouble(unanswered=True))) == {clean[0][:8]}
    assert set(bytes_of(LineTrouble(answers_lost=True))) == {clean[0][:8]}
    assert set(bytes_of(LineTrouble(requests_lost=True))) == {clean[0][8:]}


def test_line_trouble_is_changed_by_name_and_invalid_values_are_rejected() -> None:
    """What is wrong can be changed by name, and only as it makes sense."""
    trouble = LineTrouble()
    change_line(trouble, {"corrupted": 0.05, "silent": True})
    assert (trouble.corrupted, trouble.silent) == (0.05, True)
    for wrong in (
        {"corrupted": 2},
        {"corrupted": True},
        {"corrupted": "much"},
        {"silent": 1},
        {"nothing": 0.1},
        {"missing": 0.1, "noise": -1},
    ):
        with pytest.raises(ValueError, match="no"):
            change_line(trouble, wrong)
    assert trouble.missing == 0.0


@pytest.mark.usefixtures("socket_enabled")
async def test_everybody_hears_the_same() -> None:
    """Two clients and a serial port hear both directions."""
    async with overheard_line(respond, (Poll(6, 1),), period=0.01) as line:
        port = await line.start_serial()
        expected = bytes.fromhex("010300060001640b0103020006 3846")
        readers = [await asyncio.open_connection("127.0.0.1", line.port) for _ in range(2)]
        for reader, _ in readers:
            async with asyncio.timeout(2):
                heard = await reader.readexactly(60)
            assert expected in heard
        descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
        heard = b""
        while len(heard) < 60:
            heard += await asyncio.to_thread(os.read, descriptor, 100)
        assert expected in heard
        os.close(descriptor)
        for _, writer in readers:
            writer.close()


@pytest.mark.usefixtures("socket_enabled")
async def test_counts_what_clients_send() -> None:
    """A client that talks is found out, on the network and on the serial port."""
    async with overheard_line(respond, (Poll(6, 1),), period=0.01) as line:
        port = await line.start_serial()
        _, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"12345")
        descriptor = os.open(port, os.O_WRONLY | os.O_NOCTTY)
        os.write(descriptor, b"678")
        os.close(descriptor)
        for _ in range(200):
            if line.statistics.bytes_from_clients >= 8:
                break
            await asyncio.sleep(0.01)
        assert as_dict(line)["bytes_from_clients"] == 8
        assert as_dict(line)["corrupted"] == 0.0
        writer.close()


@pytest.mark.usefixtures("socket_enabled")
async def test_requests_keep_their_period_whatever_else_takes_time() -> None:
    """A hundred milliseconds from request to request, whatever else takes time."""
    async with overheard_line(respond, (Poll(6, 1),), period=0.1) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(3):
            await reader.readexactly(15)
            started = clock()
            await reader.readexactly(8 * 15)
        assert 0.75 < clock() - started < 1.1
        writer.close()
    assert line.port == 0


@pytest.mark.usefixtures("socket_enabled")
async def test_a_meter_of_a_simulated_plant() -> None:
    """The first meter answers as it does on its own line, and over HTTP the line can be troubled."""
    devices = {1: "JSO8048104", 3: "DTSU666", 4: "DDSU666"}
    async with (
        SimulatedPlant(devices=devices, overheard=True) as plant,
        aiohttp.ClientSession() as session,
    ):
        # Until something has flowed, there is nothing to be seen at the grid.
        plant.advance(1)
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.overheard_port)
        async with asyncio.timeout(3):
            # The request for the total and the phases, with its checksum worked out by the rule.
            await reader.readuntil(bytes.fromhex("03032012 0008 EE2B"))
            answer = await reader.readexactly(21)
        assert answer[:3] == bytes.fromhex("030310")
        words = [plant.machine(3).word(address) for address in range(0x2012, 0x201A)]
        assert answer[3:19] == b"".join(word.to_bytes(2) for word in words)
        assert any(words)

        control = ControlServer(plant)
        await control.start(0)
        url = f"http://127.0.0.1:{control.port}/line"
        async with session.post(url, json={"corrupted": 0.05, "silent": True}) as changed:
            assert (await changed.json())["corrupted"] == 0.05
        async with session.get(url) as shown:
            told = await shown.json()
        assert (told["silent"], told["connections"], told["bytes_from_clients"]) == (True, 1, 0)
        async with session.post(url, json={"corrupted": 5}) as refused:
            assert refused.status == 400
        await control.stop()
        writer.close()
    assert plant.overheard_port == 0


def test_nobody_to_be_heard() -> None:
    """An inverter alone has nobody to ask."""
    with pytest.raises(ValueError, match="no meter"):
        SimulatedPlant(overheard=True)
    assert SimulatedPlant().overheard is None
