"""What every model of the file shares: unknown keys are refused, values are frozen, texts may have two languages."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


class Model(BaseModel):
    """Base of every model that a technician's file fills."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False, validate_default=False)


class Words(Model):
    """One text in both languages of the line."""

    en: str = Field(min_length=1, description="English")
    zh: str = Field(min_length=1, description="Chinese 中文")


def _both(value: Any) -> Any:
    return {"en": value, "zh": value} if isinstance(value, str) else value


#: ``name: Press`` or ``name: {en: Press bearing, zh: 压装轴承}``
Text = Annotated[Words, BeforeValidator(_both)]

#: Ids appear in URIs, file names and topics, so they keep to what all of those carry unescaped.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


def _exact(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


#: An exact amount; ``2`` and ``0.25`` in YAML become decimals without passing through binary fractions.
Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, allow_inf_nan=False)]
