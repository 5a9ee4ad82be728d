"""Setting up a line that is only listened to: what is heard for some seconds says what can be added."""

from abc import abstractmethod
import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_DEVICE, CONF_HOST
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .changes import async_connection
from .const import (
    CONF_CT_RATIO,
    CONF_FAMILY,
    CONF_ROLE,
    CONF_TYPE,
    CONF_UNIT_ID,
    SUBENTRY_METER,
    TYPE_LISTEN,
    MeterRole,
)
from .flow_schemas import LISTEN_SCHEMAS, METER_SETTINGS, candidate_schema, whole_number
from .modbus.errors import LinkError
from .modbus.heard_family import (
    HEARD_FAMILIES,
    identity_of_heard,
    model_of_heard,
    rests_on_ct_ratio,
)
from .modbus.identify import Identity
from .modbus.listen_for import UnheardError, listen_for
from .modbus.listener import Listener
from .modbus.meter_clues import CT_RATIOS, HeardMeter, meters_of
from .modbus.probe import failure_of
from .naming import async_meter_name
from .stored import (
    heard_data,
    identity_of,
    meter_data,
    requests_of,
    source_of,
    title_of,
    unit_at,
    with_serial,
)

STEP_HEAR: Final = "hear"
STEP_HEARD: Final = "heard"
STEP_HEARD_METER: Final = "heard_meter"
LISTEN_WAYS: Final = list(LISTEN_SCHEMAS)
RATIO: Final = whole_number(CT_RATIOS.start, CT_RATIOS.stop - 1)


