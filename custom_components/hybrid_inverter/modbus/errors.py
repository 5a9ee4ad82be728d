"""What can go wrong between us and a machine, in terms that a caller can act on."""

from __future__ import annotations

from collections.abc import Sequence


class DeviceError(Exception):
    """Something went wrong on the way to a machine, or the machine said no."""

    # The settings that a write of several has changed, and that could not be put back.
    left: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """Return what went wrong."""
        return super().__str__()

    def __str__(self) -> str:
        """Return what went wrong, and what it leaves behind."""
        if not self.left:
            return self.what
        return f"{self.what} (changed and not put back: {', '.join(self.left)})"


class LinkError(DeviceError):
    """The link is down: it could not be opened, or it was lost."""


class LinkTimeout(LinkError):
    """The link is up, but no answer came in time."""


class LinkDesync(LinkError):
    """An answer came that does not belong to the request; nothing of it was used."""


class LinkLost(LinkError):
    """The other side closed the link while a request was on its way."""


class LinkUnresolved(LinkError):
    """There is no such host, or no such serial port."""


class LinkRefused(LinkError):
    """The host takes no connection there, or this user may not open the serial port."""


class LinkBusy(LinkError):
    """Another program uses the serial port."""


class StickError(LinkTimeout):
    """The stick answered instead of the machine: it got no answer from it that it could pass on."""

    def __init__(self, code: int, what: str) -> None:
        """Keep the stick's error code (5: nobody at this unit id answers it)."""
        super().__init__(f"{what}: error {code} of the stick")
        self.code = code


class StickSerialError(LinkError):
    """The stick takes no request for this logger serial."""

    def __init__(self, logger_serial: int, what: str) -> None:
        """Keep the serial that the stick gives as its own."""
        super().__init__(f"{what}: the stick has another logger serial")
        self.logger_serial = logger_serial


class RejectedError(DeviceError):
    """The machine, or a gateway before it, answered with a Modbus exception."""

    def __init__(self, code: int, what: str) -> None:
        """Keep the exception code (1 to 11, Modbus application protocol section 7)."""
        super().__init__(f"{what}: Modbus exception {code}")
        self.code = code

    @property
    def is_refusal(self) -> bool:
        """Whether the machine refuses these addresses (2) or this value or count (3).

        SAJ's network modules refuse addresses with 0 and 65, which the protocol does not know.
        """
        return self.code in (0, 2, 3, 65)


class ImplausibleError(DeviceError):
    """What a machine answered, twice, cannot be true; nothing of it was used."""

    def __init__(self, first: int, last: int) -> None:
        """Keep the addresses that were asked for."""
        super().__init__(f"registers {first} to {last}: values that cannot be true")


class InvalidValueError(DeviceError):
    """A value that must not be sent: outside its bounds, off its step, or of another type."""

    def __init__(self, key: str, value: object, reason: str, **details: str | float) -> None:
        """Keep what was asked for and why it is refused; details fill the message for a person."""
        super().__init__(f"{key}: {value!r} {reason}")
        self.key = key
        self.value = value
        self.reason = reason
        self.details = details


class WriteDeniedError(InvalidValueError):
    """A register that may not be written, or not in the chosen tier."""


class NotAppliedError(DeviceError):
    """The machine acknowledged a write but does not hold the value."""

    def __init__(
        self, key: str, address: int, wanted: object, held: object, *, restored: bool = False
    ) -> None:
        """Keep the register, the value that was asked for, and the value that it held instead.

        `restored` says that after a write of several registers all of them hold again what they did before.
        """
        super().__init__(
            f"register {address} ({key}) holds {held!r} after {wanted!r} was written twice"
        )
        self.key = key
        self.address = address
        self.wanted = wanted
        self.held = held
        self.restored = restored


class WriteBudgetError(DeviceError):
    """A register has been written as often as it may be in a day; the write was not sent."""

    def __init__(self, key: str, address: int, limit: int) -> None:
        """Keep the setting, its register and how many writes a day may bring."""
        super().__init__(f"register {address} ({key}) was written {limit} times today")
        self.key = key
        self.address = address
        self.limit = limit


class UndoError(DeviceError):
    """There is no change to put back, or nobody knows what was there before it."""

    def __init__(self, key: str | None = None) -> None:
        """Keep the setting whose former value is not known, if there is a change at all."""
        super().__init__(
            "there is no change to put back"
            if key is None
            else f"{key}: what it was before is not known"
        )
        self.key = key


class ResidueError(DeviceError):
    """A mode was left, and some of the settings that belong to it do not hold again what they did before."""

    def __init__(self, keys: Sequence[str], cause: DeviceError) -> None:
        """Keep the settings, and why the last of them does not."""
        super().__init__(str(cause))
        self.left = tuple(keys)
        self.cause = cause


class WrongDeviceError(DeviceError):
    """A machine answered, but it is not one that the table is made for."""

    def __init__(self, found: str) -> None:
        """Keep what was found, in words for a person."""
        super().__init__(f"another machine answers here: {found}")
        self.found = found
