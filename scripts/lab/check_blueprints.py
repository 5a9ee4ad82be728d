"""The blueprints as a person uses them: imported, filled in, saved as an automation, and run by hand."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from .checking import expect, soon
from .home import Home
from .process import REPOSITORY

FOLDER: Final = REPOSITORY / "blueprints" / "automation" / "hybrid_inverter"
PRICE: Final = "sensor.price"
CHARGER: Final = "binary_sensor.car_charges"
STORM: Final = "binary_sensor.storm"
ALL_DAY: Final = {"earliest": "00:00:00", "latest": "00:00:00", "hours": 24}

# What is chosen, and the mode that is in force after it was run: so that there is something to do at any time.
RUNS: Final[Mapping[str, tuple[dict[str, Any], str]]] = {
    "cheapest_hours": ({"prices": [PRICE], **ALL_DAY}, "charge"),
    "sell_above_price": ({"prices": [PRICE], "price_limit": 0.1}, "discharge"),
    "no_export_below_price": ({"prices": [PRICE], "price_limit": 0.9}, "export_limit"),
    "hold_while_car_charges": ({"charger": CHARGER}, "hold"),
    "reserve": ({"warnings": [STORM]}, "charge"),
    "monthly_full_charge": ({}, "charge"),
    # Nothing has happened that it could tell.
    "alert": ({"phones": ["notify.phone"]}, "auto"),
}


async def try_blueprints(home: Home, device_id: str, now: datetime) -> None:
    """Import each of them, and run an automation made of it once; `now` is the time in Home Assistant."""
    await _show_prices(home, now)
    for entity_id in (CHARGER, STORM):
        await home.request("POST", f"states/{entity_id}", {"state": "on"})
    for name, (chosen, mode) in RUNS.items():
        await _import(home, name)
        inputs = {"devices": [device_id]} if name == "alert" else {"inverter": device_id}
        await _save(home, name, inputs | chosen)
        # As on the page, nobody waits for the answer, which comes when the order is over.
        run = asyncio.create_task(_run(home, name))
        await soon(partial(_is_in_force, home, device_id, mode), f"{name}: not {mode}")
        await home.call("automation", "turn_off", entity_id=f"automation.{name}")
        run.cancel()
        await _expect_no_error(home, name)
        await home.request("DELETE", f"config/automation/config/{name}")
        for action in ("release_battery", "limit_export"):
            await home.call("hybrid_inverter", action, device_id=device_id)


async def _show_prices(home: Home, now: datetime) -> None:
    """Have a sensor that knows the same price for all hours of three days."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    starts = [midnight + timedelta(hours=hour) for hour in range(72)]
    prices = [{"start": start.isoformat(), "price": 0.5} for start in starts]
    shown = {"state": "0.5", "attributes": {"prices": prices, "unit_of_measurement": "EUR/kWh"}}
    await home.request("POST", f"states/{PRICE}", shown)


async def _import(home: Home, name: str) -> None:
    """Save a blueprint, as the page does that an import link opens."""
    path = f"hybrid_inverter/{name}.yaml"
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    await home.command("blueprint/save", domain="automation", path=path, yaml=text)
    listed = await home.command("blueprint/list", domain="automation")
    expect("error" not in listed[path], f"{name}: {listed[path]}")


async def _save(home: Home, name: str, inputs: dict[str, Any]) -> None:
    """Save an automation made of a blueprint, as the editor does."""
    used = {"path": f"hybrid_inverter/{name}.yaml", "input": inputs}
    automation = {"alias": name, "use_blueprint": used}
    await home.request("POST", f"config/automation/config/{name}", automation)
    await soon(partial(_is_on, home, name), f"{name} is no automation that is on")


async def _run(home: Home, name: str) -> None:
    """Run an automation by hand; the conditions of the one that tells of something count, as nothing has happened."""
    run = {"entity_id": f"automation.{name}", "skip_condition": name != "alert"}
    await home.call("automation", "trigger", **run)


async def _is_on(home: Home, name: str) -> bool:
    """Whether there is an automation of this name that waits for its triggers."""
    return (await home.states()).get(f"automation.{name}", {}).get("state") == "on"


async def _expect_no_error(home: Home, name: str) -> None:
    """Look into its traces, as its owner would, whether any of its steps has failed."""
    for run in await home.command("trace/list", domain="automation", item_id=name):
        trace = await home.command(
            "trace/get", domain="automation", item_id=name, run_id=run["run_id"]
        )
        failed = {
            path: step["error"]
            for path, steps in trace["trace"].items()
            for step in steps
            if "error" in step
        }
        expect(not failed and "error" not in trace, f"{name}: {failed} {trace.get('error')}")


async def _is_in_force(home: Home, device_id: str, mode: str) -> bool:
    """Whether the battery, or the export, is under an order of this mode."""
    told = await home.command(
        "call_service",
        domain="hybrid_inverter",
        service="get_control",
        service_data={"device_id": device_id},
        return_response=True,
    )
    in_force = told["response"]
    return bool(in_force["export_limit"]) if mode == "export_limit" else in_force["mode"] == mode
