"""The mirror when another inverter answers, beside another mirror, and with a list that asks for what is polled anyway."""

from collections.abc import Collection

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.find.identify import identify
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, TcpEndpoint
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer
from tests.simulator.registers import read_words

from .helpers import (
    DTSU666,
    SERIAL,
    link_entry,
    load,
    network_data,
    network_entry,
    pass_time,
    refresh,
    status,
    unit_of,
)
from .test_exchange import OTHER, other
from .test_mirror import HOST, answer, client, issue, load_mirrored, mirror, open_mirror, port, read
from .test_schedule_windows import set_up as set_up_saj

__all__ = ["other", "port"]

# Where a JSO holds its serial number: the first register, and how many.
SERIAL_AT = (3, 5)


async def test_nothing_of_another_inverter_is_served_once_it_falls_silent(
    hass: HomeAssistant, picture: FaultServer, pictured: MockConfigEntry, port: int
) -> None:
    """It was asked for its serial number, which would otherwise be served for days; the right one is served again."""
    hass.config_entries.async_update_entry(pictured, options={"mirror": mirror(port)})
    entry = await load(hass, pictured, background=True)
    first, count = SERIAL_AT
    ours = [picture.memory[1, address] for address in range(first, first + count)]
    setting = [picture.memory[1, 117]]

    async def has_serial(words: list[int]) -> None:
        picture.memory.update({(1, first + at): word for at, word in enumerate(words)})
        picture.silent = frozenset()
        await refresh(hass, entry, Group.POWER)

    async with client(port) as reader:
        assert await read(reader, *SERIAL_AT) == ours
        for answers in (["9"] * 10, ["8"] * 10):
            picture.silent = frozenset({1})
            await refresh(hass, entry, Group.POWER)
            text = "".join(answers).encode()
            await has_serial([int.from_bytes(text[at : at + 2]) for at in range(0, 10, 2)])
            assert await read(reader, *SERIAL_AT) == 11
            picture.silent = frozenset({1})
            await refresh(hass, entry, Group.POWER)
            assert await read(reader, *SERIAL_AT) == 11
            assert await read(reader, 117) == 11
        await has_serial(ours)
        assert await read(reader, *SERIAL_AT) == ours
        assert await read(reader, 117) == setting


