"""An address as people type it or copy it from a browser: with a scheme, a port, a path or spaces."""

from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PORT

# The port after one of these is that of a web page, if it is named at all.
WEB: Final = ("http", "https")
MAX_PORT: Final = 65535


def take_address(data: dict[str, Any]) -> None:
    """Replace what was typed as the host in the data of an entry: there is one entry for each endpoint, however it is spelled."""
    if CONF_HOST in data:
        data[CONF_HOST], port = typed_address(data[CONF_HOST])
        data[CONF_PORT] = port or data[CONF_PORT]


def typed_address(text: str) -> tuple[str, int | None]:
    """The host, in lower case, and the port if one belongs to it; the host is empty where none was typed."""
    scheme, separator, rest = "".join(text.split()).lower().rpartition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    port = ""
    if host.startswith("["):
        # The colons of an IPv6 address are its own.
        host, _, after = host[1:].partition("]")
        port = after.removeprefix(":")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if (separator and scheme in WEB) or not port.isdecimal() or not 0 < int(port) <= MAX_PORT:
        return host, None
    return host, int(port)
