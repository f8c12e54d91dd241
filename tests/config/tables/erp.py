"""A stand-in for a destination with a secret."""

from typing import Literal

from edge.config.base import Model
from edge.config.secrets import SecretName


class Options(Model):
    url: str
    database: str = "prod"
    key: SecretName | None = None
    compress: Literal["zstd", "gzip", "none"] = "zstd"
    wait_s: float = 5.0
    verify: bool = True
