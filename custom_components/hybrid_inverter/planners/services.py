"""The action get_planner_configuration: the files of a planner for an inverter or a plant, as text to paste."""

from collections.abc import Callable, Mapping
import json
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.yaml import dump
import voluptuous as vol

from ..const import DOMAIN
from ..control.orders import async_load_control_texts
from ..control.targets import async_targets
from ..entry.texts import async_text
from ..runtime.targets import TARGET
from .emhass import emhass_files
from .evcc import evcc_files
from .predbat import predbat_files
from .site import Missing, Site, Texts

ATTR_PLANNER: Final = "planner"
ATTR_CAPACITY: Final = "capacity"

# What makes the contents of a planner's files.
PLANNERS: Final[Mapping[str, Callable[[Site], dict[str, Any]]]] = {
    "emhass": emhass_files,
    "evcc": evcc_files,
    "predbat": predbat_files,
}
CONFIGURATION_SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Required(ATTR_PLANNER): vol.In(list(PLANNERS)),
        vol.Optional(ATTR_CAPACITY): vol.All(vol.Coerce(float), vol.Range(min=0.1, max=10000)),
    }
)


async def async_get_planner_configuration(call: ServiceCall) -> ServiceResponse:
    """Return the files by their names, and what is missing in them, in words."""
    await async_load_control_texts(call.hass)
    targets = await async_targets(call, POLICY_READ)
    if len(targets) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="planner_one_target"
        )
    site = Site(call.hass, targets[0], _texts(call.hass), call.data.get(ATTR_CAPACITY))
    files = PLANNERS[call.data[ATTR_PLANNER]](site)
    return {
        "files": {name: _written(name, content) for name, content in files.items()},
        "missing": list(site.missing),
    }


def _texts(hass: HomeAssistant) -> Texts:
    """What is missing, in the language of the house."""

    def text(missing: Missing, **placeholders: object) -> str:
        path = f"selector.planner_missing.options.{missing}"
        return async_text(hass, path, **placeholders) or missing

    return text


def _written(name: str, content: Any) -> str:
    """The content of a file as text."""
    return json.dumps(content, indent=2) if name.endswith(".json") else dump(content)
