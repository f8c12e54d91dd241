"""The driver ``modbus``: what its options may say, and how tags of a profile and of the file become one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from pydantic import Field, model_validator

from drivers.modbus.bus import KEEPALIVE_S, Bus, Device
from drivers.modbus.link import Unit
from drivers.modbus.plan import ADDRESSES, MAX_REGISTERS, Order, Point, Table, Type, width_of
from drivers.modbus.profile import merged
from drivers.modbus.wire import Wiring
from edge.config.base import Id, Model, refuse
from edge.config.units import Unit as UnitCode
from edge.contracts import Driver
from edge.model import Tag

MODBUS_PORT: Final = 502
SERIAL_SETTINGS: Final = ("baudrate", "parity", "stopbits")
BITS_PER_CHARACTER: Final = 11  # start, 8 data, parity or second stop, stop: Modbus over Serial Line V1.02 §2.5.1
SILENT_CHARACTERS: Final = 3.5  # between two frames, §2.5.1.1
SHORTEST_PAUSE_S: Final = 0.00175  # above 19200 baud, same place


class Limits(Model):
    """Closed interval in the tag's unit."""

    low: float | None = None
    high: float | None = None


class TagOptions(Model):
    """One value of the device: the table's name gives its address."""

    coil: int | None = Field(None, ge=0, le=ADDRESSES, description="address of a coil (function 1), zero-based")
    discrete: int | None = Field(None, ge=0, le=ADDRESSES, description="address of a discrete input (2), zero-based")
    input: int | None = Field(None, ge=0, le=ADDRESSES, description="address of an input register (4), zero-based")
    holding: int | None = Field(None, ge=0, le=ADDRESSES, description="address of a holding register (3), zero-based")
    type: Type | None = Field(None, description="of a register: how its bits are read; a coil or discrete is a bool")
    bit: int | None = Field(None, ge=0, le=15, description="for type bool in a register: 0 is the least significant")
    word_order: Order = Field("big", description="of a value's registers; little = low word first")
    byte_order: Order = Field("big", description="of a register's bytes; little for the few devices that swap them")
    unit: UnitCode = Field("", description="what the value is in once scaled, in any usual spelling: N, °C, %RH, bar")
    every_s: float = Field(1.0, ge=0.01, le=3600, description="how often it is read")
    scale: float = Field(1.0, description="value = raw × scale + offset")
    offset: float = 0.0
    digits: int = Field(3, ge=0, le=9, description="decimals of the value")
    deadband: float | None = Field(
        None, ge=0, description="in the unit: not told while it has moved no further, but at least every 10 s"
    )
    limits: Limits = Field(Limits(), description="what is in order, in the unit")
    invalid: tuple[int, ...] | int = Field((), description="raw values that mean 'no value', as the manual has them")

    @property
    def table(self) -> Table:
        """The one that is named."""
        return next(table for table in Table if getattr(self, table) is not None)

    @property
    def told_s(self) -> float:
        """The longest that a healthy device goes without telling it."""
        return self.every_s if self.deadband is None else max(self.every_s, KEEPALIVE_S)

    @model_validator(mode="after")
    def _complete(self) -> TagOptions:
        named = [table.value for table in Table if getattr(self, table) is not None]
        if len(named) != 1:
            raise refuse(
                f"name exactly one of coil, discrete, input, holding (got {' and '.join(named) or 'none'})",
                f"coil、discrete、input、holding 必须且只能写一个（现有 {' 和 '.join(named) or '零个'}）",
            )
        if self.table.bits:
            if self.type not in (None, "bool") or self.bit is not None:
                raise refuse(
                    f"a {named[0]} is one bit: leave out type and bit", f"{named[0]} 只有一位：请去掉 type 和 bit"
                )
        elif self.type is None:
            choice = ", ".join(get_args(Type))
            raise refuse(f"a register needs a type: one of {choice}", f"寄存器必须写 type，可选：{choice}")
        elif (self.type == "bool") != (self.bit is not None):
            raise refuse(
                "type: bool and bit belong together: write both for one bit of a register",
                "type: bool 和 bit 必须同时写，表示寄存器中的一位",
            )
        if self.scale == 0:
            raise refuse("scale: 0 would make every value the same", "scale: 0 会使所有值相同")
        return self


