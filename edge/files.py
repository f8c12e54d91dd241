"""Where the data that ships with Lotline stands: beside the packages in a checkout, inside ``edge`` in a wheel."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder ``config`` or ``systemd`` as shipped."""
    inside = _HERE / "_shipped" / name
    return inside if inside.is_dir() else _HERE.parent / name
