"""Listening to a line on which an inverter polls its meters: setting it up, and adding the meters that are heard."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_DEVICE, CONF_HOST
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..const import (
    CONF_CT_RATIO,
    CONF_FAMILY,
    CONF_ROLE,
    CONF_TYPE,
    CONF_UNIT_ID,
    DOCS_URL,
    SUBENTRY_METER,
    TYPE_LISTEN,
    MeterRole,
)
from ..entry.data import (
    heard_data,
    identity_of,
    meter_data,
    requests_of,
    source_of,
    title_of,
    unit_at,
    with_serial,
)
from ..entry.names import async_meter_name
from ..entry.reload import async_connection, paused
from ..modbus.errors import LinkError
from ..modbus.find.identify import Identity
from ..modbus.find.probe import failure_of
from ..modbus.listen.clues import CT_RATIOS, HeardMeter, meters_of
from ..modbus.listen.heard_family import (
    HEARD_FAMILIES,
    identity_of_heard,
    model_of_heard,
    rests_on_ct_ratio,
)
from ..modbus.listen.listener import Listener
from ..modbus.listen.session import UnheardError, listen_for
from .address import take_address
from .conflicts import own_entry, refuse_link
from .schemas import (
    LISTEN_SCHEMAS,
    METER_SETTINGS,
    choice_schema,
    whole_number,
)

STEP_HEAR: Final = "hear"
STEP_HEARD: Final = "heard"
STEP_HEARD_METER: Final = "heard_meter"
LISTEN_WAYS: Final = list(LISTEN_SCHEMAS)
# A text must not have an address in it.
WIRING_URL: Final = f"{DOCS_URL}/wiring.md#listening-to-a-meter"
RATIO: Final = whole_number(CT_RATIOS.start, CT_RATIOS.stop - 1)


class ListenSteps(ConfigFlow):
    """From a line that is only listened to, to the entry with the first meter that is heard on it."""

    _data: dict[str, Any]
    _meter: HeardMeter

    def __init__(self) -> None:
        super().__init__()
        self._hearing: asyncio.Task[str | None] | None = None
        # The step that asked where to listen, and the error if nothing usable was heard there.
        self._asked_by = ""
        self._unheard: str | None = None
        self._meters: tuple[HeardMeter, ...] = ()

    async def async_step_listen(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask through what to listen."""
        return self.async_show_menu(
            step_id=TYPE_LISTEN,
            menu_options=LISTEN_WAYS,
            description_placeholders={"wiring_url": WIRING_URL},
        )

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
            take_address(self._data)
            if self._data.get(CONF_HOST) == "":
                errors[CONF_HOST] = "no_host"
            elif "://" in self._data.get(CONF_DEVICE, ""):
                errors[CONF_DEVICE] = "port_on_network"
            else:
                self._asked_by = step_id
                return refuse_link(self, self._data) or await self.async_step_hear()
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
        """Listen, and show the progress."""
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
        """Listen for the meters that are polled; the key of an error if none was heard."""
        async with paused(self.hass, own_entry(self)):
            try:
                self._meters = await listen_for(
                    source_of(self._data), progress=self.async_update_progress
                )
            except LinkError as err:
                return failure_of(err)
            except UnheardError as err:
                return err.reason
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
            step_id=STEP_HEARD, data_schema=choice_schema(CONF_UNIT_ID, _labels(self._meters))
        )

    async def async_step_heard_meter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what the meter measures, and what could not be heard of it, and create the entry."""
        if user_input is None:
            return self.async_show_form(
                step_id=STEP_HEARD_METER,
                data_schema=_meter_schema(self._meter),
                description_placeholders=_summary(self._meter),
            )
        data = _data_of(self._meter, user_input)
        # The serial number that it is given holds the id of the entry.
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
    """Adds another meter that is heard, and changes the settings of one."""

    _meter: HeardMeter

    async def _async_meters(self) -> tuple[HeardMeter, ...] | None:
        """The meters that are heard and not set up yet; None while nobody listens."""
        entry = self._get_entry()
        link = await async_connection(entry)
        if not isinstance(link, Listener):
            return None
        await link.settle()
        return tuple(
            meter for meter in meters_of(link.heard) if unit_at(entry, meter.unit_id) is None
        )

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Look which other meters are heard."""
        meters = await self._async_meters()
        if meters is None:
            return self.async_abort(reason="not_running")
        if not meters:
            return self.async_abort(reason="nothing_else_heard")
        if len(meters) > 1:
            return self.async_show_form(
                step_id=STEP_HEARD, data_schema=choice_schema(CONF_UNIT_ID, _labels(meters))
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
        """Ask what the meter measures, and what could not be heard of it, and add it."""
        if user_input is None:
            return self.async_show_form(
                step_id=STEP_HEARD_METER,
                data_schema=_meter_schema(self._meter),
                description_placeholders=_summary(self._meter),
            )
        if unit_at(self._get_entry(), self._meter.unit_id) is not None:
            # Another dialog was faster.
            return await self.async_step_user()
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
        """Change what a person has entered about the meter."""
        subentry = self._get_reconfigure_subentry()
        identity = identity_of(subentry.data)
        schema = dict(METER_SETTINGS)
        current = {**subentry.data, CONF_CT_RATIO: identity.facts.get(CONF_CT_RATIO)}
        if rests_on_ct_ratio(identity.family, requests_of(subentry.data)):
            schema = {vol.Required(CONF_CT_RATIO): RATIO, **schema}
        if user_input is None:
            return self.async_show_form(
                step_id="heard_settings",
                data_schema=self.add_suggested_values_to_schema(vol.Schema(schema), current),
                description_placeholders={"name": subentry.title},
            )
        facts = identity_of_heard(
            identity.family, user_input.get(CONF_CT_RATIO, current[CONF_CT_RATIO])
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
    """The form of what the meter measures, and of what could not be heard."""
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


def _identity(meter: HeardMeter, entered: Mapping[str, Any]) -> Identity:
    """The identity of a meter, from what was heard of it and what a person has entered."""
    return identity_of_heard(
        meter.family or entered[CONF_FAMILY], meter.ct_ratio or entered.get(CONF_CT_RATIO)
    )


def _data_of(meter: HeardMeter, entered: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a meter's subentry."""
    return heard_data(meter, _identity(meter, entered), entered)


def _meter_at(meters: Iterable[HeardMeter], user_input: Mapping[str, Any]) -> HeardMeter:
    """The meter that was chosen."""
    unit_id = int(user_input[CONF_UNIT_ID])
    return next(meter for meter in meters if meter.unit_id == unit_id)


def _labels(meters: Iterable[HeardMeter]) -> dict[str, str]:
    """Labels of the meters by unit id; the names of models are the same in every language."""
    return {
        str(meter.unit_id): f"{meter.unit_id}: {model_of_heard(meter.family)}" for meter in meters
    }


def _summary(meter: HeardMeter) -> dict[str, str]:
    """What was heard of a meter, for the text above the form."""
    return {
        "model": model_of_heard(meter.family),
        "unit_id": str(meter.unit_id),
        "count": str(sum(request.count for request in meter.requests)),
        "period": f"{meter.period:.1f}",
    }
