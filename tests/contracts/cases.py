"""Every driver that the behaviour suite holds to the contract."""

from __future__ import annotations

from tests.contracts.bench import Case
from tests.contracts.scanners import DoorBench, SerialBench, TcpBench

CASES = [
    Case(name="serial_scanner", make=SerialBench),
    Case(name="tcp_scanner-connect", make=TcpBench),
    Case(name="tcp_scanner-listen", make=DoorBench),
]
