"""What can go wrong between us and a device, in terms that a caller can act on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class LinkErrorCode(StrEnum):
    """What is wrong with a link: the key of a text for people, with what it may name beside the endpoint."""

    # Anything else; `reason` is what the operating system says.
    FAILED = "failed"
    # Opening it.
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECTION_REFUSED = "connection_refused"
    UNREACHABLE = "unreachable"
    UNKNOWN_HOST = "unknown_host"
    NO_SUCH_PORT = "no_such_port"
    NO_DEVICE_AT_PORT = "no_device_at_port"
    PORT_NOT_PERMITTED = "port_not_permitted"
    PORT_IN_USE = "port_in_use"
    NOT_A_LOCAL_PORT = "not_a_local_port"
    NOT_A_SERIAL_PORT = "not_a_serial_port"
    # `baudrate`
    UNSUPPORTED_BAUDRATE = "unsupported_baudrate"
    # `version`
    UNSUPPORTED_PYMODBUS = "unsupported_pymodbus"
    # Using it.
    CLOSED = "closed"
    LOST = "lost"
    # It was closed by the other side before anything was answered.
    HUNG_UP = "hung_up"
    # The answer is that of a web server.
    WEB_PAGE = "web_page"
    # `unit_id`, `seconds`
    NO_ANSWER = "no_answer"
    # `unit_id`
    UNIT_SILENT = "unit_silent"
    UNEXPECTED_ANSWER = "unexpected_answer"
    # `stick_code`
    STICK_ERROR = "stick_error"
    WRONG_LOGGER_SERIAL = "wrong_logger_serial"
    # Listening to it.
    # `unit_id`
    NOT_HEARD = "not_heard"
    LISTEN_ONLY = "listen_only"


class DeviceError(Exception):
    """Something went wrong on the way to a device, or the device refused."""

    # The settings that a write of several has changed, and that could not be put back.
    left: tuple[str, ...] = ()
    # Whether the request that it has ended went out.
    sent = False
    # Whether a write was sent of which nobody knows what the device has made of it.
    unconfirmed = False

    @property
    def is_silence(self) -> bool:
        """Whether a request was sent, and nobody answered it."""
        return False

    @property
    def may_concern_some(self) -> bool:
        """Whether it may be for what was asked, although the device answers everything else."""
        return self.is_silence

    @property
    def what(self) -> str:
        """What went wrong."""
        return super().__str__()

    @property
    def is_undecided(self) -> bool:
        """Whether the device may have carried out the request all the same."""
        return False

    def __str__(self) -> str:
        """What went wrong, and what it leaves behind."""
        if not self.left:
            return self.what
        return f"{self.what} (changed and not put back: {', '.join(self.left)})"


class LinkError(DeviceError):
    """The link is down: it could not be opened, or it was lost."""

    code = LinkErrorCode.FAILED

    def __init__(
        self,
        reason: str,
        code: LinkErrorCode | None = None,
        *,
        endpoint: object = None,
        **details: str | float,
    ) -> None:
        """`reason` is English, for the log; texts for people have the code, the endpoint and what else they may name."""
        super().__init__(reason if endpoint is None else f"{endpoint}: {reason}")
        if code is not None:
            self.code = code
        self.reason = reason
        self.endpoint = endpoint
        self.details = details

    @property
    def is_undecided(self) -> bool:
        """Whether the device may have carried out the request, and nobody got its answer."""
        return self.sent

    @property
    def placeholders(self) -> dict[str, str]:
        """What the text of its code may name."""
        details = {key: str(value) for key, value in self.details.items()}
        endpoint = "" if self.endpoint is None else str(self.endpoint)
        return {"reason": self.reason, "endpoint": endpoint, **details}


class LinkTimeout(LinkError):
    """The link is up, but no answer came in time."""

    code = LinkErrorCode.NO_ANSWER

    @property
    def is_silence(self) -> bool:
        """Whether it was sent; a unit that has just fallen silent is not asked, nor a host that does not answer."""
        return self.code in (LinkErrorCode.NO_ANSWER, LinkErrorCode.STICK_ERROR)


class SilenceError(LinkError):
    """A unit is only listened to, and nobody polls it any more."""

    code = LinkErrorCode.NOT_HEARD


class LinkDesync(LinkError):
    """An answer came that does not belong to the request; nothing of it was used."""

    code = LinkErrorCode.UNEXPECTED_ANSWER


class LinkLost(LinkError):
    """The other side closed the link while a request was in flight."""

    code = LinkErrorCode.LOST


class LinkReopened(LinkError):
    """The connection that a request was meant for is not open any more; it was not sent."""

    code = LinkErrorCode.LOST


class LinkUnresolved(LinkError):
    """There is no such host, or no such serial port."""

    code = LinkErrorCode.UNKNOWN_HOST


class LinkRefused(LinkError):
    """The host takes no connection there, or this user may not open the serial port."""

    code = LinkErrorCode.CONNECTION_REFUSED


class LinkBusy(LinkError):
    """Another program uses the serial port."""

    code = LinkErrorCode.PORT_IN_USE


class StickError(LinkTimeout):
    """The stick answered instead of the device: it got no answer from it that it could pass on."""

    code = LinkErrorCode.STICK_ERROR

    def __init__(self, stick_code: int, endpoint: object) -> None:
        """`stick_code` is the stick's own (5: no device with this unit id answers it)."""
        super().__init__(
            f"error {stick_code} of the stick", endpoint=endpoint, stick_code=stick_code
        )
        self.stick_code = stick_code


