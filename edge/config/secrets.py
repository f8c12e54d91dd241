"""Secrets have a name in the file and a value outside of it.

``key: !secret erp-key`` in YAML is a ``SecretName``. Its value is looked up when a connection is made, in this order:
``$CREDENTIALS_DIRECTORY/erp-key`` (systemd LoadCredential=, systemd.exec(5)), ``secrets.yaml`` beside the line's file
or in the state directory, readable by its owner only, and the environment variable ``LOTLINE_SECRET_ERP_KEY``. A value
is never printed, logged or put into an exception.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from edge.errors import SecretMissing
from edge.wording import Words

FILE: Final = "secrets.yaml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Mark(Struct, frozen=True):
    """``!secret name`` on its way from the file into an option model; anything but a ``SecretName`` refuses it."""

    name: str


class SecretName(str):
    """The type of an option that is a secret: the name of it, never the value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"!secret {self!s}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls._take)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "description": "!secret and a name; the value is kept outside of this file"}

    @classmethod
    def _take(cls, value: object) -> SecretName:
        match value:
            case SecretName():
                return value
            case Mark(name) if _NAME.fullmatch(name):
                return cls(name)
            case Mark():
                raise PydanticCustomError("secret_name", "!secret takes a name")
            case _:
                raise PydanticCustomError("secret_plain", "a secret is given as !secret and a name")


def secret_from(folders: Sequence[Path], environ: Mapping[str, str] = os.environ) -> Callable[[str], str]:
    """The look-up that sinks and drivers are handed: name -> value, asked anew each time so that a rotated
    secret is seen.

    ``folders`` may hold a ``secrets.yaml``: the folder of the line's file, then the state directory. The look-up raises
    SecretMissing, also where a file with secrets can be read by others.
    """

    def value(name: str) -> str:
        if not _NAME.fullmatch(name):
            raise SecretMissing(Words("this is no name of a secret.", "这不是有效的密钥名称。"))
        variable = "LOTLINE_SECRET_" + re.sub(r"[.-]", "_", name).upper()
        if (found := _credential(environ.get("CREDENTIALS_DIRECTORY"), name)) is not None:
            return found
        for folder in folders:
            if (found := _file(folder / FILE).get(name)) is not None:
                return found
        if variable in environ:
            return environ[variable]
        places = " or ".join(str(folder / FILE) for folder in folders)
        raise SecretMissing(
            Words(f"secret '{name}' has no value.", f"密钥 '{name}' 没有值。"),
            Words(
                f"Give it as the systemd credential '{name}', as a line in {places} (chmod 600), or as {variable}.",
                f"请以同名 systemd credential 提供，或写入 {places}（chmod 600），或设置环境变量 {variable}。",
            ),
        )

    return value


def _credential(folder: str | None, name: str) -> str | None:
    if not folder:
        return None
    try:
        return _one_line((Path(folder) / name).read_bytes(), name)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise SecretMissing(
            Words(
                f"secret '{name}' cannot be read from $CREDENTIALS_DIRECTORY: {exc.strerror}.",
                f"无法从 $CREDENTIALS_DIRECTORY 读取密钥 '{name}'：{exc.strerror}。",
            )
        ) from exc


def _one_line(data: bytes, name: str) -> str:
    """The value; the one line end that editors and ``echo`` append is not part of it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretMissing(Words(f"secret '{name}' is not UTF-8 text.", f"密钥 '{name}' 不是 UTF-8 文本。")) from None
    return text.removesuffix("\n").removesuffix("\r")


def _file(path: Path) -> dict[str, str]:
    """The secrets in ``path``; none when there is no such file."""
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SecretMissing(
                    Words(
                        f"{path} can be read by others, so it is not used.", f"{path} 可被其他用户读取，因此不使用。"
                    ),
                    Words(f"Run: chmod 600 {path}", f"请执行：chmod 600 {path}"),
                )
            if about.st_uid not in (os.geteuid(), 0):
                raise SecretMissing(
                    Words(f"{path} belongs to another user, so it is not used.", f"{path} 属于其他用户，因此不使用。"),
                    Words(f"Run: chown {os.geteuid()} {path}", f"请执行：chown {os.geteuid()} {path}"),
                )
            return _pairs(file.read(), path)
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise SecretMissing(
            Words(f"{path} cannot be read: {exc.strerror}.", f"无法读取 {path}：{exc.strerror}。")
        ) from exc


def _pairs(data: bytes, path: Path) -> dict[str, str]:
    """``name: value`` lines. What is wrong with them is told without showing any."""
    wrong = SecretMissing(
        Words(f"{path} has to consist of 'name: value' lines.", f"{path} 应由 'name: value' 行组成。"),
        Words("Put a value with special characters in single quotes.", "含特殊字符的值请加单引号。"),
    )
    try:
        # the base loader resolves nothing: 0123 and yes stay as they are written
        pairs = yaml.load(data.decode("utf-8-sig"), Loader=yaml.CBaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise wrong from None
    if pairs is None:
        return {}
    if not isinstance(pairs, dict) or not all(isinstance(part, str) for pair in pairs.items() for part in pair):
        raise wrong
    return pairs
