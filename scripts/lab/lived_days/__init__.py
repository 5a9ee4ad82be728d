"""Puts what the machines of the simulated house have shown on the days before into Home Assistant's recorder.

Only for the demo. The sensors get a history of states and their statistics, as if Home Assistant had run all the time,
and a plant has counted what its members' counters have grown by. What comes afterwards goes on from there.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
import time
from typing import Any, Final

from homeassistant.components.recorder.db_schema import Statistics, StatisticsShortTerm
from homeassistant.components.sensor import ATTR_STATE_CLASS
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceCall, State
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance

from custom_components.hybrid_inverter.plant.plant import Plant

from .past import SLOT, Past, Series, live_plant, load
from .rows import PutStates, counted, hourly, is_counter, measured, metadata_of

DOMAIN: Final = "lived_days"
OURS: Final = "hybrid_inverter"
# Some seconds after the end of a slot the recorder adds it up.
ADDED_UP_SECONDS: Final = 20


async def async_setup(hass: HomeAssistant, config: dict[str, Any]) -> bool:
    """Offer the action."""

    async def put(call: ServiceCall) -> None:
        past = await hass.async_add_executor_job(load, Path(hass.config.path(call.data["file"])))
        if (passed := time.time() % SLOT) < ADDED_UP_SECONDS:
            await asyncio.sleep(ADDED_UP_SECONDS - passed)
        for state, series in _sensors(hass, past):
            _put(hass, state, series)
        await get_instance(hass).async_block_till_done()

    hass.services.async_register(DOMAIN, "put", put)
    return True


def _sensors(hass: HomeAssistant, past: Past) -> Iterator[tuple[State, Series]]:
    """The sensors that have a past, those of plants as well."""
    shown = {serial: dict(series) for serial, series in past.items()}
    for entry in hass.config_entries.async_loaded_entries(OURS):
        if isinstance(plant := entry.runtime_data, Plant):
            shown[entry.entry_id] = live_plant(hass, plant, past)
    registry = er.async_get(hass)
    for owner, series in shown.items():
        for key, one in series.items():
            entity_id = registry.async_get_entity_id(Platform.SENSOR, OURS, f"{owner}_{key}")
            state = entity_id and hass.states.get(entity_id)
            if state and ATTR_STATE_CLASS in state.attributes and one.within(one.began):
                yield state, one


def _number(state: State) -> float | None:
    """What a sensor shows; None while that is unknown."""
    try:
        return float(state.state)
    except ValueError:
        return None


def _put(hass: HomeAssistant, state: State, series: Series) -> None:
    """Put the past of one sensor into the recorder."""
    recorder = get_instance(hass)
    now = time.time()
    recorder.queue_task(PutStates(state, series, now))
    rows = counted(series, now, _number(state)) if is_counter(state) else measured(series)
    for table, some in ((StatisticsShortTerm, rows), (Statistics, hourly(rows, now))):
        recorder.async_import_statistics(metadata_of(state), some, table)