class StickSerialError(LinkError):
    """The stick takes no request for this logger serial."""

    code = LinkErrorCode.WRONG_LOGGER_SERIAL

    def __init__(self, logger_serial: int, endpoint: object) -> None:
        """`logger_serial` is the one that the stick reports; it is for a dialog, and for no log."""
        super().__init__("the stick has another logger serial", endpoint=endpoint)
        self.logger_serial = logger_serial


class RejectedError(DeviceError):
    """The device, or a gateway before it, answered with a Modbus exception."""

    # Seconds for which a refused register is not read again, from whoever knows that.
    rest: float | None = None
    # The setting that was refused, and its register; None of a read.
    key: str | None = None
    address: int | None = None

    def __init__(self, code: int, what: str) -> None:
        """`code` is that of the exception (1 to 11, Modbus application protocol section 7)."""
        super().__init__(f"{what}: Modbus exception {code}")
        self.code = code

    @property
    def is_refusal(self) -> bool:
        """Whether the device refuses these addresses (2) or this value or count (3).

        SAJ's network modules refuse addresses with 0 and 65, which the protocol does not know.
        """
        return self.code in (0, 2, 3, 65)

    @property
    def is_busy(self) -> bool:
        """Whether the device has no time now (5: acknowledge, 6: busy), as while another program reads it."""
        return self.code in (5, 6)

    @property
    def is_silence(self) -> bool:
        """Whether a gateway says that nobody answers it (10: no way there, 11: no answer)."""
        return self.code in (10, 11)

    @property
    def may_concern_some(self) -> bool:
        """Whether nobody answers, or the device fails where it was asked to look (4)."""
        return self.is_silence or self.code == 4

    @property
    def is_undecided(self) -> bool:
        """Whether the device takes longer to carry it out (5), or may have done so for a gateway that got no answer."""
        return self.sent and (self.code == 5 or self.is_silence)


class NotHeardError(RejectedError):
    """A meter is only listened to, and nobody asks it for these registers."""

    def __init__(self, what: str, *, rest: float = 30) -> None:
        """Stand for the meter that refuses these addresses.

        To look again costs nothing, and the inverter may ask for more when it has more to do.
        """
        super().__init__(2, what)
        self.rest = rest


