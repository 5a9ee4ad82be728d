# What is used of pyserial, which comes without types.

from typing import Final

EIGHTBITS: Final[int]

class Serial:
    is_open: bool

    def __init__(
        self,
        port: str,
        *,
        baudrate: int,
        bytesize: int,
        parity: str,
        stopbits: float,
        timeout: float,
        write_timeout: float,
        exclusive: bool,
    ) -> None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...
