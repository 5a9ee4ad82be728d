"""Errors of the device layer as the words that fill a message."""

from typing import Final

from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.entry.texts import async_load_texts, error_text
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    ImplausibleError,
    InvalidValueError,
    LinkBusy,
    LinkError,
    LinkTimeout,
    NotAppliedError,
    NotRememberedError,
    RejectedError,
    ResidueError,
    StickError,
    WriteBudgetError,
    WrongDeviceError,
)

NOT_APPLIED: Final = NotAppliedError("work_mode", 142, "a", "b")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WrongDeviceError("string_inverter"), "a string inverter"),
        (
            WrongDeviceError("unknown_type", type="0x0777"),
            "an unknown device of type 0x0777",
        ),
        (
            LinkTimeout("no answer", unit_id=3, seconds=1.5),
            "no response from unit id 3 within 1.5 s",
        ),
        # Without what the text names, the words for the log are better than none.
        (LinkTimeout("no answer"), "no answer"),
        (
            LinkBusy("in use", endpoint="/dev/ttyUSB0"),
            "another program is using the port /dev/ttyUSB0",
        ),
        (LinkError("[Errno 113] No route to host"), "[Errno 113] No route to host"),
        (
            StickError(5, "192.0.2.20:8899"),
            "the Wi-Fi stick got no response from the inverter (error 5)",
        ),
        (
            RejectedError(4, "unit 1"),
            "the device failed while it carried out the request (Modbus exception 4)",
        ),
        (
            RejectedError(6, "unit 1"),
            (
                "the device is busy, probably with another program; stop that program or try again later"
                " (Modbus exception 6)"
            ),
        ),
        # A code of the device's own.
        (RejectedError(65, "unit 1"), "the device refused the request (Modbus exception 65)"),
        (
            WrongDeviceError("modbus_exception", code="11"),
            (
                "a device that only answers with an error: the gateway got no response from the"
                " device; check that the device is on (Modbus exception 11)"
            ),
        ),
        (ImplausibleError(1, 2), "the device reported values that cannot be true"),
        (NOT_APPLIED, "the device did not keep what was written to register 142"),
        (
            ResidueError(["b"], NOT_APPLIED),
            "the device did not keep what was written to register 142",
        ),
        (WriteBudgetError("a", 143, 20), "register 143 has been written 20 times today"),
        (
            NotRememberedError("a"),
            "what was there before could not be stored, so nothing was changed",
        ),
        (InvalidValueError("a", 1, "is odd"), "the device cannot hold one of the values"),
    ],
)
async def test_an_error_has_a_text(hass: HomeAssistant, error: DeviceError, text: str) -> None:
    """Whatever the log says of it."""
    await async_load_texts(hass, "selector")
    assert error_text(hass, error) == text
