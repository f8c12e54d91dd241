"""A stand-in for a driver with tags whose devices may share a serial port."""

from typing import Literal, Self

from pydantic import Field, model_validator

from edge.config.base import Id, Model, refuse
from edge.config.procedure import Limits
from edge.config.units import Unit


class TagOptions(Model):
    holding: int | None = Field(default=None, ge=0, le=65535)
    discrete: int | None = Field(default=None, ge=0, le=65535)
    type: Literal["int16", "uint16", "float32"] = "uint16"
    unit: Unit = ""
    every_s: float = Field(default=1.0, gt=0)
    limits: Limits | None = None


class Options(Model):
    host: str | None = None
    port: str | None = None
    baudrate: int = 9600
    parity: Literal["none", "even", "odd"] = "none"
    stopbits: Literal[1, 2] = 1
    unit_id: int = Field(default=1, ge=1, le=247)
    tags: dict[Id, TagOptions] = {}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.host is None) == (self.port is None):
            raise refuse("give either host (network) or port (serial line)", "请二选一：host（网络）或 port（串口）")
        return self


def port_key(options: Options) -> str | None:
    return options.port


def build_bus() -> None:
    """Says that devices may share a port."""
