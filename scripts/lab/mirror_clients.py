"""Reads a mirror with a client that was not written for it, and prints the words that it has got, by address.

Each client runs in an environment of its own, which has nothing of ours; see mirror.py.
"""

import asyncio
from importlib import import_module
import json
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any, Final

# What a reader of meters is told to read of a JSO: runs of powers, currents, counters and the state of charge.
RUNS: Final = ((518, 2), (522, 2), (534, 2), (588, 4), (608, 30), (672, 4))


def sunsynk(port: int) -> dict[int, int]:
    """Everything that its table of three-phase inverters has, as far as the mirror serves it."""
    definitions: Any = import_module("sunsynk.definitions.three_phase_lv").SENSORS
    client: Any = import_module("sunsynk.pysunsynk").PySunsynk(port=f"tcp://127.0.0.1:{port}")

    async def read() -> None:
        for sensor in definitions.all.values():
            if sensor.address:
                client.state.track(sensor)
                try:
                    await client.read_sensors([sensor])
                except OSError:
                    # Exception 2: no entity shows it.
                    continue
        client.client.close()

    asyncio.run(read())
    return dict(client.state.registers)


def modpoll(port: int) -> dict[int, int]:
    """The runs, as a reader of meters polls them by a list."""
    rows = ["device,inverter,1,,"]
    for first, count in RUNS:
        rows.append(f"poll,holding_register,{first},{count},BE_BE")
        rows += [f"ref,{one},{one},uint16,r" for one in range(first, first + count)]
    with tempfile.TemporaryDirectory() as folder:
        config, export = Path(folder, "inverter.csv"), Path(folder, "export.json")
        config.write_text("\n".join(rows), encoding="utf-8")
        subprocess.run(  # noqa: S603 - its own arguments
            [
                *(Path(sys.executable).with_name("modpoll"), "--once", "--read-only"),
                *("--tcp", "127.0.0.1", "--tcp-port", str(port)),
                *("--config", config, "--export", export),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return dict(json.loads(export.read_text(encoding="utf-8"))["inverter"])


def py_modbus_tcp(port: int) -> dict[int, int]:
    """The runs, each in one read."""
    client: Any = import_module("pyModbusTCP.client").ModbusClient(host="127.0.0.1", port=port)
    words: dict[int, int] = {}
    for first, count in RUNS:
        words.update(enumerate(client.read_holding_registers(first, count), first))
    client.close()
    return words


READERS: Final = {"sunsynk": sunsynk, "modpoll2mqtt": modpoll, "pyModbusTCP": py_modbus_tcp}

if __name__ == "__main__":
    print(json.dumps(READERS[sys.argv[1]](int(sys.argv[2]))))
