"""The mirror of a loaded entry: what its units are asked for anyway, on a port for other clients."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval

from ..const import DOMAIN
from ..entry.data import interval_of
from ..entry.mirror import MirrorOptions, mirror_of
from ..entry.texts import async_load_texts, async_text
from ..modbus.mirror.server import CannotListenError, MirrorServer
from ..modbus.mirror.unit import MirroredUnit, shortest
from ..modbus.model.register import Group
from .machine import Machine
from .runtime import HybridInverterConfigEntry, UnitRuntime

# The kind of the issue.
NOT_SERVED: Final = "mirror_not_served"
# For how many intervals a word is served after it was read.
AGES: Final = 3
# How often a port is tried that cannot be opened: another program may free it, or an address appear.
RETRY_EVERY: Final = timedelta(minutes=1)


class _Port:
    """The port of a mirror: opened as soon as it can be, with a repair issue until then."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: HybridInverterConfigEntry,
        server: MirrorServer,
        options: MirrorOptions,
    ) -> None:
        self._hass = hass
        self._issue_id = f"{NOT_SERVED}_{entry.entry_id}"
        # A title of an entry may have an address in it.
        self._device = next(iter(entry.subentries.values())).title
        self._server = server
        self._options = options
        self._stop_trying: CALLBACK_TYPE | None = None

    async def async_open(self, _now: datetime | None = None) -> None:
        """Open the port, or try again in a minute."""
        try:
            self._server.open(self._options.host, self._options.port)
        except CannotListenError as err:
            if self._stop_trying is None:
                self._stop_trying = async_track_time_interval(
                    self._hass, self.async_open, RETRY_EVERY, cancel_on_shutdown=True
                )
            await self._async_report(err.reason)
        else:
            self._stop()

    async def async_close(self, _event: Event | None = None) -> None:
        """Close the port, and hang up on the clients."""
        self._stop()
        await self._server.close()

    @callback
    def _stop(self) -> None:
        """Do not try any more, as there is nothing to report."""
        if self._stop_trying is not None:
            self._stop_trying()
            self._stop_trying = None
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    async def _async_report(self, reason: str) -> None:
        """Raise the issue."""
        await async_load_texts(self._hass, "selector")
        if self._stop_trying is None:
            # The entry was unloaded meanwhile.
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=NOT_SERVED,
            translation_placeholders={
                "name": self._device,
                "port": str(self._options.port),
                "reason": async_text(self._hass, f"selector.mirror_error.options.{reason}") or "",
            },
        )


async def async_start_mirror(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> None:
    """Serve the words of all units from their first poll on, if that is wanted, until the entry is unloaded."""
    runtime = entry.runtime_data
    if (options := mirror_of(entry)) is None or not runtime.units:
        return
    runtime.mirror = MirrorServer(
        {unit.unit_id: _mirrored(entry, unit.machine) for unit in runtime.units.values()}
    )
    port = _Port(hass, entry, runtime.mirror, options)
    entry.async_on_unload(port.async_close)
    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, port.async_close))
    await port.async_open()


@callback
def async_poll_identity(entry: HybridInverterConfigEntry, unit: UnitRuntime) -> Callable[[], None]:
    """While there is a mirror, poll by what other programs recognise a unit, shown or not; returns how to stop that."""
    if entry.runtime_data.mirror is None:
        return lambda: None
    family = unit.device.family
    stops = [
        coordinator.async_keep_polled(keys)
        for group, coordinator in unit.coordinators.items()
        if (keys := frozenset(key for key in family.identity if family.group_of(key) is group))
    ]

    @callback
    def stop() -> None:
        for stop_polling in stops:
            stop_polling()

    return stop


def _mirrored(entry: HybridInverterConfigEntry, machine: Machine) -> MirroredUnit:
    """What is served of a machine, from now on."""
    ages = {group: AGES * float(interval_of(entry, group)) for group in Group}
    mirrored = MirroredUnit(
        shortest((row.addresses, ages[row.group]) for row in machine.device.family.every_row()),
        # A word that no row has was read along with some; nearly all of them lie between settings.
        ages[Group.SETTINGS],
        lambda: machine.is_exchanged,
    )
    machine.device.follow_words(mirrored)
    machine.on_exchange.append(mirrored.forget)
    return mirrored
