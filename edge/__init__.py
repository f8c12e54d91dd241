"""Lotline: quality traceability on the production line's PC."""

from typing import Final

__version__: Final = "0.1.0"
