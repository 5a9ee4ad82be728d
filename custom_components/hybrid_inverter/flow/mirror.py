"""The options of the mirror: whether it is on, where it listens, and what is polled for it alone."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..const import (
    CONF_ENABLED,
    CONF_MIRROR,
    CONF_REGISTERS,
    DEFAULT_MIRROR_HOST,
    DEFAULT_MIRROR_PORT,
    DOCS_URL,
)
from ..entry.data import family_of, identity_of, unit_at
from ..entry.mirror import mirror_of
from ..modbus.device.read_plan import not_readable
from ..modbus.mirror.register_list import MAX_LISTED, UnreadableListError, parse
from ..modbus.mirror.server import CannotListenError, listen
from .schemas import whole_number

STEP_MIRROR: Final = "mirror"
ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104 - a person has to choose it
# Where a person finds more; a text must not have an address in it.
MIRROR_URL: Final = f"{DOCS_URL}/mirror.md"

SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_ENABLED, default=False): BooleanSelector(),
        # Any other address of this computer can be typed.
        vol.Required(CONF_HOST, default=DEFAULT_MIRROR_HOST): SelectSelector(
            SelectSelectorConfig(
                options=[DEFAULT_MIRROR_HOST, ALL_ADDRESSES],
                custom_value=True,
                mode=SelectSelectorMode.DROPDOWN,
            )
        ),
        vol.Required(CONF_PORT, default=DEFAULT_MIRROR_PORT): whole_number(1, 65535),
        vol.Optional(CONF_REGISTERS): TextSelector(TextSelectorConfig(multiline=True)),
    }
)


class _RefusedError(Exception):
    """An answer that cannot be taken: its field, the key of the text that says why, and what that names."""

    def __init__(self, field: str, reason: str, named: str = "") -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason
        self.named = named


class MirrorSteps(OptionsFlow):
    """The form of the mirror."""

    @property
    def _mirror(self) -> dict[str, Any]:
        """The option that other forms leave as it is."""
        options = self.config_entry.options
        return {CONF_MIRROR: options[CONF_MIRROR]} if CONF_MIRROR in options else {}

    async def async_step_mirror(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the mirror, and take only what can be served."""
        errors: dict[str, str] = {}
        named = ""
        if user_input is not None:
            try:
                self._check(user_input)
            except _RefusedError as err:
                errors[err.field], named = err.reason, err.named
            else:
                return self.async_create_entry(
                    data={**self.config_entry.options, CONF_MIRROR: user_input}
                )
        shown = self.config_entry.options.get(CONF_MIRROR) if user_input is None else user_input
        return self.async_show_form(
            step_id=STEP_MIRROR,
            data_schema=self.add_suggested_values_to_schema(SCHEMA, shown),
            errors=errors,
            description_placeholders={"mirror_url": MIRROR_URL, "named": named},
        )

    def _check(self, answers: Mapping[str, Any]) -> None:
        """Raise _RefusedError for what cannot be polled or served; the port of a mirror that is off may be taken."""
        self._check_registers(answers.get(CONF_REGISTERS, ""))
        try:
            ip_address(answers[CONF_HOST])
        except ValueError:
            raise _RefusedError(CONF_HOST, "mirror_no_address") from None
        if not answers[CONF_ENABLED]:
            return
        try:
            listen(answers[CONF_HOST], answers[CONF_PORT]).close()
        except CannotListenError as err:
            if err.reason == "in_use" and self._has_port(answers[CONF_PORT]):
                return
            field = CONF_HOST if err.reason == "address_unavailable" else CONF_PORT
            raise _RefusedError(field, f"mirror_{err.reason}") from None

    def _has_port(self, port: int) -> bool:
        """Whether the mirror of the entry has this port now; it frees it when the entry is loaded again."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return False
        before, server = mirror_of(self.config_entry), self.config_entry.runtime_data.mirror
        return before is not None and before.port == port and server.is_open

    def _check_registers(self, text: str) -> None:
        """Raise _RefusedError for a list that cannot be understood, or polled."""
        try:
            listed = parse(text)
        except UnreadableListError as err:
            raise _RefusedError(CONF_REGISTERS, "mirror_unreadable", err.part) from None
        for unit_id, addresses in listed.items():
            if (unit := unit_at(self.config_entry, unit_id)) is None:
                raise _RefusedError(CONF_REGISTERS, "mirror_no_such_unit", str(unit_id))
            family = family_of(unit.data).fitted(identity_of(unit.data).features)
            if unreadable := not_readable(family.readable, addresses):
                raise _RefusedError(CONF_REGISTERS, "mirror_not_readable", _joined(unreadable))
            if len(addresses) > MAX_LISTED:
                raise _RefusedError(CONF_REGISTERS, "mirror_too_many", str(MAX_LISTED))


def _joined(addresses: Iterable[int]) -> str:
    """The first of these addresses, as many as fit into a line."""
    shown = [str(address) for address in addresses]
    return ", ".join(shown[:5] + (["..."] if len(shown) > 5 else []))
