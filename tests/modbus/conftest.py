"""Servers that misbehave, and links to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from custom_components.hybrid_inverter.modbus.device import quarantine
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link

from .fault_server import FaultServer
from .stick_frames import SERIAL

# Seconds; what a test waits for an answer that never comes.
TIMEOUT = 0.25
SPACING = 0.002

# Stands for RTU in the envelope of a stick, where a test asks for a framing.
STICK = "stick"

type MakeLink = Callable[..., Link]


@dataclass
class Clock:
    """The time by which a device waits until it asks again for what failed."""

    now: float = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that a test puts forward."""
    clock = Clock()
    monkeypatch.setattr(quarantine, "_now", lambda: clock.now)
    return clock


@pytest.fixture(params=[*Framing, STICK])
def framing(request: pytest.FixtureRequest) -> Framing | str:
    """Return each framing, and a stick's; a test overrides it with its own parameter."""
    framing: Framing | str = request.param
    return framing


@pytest.fixture
async def server(socket_enabled: None, framing: Framing | str) -> AsyncIterator[FaultServer]:
    """Return a server that listens."""
    server = (
        FaultServer(framing)
        if isinstance(framing, Framing)
        else FaultServer(Framing.RTU, logger_serial=SERIAL)
    )
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def make_link() -> AsyncIterator[MakeLink]:
    """Return what makes a link to a server, and closes it in the end."""
    links: list[Link] = []

    def make(server: FaultServer, **settings: float) -> Link:
        options = {"timeout": TIMEOUT, "spacing": SPACING} | settings
        links.append(Link(server.endpoint, **options))  # type: ignore[arg-type]
        return links[-1]

    yield make
    for link in links:
        await link.close()


@pytest.fixture
def link(server: FaultServer, make_link: MakeLink) -> Link:
    """Return a link that is not open yet."""
    return make_link(server)
