"""Setting up a plant, and changing its members."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import callback
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

from .const import (
    CONF_CAPACITIES,
    CONF_CAPACITY,
    CONF_GRID_INVERTER,
    CONF_MEMBERS,
    CONF_TYPE,
    TYPE_PLANT,
    MeterRole,
)
from .modbus.errors import DeviceError
from .modbus.storage import CAPACITY, VOLTAGE, kilowatt_hours
from .plant_members import (
    Machine,
    async_machines,
    async_plant_of,
    async_running_units,
    is_plant,
)

STEP_GRID: Final = "plant_grid"
STEP_BATTERY: Final = "plant_battery"

# As many as the makers let work side by side.
MOST_INVERTERS: Final = 10
MOST_KILOWATT_HOURS: Final = 1000

# The errors of a form by its fields, and what is said in them.
type Refusal = tuple[dict[str, str], dict[str, str]]


def _among(machines: Iterable[Machine], *, multiple: bool = False) -> SelectSelector:
    """Ask for one of these machines, or for several."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(
                    value=machine.serial, label=f"{machine.name} ({machine.entry.title})"
                )
                for machine in machines
            ],
            multiple=multiple,
            mode=SelectSelectorMode.LIST,
        )
    )


def members_schema(machines: Iterable[Machine]) -> vol.Schema:
    """Ask what the plant is called, and which machines are its members."""
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_MEMBERS, default=list): _among(machines, multiple=True),
        }
    )


def grid_schema(inverters: Iterable[Machine]) -> vol.Schema:
    """Ask which inverter sees the grid; none of them may."""
    return vol.Schema({vol.Optional(CONF_GRID_INVERTER): _among(inverters)})


CAPACITY_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_CAPACITY): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=MOST_KILOWATT_HOURS,
                step=0.1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement="kWh",
            )
        )
    }
)


class PlantFlow(ConfigFlow):
    """The steps of a plant: its members, who sees the grid, how large each battery is."""

    # What was told so far, and the inverters whose batteries were not asked for yet.
    _plant: dict[str, Any]
    _inverters: list[Machine]

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Whether an entry has options; a plant has nothing but members."""
        return not is_plant(config_entry)

    async def async_step_plant(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the name and the members."""
        machines = {
            serial: machine
            for serial, machine in async_machines(self.hass).items()
            # What is a part of the load adds nothing to it.
            if machine.role is not MeterRole.LOAD
        }
        if not machines:
            return self.async_abort(reason="no_machines")
        refusal: Refusal = {}, {}
        if user_input is None:
            user_input = self._members_before(machines)
        else:
            chosen = [machines[serial] for serial in user_input[CONF_MEMBERS] if serial in machines]
            refusal = self._refuse_members(chosen)
            if not any(refusal):
                self._plant = {
                    CONF_NAME: user_input[CONF_NAME],
                    CONF_MEMBERS: {machine.serial: machine.name for machine in chosen},
                    CONF_CAPACITIES: {},
                }
                self._inverters = [machine for machine in chosen if machine.role is None]
                if len(self._inverters) > 1 and all(
                    machine.role is not MeterRole.GRID for machine in chosen
                ):
                    return await self.async_step_plant_grid()
                return await self.async_step_plant_battery()
        errors, placeholders = refusal
        return self.async_show_form(
            step_id=TYPE_PLANT,
            data_schema=self.add_suggested_values_to_schema(
                members_schema(machines.values()), user_input
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_plant_grid(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which of several inverters sees the grid, as no meter does."""
        if user_input is not None:
            self._plant |= user_input
            return await self.async_step_plant_battery()
        return self.async_show_form(
            step_id=STEP_GRID,
            data_schema=self.add_suggested_values_to_schema(
                grid_schema(self._inverters), self._kept()
            ),
        )

    async def async_step_plant_battery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how much the battery of each inverter holds, one after the other."""
        if user_input is not None:
            done = self._inverters.pop(0)
            self._plant[CONF_CAPACITIES][done.serial] = user_input[CONF_CAPACITY]
        if not self._inverters:
            return self._finish_plant()
        inverter = self._inverters[0]
        known = self._kept().get(CONF_CAPACITIES, {}).get(inverter.serial)
        return self.async_show_form(
            step_id=STEP_BATTERY,
            data_schema=self.add_suggested_values_to_schema(
                CAPACITY_SCHEMA,
                {
                    CONF_CAPACITY: await self._async_ask_capacity(inverter)
                    if known is None
                    else known
                },
            ),
            description_placeholders={"inverter": inverter.name},
        )

    def _kept(self) -> Mapping[str, Any]:
        """Return what the plant keeps that is being changed; nothing of a new one."""
        if self.source != SOURCE_RECONFIGURE:
            return {}
        return self._get_reconfigure_entry().data

    def _members_before(self, machines: Mapping[str, Machine]) -> dict[str, Any]:
        """Return the form of a plant as it is, without what is not set up any more."""
        if not (kept := self._kept()):
            return {}
        return {
            CONF_NAME: self._get_reconfigure_entry().title,
            CONF_MEMBERS: [serial for serial in kept[CONF_MEMBERS] if serial in machines],
        }

    def _refuse_members(self, chosen: Iterable[Machine]) -> Refusal:
        """Return what is wrong with these members, and what has to be said of it; nothing when they make a plant."""
        own = self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        machines = list(chosen)
        for machine in machines:
            other = async_plant_of(self.hass, machine.serial, but=own)
            if other is not None:
                return (
                    {CONF_MEMBERS: "in_another_plant"},
                    {"machine": machine.name, "plant": other.title},
                )
        inverters = sum(machine.role is None for machine in machines)
        if inverters > MOST_INVERTERS:
            return {CONF_MEMBERS: "too_many_inverters"}, {"most": str(MOST_INVERTERS)}
        if not inverters and not any(machine.role is MeterRole.SOLAR for machine in machines):
            return {CONF_MEMBERS: "no_source"}, {}
        return {}, {}

    async def _async_ask_capacity(self, inverter: Machine) -> float | None:
        """Return what the inverter tells of its battery; None when it does not tell, or does not answer."""
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
