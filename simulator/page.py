"""The page of a running simulation for a person with a browser: what each machine does, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from html import escape
import json
from typing import Any, Final

from .inverter_machine import InverterMachine
from .machine import Machine
from .simulation import SimulatedPlant
from .trouble import Trouble

# What a button of each machine says, and what it causes.
MACHINE_BUTTONS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("All in order", {field.name: None for field in dataclasses.fields(Trouble)}),
    ("Grid fails", {"outage": True}),
    ("Grid is back", {"outage": False}),
    ("A fault", {"faults": [63]}),
    ("Answers nothing", {"silent": True}),
    ("Is busy", {"busy": True}),
    ("Locked at the display", {"locked": True}),
    ("Keeps settings after 5 s", {"slow_commit": 5}),
    ("Loses settings after 10 s", {"reverting": 10}),
    ("Loses its next answer to a write", {"lost_answers": 1}),
    ("Tears the next 3 reads", {"torn_reads": 3}),
    ("CT of L1 reversed", {"reversed_phases": [1]}),
    ("All CTs reversed", {"reversed_phases": [1, 2, 3]}),
    ("L1 and L2 swapped", {"phase_order": [2, 1, 3]}),
    ("CT ratio half of the true one", {"clamp_ratio": 0.5}),
)
# Of each simulated inverter as well.
INVERTER_BUTTONS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("Clock goes an hour forward", {"clock": 3600}),
    ("Clock goes an hour back", {"clock": -3600}),
    ("Battery at 0 °C", {"battery_room": 0}),
    ("Battery at 21 °C", {"battery_room": 21}),
    ("CTs around the house's cable", {"clamp_place": "house"}),
    ("Internal CTs instead of those at the grid", {"internal_clamp": True}),
    ("String 2 dead", {"string_light": [1, 0]}),
)
# And of the plant.
PLANT_BUTTONS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("Link lost for 30 s", {"lost_link": 30}),
    ("Gateway busy", {"busy_gateway": True}),
    ("Gateway free", {"busy_gateway": False}),
    ("One client only", {"one_client": True}),
    ("Many clients", {"one_client": False}),
    ("Answers 2 s late", {"late_answers": 2}),
    ("Answers at once", {"late_answers": 0}),
    ("Grey day", {"sunshine": 0.2}),
    ("Clear day", {"sunshine": 1}),
    ("A solar inverter that nobody counts", {"solar_beside": True}),
    ("No solar inverter", {"solar_beside": False}),
)
# What takes words of a person's own, with an example: of each machine, and of each simulated inverter as well.
MACHINE_FORMS: Final[tuple[tuple[str, str], ...]] = (
    ("spikes", '[{"register": "battery_soc", "value": 0, "reads": 3}]'),
    ("restarted_counters", '["import_energy_total"]'),
    ("panel", '{"work_mode": "selling_first"}'),
    ("rewrites", '[{"address": 142, "words": [2], "seconds": 10}]'),
)
INVERTER_FORMS: Final[tuple[tuple[str, str], ...]] = (
    ("clock", '"2026-06-21T03:00"'),
    ("battery_room", "5"),
)
# And what is shown as it is.
SHOWN_FORMS: Final = tuple(
    field.name for field in dataclasses.fields(Trouble) if field.name not in dict(MACHINE_FORMS)
)

STYLE: Final = """
body { font: 15px/1.4 sans-serif; margin: 1.5rem; max-width: 60rem; color-scheme: light dark; }
section { border: 1px solid #8888; border-radius: .5rem; padding: .5rem 1rem 1rem; margin: 1rem 0; }
th { text-align: left; font-weight: normal; padding-right: 1rem; opacity: .7; }
form { display: inline; } .now { color: #c22; font-weight: bold; }
details form { display: block; margin: .2rem 0; } label { display: inline-block; width: 12rem; }
input { width: 28rem; font-family: monospace; }
"""


def page(plant: SimulatedPlant) -> str:
    """The page as HTML."""
    machines = "".join(_section(unit, machine) for unit, machine in plant.machines.items())
    exchange = ""
    if len(units := list(plant.machines)) > 1:
        exchange = _button(
            f"Exchange units {units[0]} and {units[1]}", {"exchanged_units": units[:2]}
        )
    buttons = "".join(_button(label, what) for label, what in PLANT_BUTTONS)
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Simulated plant</title>'
        f"<style>{STYLE}</style><h1>Simulated plant</h1>"
        f"<p>It is {plant.site.now:%A %d %B %Y, %H:%M:%S} there.</p>"
        f"<section><h2>The links and the sky</h2>{buttons}{exchange}</section>{machines}</html>"
    )


def _section(unit: int, machine: Machine) -> str:
    """What a machine does, and the trouble that it can have."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in machine.glance().items()
    )
    wrong = {
        name: value
        for name, value in as_dict(machine.trouble).items()
        if value != as_dict(Trouble())[name]
    }
    now = f'<p class="now">{escape(json.dumps(wrong))}</p>' if wrong else "<p>All in order.</p>"
    buttons, forms = MACHINE_BUTTONS, MACHINE_FORMS
    if isinstance(machine, InverterMachine):
        buttons, forms = buttons + INVERTER_BUTTONS, forms + INVERTER_FORMS
    shown = as_dict(machine.trouble)
    forms += tuple((name, json.dumps(shown[name])) for name in SHOWN_FORMS)
    return (
        f"<section><h2>Unit {unit}: {escape(machine.model)}</h2><table>{rows}</table>{now}"
        f"{''.join(_button(label, what, unit) for label, what in buttons)}"
        "<details><summary>Anything else, as JSON</summary>"
        f"{''.join(_form(name, value, unit) for name, value in forms)}</details></section>"
    )


def _button(label: str, what: Mapping[str, Any], unit: int | None = None) -> str:
    """A button that causes something."""
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(json.dumps(value))}">'
        for name, value in what.items()
    )
    return f"{_opened(unit)}{fields}<button>{escape(label)}</button></form> "


def _form(name: str, value: str, unit: int) -> str:
    """A field that takes JSON."""
    return (
        f"{_opened(unit)}<label>{name}</label>"
        f'<input name="{name}" aria-label="{name}" value="{escape(value)}"> <button>Cause</button></form>'
    )


def _opened(unit: int | None) -> str:
    """How a form begins."""
    return f'<form method="post" action="/trouble{"" if unit is None else f"?unit={unit}"}">'


def as_dict(trouble: Trouble) -> dict[str, Any]:
    """What is wrong in the types that JSON has."""
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in dataclasses.asdict(trouble).items()
    }
