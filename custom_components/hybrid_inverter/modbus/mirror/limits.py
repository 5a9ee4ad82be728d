"""How much of the time and the memory of Home Assistant clients may take."""

from __future__ import annotations

import math
from typing import Final

MAX_CLIENTS: Final = 8
# Seconds until a new client has sent its first request, between two requests of any, and until an answer is taken.
FIRST_TIMEOUT: Final = 10.0
IDLE_TIMEOUT: Final = 120.0
WRITE_TIMEOUT: Final = 5.0
# Bytes of requests, and of answers, that are kept for a client; more have to wait in its own system.
BUFFER: Final = 1024
# Seconds between two clients that are accepted, and after one that could not be.
ACCEPT_PAUSE: Final = 0.02
ACCEPT_ERROR_PAUSE: Final = 1.0

# Requests a second in the long run, and how many at once after a pause. Faster ones wait, and none is refused.
RATE: Final = 25.0
BURST: Final = 50


class Pace:
    """Tells how long each request has to wait."""

    def __init__(self) -> None:
        # Until when the requests so far are accounted for, at the rate of the long run.
        self._until = -math.inf

    def delay(self, now: float) -> float:
        """The seconds that the request that comes now has to wait; 0 or less when it need not."""
        self._until = max(self._until, now) + 1 / RATE
        return self._until - now - BURST / RATE
