"""The mirror of a link: other clients read what was polled last, and the inverter does not notice."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
import socket
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pymodbus.client import AsyncModbusTcpClient
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.diagnostics import async_get_config_entry_diagnostics
from custom_components.hybrid_inverter.modbus.errors import LinkTimeout
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime import mirror as runtime_mirror
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer
from tests.simulator.registers import read_words

from .helpers import (
    DTSU666,
    load,
    network_entry,
    open_settings,
    pass_time,
    refresh,
    requests,
    state,
    status,
    unit_of,
)
from .test_listen import SOFAR, entry_for
from .test_schedule_windows import set_up as set_up_saj

HOST = "127.0.0.1"
# What evcc reads, by its templates deye-hybrid-3p and saj-h2: first address and number of registers.
EVCC_DEYE = [
    *((625, 1), (522, 2), (613, 1), (614, 1), (615, 1)),
    *((672, 1), (673, 1), (674, 1), (675, 1), (534, 2)),
    *((590, 1), (518, 2), (588, 1)),
]
EVCC_SAJ = [
    *((0x40AD, 1), (0x4032, 1), (0x4039, 1), (0x4040, 1), (0x40FD, 2)),
    *((0x40A5, 1), (0x40C5, 2), (0x40A6, 1), (0x40D5, 2), (0xA00C, 1)),
]
# What such an inverter with a three-phase meter has besides.
THREE_PHASE = (
    *("battery_2", "bms_2", "discharge_slots", "meter_a", "meter_a_three_phase", "meter_b"),
    *("phase_energies", "string_energies", "three_phase", "three_phase_backup_output"),
    *("three_phase_energies", "three_phase_meter"),
)


@pytest.fixture
def port(socket_enabled: None) -> int:
    """Return a port that is free."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        number: int = free.getsockname()[1]
        return number


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Have another program listen on a port."""
    with socket.create_server((HOST, port)):
        yield


def mirror(port: int, registers: str = "", *, enabled: bool = True) -> dict[str, Any]:
    """Return what the form of the mirror is answered with, and what is stored of it."""
    answers = {"enabled": enabled, "host": HOST, "port": port}
    return {**answers, "registers": registers} if registers else answers


@asynccontextmanager
async def client(port: int) -> AsyncIterator[AsyncModbusTcpClient]:
    """Connect to a mirror."""
    async with AsyncModbusTcpClient(HOST, port=port, timeout=2, retries=0) as connected:
        assert connected.connected
        yield connected


async def read(
    reader: AsyncModbusTcpClient, address: int, count: int = 1, unit: int = 1
) -> list[int] | int:
    """Return the words, or the exception code."""
    answer = await reader.read_holding_registers(address, count=count, device_id=unit)
    return answer.exception_code if answer.isError() else answer.registers


async def load_mirrored(
    hass: HomeAssistant, plant: SimulatedPlant, port: int, registers: str = "", **options: Any
) -> MockConfigEntry:
    """Return an entry for the plant with a mirror, set up, and polled once in every group."""
    options["mirror"] = mirror(port, registers)
    entry = network_entry(plant.tcp_port, options=options)
    return await load(hass, entry, background=True)


async def open_mirror(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Open the options of an entry, and choose the mirror."""
    manager = hass.config_entries.options
    menu = await manager.async_init(entry.entry_id)
    return dict(await manager.async_configure(menu["flow_id"], {"next_step_id": "mirror"}))


async def answer(
    hass: HomeAssistant, form: dict[str, Any], answers: dict[str, Any]
) -> dict[str, Any]:
    """Send the form, and let the entry be loaded again."""
    result = await hass.config_entries.options.async_configure(form["flow_id"], answers)
    await hass.async_block_till_done(wait_background_tasks=True)
    return dict(result)


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the repair issue of the mirror."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"mirror_not_served_{entry.entry_id}")


# ---------------------------------------------------------------------- what is served


