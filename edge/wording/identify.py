"""What is said about a code: why it was read as it was, and exactly why it cannot be taken.

A key is ``code`` or ``code.case``: the part before the dot is the stable code that records carry.
"""

from __future__ import annotations

from typing import Final

from edge.wording import Words

#: what people call the elements they meet; any other is called by its GS1 data title
ELEMENTS: Final[dict[str, Words]] = {
    "00": Words("SSCC", "物流单元代码 SSCC"),
    "01": Words("GTIN", "商品条码 GTIN"),
    "02": Words("GTIN of content", "内装商品 GTIN"),
    "10": Words("lot", "批号"),
    "11": Words("production date", "生产日期"),
    "12": Words("due date", "付款截止日"),
    "13": Words("packing date", "包装日期"),
    "15": Words("best before", "保质期"),
    "16": Words("sell by", "销售截止日"),
    "17": Words("expiry", "有效期"),
    "20": Words("variant", "变体"),
    "21": Words("serial", "序列号"),
    "240": Words("additional id", "附加产品标识"),
    "241": Words("customer's part number", "客户方代码"),
    "30": Words("count", "数量"),
    "37": Words("count in the unit", "单元内数量"),
    "400": Words("purchase order", "客户订购单号"),
    "410": Words("ship to", "交货地"),
    "414": Words("place", "位置码"),
    "422": Words("country of origin", "原产国"),
    "7003": Words("expiry with time", "有效期（含时间）"),
    "8008": Words("production time", "生产时间"),
    "8020": Words("payment reference", "付款单参考代码"),
}

#: what ``missing`` asks for
SIBLINGS: Final[dict[str, Words]] = {
    "gtin": Words("the code with the GTIN (01)", "带商品条码 GTIN (01) 的码"),
    "serial": Words("the code with the serial (21)", "带序列号 (21) 的码"),
    "lot": Words("the code with the lot (10)", "带批号 (10) 的码"),
    "sscc": Words("the code with the SSCC (00)", "带 SSCC (00) 的码"),
    "count": Words("the code with the count (30) or (37)", "带数量 (30) 或 (37) 的码"),
}
SIBLING_BY_NUMBER: Final = Words("the code with ({ai})", "带 ({ai}) 的码")

CARRIERS: Final[dict[str, Words]] = {
    "]C1": Words("GS1-128", "GS1-128 条码"),
    "]e0": Words("GS1 DataBar or composite", "GS1 DataBar 或复合码"),
    "]d2": Words("GS1 DataMatrix", "GS1 DataMatrix 码"),
    "]Q3": Words("GS1 QR", "GS1 QR 码"),
    "]J1": Words("GS1 DotCode", "GS1 DotCode 码"),
    "]E0": Words("EAN-13", "EAN-13 条码"),
    "]E4": Words("EAN-8", "EAN-8 条码"),
    "]I1": Words("ITF-14", "ITF-14 条码"),
}

#: why a code was read as it was
WHY: Final[dict[str, Words]] = {
    "declared": Words("The scanner says so: {carrier} ({symbology}).", "扫码枪已标明：{carrier}（{symbology}）。"),
    "digital_link": Words(
        "A web address with a GS1 key in its path: GS1 Digital Link.", "网址路径中带 GS1 主键：GS1 数字链接。"
    ),
    "house": Words("It matches the house format '{name}'.", "符合本厂格式“{name}”。"),
    "command": Words("It begins with CMD:, so it is a command.", "以 CMD: 开头，是命令码。"),
    "guess_gs1": Words(
        "Guessed: it reads as GS1 data throughout. The scanner sends no AIM identifier; switch that on to be sure.",
        "推断：全部内容符合 GS1 数据。扫码枪未发送 AIM 标识，请开启以便确认。",
    ),
    "guess_brackets": Words(
        "Guessed: it is GS1 data with its identifiers in brackets, as printed for people.",
        "推断：是按人眼可读方式带括号书写的 GS1 数据。",
    ),
    "guess_ean": Words(
        "Guessed: {count} digits with a right check digit. The scanner sends no AIM identifier; "
        "switch that on to be sure.",
        "推断：{count} 位数字且校验位正确。扫码枪未发送 AIM 标识，请开启以便确认。",
    ),
    "plain": Words(
        "It is neither GS1 data nor any house format of this line.", "既不是 GS1 数据，也不符合本线任何厂内格式。"
    ),
    "almost": Words(
        "Taken as plain text; as a GS1 code it would be wrong: {reason}", "按普通文本处理；若作 GS1 码则有误：{reason}"
    ),
    "bytes": Words("The bytes were read as {encoding}.", "按 {encoding} 编码读取。"),
    "label": Words("Several codes of one label. {first} {second}", "同一标签的多个码。{first}{second}"),
    "strict": Words("GS1 data by the rules of GS1 alone.", "仅按 GS1 规则判断。"),
}

#: what a content check of an element may find (``edge.identify.checks``)
_CONTENT: Final[dict[str, Words]] = {
    "country": Words("'{part}' is no ISO 3166 country code", "“{part}”不是 ISO 3166 国家代码"),
    "currency": Words("'{part}' is no ISO 4217 currency code", "“{part}”不是 ISO 4217 货币代码"),
    "package_type": Words("'{part}' is no package type code", "“{part}”不是包装类型代码"),
    "media_type": Words("'{part}' is no AIDC media type", "“{part}”不是 AIDC 载体类型"),
    "sex": Words("'{part}' is none of 0, 1, 2, 9", "“{part}”不在 0、1、2、9 之中"),
    "yes_no": Words("'{part}' is neither 0 nor 1", "“{part}”既非 0 也非 1"),
    "minus_sign": Words("'{part}' stands where only a minus sign may", "“{part}”处只允许负号"),
    "zero": Words("'{part}' stands where only 0 may", "“{part}”处只允许 0"),
    "not_zero": Words("'{part}' may not be zero", "“{part}”不得为零"),
    "winding": Words("'{part}' is none of 0, 1, 9", "“{part}”不在 0、1、9 之中"),
    "piece_of_total": Words("'{part}' is no piece of a total", "“{part}”不是“第几件/共几件”"),
    "position_in_sequence": Words("'{part}' is no position in a sequence", "“{part}”不是“第几/共几”"),
    "no_leading_zero": Words("'{part}' may not begin with 0", "“{part}”不得以 0 开头"),
    "not_all_digits": Words("'{part}' needs a character that is no digit", "“{part}”须含非数字字符"),
    "percent_encoded": Words("'{part}' has a % without two hexadecimal digits", "“{part}”中 % 后缺两位十六进制数"),
    "latitude": Words("'{part}' is no latitude", "“{part}”不是纬度"),
    "longitude": Words("'{part}' is no longitude", "“{part}”不是经度"),
    "importer_index": Words("'{part}' is no importer index", "“{part}”不是进口商索引"),
    "iban": Words("'{part}' is no IBAN", "“{part}”不是 IBAN 账号"),
}


def _again(en: str, zh: str) -> Words:
    """What is wrong, and the advice that fits every damaged or misprinted code."""
    return Words(f"{en} Scan again; if it stays so, do not use this label.", f"{zh}请重扫；若仍如此，请勿使用此标签。")


