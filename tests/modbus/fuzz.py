"""Faults without end, and what a link makes of them: the register's own value, or none.

The servers know nothing but the Modbus application protocol, the RTU framing and the envelope of a stick. A fault is only
used where the framing can tell it from an answer: RTU has a checksum that no two bytes side by side can deceive, and Modbus
TCP has nothing but its header, so that a frame of which a part is missing ends what is sent over a connection. `scripts/fuzz` runs this for an hour, the tests for some seconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, override

from custom_components.hybrid_inverter.modbus.errors import DeviceError
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link

from . import fault_server as faults, stick_faults
from .fault_server import Fault, FaultServer, Talk, word
from .stick_frames import SERIAL

# Seconds that an answer may take, and between two requests.
TIMEOUT: Final = 0.04
SPACING: Final = 0.001
# The share of the requests that something goes wrong with.
FAULTED: Final = 0.5
# The shares of the requests that are writes, that are given up by whoever asks, and before which the server hangs up.
WRITTEN: Final = 0.1
CANCELLED: Final = 0.03
LOST: Final = 0.01
# Requests over one link, and at the same time.
REQUESTS: Final = 200
TOGETHER: Final = 3
# Seconds after which nothing comes late any more, and attempts after which a link has not recovered.
LATEST: Final = 0.3
ATTEMPTS: Final = 10
UNITS: Final = (1, 2)
# Read and never written, and written, too.
ADDRESSES: Final = range(500)
WRITABLE: Final = range(1000, 1010)
# Answers that may come once more; the number in the envelope of a stick comes again after 255 requests.
REPLAYED: Final = 20

ANY: Final[list[Fault]] = [
    faults.silence,
    faults.hang_up,
    faults.garbage,
    faults.truncated,
    faults.one_byte,
    faults.flipped,
    faults.wrong_unit,
    faults.wrong_function,
    faults.unknown_function,
    faults.too_short,
    faults.too_long,
    faults.false_count,
    faults.pieces,
    faults.twice,
    faults.late(0.02),
    faults.late(TIMEOUT),
    faults.late(TIMEOUT + 0.002),
    faults.late(TIMEOUT + 0.01),
    faults.late(TIMEOUT + 0.03),
    *(faults.refusal(code) for code in (0, 1, 2, 3, 4, 5, 6, 10, 11, 65, 255)),
]
NUMBERED: Final[list[Fault]] = [faults.wrong_transaction, faults.no_transaction]
# By the kind of the server.
FAULTS: Final[dict[str, list[Fault]]] = {
    "tcp": [
        *ANY,
        *NUMBERED,
        faults.wrong_protocol,
        faults.endless_length,
        faults.zero_length,
    ],
    "rtu": [
        *ANY,
        faults.bad_checksum,
        faults.noisy(b"\x00"),
        faults.noisy(b"\x01\x03"),
        faults.noisy(behind=b"\xff"),
    ],
    "stick": [
        *ANY,
        *NUMBERED,
        faults.bad_checksum,
        stick_faults.other_serial,
        stick_faults.other_client,
        stick_faults.unsolicited,
        stick_faults.only_heartbeat,
        stick_faults.noise_before,
        stick_faults.cut_and_repeated,
        stick_faults.double_checksum,
        stick_faults.error(5),
    ],
}


class Memory(dict[tuple[int, int], int]):
    """Registers that were written, by unit and address, and everything that they ever held."""

    def __init__(self) -> None:
        super().__init__()
        self.ever: set[tuple[tuple[int, int], int]] = set()

    @override
    def __setitem__(self, place: tuple[int, int], value: int) -> None:
        self.ever.add((place, value))
        super().__setitem__(place, value)

    def held(self, unit: int, address: int, value: int) -> bool:
        """Whether a register has ever held this value."""
        return value == word(unit, address) or ((unit, address), value) in self.ever


@dataclass
class Outcome:
    """What became of the requests."""

    counts: Counter[str] = field(default_factory=Counter)
    # Values that are not the register's own, and writes that were confirmed and not carried out.
    wrong: list[str] = field(default_factory=list)
    # What was raised and is no error of a device.
    escaped: list[str] = field(default_factory=list)
    # Of tasks and file descriptors, more than there were before.
    left_tasks: int = 0
    left_descriptors: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong that must not."""
        return not (self.wrong or self.escaped or self.left_tasks or self.left_descriptors)

    def add(self, other: Outcome) -> None:
        """Take what another part of a run has counted."""
        self.counts.update(other.counts)
        self.wrong += other.wrong
        self.escaped += other.escaped
        self.left_tasks += other.left_tasks
        self.left_descriptors += other.left_descriptors


