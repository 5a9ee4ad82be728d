"""Keeps pymodbus from logging what the link reports itself.

pymodbus logs every failed request as an error, with the last 20 frames. Its logger is shared with every other user
of the library in the same process, so its level stays as it is: only records that our own requests cause are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
import logging
from typing import Final

PYMODBUS_LOGGER: Final = logging.getLogger("pymodbus.logging")

_ours: ContextVar[bool] = ContextVar("hybrid_inverter_request", default=False)


def _passes(_record: logging.LogRecord) -> bool:
    """Whether a record is somebody else's, or wanted because its reader is debugging."""
    return not _ours.get() or PYMODBUS_LOGGER.isEnabledFor(logging.DEBUG)


def install_filter() -> None:
    """Put the filter on pymodbus' logger; once, however often it is called."""
    PYMODBUS_LOGGER.addFilter(_passes)


@contextmanager
def quiet() -> Iterator[None]:
    """Mark what happens in the block as ours.

    A connection that is opened in the block keeps the mark for everything that is received through it, because
    asyncio runs its callbacks in the context in which it was opened.
    """
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)
