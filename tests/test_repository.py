"""What the outside world checks about this repository: manifest, HACS, brand files, clean text."""

import json
from pathlib import Path
import re
import shutil
import struct
import subprocess
import tomllib
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
INTEGRATION = ROOT / "custom_components" / "hybrid_inverter"

# The repository is cloned everywhere: a package index or a folder of one machine has no place in it.
MACHINE_BOUND = re.compile(
    r"pypi\.org|pythonhosted\.org|deb\.debian\.org|registry\.npmjs\.org"
    r"|(?<![\w.$}~*-])/(?:work|root|home|tmp|opt)/"
)


def load(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def text_files() -> list[Path]:
    """Return the text files that are in the repository, or about to be."""
    git = shutil.which("git")
    assert git is not None
    listed = subprocess.run(  # noqa: S603 - the arguments are the literals below
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()]


def png_header(name: str) -> tuple[int, int, int]:
    """Return width, height and colour type from the IHDR chunk of a brand file."""
    data = (INTEGRATION / "brand" / name).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert data[12:16] == b"IHDR"
    width, height, _depth, colour = struct.unpack(">IIBB", data[16:26])
    return width, height, colour


def test_manifest_says_what_hassfest_wants() -> None:
    """The values are the ones we stand for; hassfest refuses a missing or unknown key."""
    assert load(INTEGRATION / "manifest.json") == {
        "domain": "hybrid_inverter",
        "name": "Hybrid Inverter",
        "after_dependencies": ["energy", "recorder"],
        "categories": ["energy.solar_batteries", "energy.meters_monitoring"],
        "codeowners": ["@hybrid-inverter"],
        "config_flow": True,
        "connectivity": ["modbus"],
        "dependencies": ["usb"],
        "dhcp": [
            {"macaddress": "98D863*"},
            {"macaddress": "E8FDF8*"},
            {"registered_devices": True},
        ],
        "documentation": "https://github.com/hybrid-inverter/hybrid-inverter",
        "integration_type": "hub",
        "iot_class": "local_polling",
        "issue_tracker": "https://github.com/hybrid-inverter/hybrid-inverter/issues",
        "loggers": ["pymodbus"],
        "requirements": ["pymodbus>=3.13.1", "pyserial>=3.5"],
        "version": "0.1.0",
    }


def test_manifest_keys_are_in_order() -> None:
    """Hassfest wants domain and name first, then the alphabet."""
    keys = list(load(INTEGRATION / "manifest.json"))
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])


def test_versions_are_equal() -> None:
    """A release has one version."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert project["version"] == load(INTEGRATION / "manifest.json")["version"]


def test_hacs_names_the_oldest_home_assistant() -> None:
    """HACS refuses keys that it does not know."""
    assert load(ROOT / "hacs.json") == {
        "name": "Hybrid Inverter",
        # What the workflow of a release attaches to it.
        "filename": "hybrid_inverter.zip",
        "homeassistant": "2026.10.0",
        "zip_release": True,
    }


def test_one_integration_in_the_repository() -> None:
    """HACS installs the first folder that it finds."""
    manifests = (ROOT / "custom_components").glob("*/manifest.json")
    assert [path.parent.name for path in manifests] == ["hybrid_inverter"]


@pytest.mark.parametrize(("name", "side"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_icon_is_square_and_transparent(name: str, side: int) -> None:
    """Colour type 6 is RGB with an alpha channel."""
    assert png_header(name) == (side, side, 6)


@pytest.mark.parametrize(
    ("name", "height"),
    [("logo.png", 256), ("logo@2x.png", 512), ("dark_logo.png", 256), ("dark_logo@2x.png", 512)],
)
def test_logo_is_wide_and_transparent(name: str, height: int) -> None:
    """The shorter side of a logo is its height."""
    width, actual, colour = png_header(name)
    assert (actual, colour) == (height, 6)
    assert width > 2 * height


def test_text_names_no_machine_and_no_package_index() -> None:
    """Nothing in the repository works on one machine only."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE_BOUND.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(document: str) -> None:
    """A relative link of a document is a file in the repository."""
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(
        r'src(?:set)?="(?!https?:)([^"]+)"', text
    )
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_workflows_run_only_what_was_looked_at() -> None:
    """An action is pinned by its commit: a tag or a branch of somebody else may be moved."""
    uses = [
        line.split("uses:")[1].split("#")[0].strip()
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert uses
    assert [name for name in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []
