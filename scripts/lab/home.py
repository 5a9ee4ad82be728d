"""A real Home Assistant as a process, with a ready user, driven through its own APIs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import signal
import tempfile
from typing import Any, Final, Literal

import aiohttp

from .fast_home import START_VARIABLE
from .home_folder import CONFIGURATION, USER, link_integration, prepare_folder
from .process import DEMO_ENVIRONMENT, REPOSITORY, free_port, running

# The step that asks who has made an inverter.
MAKER: Final = "maker"
START_SECONDS: Final = 120
# Within which Home Assistant has loaded an entry again after an entity was enabled.
RELOAD_SECONDS: Final = 90


class RefusedError(Exception):
    """Home Assistant refused a request; the text is what it answered."""


@dataclass(kw_only=True, eq=False)
class Home:
    """A running Home Assistant."""

    url: str
    config: Path
    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)
    process_id: int = 0
    # When its clock begins, in seconds since 1970, if it is one that can run faster.
    start_time: float | None = None
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def log(self) -> str:
        """Everything that was logged so far."""
        return (self.config / "output.log").read_text(errors="replace")

    async def start(self) -> None:
        """Start it, and come back when it runs and we are logged in."""
        command: tuple[str | Path, ...] = (DEMO_ENVIRONMENT / "hass",)
        # Nothing but its own folder may bring the integration: it can be one of another checkout.
        environment = {"PYTHONPATH": ""}
        if self.start_time is not None:
            command = (DEMO_ENVIRONMENT / "python", "-m", "lab.fast_home")
            environment = {"PYTHONPATH": "scripts", START_VARIABLE: str(self.start_time)}
        process = await self._running.enter_async_context(
            running(
                *command,
                "-c",
                self.config,
                environment=environment,
                log=self.config / "output.log",
            )
        )
        self.process_id = process.pid
        await _wait_for(self, process)
        await self.log_in()
        while (await self.request("GET", "config"))["state"] != "RUNNING":
            await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """Stop it in order; what it keeps is available at the next start."""
        await self._running.aclose()

    async def kill(self) -> None:
        """End it as a power cut does: nothing is saved, and nothing is left in order."""
        os.kill(self.process_id, signal.SIGKILL)
        await self._running.aclose()

    async def update(self, tree: Path) -> None:
        """Restart with the integration of another checkout, as an update does."""
        await self.stop()
        link_integration(self.config, tree)
        await self.start()

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the REST API; RefusedError when it is answered with an error."""
        async with self.session.request(
            method, f"{self.url}/api/{path}", json=body, headers=self.headers
        ) as response:
            text = await response.text()
            if response.status >= 400:
                raise RefusedError(f"{response.status}: {text}")
            return json.loads(text) if text else None

    async def call(self, domain: str, action: str, **data: Any) -> None:
        """Perform an action."""
        await self.command("call_service", domain=domain, service=action, service_data=data)

    async def state(self, entity_id: str) -> dict[str, Any]:
        """The state of an entity."""
        found: dict[str, Any] = await self.request("GET", f"states/{entity_id}")
        return found

    async def states(self) -> dict[str, dict[str, Any]]:
        """All states by entity id."""
        return {state["entity_id"]: state for state in await self.request("GET", "states")}

    async def value(self, entity_id: str) -> str:
        """The state of an entity without its attributes."""
        value: str = (await self.state(entity_id))["state"]
        return value

    async def until(
        self, entity_id: str, wanted: str | Callable[[str], bool], seconds: float = 25
    ) -> None:
        """Wait for a state; TimeoutError names what it was instead."""
        value = ""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            value = await self.value(entity_id)
            if wanted(value) if callable(wanted) else value == wanted:
                return
            await asyncio.sleep(0.1)
        raise TimeoutError(f"{entity_id} is {value!r}, not {wanted!r}, after {seconds} s")

    async def command(self, kind: str, **data: Any) -> Any:
        """Send one websocket command; RefusedError with its message when it fails."""
        async with self.session.ws_connect(f"{self.url}/api/websocket") as socket:
            await socket.receive_json()
            token = self.headers["Authorization"].removeprefix("Bearer ")
            await socket.send_json({"type": "auth", "access_token": token})
            await socket.receive_json()
            await socket.send_json({"id": 1, "type": kind, **data})
            answer = await socket.receive_json()
            if not answer["success"]:
                raise RefusedError(answer["error"]["message"])
            return answer["result"]

    async def start_flow(self, choice: str) -> str:
        """Start to add the integration, choose from the menu, and return the flow's id."""
        flow_id: str = (await self.choose(choice))["flow_id"]
        return flow_id

    async def choose(self, choice: str) -> dict[str, Any]:
        """Start to add the integration, choose from the menu, and return what comes next, when it has come."""
        flow = await self.request(
            "POST", "config/config_entries/flow", {"handler": "hybrid_inverter"}
        )
        return await self.progress(
            await self.answer_flow(flow["flow_id"], {"next_step_id": choice})
        )

    async def progress(self, result: dict[str, Any]) -> dict[str, Any]:
        """What comes behind the step that a config flow is at, when it has come."""
        while result["type"] in ("progress", "progress_done"):
            await asyncio.sleep(0.2)
            path = f"config/config_entries/flow/{result['flow_id']}"
            result = await self.request("GET", path)
        return result

    async def answer_flow(self, flow_id: str, answers: dict[str, Any]) -> dict[str, Any]:
        """Fill in a form of a config flow; the likeliest maker of an inverter has made it."""
        path = f"config/config_entries/flow/{flow_id}"
        result: dict[str, Any] = await self.request("POST", path, answers)
        if result.get("step_id") == MAKER:
            result = await self.request("POST", path, {})
        return result

    async def add_inverter(
        self, port: int, framing: str = "tcp", unit_id: int = 1
    ) -> dict[str, Any]:
        """Add an inverter on this computer as a user would, and return the entry."""
        result = await self.add_device(port, unit_id, framing)
        if result["type"] != "create_entry":
            raise RefusedError(json.dumps(result))
        return dict(result["result"])

    async def add_device(self, port: int, unit_id: int, framing: str = "tcp") -> dict[str, Any]:
        """Enter the connection of a device on this computer, and return what comes next: the entry, or a question."""
        form = {
            "host": "127.0.0.1",
            "port": port,
            "framing": framing,
            "advanced": {"unit_id": unit_id},
        }
        return await self.answer_flow(await self.start_flow("network"), form)

    async def search(self, entry_id: str, kind: str, *steps: str) -> dict[str, Any]:
        """Start to add a machine to a link, choose these from the menus, and return what comes next, when it has come."""
        path = "config/config_entries/subentries/flow"
        result = await self.request("POST", path, {"handler": [entry_id, kind]})
        for step in steps:
            result = await self.answer_unit_flow(result["flow_id"], {"next_step_id": step})
        while result["type"] in ("progress", "progress_done"):
            await asyncio.sleep(0.2)
            result = await self.request("GET", f"{path}/{result['flow_id']}")
        return dict(result)

    async def answer_unit_flow(self, flow_id: str, answers: dict[str, Any]) -> dict[str, Any]:
        """Fill in a form of a flow that adds a machine to a link; the likeliest maker has made it."""
        path = f"config/config_entries/subentries/flow/{flow_id}"
        result: dict[str, Any] = await self.request("POST", path, answers)
        if result.get("step_id") == MAKER:
            result = await self.request("POST", path, {})
        return result

    async def add_meter(self, entry_id: str, unit_id: int, role: str) -> None:
        """Add a meter to a link as a user would who knows its unit id; the inverters do not ask it."""
        result = await self.search(entry_id, "meter", "direct", "unit_id")
        for answers in ({"unit_id": unit_id}, {"role": role, "inverted": False}):
            result = await self.answer_unit_flow(result["flow_id"], answers)
        if result["type"] != "create_entry":
            raise RefusedError(json.dumps(result))

    async def add_plant(self, name: str, capacities: Sequence[float]) -> dict[str, Any]:
        """Make one plant of all machines, whose inverters have batteries of so many kilowatt-hours; return the entry."""
        result = await self.choose("plant")
        _, members = result["data_schema"]
        serials = [option["value"] for option in members["selector"]["select"]["options"]]
        steps: tuple[dict[str, Any], ...] = (
            {"name": name, "members": serials},
            *({"capacity": capacity} for capacity in capacities),
        )
        for answers in steps:
            result = await self.answer_flow(result["flow_id"], answers)
        if result["type"] != "create_entry":
            raise RefusedError(json.dumps(result))
        return dict(result["result"])

    async def subentries(self, entry_id: str) -> dict[str, dict[str, Any]]:
        """The machines of an entry by their names."""
        listed = await self.command("config_entries/subentries/list", entry_id=entry_id)
        return {subentry["title"]: subentry for subentry in listed}

    async def entities(self, entry_id: str) -> dict[str, dict[str, str]]:
        """The entity ids of each machine of an entry, by its name and their keys."""
        registered = await self.command("config/entity_registry/list")
        return {
            name: {
                known["unique_id"].removeprefix(prefix): known["entity_id"]
                for known in registered
                if known["config_subentry_id"] == subentry["subentry_id"]
            }
            for name, subentry in (await self.subentries(entry_id)).items()
            for prefix in (f"{subentry['unique_id']}_",)
        }

    async def entity_id(self, unique_id: str, domain: str = "") -> str:
        """The id of the entity with this unique id, of a domain if that is given; KeyError when there is none."""
        for known in await self.command("config/entity_registry/list"):
            entity_id = str(known["entity_id"])
            if (
                known["unique_id"] == unique_id
                and known["platform"] == "hybrid_inverter"
                and entity_id.startswith(domain)
            ):
                return entity_id
        raise KeyError(unique_id)

    async def set_options(self, entry_id: str, **options: Any) -> None:
        """Change the options of an entry."""
        await self._set_options(entry_id, {"settings", "listen"}, options)

    async def set_mirror(self, entry_id: str, **options: Any) -> None:
        """Change the mirror of an entry; RefusedError with the errors of the form."""
        result = await self._set_options(entry_id, {"mirror"}, options)
        if result["type"] != "create_entry":
            raise RefusedError(json.dumps(result))

    async def _set_options(
        self, entry_id: str, steps: set[str], options: dict[str, Any]
    ) -> dict[str, Any]:
        """Fill in the form behind one of these steps, and return what comes next."""
        path = "config/config_entries/options/flow"
        flow = await self.request("POST", path, {"handler": entry_id})
        if steps.isdisjoint(choices := flow.get("menu_options", ())) and "finish" in choices:
            # For the first time, it says what is next.
            await self.request("POST", f"{path}/{flow['flow_id']}", {"next_step_id": "finish"})
            flow = await self.request("POST", path, {"handler": entry_id})
        path = f"{path}/{flow['flow_id']}"
        # Versions before this one have no menu.
        for step in steps.intersection(flow.get("menu_options", ())):
            await self.request("POST", path, {"next_step_id": step})
        return dict(await self.request("POST", path, options))

    async def is_loaded(self, entry_id: str) -> bool:
        """Whether an entry is set up, with all its entities."""
        entries = await self.command("config_entries/get", domain="hybrid_inverter")
        return any(one["entry_id"] == entry_id and one["state"] == "loaded" for one in entries)

    async def log_in(self) -> None:
        """Log in as the ready user."""
        client = f"{self.url}/"
        steps = f"{self.url}/auth/login_flow"
        start = {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client}
        async with self.session.post(steps, json=start) as response:
            flow_id = (await response.json())["flow_id"]
        answers = {"client_id": client, "username": USER, "password": USER}
        async with self.session.post(f"{steps}/{flow_id}", json=answers) as response:
            code = (await response.json())["result"]
        grant = {"client_id": client, "grant_type": "authorization_code", "code": code}
        async with self.session.post(f"{self.url}/auth/token", data=grant) as response:
            token = (await response.json())["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"


@asynccontextmanager
async def home_assistant(
    *,
    language: str = "en",
    time_zone: str = "UTC",
    level: str = "info",
    quick_reload: bool = True,
    watch: Literal["loop_watch", "call_count"] | None = None,
    start_time: float | None = None,
    lived: bool = False,
    commit_interval: int | None = None,
    tree: Path = REPOSITORY,
) -> AsyncIterator[Home]:
    """Run a fresh Home Assistant with the integration of this checkout, or of another `tree`.

    Entries are loaded again at once after an entity was enabled, if that is not left to Home Assistant. If wanted, its
    event loop is watched by a component, or it begins at a time, with a clock that can run faster, or days that were lived can be put
    into its recorder. The recorder writes every second, so that a check sees at once what it has caused,
    and a fast clock does not keep it busy; a measurement sets `commit_interval` to what is usual, 5 seconds, and has
    nothing between Home Assistant and its entities.
    """
    components = {
        "quick_reload": quick_reload,
        "processor_time": commit_interval is None,
        "fast_clock": start_time is not None,
        "lived_days": lived,
    }
    if watch is not None:
        components[watch] = True
    if commit_interval is None:
        commit_interval = 1 if start_time is None else 60
    with tempfile.TemporaryDirectory(prefix="hybrid_inverter_") as folder:
        config = Path(folder)
        port = free_port()
        prepare_folder(
            config,
            port=port,
            tree=tree,
            configuration=CONFIGURATION.format(
                language=language, time_zone=time_zone, level=level, commit_interval=commit_interval
            ),
            components=[name for name, wanted in components.items() if wanted],
        )
        async with aiohttp.ClientSession() as session:
            home = Home(
                url=f"http://127.0.0.1:{port}",
                config=config,
                session=session,
                start_time=start_time,
            )
            try:
                await home.start()
                yield home
            finally:
                await home.stop()


async def _wait_for(home: Home, process: asyncio.subprocess.Process) -> None:
    """Wait until Home Assistant has started."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        if process.returncode is not None:
            raise RuntimeError(f"Home Assistant did not start:\n{home.log}")
        try:
            async with home.session.get(f"{home.url}/manifest.json") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.2)
    raise TimeoutError(f"Home Assistant did not start in {START_SECONDS} s:\n{home.log}")
