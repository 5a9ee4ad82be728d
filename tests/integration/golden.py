"""What an owner has, as Home Assistant itself tells it: nothing here imports the integration.

A line for each entity and device, from Home Assistant's registries, states and files alone, so that a change of the
code cannot change the list along with what it lists.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
import json
import os
from pathlib import Path
import struct
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er

DOMAIN: Final = "hybrid_inverter"
FIXTURES: Final = Path(__file__).parents[1] / "fixtures"
GOLDEN: Final = FIXTURES / "golden"

READ, WRITE_ONE, WRITE = 3, 6, 16


def image_of(name: str) -> dict[int, int]:
    """Return the raw registers of a fixture by address; some are written down in runs."""
    words: dict[int, int] = {}
    for start, held in json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8")).items():
        for offset, word in enumerate(held if isinstance(held, list) else [held]):
            words[int(start, 0) + offset] = word
    return words


class ModbusServer:
    """Answers reads and writes of images by unit id over Modbus TCP, as the specification says."""

    def __init__(self, images: Mapping[int, dict[int, int]], *, unused: int | None = None) -> None:
        """Take what a register reads that is in no image; without it, such a read is refused."""
        self.images = images
        self._unused = unused
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Return the port that it serves on."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Serve on a free port of this computer."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def stop(self) -> None:
        """Serve no more."""
        assert self._server is not None
        self._server.close()
        self._server.close_clients()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                transaction, _, size, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                pdu = await reader.readexactly(size - 1)
                if unit in self.images:
                    answer = self._answer(self.images[unit], pdu)
                    writer.write(
                        struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer
                    )
                    await writer.drain()

    def _answer(self, image: dict[int, int], pdu: bytes) -> bytes:
        function, address, count = struct.unpack(">BHH", pdu[:5])
        if function == READ:
            wanted = range(address, address + count)
            if self._unused is None and any(each not in image for each in wanted):
                return bytes((function | 0x80, 2))
            words = [image.get(each, self._unused or 0) for each in wanted]
            return struct.pack(f">BB{count}H", function, 2 * count, *words)
        if function == WRITE_ONE:
            image[address] = count
        elif function == WRITE:
            for offset, word in enumerate(struct.unpack(f">{count}H", pdu[6:])):
                image[address + offset] = word
        else:
            return bytes((function | 0x80, 1))
        return pdu[:5]


@asynccontextmanager
async def served(
    *images: str, unused: int | None = None, **changes: int
) -> AsyncIterator[ModbusServer]:
    """Serve fixtures as unit ids from 1 on; changes are of the first one's registers, as `r133=1`."""
    held = {number: image_of(name) for number, name in enumerate(images, 1)}
    held[1].update({int(register[1:]): word for register, word in changes.items()})
    server = ModbusServer(held, unused=unused)
    await server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def everything_enabled() -> Iterator[set[str]]:
    """Switch every entity on; the set has the unique ids of those that are shown at first."""
    shown: set[str] = set()

    def note(entity: Any) -> bool:
        """Home Assistant's own rule, but for its answer."""
        by_default = getattr(entity, "_attr_entity_registry_enabled_default", None)
        if by_default is None:
            by_default = entity.entity_description.entity_registry_enabled_default
        if by_default:
            shown.add(entity.unique_id)
        return True

    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", property(note)
    ):
        yield shown


