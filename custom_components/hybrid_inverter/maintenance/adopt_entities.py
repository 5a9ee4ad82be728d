"""The action that lets our entities take the ids of another integration that is gone, so that history goes on."""

from functools import partial
from typing import Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import slugify
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from ..const import DOMAIN, LOGGER
from ..entry.texts import async_text
from ..runtime.issues import machine_name
from ..runtime.targets import TARGET, async_units_of_call
from .adoption import (
    FormerStatistic,
    Step,
    async_former_ids,
    async_plan,
    prefixes_of,
    read_table,
)

ATTR_INTEGRATION: Final = "integration"
ATTR_PREFIX: Final = "prefix"
ATTR_DRY_RUN: Final = "dry_run"

# The integrations in the table.
SOURCES: Final = ("solarman", "sunsynk", "saj_h2_modbus")

ADOPT_SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Required(ATTR_INTEGRATION): vol.In(SOURCES),
        vol.Optional(ATTR_PREFIX): cv.string,
        # Nothing is renamed unless somebody says so.
        vol.Optional(ATTR_DRY_RUN, default=True): cv.boolean,
    }
)


async def async_adopt_entities(call: ServiceCall) -> ServiceResponse:
    """Give the entities of an inverter the ids that were those of another integration, or only tell which."""
    hass, data = call.hass, call.data
    unit, *others = await async_units_of_call(call, POLICY_CONTROL)
    if others:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="adopt_several_devices"
        )
    table = await hass.async_add_executor_job(read_table)
    source = table[data[ATTR_INTEGRATION]]
    known = async_former_ids(hass, source)
    if ATTR_PREFIX in data:
        prefix = slugify(data[ATTR_PREFIX])
    else:
        prefix = _likeliest(hass, data[ATTR_INTEGRATION], prefixes_of(source, known))
    candidates = {f"{one.domain}.{prefix}_{one.suffix}" for one in source.entities}
    statistics = await _async_statistics(hass, candidates)
    # An id that only the recorder knows has its history, too.
    steps = async_plan(unit, source, prefix, known | statistics.keys(), statistics)
    if not steps:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="adopt_nothing",
            translation_placeholders={
                "device": machine_name(hass, unit.entry_id, unit.identity),
                "prefix": prefix,
            },
        )
    possible = [step for step in steps if step.obstacle is None]
    if not data[ATTR_DRY_RUN]:
        for step in possible:
            _async_take(hass, step)
    adopted: list[JsonValueType] = [
        {"from": step.entity_id, "to": step.former} for step in possible
    ]
    refused: list[JsonValueType] = [
        {
            "entity_id": step.entity_id,
            "not_to": step.former,
            "reason": step.obstacle.value,
            "explanation": async_text(hass, f"selector.adopt_obstacle.options.{step.obstacle}"),
        }
        for step in steps
        if step.obstacle is not None
    ]
    return {
        ATTR_DRY_RUN: data[ATTR_DRY_RUN],
        ATTR_PREFIX: prefix,
        "adopted": adopted,
        "refused": refused,
    }


def _likeliest(hass: HomeAssistant, integration: str, prefixes: list[str]) -> str:
    """The only name that the former ids may begin with; ServiceValidationError where a person has to say it."""
    if len(prefixes) == 1:
        return prefixes[0]
    name = async_text(hass, f"selector.adopt_integration.options.{integration}") or integration
    if not prefixes:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="adopt_no_prefix",
            translation_placeholders={"integration": name},
        )
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="adopt_which_prefix",
        translation_placeholders={"integration": name, "prefixes": ", ".join(prefixes)},
    )


async def _async_statistics(hass: HomeAssistant, ids: set[str]) -> dict[str, FormerStatistic]:
    """What the recorder has of these ids; nothing where there is no recorder."""
    if "recorder" not in hass.config.components:
        return {}
    # It takes a database, which not every installation has.
    from homeassistant.components.recorder.statistics import get_metadata

    found = await get_instance(hass).async_add_executor_job(
        partial(get_metadata, hass, statistic_ids=ids)
    )
    return {
        statistic_id: FormerStatistic(metadata["unit_of_measurement"], metadata["has_sum"])
        for statistic_id, (_, metadata) in found.items()
    }


@callback
def _async_take(hass: HomeAssistant, step: Step) -> None:
    """Rename one of our entities to an id that nobody holds any more."""
    registry = er.async_get(hass)
    if registry.async_get(step.former) is not None:
        registry.async_remove(step.former)
    if hass.states.get(step.former) is not None:
        hass.states.async_remove(step.former)
    LOGGER.info("%s becomes %s", step.entity_id, step.former)
    registry.async_update_entity(step.entity_id, new_entity_id=step.former)
