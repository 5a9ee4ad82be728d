"""Who has called: a person, an automation or a script, or a program, by the context of the call and the token it came with."""

from typing import Final

from homeassistant.auth.models import TOKEN_TYPE_NORMAL, RefreshToken, User
from homeassistant.components.websocket_api.connection import current_connection
from homeassistant.core import Context, HomeAssistant, State, callback
from homeassistant.helpers.http import KEY_HASS, current_request

from ..entry.texts import async_text
from ..modbus.device.wear import Origin

# What a request keeps of whoever has signed in.
USER: Final = "hass_user"
REFRESH_TOKEN_ID: Final = "hass_refresh_token_id"  # noqa: S105 - no secret


@callback
def origin_of(context: Context | None) -> Origin:
    """Who has called: a person, or an automation, which has no user, or a program, which has a user's token."""
    is_person = context is not None and context.user_id and not _is_program(context)
    return Origin.PERSON if is_person else Origin.AUTOMATION


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
    """Who an order of this context belongs to: an automation, a script or a program by its name, or else a person by theirs."""
    if (running := running_in(hass, context)) is not None:
        return running.name
    if context is not None and context.user_id:
        if name := _program_name(context):
            return name
        user = await hass.auth.async_get_user(context.user_id)
        if user is not None and user.name:
            return user.name
    return async_text(hass, "selector.caller.options.automation") or "?"


@callback
def caller_name(hass: HomeAssistant, context: Context | None) -> str:
    """The name and the entity id of the automation, or the script, that runs in a context, or has caused it.

    Or the name of the token that a program has called with.
    """
    if (running := running_in(hass, context)) is not None:
        return f"{running.name} ({running.entity_id})"
    if context is not None and (name := _program_name(context)):
        return name
    return async_text(hass, "selector.caller.options.unknown") or "?"


# ---------------------------------------------------------------------- programs


def _is_program(context: Context) -> bool:
    """Whether the user of a call is none who sits at a page or an app: it came with a long-lived token, or is an add-on's."""
    user, token = _signed_in(context)
    return (user is not None and user.system_generated) or (
        token is not None and token.token_type != TOKEN_TYPE_NORMAL
    )


def _program_name(context: Context) -> str | None:
    """What somebody has called the token of a program; None of a person, and of a program without one."""
    _, token = _signed_in(context)
    return token.client_name if token is not None and _is_program(context) else None


def _signed_in(context: Context) -> tuple[User | None, RefreshToken | None]:
    """The user who has signed in for a call, and the token; None for a call that comes from elsewhere.

    A call runs in the task of its request, or of its connection, and what follows from it may be somebody else's.
    """
    user: User | None
    if (connection := current_connection.get()) is not None:
        auth, user, token_id = connection.hass.auth, connection.user, connection.refresh_token_id
    elif (request := current_request.get()) is not None:
        auth = request.app[KEY_HASS].auth
        user, token_id = request.get(USER), request.get(REFRESH_TOKEN_ID)
    else:
        return None, None
    if user is None or user.id != context.user_id:
        return None, None
    return user, None if token_id is None else auth.async_get_refresh_token(token_id)
