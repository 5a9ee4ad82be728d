"""A small HTTP service to look into a running simulation and to cause trouble, for people and for other processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
import dataclasses
import json
import math
import socket
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from .cause import cause
from .machine import Machine
from .overheard import OverheardLine, as_dict, change_line
from .page import as_dict as trouble_as_dict, page
from .simulation import SimulatedPlant
from .steering import steer
from .stick import change_habits

# What this computer is called here. A page elsewhere may have its own name lead here, and so read what is ours.
HOSTS: Final = {"127.0.0.1", "localhost"}
PLANT: Final = web.AppKey("plant", SimulatedPlant)

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


FORM: Final = "application/x-www-form-urlencoded"


def _unit(request: web.Request) -> int | None:
    """The unit id that a request is about: ?unit=N."""
    unit = request.query.get("unit")
    return None if unit is None else int(unit)


def _machine(request: web.Request) -> Machine:
    """The machine that a request is about, or the first one."""
    return request.app[PLANT].machine(_unit(request))


async def _body(request: web.Request) -> Mapping[str, Any]:
    """What a request says: a JSON object, or a form whose fields are JSON."""
    if request.content_type == FORM:
        return {name: json.loads(str(value)) for name, value in (await request.post()).items()}
    body = await request.json()
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn a wrong request into a sentence instead of a trace, and have no other page press the buttons of ours."""
    if urlsplit(f"//{request.host}").hostname not in HOSTS:
        return web.json_response({"error": "asked for under another name"}, status=403)
    origin = request.headers.get("Origin")
    if request.method != "GET" and origin not in (None, f"http://{request.host}"):
        return web.json_response({"error": "asked for by another page"}, status=403)
    try:
        return await handler(request)
    except (KeyError, ValueError, TypeError) as err:
        return web.json_response({"error": f"{type(err).__name__}: {err}"}, status=400)


async def _index(request: web.Request) -> web.Response:
    """What each machine does at the moment; to a browser as a page."""
    if "text/html" in request.headers.get("Accept", ""):
        return web.Response(text=page(request.app[PLANT]), content_type="text/html")
    machines = request.app[PLANT].machines
    return web.json_response(
        {
            "machines": {str(unit): machine.glance() for unit, machine in machines.items()},
            "paths": [
                "/registers?address=142&count=1",
                "/trouble",
                "/steer",
                "/stick",
                "/line",
                "/writes",
                "/reads",
                "/statistics",
                "/time",
                "/days",
                "/recording",
            ],
        }
    )


async def _read_registers(request: web.Request) -> web.Response:
    address, count = int(request.query["address"]), int(request.query.get("count", "1"))
    machine = _machine(request)
    words = [machine.word(place) for place in range(address, address + count)]
    return web.json_response({"address": address, "values": words})


async def _change_registers(request: web.Request) -> web.Response:
    """Act as somebody at the machine's display: {"address": 142, "values": [0]}."""
    body = await _body(request)
    machine = _machine(request)
    words = {int(body["address"]) + n: int(word) for n, word in enumerate(body["values"])}
    if not all(0 <= word <= 0xFFFF for word in words.values()):
        raise ValueError("a register holds 0 to 65535")
    for address, word in words.items():
        machine.panel_change(address, word)
    return web.json_response({"changed": len(words)})


async def _show_trouble(request: web.Request) -> web.Response:
    return web.json_response(trouble_as_dict(_machine(request).trouble))


async def _cause_trouble(request: web.Request) -> web.Response:
    """Change what is wrong: {"locked": true, "faults": [63]}; what is not named stays, and null is in order again."""
    cause(request.app[PLANT], await _body(request), _unit(request))
    if request.content_type == FORM:
        raise web.HTTPSeeOther("/")
    return await _show_trouble(request)


async def _steer(request: web.Request) -> web.Response:
    """Lay a situation down: {"time": "12:00", "soc": 50, "sun": 3000, "settings": {"solar_sell": false}}."""
    machine = _machine(request)
    steer(request.app[PLANT], machine, await _body(request))
    return web.json_response(machine.glance())


