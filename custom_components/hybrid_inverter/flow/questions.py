"""What only a person knows of a device, asked alike whether it is the first of an entry or added to one."""

from typing import Any, Final

from homeassistant.data_entry_flow import FlowHandler, FlowResult
import voluptuous as vol

from ..const import CONF_MAKER, CONF_RATED_POWER
from ..entry.meters_behind_inverters import async_meters_of_inverters
from ..modbus.find.identify import Identity
from .schemas import METER_SETTINGS, maker_schema, rated_power_schema, typed_watts

STEP_UNKNOWN_TYPE: Final = "unknown_type"
STEP_DIRECT: Final = "direct"
# How a meter may be wired. Only the first one may be polled: a line has one master.
WIRINGS: Final = [STEP_DIRECT, "behind_inverter", "listen_only"]


def ask_unknown_type[ResultT: FlowResult[Any, Any]](
    flow: FlowHandler[Any, ResultT, Any], identity: Identity
) -> ResultT:
    """Ask whether an inverter is what it looks like, as its type is not known."""
    return flow.async_show_form(
        step_id=STEP_UNKNOWN_TYPE,
        description_placeholders={"model": identity.model, "serial": identity.serial},
    )


def ask_maker[ResultT: FlowResult[Any, Any]](
    flow: FlowHandler[Any, ResultT, Any], identity: Identity
) -> ResultT:
    """Ask who has made an inverter that is sold by several makers."""
    return flow.async_show_form(
        step_id=CONF_MAKER,
        data_schema=maker_schema(list(identity.makers), identity.likeliest_maker),
        description_placeholders={"serial": identity.serial},
    )


def ask_rated_power[ResultT: FlowResult[Any, Any]](
    flow: FlowHandler[Any, ResultT, Any],
    identity: Identity,
    typed: dict[str, Any] | None,
    before: float | None = None,
) -> ResultT:
    """Ask for the rated power that an inverter does not report, again if what was typed is none.

    `before` is the one in watts that it was set up with.
    """
    suggested = typed or ({} if before is None else {CONF_RATED_POWER: f"{before:.0f}"})
    low, high = identity.rated_powers
    return flow.async_show_form(
        step_id=CONF_RATED_POWER,
        data_schema=flow.add_suggested_values_to_schema(
            rated_power_schema(identity.sizes), suggested
        ),
        errors={CONF_RATED_POWER: "no_rated_power"} if typed else {},
        description_placeholders={
            "model": identity.model,
            "serial": identity.serial,
            "low": f"{low:.0f}",
            "high": f"{high:.0f}",
        },
    )


def with_typed_power(identity: Identity, typed: dict[str, Any]) -> Identity:
    """The device with the rated power that was typed; without one if it is none."""
    watts = typed_watts(typed[CONF_RATED_POWER], identity.rated_powers)
    return identity if watts is None else identity.with_rated_power(watts)


def ask_meter_settings[ResultT: FlowResult[Any, Any]](
    flow: FlowHandler[Any, ResultT, Any], step_id: str, identity: Identity
) -> ResultT:
    """Ask what a meter measures, and whether its sign is inverted."""
    return flow.async_show_form(
        step_id=step_id,
        data_schema=vol.Schema(METER_SETTINGS),
        description_placeholders={"model": identity.model},
    )


def explain_behind_inverter[ResultT: FlowResult[Any, Any]](
    flow: FlowHandler[Any, ResultT, Any],
) -> ResultT:
    """End without a meter, and say where its values are: the inverter reports them."""
    if shown := async_meters_of_inverters(flow.hass):
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