class ListenSteps(ConfigFlow):
    """The steps of an entry for a line that is only listened to."""

    _data: dict[str, Any]
    _meter: HeardMeter

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._hearing: asyncio.Task[str | None] | None = None
        # The form that asked where to listen, and why nothing usable was heard there.
        self._asked_by = ""
        self._unheard: str | None = None
        self._meters: tuple[HeardMeter, ...] = ()

    @callback
    @abstractmethod
    def _refuse_link(
        self, data: Mapping[str, Any], logger_serial: int | None
    ) -> ConfigFlowResult | None:
        """Abort when another entry has the link already; None when nobody has."""

    async def async_step_listen(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask through what to listen."""
        return self.async_show_menu(step_id=TYPE_LISTEN, menu_options=LISTEN_WAYS)

    async def async_step_listen_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Listen through a gateway."""
        return await self._async_step_source("listen_network", user_input)

    async def async_step_listen_serial(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Listen at a serial port."""
        return await self._async_step_source("listen_serial", user_input)

    async def _async_step_source(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask where to listen, and begin."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._data = {CONF_TYPE: TYPE_LISTEN, **user_input}
            if CONF_HOST in self._data:
                self._data[CONF_HOST] = self._data[CONF_HOST].strip().lower()
            if "://" not in self._data.get(CONF_DEVICE, ""):
                self._asked_by = step_id
                return self._refuse_link(self._data, None) or await self.async_step_hear()
            errors[CONF_DEVICE] = "port_on_network"
        elif self._unheard is not None:
            errors["base"] = self._unheard
            user_input = self._data
        elif self.source == SOURCE_RECONFIGURE:
            user_input = dict(self._get_reconfigure_entry().data)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(LISTEN_SCHEMAS[step_id], user_input),
            errors=errors,
        )

    async def async_step_hear(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Listen, and show how long it still takes."""
        if (task := self._hearing) is None:
            task = self._hearing = self.hass.async_create_background_task(
                self._async_hear(), "hybrid_inverter listens"
            )
        if not task.done():
            return self.async_show_progress(
                step_id=STEP_HEAR, progress_action=STEP_HEAR, progress_task=task
            )
        self._unheard, self._hearing = task.result(), None
        return self.async_show_progress_done(
            next_step_id=STEP_HEARD if self._unheard is None else self._asked_by
        )

    async def _async_hear(self) -> str | None:
        """Hear who is polled; return what is wrong, if anything is. A running entry is out of the way meanwhile."""
        entry = self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        paused = (
            entry is not None
            and entry.state in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY)
            and await self.hass.config_entries.async_unload(entry.entry_id)
        )
        try:
            self._meters = await listen_for(
                source_of(self._data), progress=self.async_update_progress
            )
        except LinkError as err:
            return failure_of(err)
        except UnheardError as err:
            return err.reason
        finally:
            if entry is not None and paused:
                await self.hass.config_entries.async_setup(entry.entry_id)
        return None

    async def async_step_heard(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which of the meters is meant, where there are several."""
        if self.source == SOURCE_RECONFIGURE:
            return await self._async_moved()
        if user_input is not None:
            self._meter = _meter_at(self._meters, user_input)
            return await self.async_step_heard_meter()
        if len(self._meters) == 1:
            (self._meter,) = self._meters
            return await self.async_step_heard_meter()
        return self.async_show_form(
            step_id=STEP_HEARD, data_schema=candidate_schema(_labels(self._meters))
        )

    async def async_step_heard_meter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what the meter measures, and what it has not told, and create the entry."""
        if user_input is None:
            return self.async_show_form(
                step_id=STEP_HEARD_METER,
                data_schema=_meter_schema(self._meter),
                description_placeholders=_told(self._meter),
            )
        data = _data_of(self._meter, user_input)
        # It is given a serial number when the entry is there.
        return self.async_create_entry(
            title=title_of(identity_of(data), self._data),
            data=self._data,
            subentries=[
                ConfigSubentryData(
                    data=data,
                    subentry_type=SUBENTRY_METER,
                    title=await async_meter_name(self.hass, MeterRole(user_input[CONF_ROLE])),
                    unique_id=None,
                )
            ],
            description=SUBENTRY_METER,
            description_placeholders={"model": identity_of(data).model},
        )

    async def _async_moved(self) -> ConfigFlowResult:
        """Move the entry to where one of its meters was heard."""
        entry = self._get_reconfigure_entry()
        if not any(unit_at(entry, meter.unit_id) for meter in self._meters):
            self._unheard = "other_meters_heard"
            return await self._async_step_source(self._asked_by, None)
        return self.async_update_reload_and_abort(entry, data=self._data)


class ListenMeterFlow(ConfigSubentryFlow):
    """Adds a meter that is heard beside those that are there, and changes what is known of one."""

    _meter: HeardMeter

    async def _async_meters(self) -> tuple[HeardMeter, ...] | None:
        """Return the meters that are heard and not set up yet; None while nobody listens."""
        entry = self._get_entry()
        link = await async_connection(entry)
        if not isinstance(link, Listener):
            return None
        await link.settle()
        return tuple(
            meter for meter in meters_of(link.heard) if unit_at(entry, meter.unit_id) is None
        )

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Look who else is heard."""
        meters = await self._async_meters()
        if meters is None:
            return self.async_abort(reason="not_running")
        if not meters:
            return self.async_abort(reason="nothing_else_heard")
        if len(meters) > 1:
            return self.async_show_form(
                step_id=STEP_HEARD, data_schema=candidate_schema(_labels(meters))
            )
        (self._meter,) = meters
        return await self.async_step_heard_meter()

    async def async_step_heard(self, user_input: dict[str, Any]) -> SubentryFlowResult:
        """Take the meter that was chosen."""
        if not (meters := await self._async_meters()):
            return self.async_abort(reason="not_running")
        self._meter = _meter_at(meters, user_input)
        return await self.async_step_heard_meter()

    async def async_step_heard_meter(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what the meter measures, and what it has not told, and add it."""
        if user_input is None:
            return self.async_show_form(
                step_id=STEP_HEARD_METER,
                data_schema=_meter_schema(self._meter),
                description_placeholders=_told(self._meter),
            )
        identity = with_serial(
            self._get_entry(), self._meter.unit_id, _identity(self._meter, user_input)
        )
        return self.async_create_entry(
            title=await async_meter_name(self.hass, MeterRole(user_input[CONF_ROLE])),
            data=heard_data(self._meter, identity, user_input),
            unique_id=identity.serial,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what the meter measures now."""
        return await self.async_step_heard_settings(user_input)

    async def async_step_heard_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change what a person has said of the meter."""
        subentry = self._get_reconfigure_subentry()
        identity = identity_of(subentry.data)
        schema = dict(METER_SETTINGS)
        known = {**subentry.data, CONF_CT_RATIO: identity.facts.get(CONF_CT_RATIO)}
        if rests_on_ct_ratio(identity.family, requests_of(subentry.data)):
            schema = {vol.Required(CONF_CT_RATIO): RATIO, **schema}
        if user_input is None:
            return self.async_show_form(
                step_id="heard_settings",
                data_schema=self.add_suggested_values_to_schema(vol.Schema(schema), known),
                description_placeholders={"name": subentry.title},
            )
        facts = identity_of_heard(
            identity.family, user_input.get(CONF_CT_RATIO, known[CONF_CT_RATIO])
        ).facts
        return self.async_update_and_abort(
            self._get_entry(),
            subentry,
            data_updates=meter_data(
                subentry.data[CONF_UNIT_ID], replace(identity, facts=facts), user_input
            ),
            title=await async_meter_name(
                self.hass, MeterRole(user_input[CONF_ROLE]), subentry.title
            ),
        )


def _meter_schema(meter: HeardMeter) -> vol.Schema:
    """Ask for what the meter measures, and for what nobody could hear."""
    unknown: dict[vol.Marker, Any] = {}
    if meter.family is None:
        config = SelectSelectorConfig(
            options=[
                SelectOptionDict(value=family, label=model_of_heard(family))
                for family in HEARD_FAMILIES
            ],
            mode=SelectSelectorMode.LIST,
        )
        unknown[vol.Required(CONF_FAMILY)] = SelectSelector(config)
    if meter.lacks_ct_ratio:
        unknown[vol.Required(CONF_CT_RATIO, default=1)] = RATIO
    return vol.Schema({**unknown, **METER_SETTINGS})


def _identity(meter: HeardMeter, told: Mapping[str, Any]) -> Identity:
    """Return what the meter is, of what was heard of it and what a person has told."""
    return identity_of_heard(
        meter.family or told[CONF_FAMILY], meter.ct_ratio or told.get(CONF_CT_RATIO)
    )


def _data_of(meter: HeardMeter, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a meter's subentry."""
    return heard_data(meter, _identity(meter, told), told)


def _meter_at(meters: Iterable[HeardMeter], user_input: Mapping[str, Any]) -> HeardMeter:
    """Return the meter that was chosen."""
    unit_id = int(user_input[CONF_UNIT_ID])
    return next(meter for meter in meters if meter.unit_id == unit_id)


def _labels(meters: Iterable[HeardMeter]) -> dict[str, str]:
    """Return the meters in words, by unit id; the names of models are the same in every language."""
    return {
        str(meter.unit_id): f"{meter.unit_id}: {model_of_heard(meter.family)}" for meter in meters
    }


def _told(meter: HeardMeter) -> dict[str, str]:
    """Return what was heard of a meter, for the text above the form."""
    return {
        "model": model_of_heard(meter.family),
        "unit_id": str(meter.unit_id),
        "count": str(sum(request.count for request in meter.requests)),
        "period": f"{meter.period:.1f}",
    }
