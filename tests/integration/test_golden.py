"""What an owner has stays: ids, kinds, units, devices and stored data of every family in every tier.

The lists in tests/fixtures/golden were taken before the code was moved into folders. A later change changes only lines
that it names: GOLDEN_WRITE=1 scripts/test tests/integration/test_golden.py writes the lists anew, and git shows which.
"""

from itertools import product
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from .golden import (
    DOMAIN,
    add_link,
    as_json,
    compare,
    device_lines,
    entity_lines,
    everything_enabled,
    served,
    set_options,
    shape_of,
    stored_lines,
)

pytestmark = [pytest.mark.usefixtures("socket_enabled", "quick_saj"), pytest.mark.timeout(180)]

TIERS: Final = ("read_only", "everyday", "installer")
# What a register of this family reads that a machine does not use; None: such a read is refused.
UNUSED: Final[dict[str, int | None]] = {"jso_image": 0}
# The work mode of a SAJ in which there is most; one of them is in a mode that is only shown.
PASSIVE_MODE: Final = {"r13895": 3}
SHOWN_MODE: Final = "saj_h2_6k_s2"
MACHINES: Final = (
    "jso_image",
    "saj_as2_6k_s",
    "saj_h2_10k_t2",
    "saj_h2_6k_s2",
    "saj_hs2_6k_s2",
    "saj_hs3_8k_t2",
    "chint_ddsu666_compact",
    "chint_ddsu666_solar",
    "chint_ddsu666_tariffs",
    "chint_dtsu666_1000",
    "chint_dtsu666_4000",
    "chint_dtsu666_primary",
)


@pytest.mark.parametrize("name", MACHINES)
async def test_entities_devices_and_data_of_a_machine_stay_in_every_tier(
    hass: HomeAssistant, name: str
) -> None:
    """The machine of each fixture, added through the dialog."""
    held = PASSIVE_MODE if name.startswith("saj") and name != SHOWN_MODE else {}
    async with served(name, unused=UNUSED.get(name), **held) as server:
        with everything_enabled() as shown:
            entry = await add_link(hass, server.port)
            lines = [*stored_lines(entry, server.port), *device_lines(hass, entry)]
            for tier in TIERS if name.startswith(("jso", "saj")) else ("everyday",):
                shown.clear()
                await set_options(hass, entry, tier=tier)
                lines += ["", f"# {tier}", *entity_lines(hass, entry, shown)]
            await hass.config_entries.async_unload(entry.entry_id)
    compare(name, lines)


async def test_entities_of_a_meter_follow_what_it_measures(hass: HomeAssistant) -> None:
    """A meter's counters have other names for each of its roles."""
    lines = []
    async with served("chint_dtsu666_1000") as server:
        with everything_enabled() as shown:
            entry = await add_link(hass, server.port)
            (subentry,) = entry.subentries.values()
            for role in ("grid", "solar", "load"):
                hass.config_entries.async_update_subentry(
                    entry, subentry, data={**subentry.data, "role": role}
                )
                await hass.async_block_till_done(wait_background_tasks=True)
                await set_options(hass, entry)
                lines += ["", f"# {role}", *entity_lines(hass, entry, shown)]
            await hass.config_entries.async_unload(entry.entry_id)
    compare("roles", lines)


async def test_entities_of_a_mode_are_there_in_that_mode(hass: HomeAssistant) -> None:
    """What the generator port is used for, how the battery is run and what it is made of decide what there is."""
    keys: dict[str, set[str]] = {}
    for tier, port, operation, chemistry in product(
        ("read_only", "installer"), range(3), range(3), range(2)
    ):
        registers = {"r133": port, "r111": operation, "r98": chemistry}
        async with served("jso_image", unused=0, **registers) as server:
            entry = await add_link(hass, server.port)
            await set_options(hass, entry, tier=tier)
            known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
            case = f"{tier} port={port} operation={operation} chemistry={chemistry}"
            keys[case] = {f"{item.domain}.{item.unique_id.partition('_')[2]}" for item in known}
            await hass.config_entries.async_remove(entry.entry_id)
            await hass.async_block_till_done(wait_background_tasks=True)
    lines = []
    for tier in ("read_only", "installer"):
        cases = {case: held for case, held in keys.items() if case.startswith(tier)}
        always = set.intersection(*cases.values())
        lines += [f"{case}: {' '.join(sorted(held - always))}" for case, held in cases.items()]
    compare("modes", lines)


