"""Bytes on a real socket."""

from __future__ import annotations

import asyncio

# Seconds after which nothing more is expected.
SILENCE = 0.3


async def exchange(port: int, *requests: str) -> str:
    """Send bytes in hex, one piece after the other, and return what comes back until it is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        for request in requests:
            writer.write(bytes.fromhex(request))
            await asyncio.sleep(0.02)
        while True:
            async with asyncio.timeout(SILENCE):
                data = await reader.read(1024)
            if not data:
                break
            received += data
    except TimeoutError:
        pass
    finally:
        writer.close()
    return received.hex(" ")
