"""When an order takes the place of its owner's present one that is nearly the same: every write wears the inverter's memory."""

from datetime import datetime
from typing import Final

from ..modbus.control.lease import Lease

# The part of an order that has to be over before the same order again makes it last longer.
RENEWED_AFTER: Final = 0.75
# Steps of the power that are smaller than this part of the rated one wait as long: planners reckon with noise.
SMALL_STEP: Final = 0.05


def due_at(present: Lease, wanted: Lease, rated_power: float) -> datetime | None:
    """When an order is written, in UTC; None for one that does not wait.

    A person's does not, nor does one that ends earlier, or that asks for something else. `rated_power` is in watts.
    """
    order, new = present.order, wanted.order
    if wanted.of_person or present.owner != wanted.owner:
        return None
    is_same = (order.mode, order.at, order.target_soc) == (new.mode, new.at, new.target_soc)
    if not is_same or new.until < order.until:
        return None
    step = abs((order.power or 0) - (new.power or 0))
    # What may be exported is somebody's rule, however small the step.
    if step and (wanted.is_export_limit or step >= SMALL_STEP * rated_power):
        return None
    return order.start + RENEWED_AFTER * (order.until - order.start)
