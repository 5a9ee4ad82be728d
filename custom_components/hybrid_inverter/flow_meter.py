"""Adding a meter to a link that is in use, if it may be asked at all."""

from typing import Any, ClassVar, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.data_entry_flow import FlowHandler, FlowResult
import voluptuous as vol

from .const import CONF_ROLE, SUBENTRY_METER, MeterRole
from .flow_schemas import METER_SETTINGS, UNIT_ID
from .flow_units import UnitFlow
from .inverter_meters import async_told_by_inverters
from .naming import async_meter_name
from .stored import meter_data, with_serial

STEP_DIRECT: Final = "direct"
# How a meter may be wired. Only the first one may be asked: a line has one master.
WIRINGS: Final = [STEP_DIRECT, "behind_inverter", "listen_only"]


def explain_behind_inverter[ResultT: FlowResult[Any, Any]](
    flow: FlowHandler[Any, ResultT, Any],
) -> ResultT:
    """End without a meter, and say where its values are: the inverter tells them."""
    if shown := async_told_by_inverters(flow.hass):
        return flow.async_abort(
            reason="read_by_inverter",
            description_placeholders={"entities": "\n".join(f"- {line}" for line in shown)},
        )
    return flow.async_abort(reason="read_by_other")


def explain_listening[ResultT: FlowResult[Any, Any]](
    flow: FlowHandler[Any, ResultT, Any],
) -> ResultT:
    """End without a meter, and say how one is listened to."""
    return flow.async_abort(reason="listen_only")


class MeterFlow(UnitFlow):
    """A meter tells what it is, and a person what it measures."""

    kind: ClassVar[str] = SUBENTRY_METER
    settings: ClassVar[vol.Schema] = vol.Schema({**UNIT_ID, **METER_SETTINGS})

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask how the meter is wired, before anything is sent to it."""
        return self.async_show_menu(step_id="user", menu_options=WIRINGS)

    async def async_step_direct(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask whether the unit id is known."""
        return await self._async_ask_for_the_way(STEP_DIRECT)

    async def async_step_behind_inverter(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Leave the meter to the inverter."""
        return explain_behind_inverter(self)

    async def async_step_listen_only(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Send to what listens."""
        return explain_listening(self)

    @override
    async def _async_identified(self) -> SubentryFlowResult:
        """Go on with what the meter measures."""
        return await self.async_step_role()

    async def async_step_role(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what the meter measures, and which way round it is."""
        if user_input is None:
            return self.async_show_form(
                step_id=CONF_ROLE,
                data_schema=vol.Schema(METER_SETTINGS),
                description_placeholders={"model": self._identity.model},
            )
        identity = with_serial(self._get_entry(), self._unit_id, self._identity)
        return self.async_create_entry(
            title=await async_meter_name(self.hass, MeterRole(user_input[CONF_ROLE])),
            data=meter_data(self._unit_id, identity, user_input),
            unique_id=identity.serial,
        )

    @override
    async def _async_name(self, settings: dict[str, Any], name: str) -> str:
        """Return the name of the new role, unless a person has given another one."""
        return await async_meter_name(self.hass, MeterRole(settings[CONF_ROLE]), name)
