"""Child processes that are always stopped again."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
import os
from pathlib import Path
import random
import signal
import socket
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
DEMO_ENVIRONMENT: Final = REPOSITORY / ".venv-demo" / "bin"

# Below those that the kernel gives to outgoing connections.
LISTENED_PORTS: Final = (20000, 32000)

# What a process may take to stop by itself.
STOP_SECONDS: Final = 20


def free_port() -> int:
    """A port of this computer that nobody uses, and that no outgoing connection will have taken until it is opened."""
    while True:
        port = random.randrange(*LISTENED_PORTS)  # noqa: S311 - nothing secret
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@asynccontextmanager
async def running(
    *command: str | Path, environment: Mapping[str, str] | None = None, log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command beside us, and stop it at the end as Ctrl-C would."""
    output = log.open("ab") if log else None
    try:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output or asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if output else None,
            # Ctrl-C in the terminal is for us; we stop the children in order.
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
                try:
                    await asyncio.wait_for(process.wait(), STOP_SECONDS)
                except TimeoutError:
                    process.kill()
                    await process.wait()
    finally:
        if output:
            output.close()
