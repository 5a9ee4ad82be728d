"""EMHASS' own server, with the time of the simulated house for its own: run as a file, by the Python of its environment.

Where it is reached, and where the house tells the time, is in the environment's variables.
"""

from datetime import UTC, datetime, tzinfo
import importlib
import json
import os
from typing import Self
from urllib.request import urlopen

PORT_VARIABLE = "LAB_EMHASS_PORT"
TIME_VARIABLE = "LAB_HOUSE_TIME"

# Those of its modules that look at the clock.
MODULES = ("command_line", "last_run", "retrieve_hass", "utils")


class HouseTime(datetime):
    """The time of the house, which is UTC."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Ask the house."""
        with urlopen(os.environ[TIME_VARIABLE]) as answer:  # noqa: S310 - on loopback
            shown = cls.fromisoformat(json.load(answer)["now"]).replace(tzinfo=UTC)
        return shown.astimezone(tz) if tz else shown.replace(tzinfo=None)


def main() -> None:
    """Serve on loopback."""
    timestamp = importlib.import_module("pandas").Timestamp
    timestamp.now = lambda tz=None: timestamp(HouseTime.now(UTC)).tz_convert(tz)
    for name in MODULES:
        importlib.import_module(f"emhass.{name}").datetime = HouseTime  # type: ignore[attr-defined]
    app = importlib.import_module("emhass.web_server").app
    port = int(os.environ[PORT_VARIABLE])
    importlib.import_module("uvicorn").run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
