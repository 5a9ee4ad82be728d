"""The faults and outages of a unit: told to entities, raised as repair issues, and remembered over a restart."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .modbus.faults import CodeWatch, FaultRules, Outage, OutageWatch, Verdict
from .modbus.register import Group
from .stored import identity_of

STORAGE_VERSION: Final = 1

# Where the translations say what a code means: with the types of the event, which the user interface shows as well.
MEANING: Final = f"component.{DOMAIN}.entity.event.fault.state_attributes.event_type.state."


@callback
def async_meaning(hass: HomeAssistant, code: str) -> str | None:
    """Return what a code means, in the language of the house; None for one that nobody has documented."""
    texts = async_get_cached_translations(hass, hass.config.language, "entity", DOMAIN)
    return texts.get(MEANING + code.lower())


@dataclass(frozen=True, slots=True)
class News:
    """What a poll has brought: the codes that appeared in each bit field, and whether an outage began or ended."""

    appeared: dict[str, tuple[str, ...]]
    outage: bool
    now: datetime


class FaultMemory:
    """What is kept of the units of an entry, so that a restart tells nothing twice."""

    def __init__(self, hass: HomeAssistant, entry: HybridInverterConfigEntry) -> None:
        """Keep it in a file of the entry's own."""
        self._hass = hass
        self._entry = entry
        self._store = Store[dict[str, dict[str, Any]]](
            hass, STORAGE_VERSION, f"{DOMAIN}.faults.{entry.entry_id}"
        )
        self._units: dict[str, dict[str, Any]] = {}

    async def async_load(self) -> None:
        """Read what was kept."""
        self._units = await self._store.async_load() or {}

    async def async_remove(self) -> None:
        """Forget everything."""
        await self._store.async_remove()

    def codes(self, serial: str, field: str) -> list[str]:
        """Return the codes of a bit field that a unit had when it was last polled."""
        codes: list[str] = self._units.get(serial, {}).get("codes", {}).get(field, [])
        return codes

    def outage(self, serial: str) -> Outage | None:
        """Return the last outage of a unit."""
        stored = self._units.get(serial, {}).get("outage")
        if stored is None or (start := dt_util.parse_datetime(stored["start"])) is None:
            return None
        return Outage(start, stored["end"] and dt_util.parse_datetime(stored["end"]))

    @callback
    def async_keep(self, serial: str, codes: dict[str, list[str]], outage: Outage | None) -> None:
        """Keep what a unit has now; it changes so seldom that it is written at once."""
        self._units[serial] = {
            "codes": codes,
            "outage": outage
            and {
                "start": outage.start.isoformat(),
                "end": outage.end and outage.end.isoformat(),
            },
        }
        self._entry.async_create_task(self._hass, self._store.async_save(dict(self._units)))


