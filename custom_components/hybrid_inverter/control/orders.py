"""Orders and releases carried out for whoever has called: at one inverter, or at several of them or none."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.json import JsonValueType

from ..const import DOMAIN, LOGGER
from ..entry.texts import async_load_texts, async_text, error_text
from ..modbus.control.lease import Lease
from ..modbus.control.order import ControlRefusedError
from ..modbus.device.to_end import Turn
from ..modbus.errors import DeviceError
from ..runtime.runtime import UnitRuntime
from ..runtime.undo import async_undo
from ..runtime.writes import async_write, display_names
from .refusals import BATTERY_NAME, EXPORT_NAME, refusal, spoken_error
from .request import AUTO, NO_CHANGE, OrderRequest, request_of
from .targets import Controlled
from .waiting_release import SUCCESSOR

# Held while several inverters are ordered something together.
TOGETHER: Final = HassKey[Turn](f"{DOMAIN}_ordered_together")

# What an action answers about one inverter.
type Answer = dict[str, JsonValueType]


async def async_load_control_texts(hass: HomeAssistant) -> None:
    """Load the texts that messages are made of."""
    for category in ("selector", "exceptions"):
        await async_load_texts(hass, category)


async def async_order(
    one: Controlled, request: OrderRequest, context: Context | None = None
) -> Answer:
    """Carry an order out, or only work out what it takes; HomeAssistantError when nothing came of it."""
    answer: Answer = {}

    async def order() -> None:
        told, change = await one.driver.keeper.async_order(request)
        answer.update(change.response(told))

    is_for_battery = not (request.dry_run or request.is_export_limit)
    waiting = one.driver.async_keep() if is_for_battery else None
    try:
        await async_run(one, order, is_export_limit=request.is_export_limit, context=context)
    finally:
        if waiting is not None and not answer:
            # The order that was to follow is none.
            one.driver.async_release_soon(waiting)
    answer |= {"owner": request.owner, "dry_run": request.dry_run}
    if request.energy is not None:
        answer["energy"] = request.energy
    return answer


async def async_order_all(
    orders: Sequence[tuple[Controlled, OrderRequest]], context: Context | None = None
) -> list[Answer]:
    """Carry the orders of several inverters out, all of them or none; what is told of each.

    All are worked out before the first one is carried out; from then on they are carried out also when the caller is
    cancelled.
    """
    if len(orders) == 1:
        return [await async_order(*orders[0], context)]
    # Of two callers one comes first, everywhere.
    together = orders[0][0].unit.hass.data.setdefault(TOGETHER, Turn())
    answers: list[Answer] = []
    await together.acquire()
    return await together.hold_to_end(
        _async_give_together(orders, context, answers),
        first=_async_work_out(orders, context, answers),
    )


async def _async_work_out(
    orders: Sequence[tuple[Controlled, OrderRequest]],
    context: Context | None,
    answers: list[Answer],
) -> None:
    """Work out what the orders of several inverters take, and send nothing."""
    for one, request in orders:
        try:
            answers.append(await async_order(one, replace(request, dry_run=True), context))
        except HomeAssistantError as err:
            raise of_member(one, err, translation_key="control_member_refused") from err


async def _async_give_together(
    orders: Sequence[tuple[Controlled, OrderRequest]],
    context: Context | None,
    answers: list[Answer],
) -> list[Answer]:
    """Carry the orders of several inverters out that were worked out, as was answered, unless that is all that is wanted."""
    if all(request.dry_run for _, request in orders):
        return answers
    answers = []
    # What was ordered, of whom, and what was in force before and after that.
    given: list[tuple[Controlled, OrderRequest, Lease | None, Lease | None]] = []
    for one, request in orders:
        keeper, is_export_limit = one.driver.keeper, request.is_export_limit
        before = keeper.lease(is_export_limit=is_export_limit)
        try:
            answers.append(await async_order(one, request, context))
        except HomeAssistantError as err:
            for former, asked, lease_before, lease in given:
                if _is_still(former, asked, lease):
                    await _async_take_back(former, asked, lease_before)
            raise of_member(one, err, translation_key="control_member_failed") from err
        given.append((one, request, before, keeper.lease(is_export_limit=is_export_limit)))
    return answers


async def async_release(
    one: Controlled,
    *,
    is_export_limit: bool = False,
    owner: str | None = None,
    context: Context | None = None,
) -> Answer:
    """End an order now, and put back what it has changed; an owner only ends what is its own."""
    answer = NO_CHANGE.response(None)

    async def release() -> None:
        change = await one.driver.keeper.async_release(is_export_limit=is_export_limit, owner=owner)
        if change is not None:
            answer.update(change.response(None))

    await async_run(one, release, is_export_limit=is_export_limit, context=context)
    if not is_export_limit:
        one.driver.async_keep()
    return answer


async def async_release_soon(one: Controlled, owner: str) -> Answer:
    """End an order of the battery unless its owner gives another one soon; ServiceValidationError if it is not its own."""
    if not await one.driver.keeper.async_release_soon(owner):
        return NO_CHANGE.response(None)
    _release_later(one, owner)
    return {"mode": AUTO, "releases_in": SUCCESSOR}


def _release_later(one: Controlled, owner: str) -> None:
    """End a released order in a while; what cannot be ended then is left to the driver, which pauses in between."""

    async def release() -> None:
        try:
            await one.driver.keeper.async_carry_out_release(owner)
        except (DeviceError, ControlRefusedError) as err:
            LOGGER.debug("%s: the order could not be ended yet: %s", one.unit.name, err)

    one.driver.async_release_soon(release)


def _is_still(one: Controlled, request: OrderRequest, given: Lease | None) -> bool:
    """Whether the order that was given is in force, and nobody has ordered or ended anything since."""
    present = one.driver.keeper.lease(is_export_limit=request.is_export_limit)
    if present is None or given is None:
        return False
    return (present.order, present.owner) == (given.order, given.owner)


async def async_give_back(one: Controlled, before: Lease | None) -> bool:
    """Give an order again that has made room for something that failed; return whether it is in force."""
    if before is None or before.is_released or before.order.until <= dt_util.utcnow():
        return False
    try:
        await async_order(one, request_of(before))
    except HomeAssistantError as err:
        LOGGER.warning("%s: an order could not be given back: %s", one.unit.name, err)
        return False
    return True


async def _async_take_back(one: Controlled, request: OrderRequest, before: Lease | None) -> None:
    """Give back the order that was in force before one that another inverter did not take, or end that one."""
    if await async_give_back(one, before):
        return
    try:
        await async_release(one, is_export_limit=request.is_export_limit)
    except HomeAssistantError as err:
        LOGGER.warning("%s: an order could not be taken back: %s", one.unit.name, err)
        if not request.is_export_limit:
            with suppress(ServiceValidationError):
                await async_release_soon(one, request.owner)


async def async_undo_change(unit: UnitRuntime) -> None:
    """Undo what was changed a moment ago, as another inverter did not take its share."""
    try:
        await async_undo(unit)
    except HomeAssistantError as err:
        LOGGER.warning("%s: a setting could not be put back: %s", unit.name, err)


async def async_run(
    one: Controlled,
    work: Callable[[], Awaitable[None]],
    *,
    is_export_limit: bool = False,
    context: Context | None = None,
) -> None:
    """Carry out what may write, and turn what goes wrong into a message."""
    unit = one.unit
    await async_load_control_texts(unit.hass)
    name = async_text(unit.hass, EXPORT_NAME if is_export_limit else BATTERY_NAME) or DOMAIN
    try:
        await async_write(unit, name, work, context=context)
    except ControlRefusedError as err:
        raise refusal(unit, err) from err
    except HomeAssistantError as err:
        cause = err.__cause__
        if isinstance(cause, DeviceError) and cause.left:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="control_left",
                translation_placeholders={
                    "entity": name,
                    "left": display_names(unit, cause.left),
                    "error": error_text(unit.hass, cause),
                },
            ) from cause
        raise


def of_member(
    one: Controlled, err: HomeAssistantError, *, translation_key: str
) -> HomeAssistantError:
    """The error for several inverters of which one has not taken its order."""
    is_refusal = isinstance(err, ServiceValidationError)
    return (ServiceValidationError if is_refusal else HomeAssistantError)(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "member": one.name,
            "error": spoken_error(one.unit.hass, err),
        },
    )
