"""EMHASS as a process, with the time of the simulated house, driven through its REST API."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import tempfile
from typing import Any, Final

import aiohttp

from .checking import CheckError
from .emhass_server import PORT_VARIABLE, TIME_VARIABLE
from .home import Home
from .plant import Plant
from .process import REPOSITORY, free_port, running

# Run with `-P`: the modules beside it are not the ones that it means by their names.
PYTHON: Final = REPOSITORY / ".venv-emhass" / "bin" / "python"
SERVER: Final = Path(__file__).with_name("emhass_server.py")
# Its libraries take long to import on a busy computer.
START_SECONDS: Final = 180
# Days for which it may talk to Home Assistant, as the page has it.
TOKEN_DAYS: Final = 3650
# How much of its log is told when it fails.
LOGGED: Final = 3000


class PlanError(CheckError):
    """EMHASS has not done what it was asked for; the text is what it has logged."""


@dataclass(kw_only=True)
class Emhass:
    """A running EMHASS."""

    url: str
    session: aiohttp.ClientSession
    log: Path

    async def plan(
        self,
        *,
        soc: float,
        final_soc: float,
        sun: Sequence[float],
        load: Sequence[float],
        buy: Sequence[float],
        sell: Sequence[float],
    ) -> None:
        """Plan the steps for which these are the forecasts: shares of the battery, watts, and prices of a kWh."""
        await self._act(
            "naive-mpc-optim",
            prediction_horizon=len(buy),
            soc_init=soc,
            soc_final=final_soc,
            pv_power_forecast=list(sun),
            load_power_forecast=list(load),
            load_cost_forecast=list(buy),
            prod_price_forecast=list(sell),
        )

    async def publish(self) -> None:
        """Tell Home Assistant what is planned for the present step."""
        await self._act("publish-data")

    async def _act(self, action: str, **data: Any) -> None:
        async with self.session.post(f"{self.url}/action/{action}", json=data) as response:
            if response.status >= 400:
                raise PlanError(f"{action}:\n{self.log.read_text()[-LOGGED:]}")


@asynccontextmanager
async def emhass_for(home: Home, plant: Plant, config: Mapping[str, Any]) -> AsyncIterator[Emhass]:
    """Run EMHASS with a configuration."""
    token = await home.command(
        "auth/long_lived_access_token", client_name="EMHASS", lifespan=TOKEN_DAYS
    )
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="emhass_") as name:
        folder = Path(name)
        (folder / "config.json").write_text(json.dumps(config))
        environment = {
            PORT_VARIABLE: str(port),
            TIME_VARIABLE: plant.url("time"),
            "CONFIG_PATH": str(folder / "config.json"),
            "DATA_PATH": name,
            "SECRETS_PATH": str(folder / "none"),
            "OPTIONS_PATH": str(folder / "none"),
            "EMHASS_URL": f"{home.url}/",
            "SUPERVISOR_TOKEN": token,
            "TIME_ZONE": "UTC",
        }
        log = folder / "output.log"
        async with (
            running(PYTHON, "-P", SERVER, environment=environment, log=log) as process,
            aiohttp.ClientSession() as session,
        ):
            emhass = Emhass(url=f"http://127.0.0.1:{port}", session=session, log=log)
            await _wait_for(emhass, process)
            yield emhass


async def _wait_for(emhass: Emhass, process: asyncio.subprocess.Process) -> None:
    """Wait until EMHASS has started."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while process.returncode is None and asyncio.get_running_loop().time() < deadline:
        try:
            async with emhass.session.get(f"{emhass.url}/api/v1/last-run") as response:
                await response.read()
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.5)
    raise RuntimeError(f"EMHASS did not start:\n{emhass.log.read_text()}")
