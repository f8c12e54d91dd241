"""A stand-in for a scanner driver: options only."""

from edge.config.base import Model


class Options(Model):
    port: str
    baudrate: int = 9600
    preset: str | None = None


def port_key(options: Options) -> str:
    return options.port
