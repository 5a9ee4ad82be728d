"""Setting up a plant, and changing its members."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from ..const import (
    CONF_CAPACITIES,
    CONF_CAPACITY,
    CONF_GRID_INVERTER,
    CONF_MEMBERS,
    CONF_TYPE,
    TYPE_PLANT,
    MeterRole,
)
from ..modbus.errors import DeviceError
from ..plant.members import PlantDevice, async_devices
from ..runtime.battery_capacity import CAPACITY, VOLTAGE, kilowatt_hours
from ..runtime.lookup import async_plant_of, async_running_units
from .conflicts import own_entry

STEP_GRID: Final = "plant_grid"
STEP_BATTERY: Final = "plant_battery"

# As many as the makers allow in parallel.
MAX_INVERTERS: Final = 10
MAX_KILOWATT_HOURS: Final = 1000

# The errors of a form by its fields, and what fills their texts.
type Refusal = tuple[dict[str, str], dict[str, str]]


def _among(devices: Iterable[PlantDevice], *, multiple: bool = False) -> SelectSelector:
    """A field for one of these devices, or for several; those that a person has given the same name also say the link."""
    among = list(devices)
    names = [device.name for device in among]
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(
                    value=device.serial,
                    label=device.name
                    if names.count(device.name) == 1
                    else f"{device.name}, {device.entry.title}",
                )
                for device in among
            ],
            multiple=multiple,
            mode=SelectSelectorMode.LIST,
        )
    )


def members_schema(devices: Iterable[PlantDevice]) -> vol.Schema:
    """The form of the name and the members."""
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_MEMBERS, default=list): _among(devices, multiple=True),
        }
    )


def grid_schema(inverters: Iterable[PlantDevice]) -> vol.Schema:
    """The form of the inverter that measures the grid, which may be none of them."""
    return vol.Schema({vol.Optional(CONF_GRID_INVERTER): _among(inverters)})


CAPACITY_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_CAPACITY): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=MAX_KILOWATT_HOURS,
                step=0.1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement="kWh",
            )
        )
    }
)


class PlantSteps(ConfigFlow):
    """From the members of a plant, the inverter that measures the grid and the capacities of the batteries to the entry."""

    # What was entered so far, and the inverters whose batteries were not asked for yet.
    _plant: dict[str, Any]
    _inverters: list[PlantDevice]

    async def async_step_plant(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the name and the members."""
        devices = {
            serial: device
            for serial, device in async_devices(self.hass).items()
            # The meter of a load measures a part of what is already summed.
            if device.role is not MeterRole.LOAD
        }
        if not devices:
            return self.async_abort(reason="no_machines")
        refusal: Refusal = {}, {}
        if user_input is None:
            user_input = self._members_before(devices)
        else:
            chosen = [devices[serial] for serial in user_input[CONF_MEMBERS] if serial in devices]
            refusal = self._refuse_members(chosen)
            if not any(refusal):
                self._plant = {
                    CONF_NAME: user_input[CONF_NAME],
                    CONF_MEMBERS: {device.serial: device.name for device in chosen},
                    CONF_CAPACITIES: {},
                }
                self._inverters = [device for device in chosen if device.role is None]
                if len(self._inverters) > 1 and all(
                    device.role is not MeterRole.GRID for device in chosen
                ):
                    return await self.async_step_plant_grid()
                return await self.async_step_plant_battery()
        errors, placeholders = refusal
        return self.async_show_form(
            step_id=TYPE_PLANT,
            data_schema=self.add_suggested_values_to_schema(
                members_schema(devices.values()), user_input
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_plant_grid(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which of several inverters measures the grid, as no meter does."""
        if user_input is not None:
            self._plant |= user_input
            return await self.async_step_plant_battery()
        return self.async_show_form(
            step_id=STEP_GRID,
            data_schema=self.add_suggested_values_to_schema(
                grid_schema(self._inverters), self._stored()
            ),
        )

    async def async_step_plant_battery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the capacity of each battery, one after the other."""
        if user_input is not None:
            done = self._inverters.pop(0)
            self._plant[CONF_CAPACITIES][done.serial] = user_input[CONF_CAPACITY]
        if not self._inverters:
            return self._finish_plant()
        inverter = self._inverters[0]
        before = self._stored().get(CONF_CAPACITIES, {}).get(inverter.serial)
        return self.async_show_form(
            step_id=STEP_BATTERY,
            data_schema=self.add_suggested_values_to_schema(
                CAPACITY_SCHEMA,
                {
                    CONF_CAPACITY: await self._async_ask_capacity(inverter)
                    if before is None
                    else before
                },
            ),
            description_placeholders={"inverter": inverter.name},
        )

    def _stored(self) -> Mapping[str, Any]:
        """The data of the plant that is being changed; nothing for a new one."""
        if self.source != SOURCE_RECONFIGURE:
            return {}
        return self._get_reconfigure_entry().data

    def _members_before(self, devices: Mapping[str, PlantDevice]) -> dict[str, Any]:
        """The form of the plant as it is, without members that are not set up any more."""
        if not (stored := self._stored()):
            return {}
        return {
            CONF_NAME: self._get_reconfigure_entry().title,
            CONF_MEMBERS: [serial for serial in stored[CONF_MEMBERS] if serial in devices],
        }

    def _refuse_members(self, chosen: Iterable[PlantDevice]) -> Refusal:
        """The errors of these members, and what fills their texts; empty when they make a plant."""
        own = own_entry(self)
        devices = list(chosen)
        for device in devices:
            other = async_plant_of(self.hass, device.serial, but=own)
            if other is not None:
                return (
                    {CONF_MEMBERS: "in_another_plant"},
                    {"machine": device.name, "plant": other.title},
                )
        inverters = sum(device.role is None for device in devices)
        if inverters > MAX_INVERTERS:
            return {CONF_MEMBERS: "too_many_inverters"}, {"most": str(MAX_INVERTERS)}
        if not inverters and not any(device.role is MeterRole.SOLAR for device in devices):
            return {CONF_MEMBERS: "no_source"}, {}
        return {}, {}

    async def _async_ask_capacity(self, inverter: PlantDevice) -> float | None:
        """The capacity of the battery in kWh; None if the inverter does not report it, or does not answer."""
        unit = async_running_units(self.hass).get(inverter.serial)
        if unit is None:
            return None
        served = {CAPACITY, VOLTAGE} & unit.device.family.registers.keys()
        try:
            return kilowatt_hours(await unit.device.read(served))
        except DeviceError:
            return None

    def _finish_plant(self) -> ConfigFlowResult:
        """Create the plant, or change it."""
        title = self._plant.pop(CONF_NAME)
        data = {CONF_TYPE: TYPE_PLANT, **self._plant}
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_reload_and_abort(
                self._get_reconfigure_entry(), title=title, data=data
            )
        return self.async_create_entry(
            title=title, data=data, description="plant", description_placeholders={"plant": title}
        )