class FaultMonitor:
    """Watches the fault codes and the grid of a unit."""

    def __init__(
        self, hass: HomeAssistant, unit: UnitRuntime, rules: FaultRules, memory: FaultMemory
    ) -> None:
        """Go on from what was there before a restart."""
        serial = unit.identity.serial
        self.rules = rules
        self.outages = OutageWatch(memory.outage(serial))
        self._hass = hass
        self._unit = unit
        self._memory = memory
        self._watches = {
            field: CodeWatch(rules.patience, memory.codes(serial, field)) for field in rules.fields
        }
        self._listeners: list[Callable[[News], None]] = []

    @property
    def group(self) -> Group:
        """Return the group in which all that is watched is polled."""
        return self._unit.device.family.group_of(self.rules.fields[0])

    @property
    def codes(self) -> list[str]:
        """Return all codes that can appear, in order; those of the grid's absence are told as an outage."""
        registers = self._unit.device.family.registers
        codes = {code for field in self.rules.fields for code in registers[field].labels.values()}
        return sorted(codes - self.rules.no_grid)

    def kind(self, field: str, code: str) -> str:
        """Return whether a code of a bit field is a fault or a warning."""
        return "warning" if code in self.rules.warnings else field

    @callback
    def async_add_listener(self, listener: Callable[[News], None]) -> CALLBACK_TYPE:
        """Call back after every poll that brought something; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Judge the first poll and all that follow; returns how to stop that.

        The entities have to be there by then, or nobody would hear of what has happened in the meantime.
        """
        stop = self._unit.coordinators[self.group].async_add_listener(
            self._handle_poll, watched_keys(self.rules)
        )
        self._handle_poll()

        @callback
        def async_stop() -> None:
            stop()
            self._withdraw_issues()

        return async_stop

    @callback
    def _handle_poll(self) -> None:
        """Judge what a poll brought; one that brought nothing says nothing about faults."""
        coordinator = self._unit.coordinators[self.group]
        if not coordinator.last_update_success:
            return
        now = dt_util.utcnow()
        verdicts: dict[str, Verdict] = {}
        no_grid: bool | None = None
        for field, watch in self._watches.items():
            bits = coordinator.data.values.get(field)
            if not isinstance(bits, frozenset):
                continue
            labels = self._unit.device.family.registers[field].labels
            codes = {labels[bit] for bit in bits}
            if not self.rules.no_grid.isdisjoint(labels.values()):
                no_grid = not self.rules.no_grid.isdisjoint(codes)
            verdicts[field] = watch.judge(codes - self.rules.no_grid, now)

        grid = coordinator.data.values.get(self.rules.grid)
        outage = (no_grid is not None or grid is not None) and self.outages.judge(
            off_grid=no_grid is True or grid is False, now=now
        )
        for verdict in verdicts.values():
            self._repair(verdict)
        if outage or any(verdict.appeared or verdict.gone for verdict in verdicts.values()):
            self._memory.async_keep(
                self._unit.identity.serial,
                {field: watch.active for field, watch in self._watches.items()},
                self.outages.last,
            )
        news = News(
            {field: verdict.appeared for field, verdict in verdicts.items()}, bool(outage), now
        )
        for listener in tuple(self._listeners):
            listener(news)

    def _repair(self, verdict: Verdict) -> None:
        """Raise an issue for what lasts and has a remedy, and take it back when it is gone."""
        for code in verdict.lasting:
            if code in self.rules.remedies:
                ir.async_create_issue(
                    self._hass,
                    DOMAIN,
                    self._issue_id(code),
                    is_fixable=False,
                    # What mostly goes away by itself is not broken yet.
                    severity=ir.IssueSeverity.WARNING
                    if code in self.rules.patience or code in self.rules.warnings
                    else ir.IssueSeverity.ERROR,
                    translation_key=f"fault_{code.lower()}",
                    translation_placeholders={"name": self._name},
                )
        for code in verdict.gone:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(code))

    def _withdraw_issues(self) -> None:
        """Take the issues back; one that a person ignores is not shown anyway, and stays ignored for the next time."""
        registry = ir.async_get(self._hass)
        for code in self.rules.remedies:
            issue = registry.async_get_issue(DOMAIN, self._issue_id(code))
            if issue is not None and issue.dismissed_version is None:
                registry.async_delete(DOMAIN, issue.issue_id)

    def _issue_id(self, code: str) -> str:
        """Return what the issue of a code is known by."""
        return f"{self._unit.identity.serial}_{code.lower()}"

    @property
    def _name(self) -> str:
        """Return what a person calls the inverter."""
        device = dr.async_get(self._hass).async_get(self._unit.device_id)
        return (device and (device.name_by_user or device.name)) or self._unit.identity.model


def watched_keys(rules: FaultRules | None) -> frozenset[str]:
    """Return what has to be polled for the faults, whatever entities are shown."""
    return frozenset() if rules is None else frozenset({*rules.fields, rules.grid})


async def async_forget_faults(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> None:
    """Remove what is left of the faults of an entry that is removed."""
    await FaultMemory(hass, entry).async_remove()
    serials = tuple(
        f"{identity_of(subentry.data).serial}_" for subentry in entry.subentries.values()
    )
    registry = ir.async_get(hass)
    for domain, issue_id in list(registry.issues):
        if domain == DOMAIN and issue_id.startswith(serials):
            registry.async_delete(domain, issue_id)