#: exactly why a code cannot be taken
UNREADABLE: Final[dict[str, Words]] = {
    "empty": _again("The scan is empty.", "扫到的内容为空。"),
    "undecodable": Words(
        "Byte {position} of {length} (0x{byte:02x}) is no {encoding} text: the code was damaged on its way, or the "
        "device's 'encoding' is set wrongly. Scan again; if it stays so, call the technician.",
        "共 {length} 字节，第 {position} 字节（0x{byte:02x}）不是 {encoding} 文本："
        "传输中损坏，或设备的 encoding 设置有误。请重扫；若仍如此，请叫技术员。",
    ),
    "too_long": Words(
        "{length} characters came as one scan, and no code holds more than {limit}: the scanner's terminator is "
        "missing. Call the technician.",
        "一次扫描收到 {length} 个字符，而任何码都不超过 {limit} 个：扫码枪缺少结束符。请叫技术员。",
    ),
    "no_symbology": Words("There is no AIM identifier in front.", "前面没有 AIM 标识。"),
    "symbology": Words("'{symbology}' is no carrier of GS1 data.", "“{symbology}”不是 GS1 数据载体。"),
    "gs1_empty": _again("A GS1 code without any data.", "GS1 码中没有任何数据。"),
    "separator": _again(
        "There is a separator (FNC1) where an identifier should begin, before '{rest}'.",
        "“{rest}”之前应为标识符，却是分隔符（FNC1）。",
    ),
    "unknown_ai": _again("'{rest}' begins with no known GS1 identifier.", "“{rest}”不以任何已知 GS1 标识符开头。"),
    "brackets": _again(
        "The brackets at '{rest}' do not hold a GS1 identifier and its value.",
        "“{rest}”处的括号不是 GS1 标识符加数值。",
    ),
    "lot_too_long": Words(
        "The lot (10) has {length} characters and may have {high}: the label lacks the separator (FNC1) after the lot, "
        "or the lot is too long. Do not use this label; ask the supplier for a right one.",
        "批号 (10) 有 {length} 个字符，最多 {high} 个：标签在批号后缺少分隔符（FNC1），或批号过长。"
        "请勿使用此标签，请供应商提供正确标签。",
    ),
    "value_too_long": Words(
        "{name} ({ai}) has {length} characters and may have {high}: the separator (FNC1) after it is missing, or it is "
        "too long. Do not use this label; ask the supplier for a right one.",
        "{name} ({ai}) 有 {length} 个字符，最多 {high} 个：其后缺少分隔符（FNC1），或内容过长。"
        "请勿使用此标签，请供应商提供正确标签。",
    ),
    "value_too_short": _again(
        "{name} ({ai}) has {length} characters and needs {low}.", "{name} ({ai}) 只有 {length} 个字符，应有 {low} 个。"
    ),
    "value_length": _again(
        "{name} ({ai}) has {length} characters, which its format does not allow.",
        "{name} ({ai}) 有 {length} 个字符，其格式不允许。",
    ),
    "bad_character": _again(
        "{name} ({ai}) holds '{character}' at place {place}, which GS1 does not allow there.",
        "{name} ({ai}) 第 {place} 位是“{character}”，GS1 不允许。",
    ),
    "check_digit": _again(
        "{name} ({ai}) {value}: the check digit is {found} and should be {expected}, so a digit is wrong.",
        "{name} ({ai}) {value}：校验位是 {found}，应为 {expected}，说明有数字出错。",
    ),
    "check_digit.ean": _again(
        "{carrier} {value}: the check digit is {found} and should be {expected}, so a digit is wrong.",
        "{carrier} {value}：校验位是 {found}，应为 {expected}，说明有数字出错。",
    ),
    "check_digit.pair": _again(
        "{name} ({ai}) {value}: the check characters are '{found}' and should be '{expected}'.",
        "{name} ({ai}) {value}：校验字符是“{found}”，应为“{expected}”。",
    ),
    "company_prefix": _again(
        "{name} ({ai}) {value} does not begin with a GS1 company prefix.",
        "{name} ({ai}) {value} 不以 GS1 厂商识别代码开头。",
    ),
    "bad_date": _again(
        "{name} ({ai}) {value}: '{part}' is no date of the calendar.", "{name} ({ai}) {value}：“{part}”不是有效日期。"
    ),
    "bad_date.house": Words(
        "The expiry '{part}' is no date. Expected are 2027-05-31, 20270531 or 270531. "
        "Do not use this label; call the technician.",
        "有效期“{part}”不是日期，应如 2027-05-31、20270531 或 270531。请勿使用此标签，请叫技术员。",
    ),
    "bad_time": _again(
        "{name} ({ai}) {value}: '{part}' is no time of day.", "{name} ({ai}) {value}：“{part}”不是有效时间。"
    ),
    "bad_quantity": Words(
        "The quantity '{part}' is no number above zero such as 200 or 2.5. Do not use this label; call the technician.",
        "数量“{part}”不是大于零的数字（如 200 或 2.5）。请勿使用此标签，请叫技术员。",
    ),
    "two_gtins": Words(
        "One code names two different GTINs, {first} and {second}. "
        "Do not use this label; ask the supplier for a right one.",
        "同一个码中有两个不同的 GTIN：{first} 和 {second}。请勿使用此标签，请供应商提供正确标签。",
    ),
    "two_values": Words(
        "One code gives {name} ({ai}) twice, as '{first}' and '{second}'. "
        "Do not use this label; ask the supplier for a right one.",
        "同一个码中 {name} ({ai}) 出现两次：“{first}”和“{second}”。请勿使用此标签，请供应商提供正确标签。",
    ),
    "exclusive": Words(
        "{name} ({ai}) and {other_name} ({other}) must not stand in one code. "
        "Do not use this label; ask the supplier for a right one.",
        "{name} ({ai}) 与 {other_name} ({other}) 不得同时出现。请勿使用此标签，请供应商提供正确标签。",
    ),
    "requisite": Words(
        "{name} ({ai}) needs {sibling}. Scan the other code of this label.",
        "{name} ({ai}) 还需要{sibling}。请扫此标签上的另一个码。",
    ),
    "ean_length": Words(
        "{carrier} has {length} digits and needs {low}. Scan again; if it stays so, the technician should let the "
        "scanner send UPC-A and UPC-E as 13 digits.",
        "{carrier} 有 {length} 位，应为 {low} 位。请重扫；若仍如此，请技术员将扫码枪设为以 13 位发送 UPC-A 和 UPC-E。",
    ),
    "ean_digits": _again(
        "{carrier} holds '{character}' at place {place}, where only a digit may stand.",
        "{carrier} 第 {place} 位是“{character}”，只允许数字。",
    ),
    "digital_link.no_key": _again("The web address has no GS1 key in its path.", "网址路径中没有 GS1 主键。"),
    "digital_link.characters": _again(
        "The web address holds '{character}', which no web address may.", "网址中含有不允许的字符“{character}”。"
    ),
    "digital_link.percent": _again(
        "'{part}' in the web address is not percent-encoded text.", "网址中的“{part}”不是正确的百分号编码。"
    ),
    "digital_link.order": _again(
        "The path of the web address gives {found} after ({key}), which is no order that GS1 allows.",
        "网址路径在 ({key}) 之后给出 {found}，不符合 GS1 规定的顺序。",
    ),
    "digital_link.repeated": _again(
        "The web address gives {name} ({ai}) more than once.", "网址中 {name} ({ai}) 出现多次。"
    ),
    "digital_link.attribute": _again(
        "'{part}' may not stand behind the ? of a GS1 Digital Link.", "“{part}”不得出现在 GS1 数字链接的 ? 之后。"
    ),
    "label_conflict.element": Words(
        "{name} ({ai}) is '{first}' in one code and '{second}' in the other: these are two labels. "
        "Scan all codes of one label, nothing in between.",
        "{name} ({ai}) 在一个码中为“{first}”，在另一个码中为“{second}”：这是两张标签。请连续扫完同一张标签上的所有码。",
    ),
    "label_conflict.property": Words(
        "One code says {name} '{first}' and the other '{second}': these are two labels. "
        "Scan all codes of one label, nothing in between.",
        "一个码的{name}为“{first}”，另一个为“{second}”：这是两张标签。请连续扫完同一张标签上的所有码。",
    ),
    "label_conflict.exclusive": Words(
        "{name} ({ai}) and {other_name} ({other}) cannot be on one label: these are two labels. "
        "Scan all codes of one label, nothing in between.",
        "{name} ({ai}) 与 {other_name} ({other}) 不会在同一张标签上：这是两张标签。请连续扫完同一张标签上的所有码。",
    ),
    "label_conflict.kind": Words(
        "'{text}' is no part of a material's label. Scan all codes of one label, nothing in between.",
        "“{text}”不是物料标签的一部分。请连续扫完同一张标签上的所有码。",
    ),
    **{
        f"bad_content.{name}": _again(f"{{name}} ({{ai}}): {words.en}.", f"{{name}} ({{ai}})：{words.zh}。")
        for name, words in _CONTENT.items()
    },
}

