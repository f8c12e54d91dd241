"""Units as people write them, stored as UN/CEFACT Recommendation 20 codes (rev. 17, Annex I) and, for packs, Rec 21.

``°C`` and ``CEL``, ``kN`` and ``B47``, ``件`` and ``C62`` are the same unit; what is stored is always the code.
"""

from __future__ import annotations

import difflib
from typing import Annotated, Final

from msgspec import Struct
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError


class UnitWord(Struct, frozen=True):
    """One unit: its code, how it is shown, its names, and every spelling that is accepted for it."""

    code: str
    sign: str
    en: str
    zh: str
    spellings: tuple[str, ...] = ()
    epcis: str = ""  #: EPCIS measurement type (CBV 2.0 §7.3.1, gs1:MT-…) that a value in this unit reports


UNITS: Final[tuple[UnitWord, ...]] = (
    UnitWord("C62", "pcs", "piece", "件", ("pcs", "pc", "piece", "pieces", "ea", "each", "件", "个", "只", "H87")),
    UnitWord("KGM", "kg", "kilogram", "千克", ("kg", "公斤", "千克"), "Mass"),
    UnitWord("GRM", "g", "gram", "克", ("g", "克"), "Mass"),
    UnitWord("LTR", "L", "litre", "升", ("l", "L", "升"), "Volume"),
    UnitWord("MLT", "mL", "millilitre", "毫升", ("ml", "mL", "毫升"), "Volume"),
    UnitWord("MTR", "m", "metre", "米", ("m", "米"), "Length"),
    UnitWord("MMT", "mm", "millimetre", "毫米", ("mm", "毫米"), "Length"),
    UnitWord("NEW", "N", "newton", "牛", ("N", "牛", "牛顿"), "Force"),
    UnitWord("B47", "kN", "kilonewton", "千牛", ("kN", "千牛"), "Force"),
    UnitWord("NU", "Nm", "newton metre", "牛·米", ("Nm", "N·m", "N.m", "牛米"), "Torque"),
    UnitWord("CEL", "°C", "degree Celsius", "摄氏度", ("°C", "degC", "℃", "C", "摄氏度"), "Temperature"),
    UnitWord("KEL", "K", "kelvin", "开尔文", ("K",), "Temperature"),
    UnitWord("P1", "%", "percent", "百分比", ("%",), "Dimensionless"),
    UnitWord("A93", "g/m³", "gram per cubic metre", "克每立方米", ("g/m3", "g/m³"), "AbsoluteHumidity"),
    UnitWord("BAR", "bar", "bar", "巴", ("bar", "巴"), "Pressure"),
    UnitWord("MBR", "mbar", "millibar", "毫巴", ("mbar", "毫巴"), "Pressure"),
    UnitWord("PAL", "Pa", "pascal", "帕", ("Pa", "帕"), "Pressure"),
    UnitWord("KPA", "kPa", "kilopascal", "千帕", ("kPa", "千帕"), "Pressure"),
    UnitWord("MPA", "MPa", "megapascal", "兆帕", ("MPa", "兆帕"), "Pressure"),
    UnitWord("SEC", "s", "second", "秒", ("s", "sec", "秒"), "Time"),
    UnitWord("C26", "ms", "millisecond", "毫秒", ("ms", "毫秒"), "Time"),
    UnitWord("MIN", "min", "minute", "分钟", ("min", "分", "分钟"), "Time"),
    UnitWord("VLT", "V", "volt", "伏", ("V", "伏"), "Voltage"),
    UnitWord("AMP", "A", "ampere", "安", ("A", "安"), "ElectricCurrent"),
    UnitWord("WTT", "W", "watt", "瓦", ("W", "瓦"), "Power"),
    UnitWord("KWT", "kW", "kilowatt", "千瓦", ("kW", "千瓦"), "Power"),
    UnitWord("KWH", "kWh", "kilowatt hour", "千瓦时", ("kWh", "度"), "Energy"),
    UnitWord("HTZ", "Hz", "hertz", "赫兹", ("Hz", "赫兹"), "Frequency"),
    UnitWord("RPM", "rpm", "revolutions per minute", "转每分", ("rpm", "r/min", "转/分"), "AngularVelocity"),
    UnitWord("L2", "L/min", "litre per minute", "升每分", ("l/min", "L/min"), "VolumeFlowRate"),
    UnitWord("59", "ppm", "part per million", "百万分之一", ("ppm",)),
    UnitWord("", "", "no unit", "无单位", ("-",)),
)
"""The table. P1 alone is dimensionless; a measure that means relative humidity says so (``type: RelativeHumidity``)."""

#: spellings that say more than the unit: (unit code, measurement type)
_SPECIAL: Final = {"%RH": "P1", "％RH": "P1", "%rh": "P1", "RH%": "P1", "％": "P1"}

_BY_SPELLING: Final = {
    **{spelling: unit.code for unit in UNITS for spelling in (unit.code, unit.sign, *unit.spellings)},
    **_SPECIAL,
}
_BY_CODE: Final = {unit.code: unit for unit in UNITS}


def unit_code(text: str) -> str:
    """The Rec 20 code for ``text``. Raises ValueError naming the nearest spellings."""
    if (code := _BY_SPELLING.get(text)) is not None:
        return code
    words = " or ".join(f"'{spelling}' ({unit.en})" for spelling, unit in near_units(text))
    raise ValueError(f"'{text}' is no unit" + (f"; did you mean {words}?" if words else ""))


def near_units(text: str) -> list[tuple[str, UnitWord]]:
    """The spellings that look most like ``text``, at most two, each of another unit."""
    spellings = [spelling for spelling in _BY_SPELLING if spelling]
    near = [spelling for spelling in spellings if spelling.casefold() == text.casefold()]
    # "Nm/s" begins with two units that exist: more telling than whatever has similar letters
    near = near or sorted((spelling for spelling in spellings if text.startswith(spelling)), key=len)[-2:]
    near = near or difflib.get_close_matches(text[:40], spellings, n=4, cutoff=0.5)
    found: dict[str, tuple[str, UnitWord]] = {}
    for spelling in near:
        code = _BY_SPELLING[spelling]
        found.setdefault(code, (spelling, _BY_CODE[code]))
    return list(found.values())[:2]


def unit_word(code: str) -> UnitWord:
    """How ``code`` is shown; a code from outside the table is shown as itself."""
    return _BY_CODE.get(code) or UnitWord(code, code, code, code)


def _parse(value: object) -> str:
    text = "" if value is None else str(value)
    if (code := _BY_SPELLING.get(text)) is None:
        raise PydanticCustomError("unit", "'{text}' is no unit", {"text": text})
    return code


#: A unit in any usual spelling; the value is its code.
Unit = Annotated[str, BeforeValidator(_parse, json_schema_input_type=str | int)]