async def add_link(hass: HomeAssistant, port: int, unit_id: int = 1) -> ConfigEntry:
    """Add the machine behind a port through the dialog, as a person does."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "network"})
    form = {"host": "127.0.0.1", "port": port, "framing": "tcp", "advanced": {"unit_id": unit_id}}
    result = await flow.async_configure(result["flow_id"], form)
    if result["type"] is FlowResultType.MENU:
        # A meter can be wired in several ways, and does not report what it measures.
        result = await flow.async_configure(result["flow_id"], {"next_step_id": "direct"})
        result = await flow.async_configure(result["flow_id"], {"role": "grid", "inverted": False})
    if result.get("step_id") == "maker":
        result = await flow.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done(wait_background_tasks=True)
    entry: ConfigEntry = result["result"]
    return entry


async def set_options(hass: HomeAssistant, entry: ConfigEntry, **options: Any) -> None:
    """Choose options of an entry; what is there of it is registered anew."""
    await hass.config_entries.async_unload(entry.entry_id)
    registry = er.async_get(hass)
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        registry.async_remove(known.entity_id)
    registry.deleted_entities.clear()
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def _short(text: str, entry: ConfigEntry) -> str:
    """Return an id with the entry's own in words, and its units' serial numbers as their number."""
    text = text.replace(entry.entry_id, "ENTRY")
    for number, subentry in enumerate(entry.subentries.values(), 1):
        if subentry.unique_id:
            text = text.replace(
                subentry.unique_id.replace(entry.entry_id, "ENTRY"), f"UNIT{number}"
            )
    return text


def entity_lines(hass: HomeAssistant, entry: ConfigEntry, shown: set[str]) -> list[str]:
    """Return a line for each entity of an entry, in order."""
    devices = dr.async_get(hass)
    lines = []
    for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        device = devices.async_get(known.device_id) if known.device_id else None
        identifiers = "+".join(sorted(value for _, value in device.identifiers)) if device else "-"
        state = hass.states.get(known.entity_id)
        attributes = state.attributes if state else {}
        capabilities = known.capabilities or {}
        facts = {
            "class": known.original_device_class,
            "unit": known.unit_of_measurement,
            "precision": _precision(known),
            "text": known.translation_key,
            "state_class": capabilities.get("state_class"),
            **{name: capabilities.get(name) for name in ("min", "max", "step", "mode")},
            "options": ",".join(map(str, capabilities.get("options") or ())),
            "events": ",".join(map(str, capabilities.get("event_types") or ())),
            "attributes": ",".join(
                sorted(
                    set(attributes)
                    - set(capabilities)
                    - {"friendly_name", "icon", "unit_of_measurement", "device_class", "restored"}
                )
            ),
            "placed_at": known.config_subentry_id
            and list(entry.subentries).index(known.config_subentry_id) + 1,
        }
        lines.append(
            " | ".join(
                (
                    f"{known.domain}.{_short(known.unique_id, entry)}",
                    _short(identifiers, entry),
                    "shown" if known.unique_id in shown else "hidden",
                    known.entity_category or "-",
                    *(
                        f"{name}={value}"
                        for name, value in facts.items()
                        if value not in (None, "")
                    ),
                )
            )
        )
    return sorted(lines)


def _precision(known: er.RegistryEntry) -> Any:
    """Return how many decimals a person is shown at first."""
    options = {**known.options.get("sensor", {}), **known.options.get("sensor.private", {})}
    return options.get("suggested_display_precision")


def device_lines(hass: HomeAssistant, entry: ConfigEntry) -> list[str]:
    """Return a line for each device of an entry, in order."""
    devices = dr.async_get(hass)
    lines = []
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        above = devices.async_get(device.via_device_id) if device.via_device_id else None
        lines.append(
            " | ".join(
                (
                    "+".join(sorted(_short(value, entry) for _, value in device.identifiers)),
                    f"below {sorted(_short(value, entry) for _, value in above.identifiers)}"
                    if above
                    else "-",
                    f"{device.manufacturer} {device.model}",
                )
            )
        )
    return sorted(lines)


def stored_lines(entry: ConfigEntry, port: int) -> list[str]:
    """Return what an entry and its subentries keep."""
    data = {key: "PORT" if value == port else value for key, value in entry.data.items()}
    lines = [f"data {as_json(data)}"]
    lines += [
        _short(
            f"{subentry.subentry_type} {subentry.unique_id} {as_json(dict(subentry.data))}",
            entry,
        )
        for subentry in entry.subentries.values()
    ]
    return lines


def as_json(stored: Any) -> str:
    """Return a stored value as one line."""
    return json.dumps(stored, sort_keys=True)


def shape_of(stored: Any) -> Any:
    """Return what a stored value is made of: keys stay, values become the name of their type."""
    if isinstance(stored, Mapping):
        return {key: shape_of(value) for key, value in stored.items()}
    if isinstance(stored, list):
        return [*dict.fromkeys(as_json(shape_of(value)) for value in stored)]
    return type(stored).__name__


def compare(name: str, lines: list[str]) -> None:
    """Compare lines with those that are kept, and say which are gone and which are new."""
    file = GOLDEN / f"{name}.txt"
    if "GOLDEN_WRITE" in os.environ:
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = Counter(file.read_text(encoding="utf-8").splitlines())
    now = Counter(lines)
    gone, new = sorted((kept - now).elements()), sorted((now - kept).elements())
    changes = [*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]
    assert not changes, "\n".join([f"{name}: what an owner has has changed", *changes])
