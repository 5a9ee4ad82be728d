"""Faults, outages and their repairs of an SAJ, from the words that it serves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.device import quarantine
from custom_components.hybrid_inverter.modbus.model.faults import FaultRules
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import Framing
from tests.modbus.fault_server import FaultServer, Talk

from .helpers import find, network_data, refresh

SERIAL: Final = "SAJ0000001"
STATUS: Final = 0x4004
ON_GRID: Final = 2
OFF_GRID: Final = 3
WORDS: Final = range(0x4005, 0x400B)


class House:
    """A home with an inverter whose words the test sets."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, server: FaultServer) -> None:
        """Listen to what happens."""
        self.hass = hass
        self.entry = entry
        self.server = server
        self.happened: list[dict[str, Any]] = []
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    @callback
    def _note(self, event: Event[Any]) -> None:
        new, old = event.data["new_state"], event.data["old_state"]
        if new is None or new.domain != "event":
            return
        if new.state in (STATE_UNAVAILABLE, STATE_UNKNOWN) or (old and old.state == new.state):
            return
        self.happened.append(dict(new.attributes))

    @property
    def types(self) -> list[str]:
        """Return the types of the events so far."""
        return [attributes["event_type"] for attributes in self.happened]

    @property
    def issues(self) -> dict[str, str]:
        """Return the raised issues by id, each with how bad it is."""
        return {
            issue.issue_id: str(issue.severity)
            for issue in ir.async_get(self.hass).issues.values()
            if issue.domain == DOMAIN and issue.active
        }

    def shown(self, platform: Platform, key: str) -> State:
        """Return the state of an entity."""
        entity_id = find(self.hass, platform, key, SERIAL)
        assert entity_id is not None, key
        shown = self.hass.states.get(entity_id)
        assert shown is not None, key
        return shown

    async def poll(self, times: int = 1, status: int = ON_GRID, **words: int) -> None:
        """Set the words, given as `w4008`, all others of the field to 0, and poll."""
        memory = self.server.memory
        memory[1, STATUS] = status
        for address in WORDS:
            memory[1, address] = words.get(f"w{address:04X}", 0)
        for _ in range(times):
            await refresh(self.hass, self.entry, Group.FAULTS)


@pytest.fixture
def rules() -> FaultRules:
    """Return what is true of the codes."""
    rules = FAMILIES["saj"].faults
    assert rules is not None
    return rules


@pytest.fixture
async def house(
    hass: HomeAssistant,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
    rules: FaultRules,
) -> AsyncIterator[House]:
    """Return a house with a single-phase inverter in order."""
    family = replace(FAMILIES["saj"], settle=0.01, spacing=0.0, faults=rules)
    monkeypatch.setitem(FAMILIES, "saj", family)
    server = FaultServer(Framing.TCP, memory={(1, address): 0 for address in range(0x3000, 0xB000)})
    name = f"{SERIAL}\0\0\0\0\0\0\0\0\0\0".encode()
    for word in range(10):
        server.memory[1, 0x8F03 + word] = int.from_bytes(name[2 * word : 2 * word + 2])
    server.memory[1, 0x8F00] = 90
    server.memory[1, 0x366D] = 6000
    server.memory[1, STATUS] = ON_GRID
    await server.start()
    entry = MockConfigEntry(
        domain=DOMAIN,
        data=network_data(server.port),
        subentries_data=[
            {
                "data": {
                    "unit_id": 1,
                    "identity": {
                        "family": "saj",
                        "serial": SERIAL,
                        "manufacturer": "SAJ",
                        "model": "H2-6K-S2",
                        "firmware": "",
                        "facts": {"rated_power": 6000},
                        "features": [],
                    },
                },
                "subentry_type": "inverter",
                "title": "H2-6K-S2",
                "unique_id": SERIAL,
            }
        ],
    )
    entry.add_to_hass(hass)
    house = House(hass, entry, server)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await house.poll()
    yield house
    await hass.config_entries.async_unload(entry.entry_id)
    await server.stop()


async def test_fault_event_has_a_type_for_every_documented_code(house: House) -> None:
    """A type for every code but those of the grid's absence; none for what is reserved, nor for another family's."""
    types = house.shown(Platform.EVENT, "fault").attributes["event_types"]
    assert len(types) == 75 - 2
    assert {"e01", "e66", "e92"} <= set(types)
    assert {"e56", "e88", "e06", "e96", "f01", "w01"}.isdisjoint(types)


async def test_fault_shows_with_the_first_poll_and_raises_a_repair_with_the_second(
    house: House,
) -> None:
    """Told and shown with the first poll, raised with the second, and gone after two without it."""
    # Word 0x4009 bit 14: code 33 + 16 + 14.
    await house.poll(w4009=0x4000)
    assert house.shown(Platform.SENSOR, "fault").state == "e63"
    assert house.shown(Platform.SENSOR, "fault").attributes["meanings"] == [
        {"code": "E63", "meaning": "PV insulation resistance too low"}
    ]
    assert house.shown(Platform.BINARY_SENSOR, "problem").state == "on"
    assert house.issues == {}
    await house.poll(w4009=0x4000)
    assert house.issues == {"ba5289_e63": "error"}
    await house.poll()
    assert house.issues == {"ba5289_e63": "error"}
    await house.poll()
    assert house.issues == {}
    assert house.shown(Platform.SENSOR, "fault").state == "none"
    assert house.shown(Platform.BINARY_SENSOR, "problem").state == "off"
    (told,) = house.happened
    assert {name: told[name] for name in ("event_type", "code", "meaning", "kind")} == {
        "event_type": "e63",
        "code": "E63",
        "meaning": "PV insulation resistance too low",
        "kind": "fault",
    }


