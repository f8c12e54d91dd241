"""A stand-in for a destination that brings masters of its own."""

from edge.config.base import Model


class Options(Model):
    pass


def pull() -> None:
    """Says that masters come from there."""
