"""What every model of the file shares: unknown keys are refused, values are frozen, texts may have two languages."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """Base of every model that a technician's file fills."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=False, validate_default=False, allow_inf_nan=False
    )


def refuse(en: str, zh: str) -> PydanticCustomError:
    """What a validator raises so that its sentence is printed in both languages.

    It says what is wrong and what to write instead; the place, and what was written, are added when it is printed.
    """
    return PydanticCustomError("said", "{en}", {"en": en, "zh": zh})


class Words(Model):
    """One text in both languages of the line."""

    en: str = Field(min_length=1, description="English")
    zh: str = Field(min_length=1, description="Chinese 中文")


def _both(value: Any) -> Any:
    return {"en": value, "zh": value} if isinstance(value, str) else value


#: ``name: Press`` or ``name: {en: Press bearing, zh: 压装轴承}``
Text = Annotated[Words, BeforeValidator(_both, json_schema_input_type=Words | str)]

#: Ids appear in URIs, file names and topics, so they keep to what all of those carry unescaped.
ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


def _exact(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


#: An exact amount; ``2`` and ``0.25`` in YAML become decimals without passing through binary fractions.
Amount = Annotated[
    Decimal,
    BeforeValidator(_exact, json_schema_input_type=Decimal),
    Field(ge=0, allow_inf_nan=False),
]


def _written(pattern: str, kind: str) -> BeforeValidator:
    """Only as people write it: pydantic would take 8 and "86400" for seconds since midnight or since 1970."""

    def check(value: Any) -> Any:
        if isinstance(value, date | time) or (isinstance(value, str) and re.fullmatch(pattern, value)):
            return value
        raise PydanticCustomError(kind, "not written as a date or a time is written")

    return BeforeValidator(check, json_schema_input_type=str)


#: ``2027-05-31``
Day = Annotated[date, _written(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "date_written")]
#: ``06:30``
DayTime = Annotated[time, _written(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", "time_written")]
