"""One file per device family: bytes in, values out; no business.

A driver is a row here and a file beside this one. The row names the module; the module begins with its option
model ``Options`` and ends with ``build(device_id, options) -> Driver``. Nothing is imported until a line uses it.
"""

from collections.abc import Mapping
from typing import Final

#: name in YAML -> module. A driver that lets several devices share a port says so with ``build_bus``.
DRIVERS: Final[Mapping[str, str]] = {
    "serial_scanner": "drivers.serial_scanner",
    "tcp_scanner": "drivers.tcp_scanner",
    "modbus": "drivers.modbus",
}
