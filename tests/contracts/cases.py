"""Every driver that the behaviour suite holds to the contract."""

from __future__ import annotations

from tests.contracts.bench import Case
from tests.contracts.modbus import BusBench, ModbusTcpBench, RtuBench, RtuOverTcpBench
from tests.contracts.scanners import DoorBench, SerialBench, TcpBench

CASES = [
    Case(name="serial_scanner", make=SerialBench),
    Case(name="tcp_scanner-connect", make=TcpBench),
    Case(name="tcp_scanner-listen", make=DoorBench),
    Case(name="modbus-tcp", make=ModbusTcpBench, freezes=True),
    Case(name="modbus-rtu", make=RtuBench, freezes=True),
    Case(name="modbus-rtu-bus", make=BusBench, freezes=True),
    Case(name="modbus-rtu_over_tcp", make=RtuOverTcpBench, freezes=True),
]
