"""A machine that is exchanged for another one while it is written to: the other one is never written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.verified_unit import VerifiedUnit
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkTimeout,
    ResidueError,
    WrongDeviceError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Choice
from custom_components.hybrid_inverter.modbus.model.family import table
from custom_components.hybrid_inverter.modbus.model.residue import Residue
from custom_components.hybrid_inverter.modbus.tables.jso import JSO
from custom_components.hybrid_inverter.modbus.transport.link import Framing, LinkUnit

from .conftest import MakeLink
from .fake_unit import FakeUnit
from .fault_server import Fault, FaultServer, Talk, answer, hang_up, silence
from .test_device_sequence import ONE_BY_ONE, row

OWN: Final = "JSO0000001"
FAMILY: Final = replace(
    ONE_BY_ONE,
    registers=table(
        JSO.registers["serial_number"],
        JSO.registers["system_time"],
        row("mode", 10, Choice({0: "home", 3: "passive"})),
        row("action", 20, Choice({0: "standby", 2: "charge"})),
        row("charge", 21),
        *(row(f"slot_{number}", 30 + number) for number in range(1, 5)),
    ),
    prerequisites={},
    residues=(Residue(key="mode", value="passive", keys=("action", "charge"), run_from_here=True),),
)
# The same, but for several registers in one request.
TOGETHER: Final = replace(FAMILY, max_write=4, single_write=False)

# JSO0000001 and JSO0000009 at 3 to 7; 2026-06-21 10:30:15 at 62 to 64.
SERIAL: Final = {3: 0x4A53, 4: 0x4F30, 5: 0x3030, 6: 0x3030, 7: 0x3031}
WORDS: Final = {10: 0, 20: 0, 21: 1000, 31: 1, 32: 2, 33: 3, 34: 4}
HELD: Final = {**WORDS, 62: 6662, 63: 5386, 64: 7695}
OTHER: Final = {**HELD, **SERIAL, 7: 0x3039}

type Memory = dict[tuple[int, int], int]


def memory_of(words: dict[int, int]) -> Memory:
    """Return the registers of unit 1."""
    return {(1, address): word for address, word in words.items()}


def swap(server: FaultServer) -> None:
    """Put the other machine in the place of the first, behind a connection that is closed."""
    server.memory = memory_of(OTHER)
    server.hang_up()


async def before_it_arrives(talk: Talk) -> None:
    """Swap the machines while a request is on its way, which is lost."""
    swap(talk.server)


async def behind_it(talk: Talk) -> None:
    """Swap them when the first has carried out a request, and has not answered."""
    talk.pdu()
    swap(talk.server)


async def behind_its_answer(talk: Talk) -> None:
    """Swap them when the first has answered."""
    await answer(talk)
    swap(talk.server)


@pytest.fixture
async def gateway(socket_enabled: None) -> AsyncIterator[FaultServer]:
    """Return a gateway with the machine."""
    server = FaultServer(Framing.TCP, memory=memory_of({**HELD, **SERIAL}))
    await server.start()
    yield server
    await server.stop()


type Step = Callable[[Device], Awaitable[object]]


async def nothing(_: Device) -> None:
    """Prepare nothing."""


async def write_steps(device: Device) -> None:
    """Write four slots."""
    await device.write_steps([("slot_1", 11), ("slot_2", 12), ("slot_3", 13), ("slot_4", 14)])


async def charge(device: Device) -> None:
    """Enter the passive mode."""
    await device.write("charge", 300)
    await device.write("action", "charge")
    await device.write("mode", "passive")


# What is done before, what is done while the machine is exchanged, and what the first one holds in the end.
DONE: Final[dict[str, tuple[Step, Step, dict[int, int]]]] = {
    "write": (nothing, lambda device: device.write("slot_1", 11), {31: 11}),
    "write_many": (
        nothing,
        lambda device: device.write_many({"slot_1": 11, "slot_2": 12, "slot_4": 14}),
        {31: 11, 32: 12, 34: 14},
    ),
    "write_words": (
        nothing,
        lambda device: device.write_words([{31: 11, 32: 12}, {34: 14}]),
        {31: 11, 32: 12, 34: 14},
    ),
    "write_words_one_by_one": (
        nothing,
        lambda device: device.write_words([{31: 11}, {32: 12}, {33: 13}, {34: 14}]),
        {31: 11, 32: 12, 33: 13, 34: 14},
    ),
    "write_steps": (nothing, write_steps, {31: 11, 32: 12, 33: 13, 34: 14}),
    "undo": (lambda device: device.write("slot_2", 22), Device.undo, {}),
    "undo_steps": (write_steps, Device.undo, {}),
    "leave": (charge, lambda device: device.write("mode", "home"), {}),
    "release": (charge, Device.release, {}),
    "put_back": (charge, Device.put_back, {}),
    "set_clock": (
        nothing,
        lambda device: device.set_clock("system_time", lambda: datetime(2026, 6, 21, 11, 0, 0)),  # noqa: DTZ001
        {62: 6662, 63: 5387, 64: 0},
    ),
}
ADDRESSES: Final = {
    "mode": 10,
    "action": 20,
    "charge": 21,
    "slot_1": 31,
    "slot_2": 32,
    "slot_3": 33,
    "slot_4": 34,
}
EXCHANGES: Final = (before_it_arrives, behind_it, behind_its_answer)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.__name__)
@pytest.mark.parametrize("name", DONE)
async def test_the_other_machine_is_never_written_whenever_they_are_exchanged(
    gateway: FaultServer, make_link: MakeLink, name: str, exchange: Fault
) -> None:
    """At every request of it: what the error does not name is as it was, and success is not reported of the other."""
    prepare, act, wanted = DONE[name]
    family = TOGETHER if name in ("write_many", "write_words", "set_clock") else FAMILY
    number, last = 0, False
    while not last:
        link = make_link(gateway)
        own = gateway.memory = memory_of({**HELD, **SERIAL})
        device = Device(LinkUnit(link, 1), family, serial=OWN)
        await prepare(device)
        if act == Device.put_back:
            # Somebody has left the mode at the panel.
            own[1, 10] = 0
        before = dict(own)
        gateway.requests.clear()
        gateway.faults.extend([*[answer] * number, exchange])
        failure: DeviceError | None = None
        try:
            await act(device)
        except DeviceError as err:
            failure = err
        # When all of it was over before, there is nothing more to try.
        last = bool(gateway.faults)
        gateway.faults.clear()
        await link.close()
        assert [r for r in gateway.requests[number + 1 :] if r.function in (6, 16)] == []
        changed = {place for place, word in own.items() if word != before[place]}
        done = memory_of({**HELD, **SERIAL, **wanted})
        if failure is None:
            assert own == done
        elif not failure.unconfirmed:
            silent = changed - {(1, ADDRESSES[key]) for key in failure.left}
            if isinstance(failure, ResidueError):
                # The mode was left, and what is not named of its settings is back.
                assert {place: own[place] for place in silent}.items() <= done.items()
            else:
                assert not silent
        number += 1
    assert number > 3


async def test_what_is_half_done_is_named(gateway: FaultServer, make_link: MakeLink) -> None:
    """Two of four slots were written when the machine was exchanged: these two, and the one that was never sent is not."""
    device = Device(LinkUnit(make_link(gateway), 1), FAMILY, serial=OWN)
    own = gateway.memory
    # The serial number and the look at all; two steps with a look, a write and two reads; the look of the third.
    gateway.faults.extend([*[answer] * 10, before_it_arrives])
    with pytest.raises(WrongDeviceError, match="other_serial_number") as caught:
        await write_steps(device)
    assert caught.value.left == ("slot_2", "slot_1")
    assert [own[1, address] for address in (31, 32, 33, 34)] == [11, 12, 3, 4]


async def test_a_write_that_waits_is_not_sent_to_the_other_machine(
    gateway: FaultServer, make_link: MakeLink
) -> None:
    """The machine is exchanged while the first of three writes is under way."""
    device = Device(LinkUnit(make_link(gateway), 1), FAMILY, serial=OWN)
    gateway.faults.extend([answer, answer, before_it_arrives])
    results = await asyncio.gather(
        device.write("slot_1", 11),
        device.write("slot_2", 12),
        device.write_steps([("slot_3", 13), ("slot_4", 14)]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [WrongDeviceError] * 3
    unconfirmed = [isinstance(one, DeviceError) and one.unconfirmed for one in results]
    assert unconfirmed == [True, False, False]
    assert [request.function for request in gateway.requests[3:]] == [3, 3, 3]


async def test_the_same_machine_behind_a_new_connection_is_written_to(
    gateway: FaultServer, make_link: MakeLink
) -> None:
    """The gateway hangs up instead of answering the look: the machine is asked who it is, and the write goes on."""
    device = Device(LinkUnit(make_link(gateway), 1), FAMILY, serial=OWN)
    await device.verify()
    gateway.faults.append(hang_up)
    await device.write("slot_1", 11)
    assert gateway.memory[1, 31] == 11
    assert gateway.wanted[:5] == [
        (1, 3, 3, 5),
        (1, 3, 31, 1),
        (1, 3, 3, 5),
        (1, 3, 31, 1),
        (1, 6, 31, 1),
    ]
    assert gateway.accepted == 2


async def test_a_silent_write_is_read_back_from_the_machine_that_was_asked_for(
    gateway: FaultServer, make_link: MakeLink
) -> None:
    """While it was silent, the machine was exchanged behind a connection that stayed."""
    device = Device(LinkUnit(make_link(gateway), 1), FAMILY, serial=OWN)

    async def exchange(talk: Talk) -> None:
        gateway.memory = memory_of({**OTHER, 31: 11})

    gateway.faults.extend([answer, answer, exchange])
    with pytest.raises(WrongDeviceError) as caught:
        await device.write("slot_1", 11)
    assert caught.value.unconfirmed
    assert [r.function for r in gateway.requests] == [3, 3, 6, 3]


async def test_a_gateway_that_hangs_up_behind_every_answer_is_not_written_through(
    gateway: FaultServer, make_link: MakeLink
) -> None:
    """Whoever it leads to next may be another machine; nothing was sent, and the error says that the link was lost."""
    device = Device(LinkUnit(make_link(gateway), 1), FAMILY, serial=OWN)

    async def answer_and_hang_up(talk: Talk) -> None:
        await answer(talk)
        talk.peer.close()

    gateway.faults.extend([answer_and_hang_up] * 20)
    with pytest.raises(DeviceError, match="the connection was lost") as caught:
        await device.write("slot_1", 11)
    assert not caught.value.unconfirmed
    assert {request.function for request in gateway.requests} == {3}


async def test_a_silent_machine_is_not_said_to_have_been_written(
    gateway: FaultServer, make_link: MakeLink
) -> None:
    """It does not even say who it is: nothing was sent, so nothing has to be confirmed."""
    device = Device(LinkUnit(make_link(gateway), 1), FAMILY, serial=OWN)
    gateway.faults.extend([silence] * 9)
    with pytest.raises(LinkTimeout) as caught:
        await device.write("slot_1", 11)
    assert not caught.value.unconfirmed
    assert {request.function for request in gateway.requests} == {3}


async def test_a_poll_in_between_proves_nothing() -> None:
    """A poll that did not ask who is there does not make up for the question before a write."""
    unit = FakeUnit({**HELD, **SERIAL})
    device = Device(unit, FAMILY, serial=OWN)
    await device.verify()
    unit.connection += 1
    unit.registers = dict(OTHER)
    await device.poll(["slot_1"])
    with pytest.raises(WrongDeviceError):
        await device.write("slot_1", 11)
    assert unit.writes == []
    assert not device.verified


async def test_a_question_costs_nothing_while_the_connection_stays() -> None:
    """Verified once, the serial number is not read again for a write."""
    unit = FakeUnit({**HELD, **SERIAL})
    device = Device(unit, FAMILY, serial=OWN)
    await device.verify()
    unit.requests.clear()
    await device.write("slot_1", 11)
    assert (3, 5) not in unit.reads
    assert device.verified


async def test_a_mode_that_is_left_half_way_names_what_the_mode_left_behind(
    gateway: FaultServer, make_link: MakeLink
) -> None:
    """The mode was left, and its settings could not be put back: the machine was exchanged meanwhile."""
    device = Device(LinkUnit(make_link(gateway), 1), FAMILY, serial=OWN)
    await charge(device)
    # The look at the modes, the mode's own look, its write and two reads; then the look of the first setting.
    gateway.faults.extend([*[answer] * 5, before_it_arrives])
    with pytest.raises(ResidueError) as caught:
        await device.release()
    assert set(caught.value.left) == {"action", "charge"}
    assert isinstance(caught.value.cause, WrongDeviceError)


async def test_a_question_without_an_answer_is_no_write_that_was_sent() -> None:
    """The request that was to follow it has not gone out."""

    async def ask() -> None:
        error = LinkTimeout("unit 1")
        error.sent = True
        raise error

    fake = FakeUnit({10: 0})
    with pytest.raises(LinkTimeout) as caught:
        await VerifiedUnit(fake, ask).write_register(10, 1)
    assert caught.value.sent is False
    assert fake.registers[10] == 0
