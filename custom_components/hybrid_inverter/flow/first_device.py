"""The first device of an entry: what only a person knows of it, and the entry that is created or moved with it."""

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
)
from homeassistant.core import callback

from ..const import (
    CONF_MAKER,
    CONF_RATED_POWER,
    CONF_ROLE,
    SUBENTRY_INVERTER,
    SUBENTRY_METER,
    MeterRole,
)
from ..entry.data import (
    first_unit,
    meter_data,
    title_of,
    unit_data,
)
from ..entry.names import async_inverter_name, async_meter_name
from ..modbus.model.family import Model
from .probe import FoundDevice
from .questions import (
    STEP_DIRECT,
    WIRINGS,
    ask_maker,
    ask_meter_settings,
    ask_rated_power,
    ask_unknown_type,
    explain_behind_inverter,
    explain_listening,
    with_typed_power,
)


class FirstDeviceSteps(ConfigFlow):
    """From a device that answered to the entry."""

    _found: FoundDevice

    async def _async_identified(self) -> ConfigFlowResult:
        """Ask what only a person knows of the device."""
        if self.source != SOURCE_RECONFIGURE:
            if self._found.identity.kind == SUBENTRY_METER:
                return await self.async_step_wiring()
            if self._found.identity.is_doubtful:
                return ask_unknown_type(self, self._found.identity)
        return await self.async_step_rated_power()

    async def async_step_unknown_type(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with a device of an unknown type."""
        return await self.async_step_rated_power()

    async def async_step_rated_power(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the rated power if the device does not report it."""
        identity = self._found.identity
        if user_input is not None:
            identity = with_typed_power(identity, user_input)
            self._found = replace(self._found, identity=identity)
        if identity.lacks_rated_power:
            before = self._previous_facts().get(CONF_RATED_POWER)
            return ask_rated_power(self, identity, user_input, before)
        if self.source == SOURCE_RECONFIGURE:
            return self._async_move()
        return await self.async_step_maker()

    async def async_step_maker(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask who has made the device if several may have, and finish."""
        identity = self._found.identity
        if user_input is not None:
            identity = identity.with_maker(user_input[CONF_MAKER])
            self._found = replace(self._found, identity=identity)
        if identity.makers:
            return ask_maker(self, identity)
        return await self._async_finish()

    def _previous_facts(self) -> dict[str, Any]:
        """What the device was set up with, its rated power among it."""
        if self.source != SOURCE_RECONFIGURE:
            return {}
        _, identity = first_unit(self._get_reconfigure_entry())
        return dict(identity.facts)

    async def async_step_wiring(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how a meter that answered is wired: an inverter may poll it, too."""
        return self.async_show_menu(
            step_id="wiring",
            menu_options=WIRINGS,
            description_placeholders={"model": self._found.identity.model},
        )

    async def async_step_behind_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Leave the meter to the inverter."""
        return explain_behind_inverter(self)

    async def async_step_listen_only(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Refer to the entry that listens."""
        return explain_listening(self)

    async def async_step_direct(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what the meter measures, and create the entry."""
        data, identity = self._found.data, self._found.identity
        if user_input is None:
            return ask_meter_settings(self, STEP_DIRECT, identity)
        return await self._async_create(
            title_of(identity, data),
            ConfigSubentryData(
                data=meter_data(self._found.unit_id, identity, user_input),
                subentry_type=SUBENTRY_METER,
                title=await async_meter_name(self.hass, MeterRole(user_input[CONF_ROLE])),
                # The serial number that it is given holds the id of the entry.
                unique_id=None,
            ),
        )

    async def _async_finish(self) -> ConfigFlowResult:
        """Create the entry with its first unit."""
        data, identity = self._found.data, self._found.identity
        return await self._async_create(
            title_of(identity, data),
            ConfigSubentryData(
                data=unit_data(self._found.unit_id, identity),
                subentry_type=SUBENTRY_INVERTER,
                title=async_inverter_name(self.hass, identity),
                unique_id=identity.serial,
            ),
        )

    async def _async_create(self, title: str, unit: ConfigSubentryData) -> ConfigFlowResult:
        """Create the entry with its first unit."""
        identity = self._found.identity
        await self.async_set_unique_id(self._found.unique_id, raise_on_progress=False)
        return self.async_create_entry(
            title=title,
            data=self._found.data,
            subentries=[unit],
            description=None if identity.serial else SUBENTRY_METER,
            description_placeholders={"model": identity.model, "serial": identity.serial},
        )

    @callback
    def _async_move(self) -> ConfigFlowResult:
        """Move the entry to its new link."""
        entry = self._get_reconfigure_entry()
        data, identity = self._found.data, self._found.identity
        subentry_id, before = first_unit(entry)
        if identity.makers:
            # Who has made it was asked when it was added.
            identity = identity.named(Model(manufacturer=before.manufacturer, name=before.model))
        # A meter keeps the serial number that it was given, and a device what is silent now, as it may be a fault.
        features = tuple(sorted({*before.features, *identity.features}))
        known = replace(identity, serial=before.serial, features=features)
        self.hass.config_entries.async_update_subentry(
            entry,
            entry.subentries[subentry_id],
            data={
                **entry.subentries[subentry_id].data,
                **unit_data(self._found.unit_id, known),
            },
        )
        # A name that a person gave stays.
        title = entry.title
        if title == title_of(before, entry.data):
            title = title_of(identity, data)
        return self.async_update_reload_and_abort(
            entry, unique_id=self._found.unique_id, data=data, title=title
        )
