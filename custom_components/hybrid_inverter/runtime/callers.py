"""Who has called: a person, an automation or a script, by the context of the call."""

from homeassistant.core import Context, HomeAssistant, State, callback

from ..entry.texts import async_text


@callback
def running_in(hass: HomeAssistant, context: Context | None) -> State | None:
    """The automation, or the script, that runs in a context, or has caused it; None if there is none."""
    running = {
        state.context.id: state
        for state in reversed(hass.states.async_all(("automation", "script")))
    }
    ids = (context.id, context.parent_id) if context else ()
    return next((running[one] for one in ids if one in running), None)


async def async_owner(hass: HomeAssistant, context: Context | None) -> str:
    """Who an order of this context belongs to: an automation or a script by its name, or else a person by theirs."""
    if (running := running_in(hass, context)) is not None:
        return running.name
    if context is not None and context.user_id:
        user = await hass.auth.async_get_user(context.user_id)
        if user is not None and user.name:
            return user.name
    return async_text(hass, "selector.caller.options.automation") or "?"
