"""GS1 application identifiers: what each may hold, what it needs beside it, what it must not stand with.

Written from the facts of the GS1 General Specifications §3.2 and the GS1 Barcode Syntax Dictionary (a test holds this
table against the dictionary, line by line). One row is one identifier or one run of them::

    _row("01", "GTIN", "n14 check_digit prefix_second", excludes="255 37", key="22 10 21 | 235")

The third word is the format: ``n14`` fourteen digits, ``x1-20`` up to twenty characters of set 82, ``?`` before a part
that may be left out; the names after a part are checks of ``edge.identify.checks``. ``needs`` lists alternatives apart
by spaces, ``+`` inside one, ``n`` for any digit. ``key`` lists the Digital Link qualifiers in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

#: GS1 General Specifications §7.11: sets 82, 39 and 64 as the inside of a character class
CHARACTERS: Final = {
    "n": "0-9",
    "x": "!\"%&'()*+,./0-9:;<=>?A-Z_a-z-",
    "y": "#/0-9A-Z-",
    "z": "A-Za-z0-9_=-",
}


class Part(Struct, frozen=True, kw_only=True):
    """One component of a value; only the last may vary in length."""

    characters: str  #: "n" digits, "x" set 82, "y" set 39, "z" base64url
    low: int
    high: int
    optional: bool
    checks: tuple[str, ...]


class Identifier(Struct, frozen=True, kw_only=True):
    """One application identifier."""

    ai: str
    title: str
    parts: tuple[Part, ...]
    predefined: bool  #: length known by its first two digits: no FNC1 after it (General Specifications §7.8.4)
    attribute: bool  #: may stand in the query of a Digital Link
    needs: tuple[tuple[str, ...], ...]  #: one of these groups must be there, whole; "31nn" is any 31xx
    excludes: tuple[str, ...]
    key: bool  #: may lead the path of a Digital Link
    qualifiers: tuple[tuple[str, ...], ...]  #: alternatives, each in path order


_ITEM: Final = "01 02 03 8006 8026"
_ITEM_OWN: Final = "01 03 8006"
_rows: list[Identifier] = []


def _row(
    run: str,
    title: str,
    form: str,
    *,
    needs: str = "",
    excludes: str = "",
    key: str | None = None,
    attribute: bool = True,
    predefined: bool = False,
) -> None:
    first, _, last = run.partition("-")
    for number in range(int(first), int(last or first) + 1):
        _rows.append(
            Identifier(
                ai=str(number).zfill(len(first)),
                title=title,
                parts=tuple(_parts(form)),
                predefined=predefined,
                attribute=attribute,
                needs=tuple(tuple(group.split("+")) for group in needs.split()),
                excludes=tuple(excludes.split()),
                key=key is not None,
                qualifiers=tuple(tuple(words.split()) for words in key.split("|")) if key else (),
            )
        )


def _parts(form: str) -> Iterable[Part]:
    for found in re.finditer(r"(\??)([nxyz])(\d+)(?:-(\d+))?((?: (?![nxyz]\d)\w+)*)", form):
        optional, characters, low, high, checks = found.groups()
        yield Part(
            characters=characters,
            low=int(low),
            high=int(high or low),
            optional=bool(optional),
            checks=tuple(checks.split()),
        )


# Identification of trade items and logistic units
_row("00", "SSCC", "n18 check_digit prefix_second", key="", predefined=True)
_row("01", "GTIN", "n14 check_digit prefix_second", excludes="255 37", key="22 10 21 | 235", predefined=True)
_row("02", "CONTENT", "n14 check_digit prefix_second", needs="37", excludes="01 03", predefined=True)
_row(
    "03",
    "MTO GTIN",
    "n14 check_digit prefix_second",
    excludes="01 02 37 235",
    attribute=False,
    predefined=True,
)

# Lot, dates, serial, and what else tells items of one GTIN apart
_row("10", "BATCH/LOT", "x1-20", needs=_ITEM)
_row("11", "PROD DATE", "n6 date_or_month", needs=_ITEM, predefined=True)
_row("12", "DUE DATE", "n6 date_or_month", needs="8020", predefined=True)
_row("13", "PACK DATE", "n6 date_or_month", needs=_ITEM, predefined=True)
_row("15", "BEST BEFORE or BEST BY", "n6 date_or_month", needs=_ITEM, predefined=True)
_row("16", "SELL BY", "n6 date_or_month", needs=_ITEM, predefined=True)
_row("17", "USE BY or EXPIRY", "n6 date_or_month", needs="01 02 03 255 8006 8026", predefined=True)
_row("20", "VARIANT", "n2", needs=_ITEM, predefined=True)
_row("21", "SERIAL", "x1-20", needs=_ITEM_OWN, excludes="235", attribute=False)
_row("22", "CPV", "x1-20", needs="01", attribute=False)
_row("235", "TPX", "x1-28", needs="01", attribute=False)
_row("240", "ADDITIONAL ID", "x1-30", needs=_ITEM)
_row("241", "CUST. PART No.", "x1-30", needs=_ITEM)
_row("242", "MTO VARIANT", "n1-6", needs="01 02 8006 8026")
_row("243", "PCN", "x1-20", needs="01 03")
_row("250", "SECONDARY SERIAL", "x1-30", needs="01+21 03+21 8006+21")
_row("251", "REF. TO SOURCE", "x1-30", needs=_ITEM_OWN)
_row("253", "GDTI", "n13 check_digit prefix_first ?x1-17", key="")
_row("254", "GLN EXTENSION COMPONENT", "x1-20", needs="414", attribute=False)
_row("255", "GCN", "n13 check_digit prefix_first ?n1-12", excludes="01 02 415 8006 8020 8026", key="")

# Counts and measures. The last digit of a measure's identifier is its number of decimals.
_row("30", "VAR. COUNT", "n1-8", needs="01 02")
_row("37", "COUNT", "n1-8", needs="00+02 00+8026")
for _prefix, _title in {
    "310": "NET WEIGHT (kg)", "311": "LENGTH (m)", "312": "WIDTH (m)", "313": "HEIGHT (m)", "314": "AREA (m²)",
    "315": "NET VOLUME (l)", "316": "NET VOLUME (m³)", "320": "NET WEIGHT (lb)", "321": "LENGTH (in)",
    "322": "LENGTH (ft)", "323": "LENGTH (yd)", "324": "WIDTH (in)", "325": "WIDTH (ft)", "326": "WIDTH (yd)",
    "327": "HEIGHT (in)", "328": "HEIGHT (ft)", "329": "HEIGHT (yd)", "350": "AREA (in²)", "351": "AREA (ft²)",
    "352": "AREA (yd²)", "356": "NET WEIGHT (tr oz)", "357": "NET VOLUME (oz)", "360": "NET VOLUME (qt (US))",
    "361": "NET VOLUME (gal.)", "364": "NET VOLUME (in³)", "365": "NET VOLUME (ft³)", "366": "NET VOLUME (yd³)",
}.items():  # fmt: skip
    _row(f"{_prefix}0-{_prefix}5", _title, "n6", needs="01 02", excludes=f"{_prefix}n", predefined=True)
for _prefix, _title in {
    "330": "GROSS WEIGHT (kg)", "331": "LENGTH (m), log", "332": "WIDTH (m), log", "333": "HEIGHT (m), log",
    "334": "AREA (m²), log", "335": "VOLUME (l), log", "336": "VOLUME (m³), log", "340": "GROSS WEIGHT (lb)",
    "341": "LENGTH (in), log", "342": "LENGTH (ft), log", "343": "LENGTH (yd), log", "344": "WIDTH (in), log",
    "345": "WIDTH (ft), log", "346": "WIDTH (yd), log", "347": "HEIGHT (in), log", "348": "HEIGHT (ft), log",
    "349": "HEIGHT (yd), log", "353": "AREA (in²), log", "354": "AREA (ft²), log", "355": "AREA (yd²), log",
    "362": "VOLUME (qt (US)), log", "363": "VOLUME (gal (US)), log", "367": "VOLUME (in³), log",
    "368": "VOLUME (ft³), log", "369": "VOLUME (yd³), log",
}.items():  # fmt: skip
    _row(f"{_prefix}0-{_prefix}5", _title, "n6", needs="00 01", excludes=f"{_prefix}n", predefined=True)
_row("3370-3375", "KG PER m²", "n6", needs="01", excludes="337n", predefined=True)

# Amounts and prices
_MEASURED: Final = "30 31nn 32nn 35nn 36nn"
_row("3900-3909", "AMOUNT", "n1-15", needs="255 8020", excludes="390n 391n 394n 8111")
_row("3910-3919", "AMOUNT", "n3 currency n1-15", needs="8020", excludes="391n")
_row("3920-3929", "PRICE", "n1-15", needs="01+30 01+31nn 01+32nn 01+35nn 01+36nn", excludes="392n 393n")
_row("3930-3939", "PRICE", "n3 currency n1-15", needs=_MEASURED, excludes="393n")
_row("3940-3943", "PRCNT OFF", "n4", needs="255", excludes="394n 8111")
_row("3950-3955", "PRICE/UoM", "n6", needs=_MEASURED, excludes="392n 393n 395n 8005")

# Orders, shipments, parties and places
_row("400", "ORDER NUMBER", "x1-30")
_row("401", "GINC", "x1-30 prefix_first", key="")
_row("402", "GSIN", "n17 check_digit prefix_first", key="")
_row("403", "ROUTE", "x1-30", needs="00")
_row("410", "SHIP TO LOC", "n13 check_digit prefix_first", predefined=True)
_row("411", "BILL TO", "n13 check_digit prefix_first", predefined=True)
_row("412", "PURCHASE FROM", "n13 check_digit prefix_first", predefined=True)
_row("413", "SHIP FOR LOC", "n13 check_digit prefix_first", predefined=True)
_row("414", "LOC No.", "n13 check_digit prefix_first", key="254 | 7040", predefined=True)
_row("415", "PAY TO", "n13 check_digit prefix_first", needs="8020", key="8020", predefined=True)
_row("416", "PROD/SERV LOC", "n13 check_digit prefix_first", predefined=True)
_row("417", "PARTY", "n13 check_digit prefix_first", key="7040", predefined=True)
_row("420", "SHIP TO POST", "x1-20", excludes="421")
_row("421", "SHIP TO POST", "n3 country x1-9", excludes="4307")
_row("422", "ORIGIN", "n3 country", needs=_ITEM, excludes="426")
_COUNTRIES: Final = "n3 country" + " ?n3 country" * 4
_row("423", "COUNTRY - INITIAL PROCESS", _COUNTRIES, needs="01 02 03", excludes="426")
_row("424", "COUNTRY - PROCESS", "n3 country", needs="01 02 03", excludes="426")
_row("425", "COUNTRY - DISASSEMBLY", _COUNTRIES, needs="01 02 03", excludes="426")
_row("426", "COUNTRY - FULL PROCESS", "n3 country", needs="01 02 03")
_row("427", "ORIGIN SUBDIVISION", "x1-3", needs="01+422 02+422 03+422")

# Transport labels: everything hangs on the SSCC
for _first, _side in (("430", "SHIP TO"), ("431", "RTN TO")):
    _row(f"{_first}0", f"{_side} COMP", "x1-35 percent_encoded", needs="00")
    _row(f"{_first}1", f"{_side} NAME", "x1-35 percent_encoded", needs="00")
    _row(f"{_first}2", f"{_side} ADD1", "x1-70 percent_encoded", needs="00")
    _row(f"{_first}3", f"{_side} ADD2", "x1-70 percent_encoded", needs=f"{_first}2")
    _row(f"{_first}4", f"{_side} SUB", "x1-70 percent_encoded", needs="00")
    _row(f"{_first}5", f"{_side} LOC", "x1-70 percent_encoded", needs="00")
    _row(f"{_first}6", f"{_side} REG", "x1-70 percent_encoded", needs="00")
    _row(f"{_first}7", f"{_side} COUNTRY", "x2 country_letters", needs="00")
_row("4308", "SHIP TO PHONE", "x1-30", needs="00")
_row("4309", "SHIP TO GEO", "n10 latitude n10 longitude", needs="00")
_row("4318", "RTN TO POST", "x1-20", needs="00")
_row("4319", "RTN TO PHONE", "x1-30", needs="00")
_row("4320", "SRV DESCRIPTION", "x1-35 percent_encoded", needs="00")
_row("4321", "DANGEROUS GOODS", "n1 yes_no", needs="00")
_row("4322", "AUTH TO LEAVE", "n1 yes_no", needs="00")
_row("4323", "SIG REQUIRED", "n1 yes_no", needs="00")
_row("4324", "NOT BEF DEL DT", "n6 date_or_month n4 hour_minute", needs="00")
_row("4325", "NOT AFT DEL DT", "n6 date_or_month n4 hour_minute", needs="00")
_row("4326", "REL DATE", "n6 date", needs="00")
_row("4330", "MAX TEMP F.", "n6 ?x1 minus_sign", needs="00", excludes="4331")
_row("4331", "MAX TEMP C.", "n6 ?x1 minus_sign", needs="00", excludes="4330")
_row("4332", "MIN TEMP F.", "n6 ?x1 minus_sign", needs="00", excludes="4333")
_row("4333", "MIN TEMP C.", "n6 ?x1 minus_sign", needs="00", excludes="4332")

# Food, processing and regulated goods
_row("7001", "NSN", "n13", needs="01 02 8006 8026")
_row("7002", "MEAT CUT", "x1-30", needs="01 02")
_row("7003", "EXPIRY TIME", "n6 date n4 hour_minute", needs="01 02 03")
_row("7004", "ACTIVE POTENCY", "n1-4", needs="01+10 03+10")
_row("7005", "CATCH AREA", "x1-12", needs="01 02")
_row("7006", "FIRST FREEZE DATE", "n6 date", needs="01 02")
_row("7007", "HARVEST DATE", "n6 date ?n6 date", needs="01 02")
_row("7008", "AQUATIC SPECIES", "x1-3", needs="01 02")
_row("7009", "FISHING GEAR TYPE", "x1-10", needs="01 02")
_row("7010", "PROD METHOD", "x1-2", needs="01 02 03")
_row("7011", "TEST BY DATE", "n6 date ?n4 hour_minute", needs="01 02 03")
_row("7020", "REFURB LOT", "x1-20", needs="01+416 03+416 8006+416")
_row("7021", "FUNC STAT", "x1-20", needs=_ITEM_OWN)
_row("7022", "REV STAT", "x1-20", needs="01+7021 03+7021 8006+7021")
_row("7023", "GIAI - ASSEMBLY", "x1-30 prefix_first")
for _last in range(10):
    _row(f"703{_last}", f"PROCESSOR # {_last}", "n3 country_or_999 x1-27", needs="01 02")
_row("7040", "UIC+EXT", "n1 x1 x1 x1 importer_index", attribute=False)
_row("7041", "UFRGT UNIT TYPE", "x1-4 package_type", needs="00", attribute=False)
for _ai, _agency in enumerate(("PZN", "CIP", "CN", "DRN", "AIM", "NDC", "AIC", "SRN"), start=710):
    _row(str(_ai), f"NHRN {_agency}", "x1-20", needs="01")
for _last in range(10):
    _row(f"723{_last}", f"CERT # {_last + 1}", "x2 x1-28", needs="01 8004")
_row("7240", "PROTOCOL", "x1-20", needs="01 8006", excludes="03")

# Patients and staff
_row("7241", "AIDC MEDIA TYPE", "n2 media_type", needs="8017 8018")
_row("7242", "VCN", "x1-25", needs="8017 8018")
_row("7250", "DOB", "n8 date8", needs="8018", excludes="7251")
_row("7251", "DOB TIME", "n8 date8 n4 hour_minute", needs="8018", excludes="7250")
_row("7252", "BIO SEX", "n1 sex", needs="8018")
_row("7253", "FAMILY NAME", "x1-40 percent_encoded", needs="8017 8018", excludes="7256 7259")
_row("7254", "GIVEN NAME", "x1-40 percent_encoded", needs="8017 8018", excludes="7256 7259")
_row("7255", "SUFFIX", "x1-10", needs="8017 8018", excludes="7256 7259")
_row("7256", "FULL NAME", "x1-90 percent_encoded", needs="8017 8018")
_row("7257", "PERSON ADDR", "x1-70 percent_encoded", needs="8018")
_row("7258", "BIRTH SEQUENCE", "x3 position_in_sequence", needs="8018+7259")
_row("7259", "BABY", "x1-40 percent_encoded", needs="8018", excludes="7256")

# Rolls, assets, pieces of an item, documents, coupons
_row("8001", "DIMENSIONS", "n4 not_zero n5 not_zero n3 not_zero n1 winding n1", needs="01")
_row("8002", "CMT No.", "x1-20")
_row("8003", "GRAI", "n1 zero n13 check_digit prefix_first ?x1-16", key="")
_row("8004", "GIAI", "x1-30 prefix_first", key="7040")
_row("8005", "PRICE PER UNIT", "n6", needs="01 02")
_row("8006", "ITIP", "n14 check_digit prefix_second n4 piece_of_total", excludes="01 03 37", key="22 10 21")
_row("8007", "IBAN", "x1-34 iban", needs="415")
_row("8008", "PROD TIME", "n6 date n2 hour ?n2 minute ?n2 second", needs="01 02 03")
_row("8009", "OPTSEN", "x1-50", needs="00 01 03")
_row("8010", "CPID", "y1-30 prefix_first", key="8011")
_row("8011", "CPID SERIAL", "n1-12 no_leading_zero", needs="8010", attribute=False)
_row("8012", "VERSION", "x1-20", needs=_ITEM_OWN)
_row("8013", "GMN", "x1-25 check_pair prefix_first", key="")
_row("8014", "MUDI", "x1-25 check_pair prefix_first not_all_digits", needs="01", attribute=False)
_row("8017", "GSRN - PROVIDER", "n18 check_digit prefix_first", excludes="8018", key="8019")
_row("8018", "GSRN - RECIPIENT", "n18 check_digit prefix_first", excludes="8017", key="8019")
_row("8019", "SRIN", "n1-10", needs="8017 8018", attribute=False)
_row("8020", "REF No.", "x1-25", needs="415", attribute=False)
_row("8026", "ITIP CONTENT", "n14 check_digit prefix_second n4 piece_of_total", needs="37", excludes="02 03 8006")
_row("8030", "DIGSIG", "z1-90", needs="00 01+21 03+21 253 255 8003 8004 8006+21 8010+8011 8017 8018")
_row("8040", "IMEI", "n15", needs="01+21", attribute=False)
_row("8041", "IMEI2", "n15", needs="01+21+8040", attribute=False)
_row("8042", "ESIM", "n32", needs="01+21+8040", attribute=False)
_row("8043", "PSIM", "n18 ?n1-2", needs="01+21+8040", attribute=False)
_row("8110", "", "x1-70 coupon")
_row("8111", "POINTS", "n4", needs="255")
_row("8112", "", "x1-70 coupon_offer")
_row("8200", "PRODUCT URL", "x1-70", needs="01", attribute=False)

# What a company agrees on with itself
_row("90", "INTERNAL", "x1-30")
_row("91-99", "INTERNAL", "x1-90")

#: ai -> its row
IDENTIFIERS: Final[dict[str, Identifier]] = {row.ai: row for row in _rows}
#: first two digits -> length of the identifier that begins so (General Specifications figure 7.8.2-1)
AI_LENGTH: Final[dict[str, int]] = {row.ai[:2]: len(row.ai) for row in _rows}