def server_of(kind: str) -> FaultServer:
    """A server of a kind: `tcp`, `rtu` or `stick`."""
    if kind == "stick":
        return FaultServer(Framing.RTU, logger_serial=SERIAL)
    return FaultServer(Framing(kind))


def descriptors() -> int:
    """How many files and sockets this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


class Fuzz:
    """Requests over one link to one server, with faults that a seed decides."""

    def __init__(self, server: FaultServer, seed: int) -> None:
        """The server has to be started, and its registers are those of the run."""
        self.outcome = Outcome()
        self._server = server
        self._memory = server.memory = Memory()
        self._random = Random(seed)  # noqa: S311 - repeatable, not secret
        self._written = 0
        self._answers: deque[bytes] = deque(maxlen=REPLAYED)

    async def use_link(self) -> None:
        """Open a link, send requests over it, several at the same time, and close it."""
        link = Link(self._server.endpoint, timeout=TIMEOUT, spacing=SPACING)
        left = iter(range(REQUESTS))

        async def ask() -> None:
            for _ in left:
                self._plan()
                await self._ask(link)

        await asyncio.gather(*(ask() for _ in range(TOGETHER)))
        self._server.faults.clear()
        # What comes late is for this link: another one knows nothing of it.
        await asyncio.sleep(LATEST)
        await self._recover(link)
        await link.close()
        self._answers.clear()

    async def _recover(self, link: Link) -> None:
        """Read once more, now that nothing is in the way; a busy computer may need more than one attempt to connect."""
        for _ in range(ATTEMPTS):
            try:
                await link.read_holding_registers(1, 10, 2, timeout=5)
            except DeviceError as err:
                failure = err
            else:
                return
        self.outcome.escaped.append(f"without a fault: {failure!r}")

    def _plan(self) -> None:
        """Decide what happens to the next requests."""
        random, server = self._random, self._server
        # They are for tests that look at each of them.
        server.requests.clear()
        if random.random() < LOST:
            server.hang_up()
        while len(server.faults) < TOGETHER + 1:
            fault: Fault = faults.answer
            if random.random() < FAULTED:
                mixed = [*FAULTS[server.kind], self._mutated, self._mutated, self._cut]
                mixed += 2 * [self._echoed if server.kind == "rtu" else self._replayed]
                fault = self._counted(random.choice(mixed))
            server.faults.append(fault)

    def _counted(self, fault: Fault) -> Fault:
        """The same fault, counted when a request meets it."""

        async def counted(talk: Talk) -> None:
            self.outcome.counts["faulted"] += 1
            await fault(talk)
            if talk.request.function == 3:
                self._answers.append(talk.frame())

        return counted

    async def _ask(self, link: Link) -> None:
        """Send one request, and judge what comes of it."""
        random, counts = self._random, self.outcome.counts
        unit = random.choice(UNITS)
        if random.random() < WRITTEN:
            self._written = self._written % 0xFFFF + 1
            work = self._write(link, unit, random.choice(WRITABLE), self._written)
        else:
            # One read in ten looks at what is written.
            addresses = WRITABLE if random.random() < 0.1 else ADDRESSES
            work = self._read(link, unit, random.choice(addresses), random.choice((1, 2, 10)))
        asking = asyncio.create_task(work)
        if random.random() < CANCELLED:
            await asyncio.sleep(random.random() * 0.01)
            asking.cancel()
        counts["requests"] += 1
        try:
            await asking
        except DeviceError:
            counts["failed"] += 1
        except asyncio.CancelledError:
            counts["cancelled"] += 1
        except Exception as err:  # noqa: BLE001 - there must be none, whichever it is
            self.outcome.escaped.append(repr(err))
        else:
            counts["succeeded"] += 1

    async def _read(self, link: Link, unit: int, address: int, count: int) -> None:
        """Read some registers, and look whether they are what they say."""
        for at, value in enumerate(
            await link.read_holding_registers(unit, address, count), address
        ):
            if not self._memory.held(unit, at, value):
                self.outcome.wrong.append(f"unit {unit}, register {at}: {value}")

    async def _write(self, link: Link, unit: int, address: int, value: int) -> None:
        """Write a register in one of two ways, and look whether it was carried out."""
        if value % 2:
            await link.write_register(unit, address, value)
        else:
            await link.write_registers(unit, address, [value])
        if ((unit, address), value) not in self._memory.ever:
            self.outcome.wrong.append(f"unit {unit}, register {address}: {value} was not written")

    # ------------------------------------------------------------------ faults that chance makes

    async def _mutated(self, talk: Talk) -> None:
        """Change the answer where the framing notices: the header, or two bytes side by side."""
        frame = bytearray(talk.frame())
        if self._server.kind == "tcp":
            frame[self._random.randrange(9)] = self._random.randrange(256)
        else:
            at = self._random.randrange(len(frame) - 1)
            frame[at : at + 2] = (
                int.from_bytes(frame[at : at + 2]) ^ self._random.randrange(1, 0x10000)
            ).to_bytes(2)
        talk.peer.write(bytes(frame))

    async def _cut(self, talk: Talk) -> None:
        """Send the beginning of the answer, and perhaps the rest of it later on."""
        frame = talk.frame()
        at = self._random.randrange(1, len(frame))
        talk.peer.mid_frame = True
        talk.peer.write(frame[:at])
        if self._random.random() < 0.5:
            await asyncio.sleep(self._random.random() * TIMEOUT)
            talk.peer.write(frame[at:])
            talk.peer.mid_frame = False

    async def _replayed(self, talk: Talk) -> None:
        """Send an earlier answer once more, and perhaps the right one behind it."""
        if self._answers:
            talk.peer.write(self._random.choice(self._answers))
        if self._random.random() < 0.5:
            talk.peer.write(talk.frame())

    async def _echoed(self, talk: Talk) -> None:
        """Send the request back as some adapters do, and the answer behind it, or to a read perhaps none."""
        talk.peer.write(talk.frame_received)
        # The echo of one written register is its confirmation, whoever sends it.
        if talk.request.function != 3 or self._random.random() < 0.5:
            talk.peer.write(talk.frame())


async def fuzz(kind: str, seeds: Iterable[int], faulted: int) -> Outcome:
    """Run until so many requests have met a fault, over one link at a time for each seed; what became of it."""
    loop = asyncio.get_running_loop()
    seeds = list(seeds)
    outcome = Outcome()

    def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        outcome.escaped.append(f"{context['message']}: {context.get('exception')!r}")

    tasks, opened = len(asyncio.all_tasks()), descriptors()
    loop.set_exception_handler(note)
    runs = (_run(kind, seed, faulted // len(seeds)) for seed in seeds)
    for part in await asyncio.gather(*runs):
        outcome.add(part)
    # Sockets are closed in the loop's next rounds.
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            while len(asyncio.all_tasks()) > tasks or descriptors() > opened:  # noqa: ASYNC110 - nobody says so
                await asyncio.sleep(0.01)
    outcome.left_tasks += len(asyncio.all_tasks()) - tasks
    outcome.left_descriptors += descriptors() - opened
    loop.set_exception_handler(None)
    return outcome


async def _run(kind: str, seed: int, faulted: int) -> Outcome:
    """Run against a server of its own."""
    server = server_of(kind)
    await server.start()
    run = Fuzz(server, seed)
    while run.outcome.counts["faulted"] < faulted:
        await run.use_link()
    await server.stop()
    return run.outcome