async def test_every_register_that_was_polled_is_served_as_it_is(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """Word by word, with what was read along, and with one exception each for everything else."""
    entry = await load_mirrored(hass, plant, port)
    image = dict(unit_of(entry).device.image)
    assert len(image) > 200
    async with client(port) as reader:
        for address in image:
            assert await read(reader, address) == read_words(plant, 1, address), address
        assert await read(reader, 586, 6) == read_words(plant, 1, 586, 6)
        # Nobody reads these.
        assert await read(reader, 40000) == 2
        assert await read(reader, 708, 2) == 2


async def test_clients_cost_the_inverter_nothing(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """Eight clients at full speed for ten seconds: not a request more than without them, and every value is right."""
    entry = await load_mirrored(hass, plant, port, power_interval=60)
    powers = unit_of(entry).coordinators[Group.POWER]
    begun, words_begun = requests(plant), plant.tcp.statistics.registers_read
    await powers.async_refresh()
    poll = requests(plant) - begun
    poll_words = plant.tcp.statistics.registers_read - words_begun
    assert (poll, poll_words) == (1, 90)
    begun, words_begun = requests(plant), plant.tcp.statistics.registers_read
    loop = asyncio.get_running_loop()
    until = loop.time() + 10
    expected = {first: read_words(plant, 1, first, 10) for first in range(586, 646, 10)}
    answered = 0

    async def read_on() -> None:
        nonlocal answered
        async with client(port) as reader:
            while loop.time() < until:
                for first, words in expected.items():
                    assert await read(reader, first, 10) == words
                    answered += 1

    clients = [asyncio.create_task(read_on()) for _ in range(8)]
    for _ in range(5):
        await asyncio.sleep(1)
        await powers.async_refresh()
    await asyncio.gather(*clients)
    # Fifty at once and 25 a second each, as far as the computer manages.
    assert answered > 8 * 100
    assert requests(plant) - begun == 5
    assert plant.tcp.statistics.registers_read - words_begun == 5 * 90


async def test_nothing_can_be_written(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """Neither one register nor several: exception 1, and nothing of it reaches the inverter."""
    await load_mirrored(hass, plant, port)
    before = requests(plant)
    async with client(port) as writer:
        assert (await writer.write_register(117, 30)).exception_code == 1
        assert (await writer.write_registers(117, [30, 40])).exception_code == 1
        assert (await writer.read_input_registers(588)).exception_code == 1
    assert requests(plant) == before


async def test_each_device_has_the_unit_id_that_it_has_behind_the_link(
    hass: HomeAssistant, house: SimulatedPlant, port: int
) -> None:
    """A meter beside an inverter; a unit id that nobody has does not answer."""
    inverter = network_entry(house.tcp_port)
    meter = {"unit_id": 11, "identity": {**DTSU666, "serial": "METER"}, "role": "grid"}
    entry = MockConfigEntry(
        domain=DOMAIN,
        data=dict(inverter.data),
        options={"mirror": mirror(port)},
        subentries_data=[
            *(one.as_dict() for one in inverter.subentries.values()),
            {
                "data": {**meter, "inverted": False},
                "subentry_type": "meter",
                "title": "Grid meter",
                "unique_id": "METER",
            },
        ],
    )
    await load(hass, entry, background=True)
    async with client(port) as reader:
        assert await read(reader, 588, 1, unit=1) == read_words(house, 1, 588)
        # The voltages of the meter, as it was pictured: 0x2006 on.
        words = await read(reader, 0x2006, 6, unit=11)
        assert words == read_words(house, 11, 0x2006, 6)
        assert await read(reader, 588, 1, unit=11) == 2
        assert await read(reader, 588, 1, unit=12) == 11
        assert await read(reader, 588, 1, unit=0) == 11


async def test_a_written_setting_is_served_as_it_was_read_back(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """At once, without waiting for the next poll of the settings."""
    entry = await load_mirrored(hass, plant, port)
    async with client(port) as reader:
        assert await read(reader, 117) == read_words(plant, 1, 117)
        await unit_of(entry).device.write("battery_low_soc", 33)
        assert read_words(plant, 1, 117) == [33]
        assert await read(reader, 117) == [33]


# ---------------------------------------------------------------------- silence


async def test_a_silent_inverter_is_served_for_three_intervals(
    hass: HomeAssistant,
    picture: FaultServer,
    pictured: MockConfigEntry,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then exception 11, for each group in its own time; and as before as soon as it answers again."""
    hass.config_entries.async_update_entry(pictured, options={"mirror": mirror(port)})
    entry = await load(hass, pictured, background=True)
    soc = [picture.memory[1, 588]]
    counter = [picture.memory[1, 522], picture.memory[1, 523]]
    setting = [picture.memory[1, 117]]
    async with client(port) as reader:
        assert await read(reader, 588) == soc
        picture.silent = frozenset({1})
        await refresh(hass, entry, Group.POWER)
        assert state(hass, Platform.SENSOR, "battery_soc").state == STATE_UNAVAILABLE
        assert await read(reader, 588) == soc
        # Powers are polled every 5 s, counters every 60 s, settings every 300 s.
        await pass_time(hass, monkeypatch, 20)
        assert await read(reader, 588) == 11
        assert await read(reader, 522, 2) == counter
        await pass_time(hass, monkeypatch, 170)
        assert await read(reader, 522, 2) == 11
        assert await read(reader, 117) == setting
        await pass_time(hass, monkeypatch, 720)
        assert await read(reader, 117) == 11
        assert await read(reader, 40000) == 2
        picture.silent = frozenset()
        await refresh(hass, entry, Group.POWER)
        assert await read(reader, 588) == soc


async def test_an_inverter_that_has_not_answered_yet_gets_exception_11(
    hass: HomeAssistant, picture: FaultServer, pictured: MockConfigEntry, port: int
) -> None:
    """Home Assistant starts while it is away: the mirror is there, and knows nothing of the time before."""
    hass.config_entries.async_update_entry(pictured, options={"mirror": mirror(port)})
    entry = await load(hass, pictured, background=True)
    assert await hass.config_entries.async_unload(entry.entry_id)
    picture.silent = frozenset({1})
    await load(hass, entry, background=True)
    async with client(port) as reader:
        assert await read(reader, 588) == 11
        assert await read(reader, 40000) == 11


# ---------------------------------------------------------------------- evcc, and the list


async def test_evcc_reads_what_its_template_for_this_inverter_reads(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """All of it with the entities that are there by default."""
    await load_mirrored(hass, plant, port)
    async with client(port) as reader:
        for address, count in EVCC_DEYE:
            assert await read(reader, address, count) == read_words(plant, 1, address, count)


@pytest.mark.parametrize(
    ("model", "features", "listed", "missing"),
    [
        # A single phase: no entity shows the currents of the other two.
        ("H2-6K-S2", (), "1: 0x4039, 0x4040", [(0x4039, 1), (0x4040, 1)]),
        # Three phases: the meter has what flows at the grid, and the current of the third phase is disabled by default.
        (
            "H2-10K-T2",
            THREE_PHASE,
            "1: 0x4040, 0x40AD, 0x40FD-0x40FE",
            [(0x40AD, 1), (0x4040, 1), (0x40FD, 2)],
        ),
    ],
)
async def test_evcc_reads_what_its_template_for_saj_reads_with_a_list(
    hass: HomeAssistant,
    quick_saj: None,
    port: int,
    model: str,
    features: tuple[str, ...],
    listed: str,
    missing: list[tuple[int, int]],
) -> None:
    """What is not polled for the entities that are there by default is listed."""
    async with SimulatedPlant(model=model) as saj:
        saj.advance(60)
        entry = await set_up_saj(hass, saj, *features, mirror=mirror(port, listed))
        await hass.async_block_till_done(wait_background_tasks=True)
        powers, *others = unit_of(entry).coordinators.values()
        for coordinator in others:
            await coordinator.async_refresh()
        async with client(port) as reader:
            assert [
                (address, count)
                for address, count in EVCC_SAJ
                if await read(reader, address, count) != read_words(saj, 1, address, count)
            ] == missing
            # The listed ones follow the next poll of the powers.
            await powers.async_refresh()
            await hass.async_block_till_done(wait_background_tasks=True)
            for address, count in EVCC_SAJ:
                assert await read(reader, address, count) == read_words(saj, 1, address, count)


async def test_listed_registers_are_polled_behind_the_powers(
    hass: HomeAssistant, plant: SimulatedPlant, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In as few requests as they take, with every poll while that takes little time, and not without the list."""
    entry = await load_mirrored(hass, plant, port, "1: 400-404, 410", power_interval=60)
    powers = unit_of(entry).coordinators[Group.POWER]

    async def polled() -> int:
        before = plant.tcp.statistics.registers_read
        await powers.async_refresh()
        await hass.async_block_till_done(wait_background_tasks=True)
        return plant.tcp.statistics.registers_read - before

    # The powers, one word that every device has, and eleven from 400 on; then the powers alone.
    assert await polled() == 90 + 1 + 11
    assert await polled() == 90
    async with client(port) as reader:
        assert await read(reader, 400, 5) == read_words(plant, 1, 400, 5)
        # Not listed, but read along.
        assert await read(reader, 405) == read_words(plant, 1, 405)
        assert await read(reader, 411) == 2
    # In time for the poll that is next to their own time, as the counters and the fault codes, of which 42 are read.
    await pass_time(hass, monkeypatch, 55)
    assert await polled() == 90 + 1 + 11 + 42


async def test_listed_registers_take_no_more_than_a_tenth_of_the_time(
    hass: HomeAssistant, plant: SimulatedPlant, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll that took ten seconds is followed by the next after a hundred, and is served for three times as long."""
    entry = await load_mirrored(hass, plant, port, "1: 400", power_interval=60)
    unit = unit_of(entry)
    powers, poll_words = unit.coordinators[Group.POWER], unit.device.poll_words
    polls = 0

    async def slow(addresses: Collection[int], until: float | None = None) -> None:
        nonlocal polls
        polls += 1
        if polls <= 2:
            await poll_words(addresses, until)
        now = hass.loop.time
        monkeypatch.setattr(hass.loop, "time", lambda: now() + 10)
        if polls > 2:
            raise LinkTimeout("no answer")

    monkeypatch.setattr(unit.device, "poll_words", slow)
    for seconds, count in ((0, 1), (40, 1), (20, 1), (10, 2)):
        await pass_time(hass, monkeypatch, seconds)
        await powers.async_refresh()
        await hass.async_block_till_done(wait_background_tasks=True)
        assert polls == count, seconds
    # Ten seconds have passed since it was read, and two more polls take ten each.
    for seconds, expected in ((260, read_words(plant, 1, 400)), (25, 11)):
        await pass_time(hass, monkeypatch, seconds)
        async with client(port) as reader:
            assert await read(reader, 400) == expected


# ---------------------------------------------------------------------- the options


async def test_the_mirror_is_off_until_somebody_turns_it_on(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant, port: int
) -> None:
    """On the loopback address unless another one is chosen; then its clients are served at once, and off again."""
    assert loaded.runtime_data.mirror is None
    form = await open_mirror(hass, loaded)
    assert form["type"] is FlowResultType.FORM
    assert form["data_schema"]({}) == {"enabled": False, "host": HOST, "port": 5020}
    result = await answer(hass, form, mirror(port))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert dict(loaded.options) == {"mirror": mirror(port)}
    async with client(port) as reader:
        assert await read(reader, 588) == read_words(plant, 1, 588)
        form = await open_mirror(hass, loaded)
        await answer(hass, form, mirror(port, enabled=False))
    assert loaded.runtime_data.mirror is None
    with taken(port):
        pass


async def test_other_options_leave_the_mirror_as_it_is(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """And the mirror leaves them; its clients are hung up on when the entry is loaded again, and served then."""
    entry = await load_mirrored(hass, plant, port)
    async with client(port) as reader:
        assert await read(reader, 588) == read_words(plant, 1, 588)
        form = await open_settings(hass, entry)
        settings = {"power_interval": 7, "energy_interval": 60, "settings_interval": 300}
        await answer(hass, form, {**settings, "tier": "everyday"})
    assert entry.options["mirror"] == mirror(port)
    assert entry.options["power_interval"] == 7
    async with client(port) as reader:
        assert await read(reader, 588) == read_words(plant, 1, 588)
    await answer(hass, await open_mirror(hass, entry), mirror(port, "1: 100"))
    assert entry.options["power_interval"] == 7
    assert entry.options["mirror"]["registers"] == "1: 100"


@pytest.mark.parametrize(
    ("answers", "error", "named"),
    [
        ({"host": "inverter.local"}, {"host": "mirror_no_address"}, ""),
        ({"host": "192.0.2.1"}, {"host": "mirror_address_unavailable"}, ""),
        ({"registers": "100"}, {"registers": "mirror_unreadable"}, "100"),
        ({"registers": "7: 100"}, {"registers": "mirror_no_such_unit"}, "7"),
        ({"registers": "1: 100, 709-710"}, {"registers": "mirror_not_readable"}, "709, 710"),
        (
            {"registers": "1: 709-720"},
            {"registers": "mirror_not_readable"},
            "709, 710, 711, 712, 713, ...",
        ),
        ({"registers": "1: 0-100"}, {"registers": "mirror_too_many"}, "100"),
    ],
)
async def test_what_cannot_be_served_is_refused_in_the_form(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    port: int,
    answers: dict[str, Any],
    error: dict[str, str],
    named: str,
) -> None:
    """With what is wrong beside the field; what was entered stays, and can be corrected."""
    form = await answer(hass, await open_mirror(hass, loaded), mirror(port) | answers)
    assert form["errors"] == error
    assert form["description_placeholders"]["named"] == named
    result = await answer(hass, form, mirror(port))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_port_in_use_is_refused_in_the_form(
    hass: HomeAssistant, loaded: MockConfigEntry, port: int
) -> None:
    """But for the port that the mirror has itself; whoever turns it off may keep any."""
    with taken(port):
        form = await open_mirror(hass, loaded)
        form = await answer(hass, form, mirror(port))
        assert form["errors"] == {"port": "mirror_in_use"}
        result = await answer(hass, form, mirror(port, enabled=False))
        assert result["type"] is FlowResultType.CREATE_ENTRY
    for registers in ("", "1: 100"):
        result = await answer(hass, await open_mirror(hass, loaded), mirror(port, registers))
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert loaded.runtime_data.mirror.is_open


async def test_no_mirror_is_offered_where_nothing_is_polled(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """How old is what was heard nobody knows."""
    entry = entry_for(hass, 1, SOFAR)
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert menu["menu_options"] == ["listen", "energy"]


# ---------------------------------------------------------------------- a port that is not free


async def test_a_port_in_use_at_the_start_is_a_repair_issue_until_it_is_free(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """Everything else is loaded; a minute after the port is free, it is served."""
    with taken(port):
        entry = await load_mirrored(hass, plant, port)
        assert status(entry) is ConfigEntryState.LOADED
        assert state(hass, Platform.SENSOR, "battery_soc").state != STATE_UNAVAILABLE
        raised = issue(hass, entry)
        assert raised is not None
        assert not raised.is_fixable
        assert raised.translation_placeholders == {
            "name": "JSO8048104",
            "port": str(port),
            "reason": "another program, or the mirror of another link, uses the port",
        }
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=1, seconds=1))
    await hass.async_block_till_done()
    assert issue(hass, entry) is None
    async with client(port) as reader:
        assert await read(reader, 588) == read_words(plant, 1, 588)


async def test_the_issue_goes_with_the_entry(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """Also when it is only unloaded."""
    with taken(port):
        entry = await load_mirrored(hass, plant, port)
        assert issue(hass, entry) is not None
        assert await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done()
        assert issue(hass, entry) is None


async def test_no_issue_is_raised_of_an_entry_that_was_closed_meanwhile(
    hass: HomeAssistant, plant: SimulatedPlant, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its texts were loaded."""
    with taken(port):
        entry = await load_mirrored(hass, plant, port)
        assert issue(hass, entry) is not None

        async def unload(*_: object) -> None:
            assert await hass.config_entries.async_unload(entry.entry_id)

        monkeypatch.setattr(runtime_mirror, "async_load_texts", unload)
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=1, seconds=1))
        await hass.async_block_till_done(wait_background_tasks=True)
        assert status(entry) is ConfigEntryState.NOT_LOADED
        assert issue(hass, entry) is None


async def test_the_port_is_free_when_home_assistant_stops(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """Entries are not unloaded then."""
    await load_mirrored(hass, plant, port)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)
    with taken(port):
        pass


# ---------------------------------------------------------------------- what is reported


async def test_diagnostics_count_clients_and_tell_no_address(
    hass: HomeAssistant, plant: SimulatedPlant, port: int
) -> None:
    """Neither that of a client nor the mirror's own."""
    entry = await load_mirrored(hass, plant, port)
    async with client(port) as reader:
        assert await read(reader, 588) == read_words(plant, 1, 588)
        assert await read(reader, 40000) == 2
        data = await async_get_config_entry_diagnostics(hass, entry)
    assert data["link"]["mirror"] == {
        "open": True,
        "clients": 1,
        "connections": 1,
        "turned_away": 0,
        "displaced": 0,
        "requests": 2,
        "exceptions": {"illegal_data_address": 1},
        "timeouts": 0,
        "not_modbus": 0,
    }
    assert data["options"]["mirror"]["host"] == "**REDACTED**"
    assert HOST not in str(data)
