"""The blueprints of the repository as an owner uses them: imported into Home Assistant, and made an automation with inputs."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import freezegun
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.components.blueprint.models import Blueprint, DomainBlueprints
from homeassistant.const import ATTR_ENTITY_ID, SERVICE_TURN_OFF
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml_dict

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.runtime.callers import async_owner
from lab.jumping_time import jumping_time

# What orders are given to where nothing but the orders counts.
DEVICE: Final = "1234567890abcdef1234567890abcdef"
ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "blueprints" / "automation"
PATHS: Final = sorted(FOLDER.glob("hybrid_inverter/*.yaml"))


def imported(path: str) -> Blueprint:
    """Return a blueprint of the repository, by its path in Home Assistant's folder of blueprints for automations."""
    return Blueprint(
        load_yaml_dict(str(FOLDER / path)),
        path=path,
        expected_domain=AUTOMATION,
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )


@contextmanager
def all_imported() -> Iterator[None]:
    """Have the blueprints of the repository where Home Assistant looks for imported ones."""

    def load(_blueprints: DomainBlueprints, path: str) -> Blueprint:
        return imported(path)

    with patch.object(DomainBlueprints, "_load_blueprint", load):
        yield


@asynccontextmanager
async def automations(
    hass: HomeAssistant, inputs: Mapping[str, Mapping[str, Any]]
) -> AsyncIterator[list[str]]:
    """Automations made of blueprints, by their entity ids, until they are turned off; each is called like its blueprint."""
    config = [
        {
            "id": name,
            "alias": name,
            "use_blueprint": {"path": f"hybrid_inverter/{name}.yaml", "input": dict(chosen)},
        }
        for name, chosen in inputs.items()
    ]
    with all_imported():
        assert await async_setup_component(hass, AUTOMATION, {AUTOMATION: config})
    entity_ids = hass.states.async_entity_ids(AUTOMATION)
    try:
        yield entity_ids
    finally:
        await hass.services.async_call(
            AUTOMATION, SERVICE_TURN_OFF, {ATTR_ENTITY_ID: entity_ids}, blocking=True
        )


@asynccontextmanager
async def automation(hass: HomeAssistant, name: str, **inputs: Any) -> AsyncIterator[str]:
    """The only automation, made of a blueprint, by its entity id, until it is turned off."""
    async with automations(hass, {name: inputs}) as (entity_id,):
        yield entity_id


def rows(day: str, prices: Sequence[float | None], minutes: int = 60) -> list[dict[str, Any]]:
    """Return the slots of a day from midnight on, as the Nord Pool sensor from HACS shows them."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=dt_util.get_default_time_zone())
    starts = [midnight.timestamp() + 60 * minutes * number for number in range(len(prices) + 1)]
    times = [dt_util.as_local(dt_util.utc_from_timestamp(start)) for start in starts]
    return [
        {"start": start, "end": end, "value": price}
        for start, end, price in zip(times, times[1:], prices, strict=False)
    ]


class Ledger:
    """What automations order of an inverter that only writes it down, in a time that jumps from one timer to the next."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is in force, and nothing is refused."""
        self.hass = hass
        # The local time, the action, and its data but for the device.
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        # What get_control answers.
        self.in_force: dict[str, Any] = {"mode": "auto"}
        # How many of the next orders fail.
        self.failures = 0
        for action in ("control_battery", "limit_export", "release_battery", "get_control"):
            hass.services.async_register(
                DOMAIN, action, self._answer, supports_response=SupportsResponse.OPTIONAL
            )

    async def live(self, minutes: float) -> None:
        """Let time pass, and all that happens in it happen."""
        await asyncio.sleep(minutes * 60)

    def taken(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return what was ordered since the last time."""
        calls, self.calls = self.calls, []
        return calls

    def orders(self) -> list[tuple[str, str]]:
        """Return when something was ordered since the last time, and until when, or else which action it was."""
        told = []
        for when, action, data in self.taken():
            if "duration" in data:
                told.append((when, f"{data['duration']:g} min"))
            elif "until" in data:
                told.append((when, f"{datetime.fromisoformat(data['until']):%d. %H:%M}"))
            else:
                told.append((when, action))
        return told

    async def _answer(self, call: ServiceCall) -> ServiceResponse:
        data = dict(call.data)
        assert data.pop("device_id") == DEVICE
        if call.service == "get_control":
            return self.in_force
        self.calls.append((f"{dt_util.now():%d. %H:%M}", call.service, data))
        if call.service == "control_battery":
            if self.failures:
                self.failures -= 1
                raise HomeAssistantError("It does not answer")
            owner = await async_owner(self.hass, call.context)
            self.in_force = {"mode": data["mode"], "owner": owner}
        elif call.service == "release_battery":
            self.in_force = {"mode": "auto"}
        return dict(data)


@asynccontextmanager
async def ledger(
    hass: HomeAssistant, begin: str, zone: str = "Europe/Berlin"
) -> AsyncIterator[Ledger]:
    """An inverter that only writes down what it is ordered, from a local time on."""
    await hass.config.async_set_time_zone(zone)
    # Else the loop keeps the stack of each call, which takes longer than the days.
    hass.loop.set_debug(False)
    start = dt_util.as_utc(
        datetime.fromisoformat(begin).replace(tzinfo=dt_util.get_default_time_zone())
    )

    def pass_on(jump: timedelta) -> None:
        clock.tick(jump)

    with jumping_time(hass.loop, pass_on), freezegun.freeze_time(start) as clock:
        yield Ledger(hass)
