"""Plain data as YAML that reads back as the same data: YAML 1.2 scalars, order kept, secrets by name only."""

from __future__ import annotations

from typing import Any, Final

import yaml

from edge.config.nodes import SECRET
from edge.config.scalars import plain
from edge.config.secrets import SecretName


def to_yaml(value: Any) -> str:
    """``value`` as YAML text."""
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)
    return text


_NUMBERS: Final = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}


class _Dumper(yaml.CSafeDumper):
    """Writes what ``edge.config.nodes`` reads; the YAML 1.1 resolver of its base would leave 0o17 and 1e3 unquoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    quoted = not isinstance(plain(value), str)
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="'" if quoted else None)


def _secret(dumper: _Dumper, value: SecretName) -> yaml.Node:
    return dumper.represent_scalar(SECRET, str(value))


def _float(dumper: _Dumper, value: float) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", _NUMBERS.get(str(value), repr(value)))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(SecretName, _secret)
_Dumper.add_representer(float, _float)
