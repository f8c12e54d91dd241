"""A stand-in for a driver that listens."""

from typing import Literal

from edge.config.base import Model


class Options(Model):
    mode: Literal["listen"] = "listen"
    port: int


def port_key(options: Options) -> str:
    return f"listen {options.port}"
