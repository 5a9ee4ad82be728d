"""The simulated plant as a process, and its control page."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Final

import aiohttp

from .process import DEMO_ENVIRONMENT, running

# The options of a second machine, for a person to add by hand.
ANOTHER: Final = ("--serial-number", "JSO0000002", "--seed", "7")


@dataclass(kw_only=True)
class Plant:
    """A running simulation: its ports, and a way to look into it and to cause trouble."""

    tcp: int
    rtu: int
    # The ports with some of the units only, as they were asked for.
    lines: Sequence[int] = ()
    control: int
    # The Wi-Fi stick and the UDP port on which it is found, when the simulation was asked for them.
    stick: int | None = None
    stick_udp: int | None = None
    # Where a line can be heard on which an inverter polls its meter, when the simulation was asked for one.
    overheard: int | None = None
    # The path of a serial port that the simulation serves, when it was asked to.
    serial: str | None = None
    session: aiohttp.ClientSession

    async def get(self, path: str, **query: int) -> Any:
        """What a page of the control port says."""
        async with self.session.get(self.url(path), params=query) as response:
            response.raise_for_status()
            return await response.json()

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Change something through the control port."""
        async with self.session.post(self.url(path), json=body) as response:
            response.raise_for_status()
            return await response.json()

    async def words(self, address: int, count: int = 1) -> list[int]:
        """Raw registers."""
        values: list[int] = (await self.get("registers", address=address, count=count))["values"]
        return values

    async def word(self, address: int) -> int:
        """One raw register."""
        return (await self.words(address))[0]

    async def trouble(self, **fields: Any) -> None:
        """Change what is wrong with the machine."""
        await self.post("trouble", fields)

    async def writes(self) -> list[dict[str, Any]]:
        """The write requests that the machine has received."""
        found: list[dict[str, Any]] = await self.get("writes")
        return found

    def url(self, path: str) -> str:
        """Where a page of the control port is."""
        return f"http://127.0.0.1:{self.control}/{path}"


@asynccontextmanager
async def simulated_plant(options: Sequence[str] = ()) -> AsyncIterator[Plant]:
    """Run a simulated plant on free ports of this computer."""
    ports = ["--tcp-port", "0", "--rtu-port", "0", "--control-port", "0"]
    command: tuple[str | Path, ...] = (
        DEMO_ENVIRONMENT / "python",
        "-m",
        "lab.lone_simulator",
        *ports,
        *options,
    )
    async with (
        running(*command, environment={"PYTHONPATH": "scripts"}) as process,
        aiohttp.ClientSession() as session,
    ):
        assert process.stdout is not None  # noqa: S101 - it was asked for
        if not (line := await process.stdout.readline()):
            raise RuntimeError("the simulated plant did not start")
        yield Plant(session=session, **json.loads(line))