async def _writes(request: web.Request) -> web.Response:
    return web.json_response([dataclasses.asdict(write) for write in _machine(request).writes])


async def _reads(request: web.Request) -> web.Response:
    return web.json_response([dataclasses.asdict(read) for read in _machine(request).reads])


async def _show_time(request: web.Request) -> web.Response:
    plant = request.app[PLANT]
    speed = 0.0 if plant.pace is None else plant.pace.speed
    return web.json_response({"now": plant.site.now.isoformat(), "speed": speed})


async def _change_time(request: web.Request) -> web.Response:
    """Let time pass faster: {"speed": 144}, or for so many seconds of the plant: {"speed": 144, "span": 86400}.

    Or let so many seconds be over when this is answered: {"advance": 90000}.
    """
    plant, body = request.app[PLANT], await _body(request)
    if "advance" in body:
        plant.advance(float(body["advance"]))
    if "speed" in body or "advance" not in body:
        if plant.pace is None:
            raise ValueError("time stands still here")
        plant.pace.change(float(body["speed"]), float(body.get("span", math.inf)))
    return await _show_time(request)


async def _days(request: web.Request) -> web.Response:
    """The kilowatt-hours that really flowed on each day."""
    return web.json_response(request.app[PLANT].diary.days)


async def _recording(request: web.Request) -> web.Response:
    """What the machines have shown before the start, if it was recorded."""
    if (recording := request.app[PLANT].recording) is None:
        raise ValueError("nothing was recorded")
    return web.json_response(recording.as_dict())


async def _statistics(request: web.Request) -> web.Response:
    plant = request.app[PLANT]
    servers = {"tcp": plant.tcp, "rtu": plant.rtu, "stick": plant.stick}
    return web.json_response({name: one.statistics.as_dict() for name, one in servers.items()})


async def _show_stick(request: web.Request) -> web.Response:
    return web.json_response(dataclasses.asdict(request.app[PLANT].stick.habits))


async def _change_stick(request: web.Request) -> web.Response:
    """Change the stick's habits: {"late": 0.1, "busy": true}; those that are not named stay."""
    change_habits(request.app[PLANT].stick.habits, await _body(request))
    return await _show_stick(request)


def _line(request: web.Request) -> OverheardLine:
    """The line that is overheard."""
    if (line := request.app[PLANT].overheard) is None:
        raise ValueError("no line is overheard")
    return line


async def _show_line(request: web.Request) -> web.Response:
    return web.json_response(as_dict(_line(request)))


async def _change_line(request: web.Request) -> web.Response:
    """Change what is wrong with the line: {"corrupted": 0.05, "silent": true}; what is not named stays."""
    change_line(_line(request).talk.trouble, await _body(request))
    return await _show_line(request)


class ControlServer:
    """The HTTP service of one simulation."""

    def __init__(self, plant: SimulatedPlant) -> None:
        """Offer this simulation."""
        app = web.Application(middlewares=[_explain])
        app[PLANT] = plant
        app.add_routes(
            [
                web.get("/", _index),
                web.get("/registers", _read_registers),
                web.post("/registers", _change_registers),
                web.get("/trouble", _show_trouble),
                web.post("/trouble", _cause_trouble),
                web.post("/steer", _steer),
                web.get("/stick", _show_stick),
                web.post("/stick", _change_stick),
                web.get("/line", _show_line),
                web.post("/line", _change_line),
                web.get("/writes", _writes),
                web.get("/reads", _reads),
                web.get("/statistics", _statistics),
                web.get("/time", _show_time),
                web.post("/time", _change_time),
                web.get("/days", _days),
                web.get("/recording", _recording),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        self.port = 0

    async def start(self, port: int) -> None:
        """Listen on loopback, whatever the Modbus servers do; port 0 takes any free one."""
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", port))
        self.port = listener.getsockname()[1]
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
