"""The configuration folder of a Home Assistant of ours: its settings, a ready user, and the components that it gets."""

import base64
from collections.abc import Iterable
import json
from pathlib import Path
from typing import Final

import bcrypt

from .process import REPOSITORY

USER: Final = "demo"

CONFIGURATION: Final = """\
homeassistant:
  name: Demo
  country: AT
  currency: EUR
  language: {language}
  time_zone: {time_zone}
  unit_system: metric
  latitude: 48.2
  longitude: 16.4
  elevation: 170
api:
automation: !include automations.yaml
config:
diagnostics:
energy:
frontend:
history:
logbook:
repairs:
scene: !include scenes.yaml
script: !include scripts.yaml
recorder:
  commit_interval: {commit_interval}
logger:
  default: warning
  logs:
    custom_components.hybrid_inverter: {level}
"""

ONBOARDING: Final = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["user", "core_config", "analytics", "integration"]},
}


def prepare_folder(
    config: Path, *, port: int, tree: Path, configuration: str, components: Iterable[str]
) -> None:
    """Fill the folder of a Home Assistant at a port, with the integration of a checkout and components of the lab."""
    (config / "custom_components").mkdir()
    link_integration(config, tree)
    for name in components:
        (config / "custom_components" / name).symlink_to(REPOSITORY / "scripts" / "lab" / name)
        configuration += f"{name}:\n"
    (config / "configuration.yaml").write_text(configuration)
    # What a person makes in the editors goes there.
    for name in ("automations", "scenes", "scripts"):
        (config / f"{name}.yaml").write_text("[]\n" if name != "scripts" else "{}\n")
    (config / ".storage").mkdir()
    # As its own script stores it, which takes as long as a start.
    password = base64.b64encode(bcrypt.hashpw(USER.encode(), bcrypt.gensalt(rounds=4))).decode()
    # The `http:` of configuration.yaml is deprecated. Home Assistant fills in what its oldest format lacks.
    for stored in (
        ONBOARDING,
        {
            "version": 1,
            "key": "http",
            "data": {"server_host": ["127.0.0.1"], "server_port": port},
        },
        {
            "version": 1,
            "key": "auth_provider.homeassistant",
            "data": {"users": [{"username": USER, "password": password}]},
        },
    ):
        (config / ".storage" / str(stored["key"])).write_text(json.dumps(stored))


def link_integration(config: Path, tree: Path) -> None:
    """Have a configuration use the integration of a checkout."""
    link = _integration(config)
    link.unlink(missing_ok=True)
    link.symlink_to(_integration(tree))


def _integration(folder: Path) -> Path:
    """Where the integration is in a checkout, or in a configuration."""
    return folder / "custom_components" / "hybrid_inverter"