#: what a property of a code is called where it comes from no element
PROPERTIES: Final[dict[str, Words]] = {
    "gtin": Words("GTIN", "商品条码 GTIN"),
    "sscc": Words("SSCC", "物流单元代码 SSCC"),
    "lot": Words("lot", "批号"),
    "serial": Words("serial", "序列号"),
    "expiry": Words("expiry", "有效期"),
    "count": Words("count", "数量"),
    "weight": Words("weight", "重量"),
    "order": Words("work order", "工单"),
    "material": Words("material", "物料"),
    "position": Words("position", "位置"),
    "quantity": Words("quantity", "数量"),
    "purchase_order": Words("purchase order", "采购订单"),
}

#: why a house format is refused, for the technician who wrote it
FORMAT: Final[dict[str, Words]] = {
    "syntax": Words(
        "formats.{name}.pattern: '{pattern}' is no regular expression: {problem} at place {place}.",
        "formats.{name}.pattern：“{pattern}”不是正则表达式：第 {place} 位 {problem}。",
    ),
    "group": Words(
        "formats.{name}.pattern: no group may be called '{group}'.",
        "formats.{name}.pattern：组名“{group}”不可用。",
    ),
    "group_near": Words(
        "formats.{name}.pattern: no group may be called '{group}'; did you mean '{word}'?",
        "formats.{name}.pattern：组名“{group}”不可用；是否想写“{word}”？",
    ),
    "group_hint": Words("Groups are {groups}.", "可用的组：{groups}。"),
    "slow": Words(
        "formats.{name}.pattern: '{part}' at place {place} repeats a repetition; one scan could keep it busy for "
        "hours. Repeat once, e.g. (a+) for (a+)+.",
        "formats.{name}.pattern：第 {place} 位“{part}”对重复再重复，一次扫描可能耗时数小时。"
        "请只重复一次，如将 (a+)+ 写作 (a+)。",
    ),
    "none": Words(
        "formats.{name}.pattern: '{pattern}' names no group, so a match would mean nothing.",
        "formats.{name}.pattern：“{pattern}”没有任何命名组，匹配后没有意义。",
    ),
}
