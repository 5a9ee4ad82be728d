"""What may import what. An import inside a function or for types only counts like any other."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
HERE: Final = "custom_components.hybrid_inverter"

# Each area, and the areas that it may import. A file belongs to the area with the longest name that fits;
# "" is what Home Assistant itself looks for: the platforms, config_flow, diagnostics, services and so on.
DEVICE_LAYER: Final = (
    *("modbus.errors", "modbus.model", "modbus.transport", "modbus.tables", "modbus.schedule"),
    *("modbus.device", "modbus.find", "modbus.listen", "modbus.control", "modbus.mirror"),
    "modbus.doctor",
)
ARROWS: Final = {
    "": {
        *("const", "dashboard", "flow", "energy", "schedule", "control", "plant"),
        *("doctor", "maintenance", "planners", "entities", "runtime", "entry"),
        *DEVICE_LAYER,
    },
    "dashboard": {"const", "runtime", "entry"},
    "planners": {"const", "control", "runtime", "entry", "modbus.model"},
    "flow": {"const", "energy", "plant", "runtime", "entry", *DEVICE_LAYER},
    "energy": {"const", "plant", "runtime", "entry", *DEVICE_LAYER},
    "schedule": {"const", "entities", "runtime", "entry", *DEVICE_LAYER},
    "doctor": {
        *("const", "schedule", "control", "plant", "entities", "runtime", "entry"),
        *DEVICE_LAYER,
    },
    "control": {"const", "entities", "runtime", "entry", *DEVICE_LAYER},
    "plant": {"const", "entities", "runtime", "entry", *DEVICE_LAYER},
    "maintenance": {"const", "entities", "runtime", "entry", *DEVICE_LAYER},
    "entities": {"const", "runtime", "entry", *DEVICE_LAYER},
    "runtime": {"const", "entry", *DEVICE_LAYER},
    "entry": {"const", *DEVICE_LAYER},
    "const": {"modbus.model"},
    "modbus": set(),
    "modbus.control": {"modbus.model", "modbus.device", "modbus.errors"},
    "modbus.listen": {
        *("modbus.find", "modbus.device", "modbus.tables"),
        *("modbus.model", "modbus.transport", "modbus.errors"),
    },
    "modbus.mirror": {"modbus.device"},
    "modbus.doctor": {"modbus.model"},
    "modbus.find": {
        *("modbus.device", "modbus.tables", "modbus.model", "modbus.transport", "modbus.errors"),
    },
    "modbus.device": {"modbus.model", "modbus.transport", "modbus.errors"},
    "modbus.schedule": {"modbus.model", "modbus.errors"},
    "modbus.tables": {"modbus.model", "modbus.errors"},
    "modbus.transport": {"modbus.errors"},
    "modbus.model": {"modbus.errors"},
    "modbus.errors": set(),
    "simulator": {"simulator.physics", "modbus.tables", "modbus.model", "modbus.errors"},
    "simulator.physics": set(),
}
# The libraries that only some areas know.
LIBRARIES: Final = {
    "homeassistant": {
        *("", "const", "dashboard", "flow", "energy", "schedule", "control", "plant"),
        *("doctor", "maintenance", "planners", "entities", "runtime", "entry"),
    },
    "pymodbus": {"modbus.transport", "simulator"},
    "serialx": {"modbus.transport"},
}
# What neither the integration nor the simulator may import.
OUTSIDE: Final = {"custom_components", "docs", "lab", "scripts", "tests"}


def files() -> dict[str, Path]:
    """Every module of the integration and of the simulator, by its dotted name."""
    found = {}
    for folder in (ROOT / HERE.replace(".", "/"), ROOT / "simulator"):
        for path in folder.rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if path.name == "__init__.py" else parts)] = path
    return found


FILES: Final = files()


def imported_by(module: str) -> Iterator[str]:
    """The dotted names that a module imports, relative ones made whole."""
    path = FILES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                yield whole if whole in FILES else source


def area_of(module: str) -> str:
    """The area of a module; one of no area is an area of its own."""
    name = module.removeprefix(HERE).lstrip(".")
    areas = [area for area in ARROWS if area and f"{name}.".startswith(f"{area}.")]
    if areas:
        return max(areas, key=len)
    return name if "." in name else ""


IMPORTS: Final = {
    module: {name for name in imported_by(module) if name != module} for module in FILES
}


def test_no_arrow_runs_backwards() -> None:
    """A module imports its own area, and those below it."""
    assert {
        (module, name)
        for module, names in IMPORTS.items()
        for name in names & FILES.keys()
        if area_of(name) not in {area_of(module), *ARROWS[area_of(module)]}
    } == set()


def test_nothing_imports_what_is_not_for_it() -> None:
    """The integration stands alone, and only some areas know a library."""
    roots = {
        (module, name.split(".")[0])
        for module, names in IMPORTS.items()
        for name in names - FILES.keys()
    }
    assert {pair for pair in roots if pair[1] in OUTSIDE} == set()
    assert {
        (module, root)
        for module, root in roots
        if area_of(module) not in LIBRARIES.get(root, ARROWS)
    } == set()


def test_allowed_arrows_have_an_order() -> None:
    """Whoever allows an arrow that closes a circle of areas sees it here."""
    assert list(TopologicalSorter(ARROWS).static_order())


def test_no_files_import_each_other_in_a_circle() -> None:
    """However the circle is hidden."""
    graph = {module: names & FILES.keys() for module, names in IMPORTS.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