class ImplausibleError(DeviceError):
    """What a device answered, twice, cannot be true; nothing of it was used."""

    def __init__(self, first: int, last: int) -> None:
        """`first` and `last` are the addresses that were read."""
        super().__init__(f"registers {first} to {last}: values that cannot be true")


class InvalidValueError(DeviceError):
    """A value that must not be sent: outside its bounds, off its step, or of another type."""

    def __init__(self, key: str, value: object, reason: str, **details: str | float) -> None:
        """`reason` says why it is refused; details fill the message for a person."""
        super().__init__(f"{key}: {value!r} {reason}")
        self.key = key
        self.value = value
        self.reason = reason
        self.details = details


class WriteDeniedError(InvalidValueError):
    """A register that may not be written, or not in the chosen tier."""


class NotAppliedError(DeviceError):
    """The device was written to, and does not hold the value."""

    def __init__(
        self,
        key: str,
        address: int,
        wanted: object,
        held: object,
        *,
        acknowledged: bool = True,
        changed: bool = False,
        restored: bool = False,
    ) -> None:
        """`held` is what the register held instead of the wanted value; `changed`: nor is it what was there before.

        `acknowledged` says whether the device has answered any of the writes, as it does answer reads; `restored` that
        after a write of several registers all of them hold again what they did before.
        """
        super().__init__(
            f"register {address} ({key}) holds {held!r} after {wanted!r} was written twice"
            + ("" if acknowledged else ", without an answer")
        )
        self.key = key
        self.address = address
        self.wanted = wanted
        self.held = held
        self.acknowledged = acknowledged
        self.changed = changed
        self.restored = restored


class WriteBudgetError(DeviceError):
    """A register has been written as often as it may be in a day; the write was not sent."""

    def __init__(self, key: str, address: int, limit: int) -> None:
        """`limit` is how many writes a day may bring."""
        super().__init__(f"register {address} ({key}) was written {limit} times today")
        self.key = key
        self.address = address
        self.limit = limit


class UndoError(DeviceError):
    """There is no change to put back, or nobody knows what was there before it."""

    def __init__(self, key: str | None = None) -> None:
        """`key` is the setting whose earlier value is not known; None when there is no change at all."""
        super().__init__(
            "there is no change to put back"
            if key is None
            else f"{key}: what it was before is not known"
        )
        self.key = key


class ChangedElsewhereError(UndoError):
    """A setting that was to be put back holds something else than what was written: somebody has changed it since."""

    key: str

    def __init__(self, key: str, written: object, held: object) -> None:
        """`held` is what it holds now."""
        DeviceError.__init__(self, f"{key} holds {held!r}, not {written!r} as it was written")
        self.key = key
        self.written = written
        self.held = held


class ChangedMeanwhileError(RejectedError):
    """What a write was worked out from is not so any more: nothing was sent, and it may go well when it is worked out again."""

    def __init__(self) -> None:
        """The device counts as busy."""
        super().__init__(6, "the settings were changed meanwhile")


class NotRememberedError(DeviceError):
    """What a setting of a mode holds could not be stored, so it was not changed: it could not be put back."""

    def __init__(self, key: str) -> None:
        """`key` is the setting."""
        super().__init__(f"{key}: what it was before could not be stored, so it was not changed")
        self.key = key


class ResidueError(DeviceError):
    """A mode was left, and some of the settings that belong to it do not hold again what they did before."""

    def __init__(self, keys: Sequence[str], cause: DeviceError) -> None:
        """`cause` is why the last of them does not."""
        super().__init__(str(cause))
        self.left = tuple(keys)
        self.cause = cause


class WrongDeviceError(DeviceError):
    """A device answers that the table is not made for."""

    def __init__(self, found: str, **details: str) -> None:
        """Keep the code of the device that was found, and what fills the placeholders of the code's text."""
        more = "".join(f", {name} {value}" for name, value in details.items())
        super().__init__(f"another device answers here: {found}{more}")
        self.found = found
        self.details = details
