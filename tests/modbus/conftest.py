"""Servers that misbehave, and links to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from custom_components.hybrid_inverter.modbus.link import Framing, Link, TcpEndpoint

from .fault_server import FaultServer

# Seconds; what a test waits for an answer that never comes.
TIMEOUT = 0.25
SPACING = 0.002

type MakeLink = Callable[..., Link]


@pytest.fixture(params=list(Framing))
def framing(request: pytest.FixtureRequest) -> Framing:
    """Return each framing; a test overrides it with its own parameter."""
    framing: Framing = request.param
    return framing


@pytest.fixture
async def server(socket_enabled: None, framing: Framing) -> AsyncIterator[FaultServer]:
    """Return a server that listens."""
    server = FaultServer(framing)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def make_link() -> AsyncIterator[MakeLink]:
    """Return what makes a link to a server, and closes it in the end."""
    links: list[Link] = []

    def make(server: FaultServer, **settings: float) -> Link:
        endpoint = TcpEndpoint("127.0.0.1", server.port, server.framing)
        options = {"timeout": TIMEOUT, "spacing": SPACING} | settings
        links.append(Link(endpoint, **options))  # type: ignore[arg-type]
        return links[-1]

    yield make
    for link in links:
        await link.close()


@pytest.fixture
def link(server: FaultServer, make_link: MakeLink) -> Link:
    """Return a link that is not open yet."""
    return make_link(server)