async def test_what_the_maker_calls_a_warning(house: House) -> None:
    """A meter and a battery that are not heard are told as warnings, and somebody has to act all the same."""
    # Word 0x4006 bits 1 and 5: codes 65 + 1 and 65 + 5.
    await house.poll(2, w4006=0x0022)
    assert house.shown(Platform.SENSOR, "fault").attributes["codes"] == ["E66", "E70"]
    assert house.shown(Platform.BINARY_SENSOR, "problem").state == "on"
    assert [(told["code"], told["kind"]) for told in house.happened] == [
        ("E66", "warning"),
        ("E70", "warning"),
    ]
    assert house.issues == {"ba5289_e66": "warning", "ba5289_e70": "warning"}


async def test_a_code_without_a_remedy(house: House) -> None:
    """Shown and told, and raises nothing."""
    await house.poll(5, w4008=0x0001)
    assert house.shown(Platform.SENSOR, "fault").state == "e01"
    assert house.shown(Platform.BINARY_SENSOR, "problem").state == "on"
    assert house.types == ["e01"]
    assert house.issues == {}


async def test_fault_of_a_single_poll_raises_no_repair(house: House) -> None:
    """Seen in a single poll: told, and no repair."""
    await house.poll(w4009=0x4000)
    await house.poll(3)
    assert house.types == ["e63"]
    assert house.issues == {}


async def test_reserved_bits_are_not_shown_and_are_no_problem(house: House) -> None:
    """Nobody knows what they mean: not shown, not told, no problem."""
    await house.poll(3, w4008=0x3420, w4009=0x0309, w4006=0x07C0, w4005=0xF078)
    assert house.shown(Platform.SENSOR, "fault").state == "none"
    assert house.shown(Platform.SENSOR, "fault").attributes["codes"] == []
    assert house.shown(Platform.BINARY_SENSOR, "problem").state == "off"
    assert house.happened == []
    assert house.issues == {}


@pytest.mark.parametrize(
    ("sign", "codes"),
    [
        ({"w4009": 0x0080}, ["E56"]),
        ({"w4005": 0x0080}, ["E88"]),
        ({"w4009": 0x0080, "w4005": 0x0080}, ["E56", "E88"]),
        ({"status": OFF_GRID}, []),
        ({"w4005": 0x0080, "status": OFF_GRID}, ["E88"]),
    ],
)
async def test_any_sign_of_an_outage_begins_it_once_and_it_is_no_problem(
    house: House, sign: dict[str, int], codes: list[str]
) -> None:
    """Any sign of it begins it, once; it is no fault and no problem, and ends when none is left."""
    assert house.shown(Platform.BINARY_SENSOR, "grid_connected").state == "on"
    await house.poll(3, **sign)
    assert house.shown(Platform.BINARY_SENSOR, "grid_connected").state == "off"
    assert house.shown(Platform.SENSOR, "fault").attributes["codes"] == codes
    assert house.shown(Platform.BINARY_SENSOR, "problem").state == "off"
    assert house.issues == {}
    assert house.types == ["started"]
    await house.poll(2)
    assert house.shown(Platform.BINARY_SENSOR, "grid_connected").state == "on"
    assert house.types == ["started", "ended"]


@pytest.mark.parametrize(
    "rules",
    [
        FaultRules(
            fields=("fault",),
            no_grid=frozenset({"E56", "E88"}),
            # A value that never says that the grid is gone.
            grid="error_count",
            remedies=frozenset(),
        )
    ],
)
@pytest.mark.parametrize("sign", [{"w4009": 0x0080}, {"w4005": 0x0080}])
async def test_either_code_is_enough(house: House, sign: dict[str, int]) -> None:
    """Each of the codes tells of an outage by itself."""
    await house.poll(2, **sign)
    await house.poll()
    assert house.types == ["started", "ended"]


async def test_one_board_after_the_other(house: House) -> None:
    """The two boards see the grid go and come back at different times: that is one outage."""
    await house.poll(w4005=0x0080)
    await house.poll(w4005=0x0080, w4009=0x0080, status=OFF_GRID)
    await house.poll(w4009=0x0080)
    assert house.types == ["started"]
    await house.poll()
    assert house.types == ["started", "ended"]


async def test_an_outage_that_only_the_status_tells_lasts_while_that_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the grid is there is then worked out from the fault codes alone, which have never said that it is gone."""
    passed = [1000.0]
    monkeypatch.setattr(quarantine, "_now", lambda: passed[0])
    await house.poll(status=OFF_GRID)

    pdu = Talk.pdu

    def refusing(talk: Talk) -> bytes:
        asked = range(talk.request.address, talk.request.address + talk.request.count)
        return bytes([0x83, 2]) if STATUS in asked else pdu(talk)

    with monkeypatch.context() as refused:
        refused.setattr(Talk, "pdu", refusing)
        for _ in range(5):
            passed[0] += 15
            await house.poll(status=OFF_GRID)
    assert house.types == ["started"]
    passed[0] += 600
    await house.poll(status=OFF_GRID)
    assert house.types == ["started"]
    await house.poll()
    assert house.types == ["started", "ended"]


async def test_the_length_of_an_outage(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first poll without the grid to the first with it."""
    start = dt_util.utcnow()
    clock = SimpleNamespace(now=start)
    monkeypatch.setattr(
        "custom_components.hybrid_inverter.runtime.faults.dt_util",
        SimpleNamespace(utcnow=lambda: clock.now, parse_datetime=dt_util.parse_datetime),
    )
    await house.poll(status=OFF_GRID)
    clock.now = dt_util.utc_from_timestamp(start.timestamp() + 90)
    await house.poll()
    assert house.happened[-1]["event_type"] == "ended"
    assert house.happened[-1]["duration"] == 90