async def test_a_power_that_is_listed_too_is_served_no_longer_for_it(
    hass: HomeAssistant,
    picture: FaultServer,
    pictured: MockConfigEntry,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list is polled so seldom that its registers are served for five minutes, but the powers every five seconds."""
    options = {"mirror": mirror(port, "1: 400, 588")}
    hass.config_entries.async_update_entry(pictured, options=options)
    entry = await load(hass, pictured, background=True)
    device = unit_of(entry).device
    poll_words = device.poll_words

    async def slow(addresses: Collection[int], until: float | None = None) -> None:
        await poll_words(addresses, until)
        now = hass.loop.time
        monkeypatch.setattr(hass.loop, "time", lambda: now() + 10)

    monkeypatch.setattr(device, "poll_words", slow)
    await pass_time(hass, monkeypatch, 5)
    await refresh(hass, entry, Group.POWER)
    picture.silent = frozenset({1})
    async with client(port) as reader:
        assert await read(reader, 588) == [picture.memory[1, 588]]
        await pass_time(hass, monkeypatch, 20)
        assert await read(reader, 588) == 11
        assert await read(reader, 400) == [picture.memory[1, 400]]


async def test_the_lists_of_two_devices_share_a_tenth_of_the_time(
    hass: HomeAssistant, plant: SimulatedPlant, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them has half of it: a round of ten seconds is followed by the next after two hundred."""
    plant.machines[2] = plant.machine(1)
    entry = link_entry(
        network_data(plant.tcp_port),
        {1: SERIAL, 2: SERIAL},
        {"power_interval": 60, "mirror": mirror(port, "1: 400\n2: 400\n3: 400")},
    )
    await load(hass, entry, background=True)
    unit = next(iter(entry.runtime_data.units.values()))
    polls = 0

    async def slow(addresses: Collection[int], until: float | None = None) -> None:
        nonlocal polls
        polls += 1
        now = hass.loop.time
        monkeypatch.setattr(hass.loop, "time", lambda: now() + 10)

    monkeypatch.setattr(unit.device, "poll_words", slow)
    for seconds, count in ((0, 1), (160, 1), (30, 2)):
        await pass_time(hass, monkeypatch, seconds)
        await unit.coordinators[Group.POWER].async_refresh()
        await hass.async_block_till_done(wait_background_tasks=True)
        assert polls == count, seconds


# ---------------------------------------------------------------------- a second Home Assistant


async def recognised(port: int, unit_id: int = 1) -> tuple[str, str]:
    """Return the family and the serial number of what is found at a port."""
    link = Link(TcpEndpoint(HOST, port, Framing.TCP))
    await link.connect()
    try:
        identity = await identify(link.unit(unit_id))
    finally:
        await link.close()
    return identity.family, identity.serial


async def test_a_second_home_assistant_recognises_an_inverter_at_its_mirror(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """By registers that no entity shows by default: they are polled for the mirror."""
    await load_mirrored(hass, plant, port)
    assert await recognised(port) == ("jso", SERIAL)


async def test_a_second_home_assistant_recognises_a_saj_at_its_mirror(
    hass: HomeAssistant, saj: SimulatedPlant, port: int
) -> None:
    """Also by registers that are polled with the settings."""
    await set_up_saj(hass, saj, mirror=mirror(port))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await recognised(port) == ("saj", "SAJSIM000000000001")


async def test_a_second_home_assistant_recognises_meters_whose_voltages_are_listed(
    hass: HomeAssistant, house: SimulatedPlant, port: int
) -> None:
    """A meter is recognised by what it measures, of which some is disabled by default."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data=network_data(house.tcp_port),
        options={"mirror": mirror(port, "11: 0x2000-0x2007")},
        subentries_data=[
            {
                "data": {
                    "unit_id": 11,
                    "identity": {**DTSU666, "serial": "METER"},
                    "role": "grid",
                    "inverted": False,
                },
                "subentry_type": "meter",
                "title": "Grid meter",
                "unique_id": "METER",
            }
        ],
    )
    await load(hass, entry, background=True)
    await refresh(hass, entry, Group.POWER)
    assert await recognised(port, 11) == ("dtsu666", "")


# ---------------------------------------------------------------------- the port of another mirror


async def test_the_port_that_the_mirror_has_may_be_kept_only_with_an_address_that_there_is(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """Otherwise the form would be taken, and nothing be served."""
    entry = await load_mirrored(hass, plant, port)
    form = await answer(hass, await open_mirror(hass, entry), mirror(port) | {"host": "192.0.2.1"})
    assert form["errors"] == {"host": "mirror_address_unavailable"}
    everywhere = mirror(port) | {"host": "0.0.0.0"}  # noqa: S104 - somebody has chosen it
    result = await answer(hass, form, everywhere)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    async with client(port) as reader:
        assert await read(reader, 588) == read_words(plant, 1, 588)


async def test_two_links_cannot_have_the_same_port(
    hass: HomeAssistant, plant: SimulatedPlant, other: SimulatedPlant, port: int
) -> None:
    """The form refuses it; one that was disabled meanwhile is loaded without its mirror, and says so."""
    first = await load_mirrored(hass, plant, port)
    second = await load(hass, network_entry(other.tcp_port, serial=OTHER), background=True)
    form = await answer(hass, await open_mirror(hass, second), mirror(port))
    assert form["errors"] == {"port": "mirror_in_use"}
    manager = hass.config_entries
    await manager.async_set_disabled_by(first.entry_id, ConfigEntryDisabler.USER)
    result = await answer(hass, form, mirror(port))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    async with client(port) as reader:
        assert await read(reader, *SERIAL_AT) == read_words(other, 1, *SERIAL_AT)
    await manager.async_set_disabled_by(first.entry_id, None)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert status(first) is ConfigEntryState.LOADED
    assert issue(hass, first) is not None
    assert issue(hass, second) is None
    async with client(port) as reader:
        assert await read(reader, *SERIAL_AT) == read_words(other, 1, *SERIAL_AT)