class Options(Model):
    """A device that speaks Modbus. With ``host`` over the network, with ``port: /dev/…`` on a serial line."""

    host: str | None = Field(None, min_length=1, description="name or address of the device or gateway")
    port: int | str | None = Field(None, description="TCP port (502 unless given), or the path of a serial port")
    transport: Literal["tcp", "rtu", "rtu_over_tcp"] | None = Field(
        None, description="tcp with host, rtu with a serial port; rtu_over_tcp for a serial-to-Ethernet box"
    )
    unit_id: int = Field(1, ge=0, le=255, description="1 to 247 on a serial line")
    baudrate: int = Field(9600, ge=300, le=1_000_000)
    parity: Literal["none", "even", "odd"] = "none"
    stopbits: Literal[1, 2] = 1
    timeout_s: float = Field(1.0, gt=0, le=60, description="how long an answer may take")
    max_gap: int = Field(
        16, ge=0, le=MAX_REGISTERS - 1, description="unused addresses read along; 0 for devices that refuse holes"
    )
    max_registers: int = Field(MAX_REGISTERS, ge=1, le=MAX_REGISTERS, description="most registers in one request")
    inter_request_ms: float | None = Field(
        None, ge=0, le=10_000, description="pause before the next request; 3.5 characters on a serial line unless given"
    )
    quiet_ms: int = Field(
        1000, ge=50, le=60_000, description="RTU: no question after a failed one for this long; the slowest late answer"
    )
    one_based: bool = Field(False, description="addresses are written as in manuals that count from 1")
    profile: str | None = Field(None, description="name of a known device: its tags and line settings are taken over")
    tags: dict[Id, TagOptions] = Field({}, description="name -> where it stands")

    @model_validator(mode="before")
    @classmethod
    def _with_profile(cls, given: Any) -> Any:
        """A profile's tags and settings stand under what the file says, before either is checked."""
        return merged(given) if isinstance(given, dict) and isinstance(given.get("profile"), str) else given

    @model_validator(mode="after")
    def _consistent(self) -> Options:
        self._check_line()
        if not self.tags:
            raise refuse("no tags: name at least one, or a profile", "没有数据点：请至少写一个 tags 条目，或写 profile")
        for name, tag in self.tags.items():
            self._check_tag(name, tag)
        return self

    @property
    def link(self) -> Literal["tcp", "rtu", "rtu_over_tcp"]:
        """The transport, inferred when it is not given."""
        return self.transport or ("tcp" if self.host else "rtu")

    def _check_line(self) -> None:
        if self.link == "rtu":
            if self.host is not None:
                raise refuse(
                    "transport: rtu is a serial line and has no host; a serial-to-Ethernet box is rtu_over_tcp",
                    "transport: rtu 是串口，没有 host；串口转以太网请用 rtu_over_tcp",
                )
            if not isinstance(self.port, str) or not self.port.startswith("/"):
                raise refuse(
                    "host is missing, or port must be the path of a serial port: /dev/…",
                    "缺少 host，或 port 应为串口路径：/dev/…",
                )
        else:
            if self.host is None:
                raise refuse(f"transport: {self.link} needs a host", f"transport: {self.link} 需要 host")
            if self.port is not None and (not isinstance(self.port, int) or not 0 < self.port < 65536):
                raise refuse("with host, port is a number from 1 to 65535", "有 host 时，port 应为 1 到 65535 的数字")
            if given := [name for name in SERIAL_SETTINGS if name in self.model_fields_set]:
                raise refuse(
                    f"{' and '.join(given)} belong to a serial port, not to host",
                    f"{'、'.join(given)} 只用于串口，不用于 host",
                )
        if self.link != "tcp" and not 1 <= self.unit_id <= 247:
            raise refuse("unit_id is 1 to 247 on RTU; 0 is a broadcast", "RTU 的 unit_id 为 1 到 247；0 是广播")

    def _check_tag(self, name: str, tag: TagOptions) -> None:
        address = self._address(tag)
        if address < 0:
            raise refuse(
                f"tags.{name}: with one_based the first address is 1", f"tags.{name}：one_based 时地址从 1 开始"
            )
        width = width_of(tag.type or "bool")
        if address + width > ADDRESSES:
            raise refuse(f"tags.{name}: runs past the last address, 65535", f"tags.{name}：超出最后一个地址 65535")
        if width > self.max_registers:
            raise refuse(
                f"tags.{name}: {width} registers do not fit into max_registers: {self.max_registers}",
                f"tags.{name}：{width} 个寄存器超过 max_registers: {self.max_registers}",
            )

    def _address(self, tag: TagOptions) -> int:
        return int(getattr(tag, tag.table)) - (1 if self.one_based else 0)

    def wiring(self) -> Wiring:
        """The line this device is on."""
        if self.link == "rtu":
            return Wiring(
                kind="rtu", path=str(self.port), baudrate=self.baudrate, parity=self.parity, stopbits=self.stopbits
            )
        return Wiring(kind=self.link, host=self.host or "", port=int(self.port or MODBUS_PORT))

    def device(self, device_id: str) -> Device:
        """What is polled, under the name the device has on this line."""
        return Device(
            device_id=device_id,
            unit=Unit(
                unit_id=self.unit_id,
                timeout_s=self.timeout_s,
                quiet_s=self.quiet_ms / 1000,
                pause_s=self._pause_s(),
            ),
            points=tuple(self._point(f"{device_id}.{name}", tag) for name, tag in self.tags.items()),
            max_gap=self.max_gap,
            max_registers=self.max_registers,
        )

    def _pause_s(self) -> float:
        if self.inter_request_ms is not None:
            return self.inter_request_ms / 1000
        if self.link == "tcp":
            return 0.0
        return max(SHORTEST_PAUSE_S, SILENT_CHARACTERS * BITS_PER_CHARACTER / self.baudrate)

    def _point(self, name: str, tag: TagOptions) -> Point:
        return Point(
            tag=Tag(
                name=name,
                unit=tag.unit,
                scale=tag.scale,
                offset=tag.offset,
                digits=tag.digits,
                low=tag.limits.low,
                high=tag.limits.high,
                every_s=tag.every_s,
            ),
            table=tag.table,
            address=self._address(tag),
            type=tag.type or "bool",
            word_order=tag.word_order,
            byte_order=tag.byte_order,
            bit=tag.bit or 0,
            invalid=frozenset((tag.invalid,) if isinstance(tag.invalid, int) else tag.invalid),
            deadband=tag.deadband,
        )


def build(device_id: str, options: Options) -> Driver:
    """The driver of one device that has its line to itself."""
    return build_bus({device_id: options})


def build_bus(devices: Mapping[str, Options]) -> Driver:
    """The driver of all devices on one line; they have the same ``port_key`` and ``wiring()``, and own unit ids."""
    first = next(iter(devices.values()))
    return Bus(first.wiring(), [options.device(device_id) for device_id, options in devices.items()])


def port_key(options: Options) -> str:
    """Devices with the same key share a line: a serial port, or a gateway's connection."""
    return options.wiring().name