async def _plant(hass: HomeAssistant, grid: ConfigEntry, *members: ConfigEntry) -> ConfigEntry:
    """Add a plant of the machines of some entries, of which the first sees the grid."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": "user"})
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "plant"})
    while result["type"] == "form":
        answers: dict[str, Any] = {}
        for marker, kind in result["data_schema"].schema.items():
            options = getattr(kind, "config", {}).get("options")
            wanted = [unit.unique_id for unit in grid.subentries.values()]
            if str(marker) == "members":
                answers["members"] = [option["value"] for option in options]
            elif options:
                chosen = [option["value"] for option in options if option["value"] in wanted]
                answers[str(marker)] = (chosen or [options[0]["value"]])[0]
            elif str(marker) == "name":
                answers["name"] = "Home"
            else:
                answers[str(marker)] = 5.0
        result = await flow.async_configure(result["flow_id"], answers)
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done(wait_background_tasks=True)
    entry: ConfigEntry = result["result"]
    return entry


async def test_entities_and_data_of_a_plant_stay(hass: HomeAssistant) -> None:
    """A plant of a JSO, a SAJ and a meter."""
    async with (
        served("jso_image", unused=0) as first,
        served("saj_h2_6k_s2") as second,
        served("chint_dtsu666_1000") as third,
    ):
        with everything_enabled() as shown:
            members = [await add_link(hass, server.port) for server in (first, second, third)]
            plant = await _plant(hass, members[0], *members)
            lines = [
                *(line.replace(members[2].entry_id, "METER") for line in stored_lines(plant, 0)),
                *device_lines(hass, plant),
                *entity_lines(hass, plant, shown),
            ]
            for entry in (plant, *members):
                await hass.config_entries.async_unload(entry.entry_id)
    compare("plant", lines)


async def test_files_below_storage_stay(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """What is kept of writes, of modes that were entered, of faults and of a plant's day, and under which name."""
    async with (
        served("jso_image", unused=0, r555=1) as first,
        served("saj_h2_6k_s2") as second,
    ):
        entries = [await add_link(hass, server.port) for server in (first, second)]
        plant = await _plant(hass, entries[0], *entries)
        registry = er.async_get(hass)
        for entry, platform, key, service, value in (
            (entries[0], "number", "max_sell_power", "set_value", {"value": 4000}),
            (entries[1], "select", "work_mode", "select_option", {"option": "passive"}),
        ):
            (subentry,) = entry.subentries.values()
            entity_id = registry.async_get_entity_id(
                platform, DOMAIN, f"{subentry.unique_id}_{key}"
            )
            await hass.services.async_call(
                platform, service, {"entity_id": entity_id, **value}, blocking=True
            )
        kept = {key: dict(value) for key, value in hass_storage.items() if key.startswith(DOMAIN)}
        for entry in (plant, *entries):
            await hass.config_entries.async_unload(entry.entry_id)
        kept |= {key: value for key, value in hass_storage.items() if key.startswith(DOMAIN)}
    names = {
        entry.entry_id: name
        for entry, name in zip((plant, *entries), ("PLANT", "JSO", "SAJ"), strict=True)
    }
    lines = []
    for key, value in kept.items():
        line = (
            f"{key} version={value['version']}.{value['minor_version']} "
            f"{as_json(shape_of(value['data']))}"
        )
        for entry_id, name in names.items():
            line = line.replace(entry_id, name)
        lines.append(line)
    compare("storage", sorted(lines))
