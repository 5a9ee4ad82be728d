"""A gateway behind which the inverter is exchanged for another one while it is being set, and settings that wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import count
from types import SimpleNamespace
from typing import Final, cast

from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import entity, load, network_entry, refresh, state
from .test_schedule_windows import CHARGE_1, NIGHT, act, set_up

OTHER: Final = "JSO0000099"


def never() -> bool:
    """Return False."""
    return False


class Gateway:
    """Leads to one inverter, and later to another one."""

    def __init__(self, first: int, second: int) -> None:
        """Both are ports of this computer."""
        self.port = 0
        # Asked when a request was carried out; if it says so, its answer is lost and the inverters are exchanged.
        self.exchange_now: Callable[[], bool] = never
        self._first = first
        self._second = second
        self._target = first
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on any port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up, and listen no more."""
        assert self._server is not None
        self._server.close()
        self._lead_to(self._first)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def exchange_at(self, number: int) -> None:
        """Exchange the inverters at so many requests from now."""
        requests = count(1)
        self.exchange_now = lambda: next(requests) == number

    def put_back(self) -> None:
        """Lead to the first one again."""
        self.exchange_now = never
        if self._target != self._first:
            self._lead_to(self._first)

    def _lead_to(self, port: int) -> None:
        self.exchange_now = never
        self._target = port
        for writer in tuple(self._writers):
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        ends = {writer}
        self._writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            behind, ahead = await asyncio.open_connection("127.0.0.1", self._target)
            ends.add(ahead)
            self._writers.add(ahead)
            while True:
                ahead.write(await _frame(reader))
                answer = await _frame(behind)
                if self.exchange_now():
                    self._lead_to(self._second)
                    break
                writer.write(answer)
        for end in ends:
            end.close()
        self._writers -= ends


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """Return a frame of Modbus TCP: six bytes that end with the length of the rest."""
    header = await reader.readexactly(6)
    return header + await reader.readexactly(int.from_bytes(header[4:]))


async def set_number(hass: HomeAssistant, key: str, value: float) -> None:
    """Set a number."""
    await hass.services.async_call(
        Platform.NUMBER,
        "set_value",
        {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, key), "value": value},
        blocking=True,
    )


@pytest.fixture
async def other(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return another inverter of the same family."""
    async with SimulatedPlant(serial_number=OTHER) as plant:
        plant.advance(60)
        yield plant


async def test_a_number_never_reaches_the_other_inverter(
    hass: HomeAssistant, plant: SimulatedPlant, other: SimulatedPlant
) -> None:
    """Whenever they are exchanged, the other one is not written to, and what is said is true of the first one."""
    gateway = Gateway(plant.tcp_port, other.tcp_port)
    await gateway.start()
    entry = await load(hass, network_entry(gateway.port))
    said: list[str | None] = []
    texts: list[str] = []
    for number in range(1, 7):
        before = plant.machine().word(104)
        gateway.exchange_at(number)
        try:
            await set_number(hass, "zero_export_power", 50 + number)
        except HomeAssistantError as err:
            said.append(err.translation_key)
            texts.append(str(err))
        else:
            said.append(None)
        held = {None: 50 + number, "written_to_nobody": before}
        assert plant.machine().word(104) == held.get(said[-1], plant.machine().word(104))
        assert other.machine().writes == []
        gateway.put_back()
        await hass.async_block_till_done(wait_background_tasks=True)
        await refresh(hass, entry, Group.POWER)
        await refresh(hass, entry, Group.SETTINGS)
    # The look; the write and the two reads behind it; then it was over.
    assert said == ["written_to_nobody", *["write_not_confirmed"] * 3, None, None]
    assert texts[1] == (
        "Could not confirm whether Zero export power was changed: "
        "a device with another serial number answers at the inverter's address. "
        "Check its state after the next reading, then try again"
    )
    await hass.config_entries.async_unload(entry.entry_id)
    await gateway.stop()


async def test_half_a_schedule_is_named_and_the_other_inverter_gets_nothing_of_it(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """The inverter is exchanged when the end of the first slot has been written: what was changed before is named."""
    async with SimulatedPlant(model="H2-6K-S2", serial_number="SAJSIM000000000099") as other:
        other.advance(60)
        gateway = Gateway(saj.tcp_port, other.tcp_port)
        await gateway.start()
        entry = await set_up(
            hass, cast("SimulatedPlant", SimpleNamespace(tcp_port=gateway.port)), "discharge_slots"
        )
        gateway.exchange_now = lambda: saj.machine().word(CHARGE_1 + 1) == 0x0500
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, entry, "set_schedule", windows=[NIGHT])
        assert caught.value.translation_key == "interrupted"
        assert caught.value.translation_placeholders == {
            "entity": "Schedule",
            "left": "Charge slot 1 end, Charge slot 1 start",
            "error": "a device with another serial number answers at the inverter's address",
        }
        assert other.machine().writes == []
        await hass.async_block_till_done(wait_background_tasks=True)
        await hass.config_entries.async_unload(entry.entry_id)
        await gateway.stop()


# ---------------------------------------------------------------------- settings that wait


async def test_of_two_hundred_values_of_a_number_the_last_is_written(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """All calls end without an error, and the inverter gets the first and the last."""
    await asyncio.gather(
        *(set_number(hass, "zero_export_power", 100 + number) for number in range(200))
    )
    assert [write.values for write in plant.machine().writes] == [(100,), (299,)]
    assert state(hass, Platform.NUMBER, "zero_export_power").state == "299"


async def test_the_value_before_one_that_is_refused_is_written(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Somebody at the panel has lowered the restart threshold to 43 since it was read: 39 may be set, and 44 may not."""
    machine = plant.machine()
    machine.panel_change(116, 43)
    results = await asyncio.gather(
        set_number(hass, "zero_export_power", 60),
        set_number(hass, "battery_low_soc", 39),
        set_number(hass, "battery_low_soc", 44),
        return_exceptions=True,
    )
    assert results[:2] == [None, None]
    assert isinstance(results[2], ServiceValidationError)
    assert [(write.address, write.values) for write in machine.writes] == [
        (104, (60,)),
        (117, (39,)),
    ]
    assert machine.word(117) == 39


async def test_a_setting_that_waited_for_an_inverter_that_went_silent_was_not_changed(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nothing was sent of it, and the message says so."""
    plant.machine().trouble.silent = True
    results = await asyncio.gather(
        set_number(hass, "zero_export_power", 60),
        set_number(hass, "battery_low_soc", 30),
        return_exceptions=True,
    )
    assert [str(result) for result in results] == [
        f"{name} was not changed: {error}. Set it again when the inverter answers"
        for name, error in (
            ("Zero export power", "no response from unit id 1 within 1 s"),
            ("Low SOC", "unit id 1 has stopped responding"),
        )
    ]
    assert plant.machine().writes == []
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_a_port_that_answers_no_write_may_be_read_only(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Reads are answered and writes are not, twice: the setting was not changed, and the message says what may be wrong."""
    machine = plant.machine()
    respond = machine.respond
    machine.respond = lambda pdu: None if pdu[0] in (6, 16) else respond(pdu)  # type: ignore[method-assign]
    with pytest.raises(HomeAssistantError) as caught:
        await set_number(hass, "zero_export_power", 60)
    assert caught.value.translation_key == "not_acknowledged"
    assert str(caught.value) == (
        "Zero export power was not changed: the inverter did not answer when 60 was written twice, "
        "and still holds 20 (register 104). As it answers when it is read, this port may be read-only: "
        "connect through another one, or allow writing in the settings of the gateway or stick"
    )
    await hass.async_block_till_done(wait_background_tasks=True)
