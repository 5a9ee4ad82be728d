"""The connection of an entry: what is asked for, what answers there, and whether it is what is expected."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_RECONFIGURE,
    ConfigFlowResult,
    ConfigSubentry,
)
from homeassistant.const import CONF_HOST, CONF_MAC, CONF_PORT
from homeassistant.helpers.device_registry import format_mac
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
import voluptuous as vol

from ..const import (
    CONF_FRAMING,
    CONF_LOGGER_SERIAL,
    CONF_TYPE,
    CONF_UNIT_ID,
    DEFAULT_STICK_PORT,
    DEFAULT_UNIT_ID,
    DOCS_URL,
    SECTION_ADVANCED,
    TYPE_NETWORK,
    TYPE_SERIAL,
    TYPE_STICK,
)
from ..entry.data import address_of, identity_of, same_device
from ..entry.names import async_labels
from ..entry.reload import paused
from ..entry.stick_address import async_hear
from ..modbus.find.identify import Identity
from ..modbus.find.probe import Answering, Failure, ProbeError
from ..modbus.find.probe_stick import ask_stick
from ..modbus.find.scan import candidates_at
from ..modbus.find.sticks import FoundStick, find_sticks
from .address import take_address
from .conflicts import conflicting_entry, refuse_device, refuse_link
from .first_device import FirstDeviceSteps
from .probe import FIND_OUT, FoundDevice, find_device, find_devices, found_text
from .rivals import async_users_of
from .schemas import (
    MAX_LOGGER_SERIAL,
    SCHEMAS,
    STICK_WITH_SERIAL,
    choice_schema,
    without_unit_id,
)

STEP_SEARCH: Final = "search"
STEP_UNIT: Final = "unit"
# What an existing entry can be moved to.
LINK_TYPES: Final = [TYPE_NETWORK, TYPE_SERIAL, TYPE_STICK]

# The field that a failure is about, where it is about one.
FIELDS: Final = {
    Failure.WRONG_LOGGER_SERIAL: CONF_LOGGER_SERIAL,
    Failure.NO_LOGGER_SERIAL: CONF_LOGGER_SERIAL,
}
# Where the form of a stick leads for more; a text must not have an address in it.
LINKS: Final = {
    "label_url": f"{DOCS_URL}/images/stick-label.svg",
    "wiring_url": f"{DOCS_URL}/wiring.md",
}


class LinkSteps(FirstDeviceSteps):
    """From the form of a connection to the device that answers there."""

    def __init__(self) -> None:
        super().__init__()
        # The sticks that have answered a search, by their logger serials.
        self._sticks: dict[str, FoundStick] = {}
        # The places whose other users were named, and what is offered where others answer than was asked for: the data of
        # the link, and the labels of the devices by unit id.
        self._warned: set[str | None] = set()
        self._tried_data: dict[str, Any] = {}
        self._labels: dict[str, str] = {}
        # The devices of the entry that others answer in the place of: what is expected, and what is found.
        self._replaced: list[tuple[Identity, Identity]] = []

    async def async_step_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Set up a link over the network."""
        return await self._async_step_link(TYPE_NETWORK, user_input)

    async def async_step_serial(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Set up a link over a serial port."""
        return await self._async_step_link(TYPE_SERIAL, user_input)

    async def async_step_stick(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Set up a link through a Wi-Fi stick."""
        return await self._async_step_link(TYPE_STICK, user_input)

    async def async_step_search(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Search the network for sticks, and set up the one that is chosen."""
        if user_input is not None:
            return await self.async_step_stick(_input_of(self._sticks[user_input[TYPE_STICK]]))
        sticks = {
            str(stick.logger_serial): stick
            for stick in await find_sticks()
            if conflicting_entry(self, _input_of(stick), stick.logger_serial) is None
        }
        if not sticks:
            return await self.async_step_nothing_found()
        self._sticks |= sticks
        labels = {serial: f"{stick.host} ({serial})" for serial, stick in sticks.items()}
        return self.async_show_form(
            step_id=STEP_SEARCH, data_schema=choice_schema(TYPE_STICK, labels)
        )

    async def async_step_nothing_found(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what to do when no new stick has answered."""
        return self.async_show_menu(
            step_id="nothing_found", menu_options=[STEP_SEARCH, TYPE_STICK, TYPE_NETWORK]
        )

    @override
    async def async_step_dhcp(self, discovery_info: DhcpServiceInfo) -> ConfigFlowResult:
        """Follow a stick that has been given another address, or offer a new one."""
        mac = format_mac(discovery_info.macaddress)
        entries = self._async_current_entries(include_ignore=False)
        for entry in entries:
            if entry.data.get(CONF_MAC) == mac:
                await async_hear(self.hass, entry, discovery_info.ip)
                return self.async_abort(reason="already_configured")
        # Many other things are built with the same radio.
        if (stick := await ask_stick(discovery_info.ip)) is None:
            return self.async_abort(reason="not_a_stick")
        serial = str(stick.logger_serial)
        if (owner := await self.async_set_unique_id(serial)) is not None:
            if owner.source != SOURCE_IGNORE:
                await async_hear(self.hass, owner, stick.host)
            return self.async_abort(reason="already_configured")
        if any(entry.data.get(CONF_HOST) == stick.host for entry in entries):
            return self.async_abort(reason="already_configured")
        self._sticks[serial] = stick
        self.context["title_placeholders"] = {"host": stick.host}
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether a stick that was discovered is to be set up."""
        (stick,) = self._sticks.values()
        if user_input is not None:
            return await self.async_step_stick(_input_of(stick))
        self._set_confirm_only()
        return self.async_show_form(
            step_id="confirm",
            description_placeholders={
                "host": stick.host,
                "logger_serial": str(stick.logger_serial),
            },
        )

    async def _async_step_link(
        self, link_type: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask for the settings of a link, and try them."""
        errors: dict[str, str] = {}
        placeholders = dict(LINKS) if link_type == TYPE_STICK else {}
        schema = self._schema(SCHEMAS[link_type])
        if user_input is not None:
            data, unit_id = _split(link_type, user_input)
            if data.get(CONF_HOST) == "":
                errors[CONF_HOST] = "no_host"
            elif (typed := data.get(CONF_LOGGER_SERIAL, 0)) > MAX_LOGGER_SERIAL:
                errors[CONF_LOGGER_SERIAL] = "no_logger_serial_number"
                placeholders["found"] = str(typed)
            elif others := await self._async_new_users(data):
                errors["base"] = "in_use"
                placeholders["others"] = ", ".join(others)
            else:
                try:
                    return await self._async_try(data, unit_id)
                except ProbeError as err:
                    if err.answering is not None and len(self._units) < 2:
                        return await self._async_offer(data, unit_id, err.answering)
                    errors[FIELDS.get(err.failure, "base")] = self._failure_text(err.failure)
                    placeholders |= await self._async_failure_placeholders(err, unit_id)
                    if err.failure is Failure.NO_LOGGER_SERIAL:
                        schema = self._schema(STICK_WITH_SERIAL)
            # What was understood is shown as it was understood.
            user_input = {**user_input, **_shown(data)}
        elif self.source == SOURCE_RECONFIGURE:
            user_input = self._current_input(link_type)
        return self.async_show_form(
            step_id=link_type,
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_new_users(self, data: Mapping[str, Any]) -> list[str]:
        """Others that use the connection, unless they were named already: a person may go on all the same."""
        if (place := address_of(data)) in self._warned:
            return []
        self._warned.add(place)
        return await async_users_of(self.hass, data)

    async def _async_failure_placeholders(self, err: ProbeError, unit_id: int) -> dict[str, str]:
        """What fills the text of a failure."""
        return {
            "found": await found_text(self.hass, err),
            "unit_id": self._tried(unit_id),
        }

    async def _async_offer(
        self,
        data: dict[str, Any],
        unit_id: int,
        answering: Answering,
        errors: dict[str, str] | None = None,
    ) -> ConfigFlowResult:
        """Offer what answers in place of the unit id that was asked for."""
        if data.get(CONF_FRAMING) == FIND_OUT:
            data = {**data, CONF_FRAMING: answering.endpoint.framing}
        self._tried_data = data
        candidates = await candidates_at(answering)
        self._labels = await async_labels(self.hass, candidates)
        found = ", ".join(str(answers) for answers in answering.unit_ids)
        return self._ask_unit(errors or {}, {"unit_id": str(unit_id), "found": found})

    def _ask_unit(self, errors: dict[str, str], placeholders: dict[str, str]) -> ConfigFlowResult:
        """Ask which of the devices that answer is meant."""
        return self.async_show_form(
            step_id=STEP_UNIT,
            data_schema=choice_schema(CONF_UNIT_ID, self._labels),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_unit(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Go on with the device that was chosen."""
        unit_id = int(user_input[CONF_UNIT_ID])
        try:
            return await self._async_try(dict(self._tried_data), unit_id)
        except ProbeError as err:
            if err.answering is not None:
                errors: dict[str, str] = {"base": err.failure}
                return await self._async_offer(self._tried_data, unit_id, err.answering, errors)
            placeholders = await self._async_failure_placeholders(err, unit_id)
            return self._ask_unit({"base": err.failure}, LINKS | placeholders)

    async def _async_try(self, data: dict[str, Any], unit_id: int) -> ConfigFlowResult:
        """Go on with the device that answers; ProbeError when there is none."""
        if data[CONF_TYPE] == TYPE_STICK and CONF_LOGGER_SERIAL not in data:
            await self._async_ask_serial(data)
        if refusal := refuse_link(self, data, data.get(CONF_LOGGER_SERIAL)):
            return refusal
        if self.source == SOURCE_RECONFIGURE:
            self._found = await self._async_find_again(data, self._expected(unit_id))
        else:
            self._found = await find_device(data, unit_id, self._sticks)
        return (
            # A stick may have told its serial number only now, or be found at another port.
            refuse_link(self, self._found.data, self._found.logger_serial)
            or self._refuse_device()
            or await self._async_identified()
        )

    async def _async_ask_serial(self, data: dict[str, Any]) -> None:
        """Add the logger serial of a stick, if it reports it."""
        if (stick := await ask_stick(data[CONF_HOST])) is not None:
            data[CONF_LOGGER_SERIAL] = stick.logger_serial
            self._sticks[str(stick.logger_serial)] = stick

    async def _async_find_again(
        self, data: Mapping[str, Any], expected: Mapping[int, Identity]
    ) -> FoundDevice:
        """Find the devices of an entry, by their unit ids, behind its new link."""
        async with paused(self.hass, self._get_reconfigure_entry()) as pause:
            devices = await find_devices(data, expected, self._sticks)
            self._replaced = [
                (expected[device.unit_id], device.identity)
                for device in devices
                if not same_device(expected[device.unit_id], device.identity)
            ]
            found = devices[0]
            if len(expected) > 1:
                # All of them stay as they are; it is enough to know that they answer.
                unit_id, identity = next(iter(expected.items()))
                found = replace(found, unit_id=unit_id, identity=identity)
            refused = self._replaced or conflicting_entry(self, found.data, found.logger_serial)
            # At a question a person may leave the dialog.
            if not refused and not found.identity.lacks_rated_power:
                pause.keep()
            return found

    def _refuse_device(self) -> ConfigFlowResult | None:
        """Abort when the device that answered is not the expected one, or is already set up."""
        if self.source != SOURCE_RECONFIGURE:
            return refuse_device(self, self._found.identity)
        if not self._replaced:
            return None
        (expected, found), *_ = self._replaced
        return self.async_abort(
            reason="another_machine",
            description_placeholders={"model": expected.model, "found": found.model},
        )

    @property
    def _units(self) -> list[ConfigSubentry]:
        """The units of the entry that is being moved; none while one is added."""
        if self.source != SOURCE_RECONFIGURE:
            return []
        return list(self._get_reconfigure_entry().subentries.values())

    def _expected(self, unit_id: int) -> dict[int, Identity]:
        """The devices that have to answer, by unit id; the only one of an entry may have been given another unit id."""
        units = {unit.data[CONF_UNIT_ID]: identity_of(unit.data) for unit in self._units}
        return dict.fromkeys([unit_id], *units.values()) if len(units) == 1 else units

    def _schema(self, schema: vol.Schema) -> vol.Schema:
        """The form of a link; several units keep their unit ids, so it does not ask for one."""
        return without_unit_id(schema) if len(self._units) > 1 else schema

    def _failure_text(self, failure: Failure) -> str:
        """The key of the text about a failure; with several units there is no unit id to change in the form."""
        if failure is Failure.WRONG_UNIT and len(self._units) > 1:
            return "wrong_units"
        return failure

    def _tried(self, unit_id: int) -> str:
        """The unit ids that were tried, as a list for a text."""
        return ", ".join(str(tried) for tried in self._expected(unit_id) or [unit_id])

    def _current_input(self, link_type: str) -> dict[str, Any] | None:
        """The form of the entry as it is, if its link is of this type."""
        entry = self._get_reconfigure_entry()
        if entry.data[CONF_TYPE] != link_type:
            return None
        unit_id = self._units[0].data[CONF_UNIT_ID]
        return {**entry.data, SECTION_ADVANCED: {CONF_UNIT_ID: unit_id}}


def _split(link_type: str, user_input: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The data of an entry, and the unit id, which belongs to the unit."""
    data = {CONF_TYPE: link_type, **user_input}
    unit_id: int = data.pop(SECTION_ADVANCED, {}).get(CONF_UNIT_ID, DEFAULT_UNIT_ID)
    take_address(data)
    return data, unit_id


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """The address of a link as its form shows it."""
    return {key: data[key] for key in (CONF_HOST, CONF_PORT) if data.get(key)}


def _input_of(stick: FoundStick) -> dict[str, Any]:
    """The form of a stick that has answered a search, filled in."""
    return {
        CONF_HOST: stick.host,
        CONF_PORT: DEFAULT_STICK_PORT,
        CONF_LOGGER_SERIAL: stick.logger_serial,
    }
