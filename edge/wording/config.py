"""The sentences about the file: what is wrong in it, and what to write instead. By code; the code is also the
``rule`` in JSON."""

from __future__ import annotations

from typing import Final

from edge.wording import Words

SAY: Final[dict[str, Words]] = {
    # reading the file
    "missing_file": Words("there is no such file{near}", "没有这个文件{near}"),
    "directory": Words("this is a directory; name the file in it", "这是一个目录，请指明其中的文件"),
    "not_regular": Words("this is no ordinary file", "这不是普通文件"),
    "unreadable": Words("cannot be read: {why}", "无法读取：{why}"),
    "too_large": Words(
        "is {size} MB; a line's file stays below {limit} MB. Is it the right file?",
        "文件为 {size} MB，产线文件应小于 {limit} MB。是否选错了文件？",
    ),
    "empty": Words("the file is empty; it begins with 'lotline: 1'", "文件是空的，应以 'lotline: 1' 开头"),
    "utf16": Words(
        "the file is saved as UTF-16; in the editor choose Save as, encoding UTF-8",
        "文件以 UTF-16 保存，请在编辑器中选择“另存为”，编码选 UTF-8",
    ),
    "gbk": Words(
        "the file is saved as GBK; in the editor choose Save as, encoding UTF-8",
        "文件以 GBK 编码保存，请在编辑器中选择“另存为”，编码选 UTF-8",
    ),
    "not_utf8": Words(
        "byte 0x{byte} is not UTF-8; in the editor choose Save as, encoding UTF-8",
        "字节 0x{byte} 不是 UTF-8，请在编辑器中选择“另存为”，编码选 UTF-8",
    ),
    "control": Words("there is an invisible character {code} here; delete it", "此处有不可见字符 {code}，请删除"),
    # characters that look right and are not
    "wide_colon": Words(
        "this is a full-width colon '：'; write ':' and a space (English input)",
        "这是全角冒号“：”，请切换到英文输入法，写 ':' 加一个空格",
    ),
    "wide_comma": Words(
        "this is a full-width comma '，'; write ',' and a space (English input)",
        "这是全角逗号“，”，请切换到英文输入法，写 ',' 加一个空格",
    ),
    "wide_space": Words(
        "this is a full-width space (U+3000); write ordinary spaces (English input)",
        "这是全角空格（U+3000），请切换到英文输入法，使用普通空格",
    ),
    "tab": Words("this line is indented with a tab; use spaces", "此行用制表符（Tab）缩进，请改用空格"),
    # YAML itself
    "yaml": Words("this cannot be read as YAML: {problem}", "此处不符合 YAML 格式：{problem}"),
    "yaml_colon_inside": Words(
        "there is a ':' where none may stand; quote the text, or check the indentation here and above",
        "此处不能有 ':'，请给文字加引号，或检查本行与上一行的缩进",
    ),
    "yaml_no_colon": Words("this line needs a ':' and a space after its key", "此行的键后面需要 ':' 加一个空格"),
    "yaml_indent": Words(
        "this line does not line up with the ones above it; check its indentation",
        "此行与上面的行没有对齐，请检查缩进",
    ),
    "yaml_brace": Words("a ',' or the closing '}}' is missing before this", "此处之前缺少 ',' 或右花括号 '}}'"),
    "yaml_bracket": Words("a ',' or the closing ']' is missing before this", "此处之前缺少 ',' 或右方括号 ']'"),
    "yaml_value": Words("a value or a closing bracket is missing here", "此处缺少值或右括号"),
    "yaml_character": Words(
        "a text may not begin with this character; put the text in quotes", "文字不能以此字符开头，请给文字加引号"
    ),
    "yaml_quote": Words("a text in quotes is not closed", "引号没有成对"),
    "yaml_escape": Words(
        "unknown '\\' in a text with double quotes; use single quotes", "双引号文字中的 '\\' 无法识别，请改用单引号"
    ),
    "documents": Words(
        "a second document begins here ('---'); one file holds one", "此处开始了第二个文档（'---'），一个文件只能有一个"
    ),
    "tag": Words("'{tag}' is unknown; only !secret may stand here", "不认识 '{tag}'，此处只能使用 !secret"),
    "complex_key": Words("a key has to be a plain text", "键必须是普通文字"),
    "duplicate_key": Words("'{key}' stands here and a second time in {place}", "'{key}' 在此处和 {place} 重复出现"),
    "twice": Words("'{key}' is defined here and a second time in {place}", "'{key}' 在此处和 {place} 重复定义"),
    "alias_unknown": Words("there is no anchor '&{name}' above{near}", "上文没有锚点 '&{name}'{near}"),
    "alias_self": Words("'*{name}' contains itself", "'*{name}' 包含了自身"),
    "merge": Words("'<<' takes a mapping, or a list of mappings", "'<<' 后面应是映射，或映射的列表"),
    "deep": Words("nested deeper than {limit} levels", "嵌套超过 {limit} 层"),
    "many": Words("the file unfolds to more than {limit} values", "文件展开后超过 {limit} 个值"),
    "root": Words(
        "the file has to consist of 'key: value' lines; it begins with 'lotline: 1'",
        "文件应由 'key: value' 行组成，并以 'lotline: 1' 开头",
    ),
    "procedure_alone": Words(
        "this is a procedure; check the line's file that includes it", "这是工序文件，请检查包含（include）它的产线文件"
    ),
    "part_alone": Words(
        "this is a part of a line's file; check the file that includes it",
        "这是产线文件的一部分，请检查包含（include）它的文件",
    ),
    "include_shape": Words("include takes a file name or a list of file names", "include 后面应是文件名或文件名列表"),
    "include_loop": Words("'{file}' includes itself: {chain}", "'{file}' 循环包含了自身：{chain}"),
    "include_twice": Words("'{file}' is included here and in {place}", "'{file}' 在此处和 {place} 被重复包含"),
    "include_deep": Words("more than {limit} files include one another in a row", "连续包含超过 {limit} 层文件"),
    "include_missing": Words("there is no file '{file}'{near}", "没有文件 '{file}'{near}"),
    # shape of a value
    "unknown_key": Words("unknown key '{key}'{near}", "不认识的键 '{key}'{near}"),
    "missing_key": Words("'{key}' is missing", "缺少 '{key}'"),
    "expected": Words("{expected} is needed here (got {got})", "此处应为{expected}（现为 {got}）"),
    "choice": Words("has to be {choices} (got {got}){near}", "应为 {choices}（现为 {got}）{near}"),
    "pattern": Words("does not have the form {pattern} (got {got})", "格式不符合 {pattern}（现为 {got}）"),
    "pattern_id": Words(
        "an id has 1 to 64 letters A-Z a-z, digits, '.', '_' or '-', and begins with a letter or digit (got {got})",
        "标识符由 1 至 64 个字母 A-Z a-z、数字、'.'、'_'、'-' 组成，以字母或数字开头（现为 {got}）",
    ),
    "pattern_gtin": Words(
        "a GTIN has 8, 12, 13 or 14 digits (got {got})", "GTIN 应为 8、12、13 或 14 位数字（现为 {got}）"
    ),
    "pattern_identity": Words(
        "has to be a web address such as https://id.example.com (got {got})",
        "应为网址，例如 https://id.example.com（现为 {got}）",
    ),
    "pattern_tag": Words(
        "a tag is written device.tag, e.g. press-2.force (got {got})",
        "测点写作 设备.测点，例如 press-2.force（现为 {got}）",
    ),
    "at_least": Words("has to be at least {limit} (got {got})", "不得小于 {limit}（现为 {got}）"),
    "at_most": Words("has to be at most {limit} (got {got})", "不得大于 {limit}（现为 {got}）"),
    "more_than": Words("has to be more than {limit} (got {got})", "必须大于 {limit}（现为 {got}）"),
    "less_than": Words("has to be less than {limit} (got {got})", "必须小于 {limit}（现为 {got}）"),
    "multiple": Words("has to be a multiple of {limit} (got {got})", "必须是 {limit} 的倍数（现为 {got}）"),
    "finite": Words("has to be a finite number (got {got})", "必须是有限的数（现为 {got}）"),
    "text_empty": Words("may not be empty", "不能为空"),
    "text_short": Words("has to have at least {limit} characters (got {got})", "至少 {limit} 个字符（现为 {got}）"),
    "text_long": Words("may have at most {limit} characters (got {got})", "最多 {limit} 个字符（现为 {got}）"),
    "few": Words("at least {limit} needed (got {got})", "至少需要 {limit} 个（现有 {got} 个）"),
    "lots": Words("at most {limit} allowed (got {got})", "最多允许 {limit} 个（现有 {got} 个）"),
    "date": Words("a date is written 2027-05-31 (got {got})", "日期写作 2027-05-31（现为 {got}）"),
    "time": Words("a time is written 06:30 (got {got})", "时间写作 06:30（现为 {got}）"),
    "bool_word": Words("write true or false (got {got})", "请写 true 或 false（现为 {got}）"),
    "unit": Words("'{text}' is no unit{near}", "'{text}' 不是单位{near}"),
    "step_kind": Words("a step says one of: {choices}{near}", "步骤应包含以下之一：{choices}{near}"),
    "plain_map": Words("{problem}", "{problem}"),
    "plain": Words("{problem} (got {got})", "{problem}（现为 {got}）"),
    # drivers and destinations
    "no_driver": Words("'driver' is missing; there are: {choices}", "缺少 'driver'，可选：{choices}"),
    "no_sink": Words("'sink' is missing; there are: {choices}", "缺少 'sink'，可选：{choices}"),
    "unknown_driver": Words("there is no driver {got}{near}", "没有驱动 {got}{near}"),
    "unknown_sink": Words("there is no destination type {got}{near}", "没有目标类型 {got}{near}"),
    "not_installed": Words(
        "'{name}' needs the Python package '{package}', which is not installed on this PC",
        "'{name}' 需要 Python 包 '{package}'，本机尚未安装",
    ),
    # secrets
    "secret_plain": Words(
        "a secret stands here in plain text; write '{key}: !secret a-name', its value in secrets.yaml (chmod 600)",
        "此处是明文密钥，请写 '{key}: !secret 名称'，值放在 secrets.yaml（chmod 600）中",
    ),
    "secret_url": Words(
        "a password stands in this address; give it by '!secret' in an option of its own",
        "网址中含有密码，请用单独的选项以 '!secret' 给出",
    ),
    "secret_here": Words("no secret can stand here", "此处不能使用 !secret"),
    "secret_name": Words(
        "!secret takes a name of 1 to 64 letters, digits, '.', '_' or '-'",
        "!secret 后面是名称：1 至 64 个字母、数字、'.'、'_'、'-'",
    ),
    # what only the whole file shows
    "timezone": Words("there is no time zone {got}{near}", "没有时区 {got}{near}"),
    "no_device": Words("no device {got}{near}", "没有设备 {got}{near}"),
    "no_procedure": Words("no procedure {got}{near}", "没有工序 {got}{near}"),
    "no_material": Words("no material {got} in masters{near}", "主数据中没有物料 {got}{near}"),
    "no_supplier": Words("no supplier {got} in masters{near}", "主数据中没有供应商 {got}{near}"),
    "no_tag": Words("device '{device}' has no tag {got}{near}", "设备 '{device}' 没有测点 {got}{near}"),
    "no_step": Words("no step {got} in this procedure{near}", "本工序没有步骤 {got}{near}"),
    "no_role": Words("nobody in masters has the role {got}{near}", "主数据中没有人具有角色 {got}{near}"),
    "no_training": Words("nobody in masters has the training {got}{near}", "主数据中没有人具有培训 {got}{near}"),
    "not_a_scanner": Words(
        "device {got} ({driver}) gives readings, not scans", "设备 {got}（{driver}）提供测量值，不是扫码枪"
    ),
    "scanner_taken": Words(
        "scanner {got} already belongs to station '{station}' in {place}",
        "扫码枪 {got} 已属于工位 '{station}'，见 {place}",
    ),
    "scanner_repeated": Words("scanner {got} is already listed in {place}", "扫码枪 {got} 已在 {place} 列出"),
    "port_taken": Words(
        "'{port}' is already used by device '{other}' in {place}; only Modbus RTU devices can share a port",
        "'{port}' 已被设备 '{other}' 占用，见 {place}；只有 Modbus RTU 设备可以共用端口",
    ),
    "line_settings": Words(
        "device '{other}' on the same port has {setting} {theirs} in {place}, this one {ours}",
        "同一端口上的设备 '{other}' 的 {setting} 为 {theirs}（见 {place}），此处为 {ours}",
    ),
    "unit_id_taken": Words(
        "device '{other}' on the same port has unit_id {ours} too, in {place}",
        "同一端口上的设备 '{other}' 的 unit_id 也是 {ours}，见 {place}",
    ),
    "web_port": Words("the page is served on port {port} too, see {place}", "页面也使用端口 {port}，见 {place}"),
    "web_port_default": Words(
        "the page is served on port {port} too; give it another one: 'web: {{port: …}}'",
        "页面也使用端口 {port}，请为页面指定其他端口：'web: {{port: …}}'",
    ),
    "limits_inverted": Words("low {low} is above high {high}", "下限 low {low} 高于上限 high {high}"),
    "limits_none": Words(
        "'within: limits' takes the limits of {tag}, which has none ({place}); "
        "give it some or write '{{low: …, high: …}}'",
        "'within: limits' 使用测点 {tag} 的限值，但它没有限值（见 {place}）；请添加限值，或写 '{{low: …, high: …}}'",
    ),
    "regex": Words("this regular expression does not compile: {why}", "正则表达式有误：{why}"),
    "regex_groups": Words(
        "a format needs at least one named group such as (?P<lot>…)", "格式至少需要一个命名组，例如 (?P<lot>…)"
    ),
    "regex_group": Words(
        "a group may not be called {got}{near}; there are: {choices}", "组名不能是 {got}{near}；可用：{choices}"
    ),
    "check_digit": Words(
        "the check digit of GTIN {got} is wrong; it should end in {digit}", "GTIN {got} 校验位错误，末位应为 {digit}"
    ),
    "gtin_taken": Words(
        "GTIN {got} already belongs to material '{other}' in {place}", "GTIN {got} 已属于物料 '{other}'，见 {place}"
    ),
    "code_taken": Words(
        "code {got} already belongs to material '{other}' in {place}", "代码 {got} 已属于物料 '{other}'，见 {place}"
    ),
    "badge_taken": Words(
        "badge {got} already belongs to '{other}' in {place}", "工牌 {got} 已属于 '{other}'，见 {place}"
    ),
    "lot_taken": Words("lot {got} of this material already stands in {place}", "该物料的批次 {got} 已在 {place} 出现"),
    "no_bill": Words(
        "this step takes by the bill, but there is no bill for '{material}' ({place}); write one, or the amount",
        "此步骤按物料清单取用，但没有 '{material}'（{place}）的物料清单；请添加清单，或写明单件用量",
    ),
    "no_bill_order": Words(
        "there is no bill for '{material}', and the step in {place} takes by the bill",
        "没有 '{material}' 的物料清单，而 {place} 的步骤按清单取用",
    ),
    "not_in_bill": Words(
        "the bill of '{material}' in {place} does not need '{component}'; write how much one unit takes",
        "'{material}' 的物料清单（见 {place}）不含 '{component}'，请写明单件用量",
    ),
    "procedure_name": Words("is called {got}, but stands under '{key}'", "名称为 {got}，却位于 '{key}' 之下"),
    "after_done": Words(
        "step '{step}' stands after '{done}', which completes the unit in {place}; put it before",
        "步骤 '{step}' 位于完成本件的步骤 '{done}' 之后（见 {place}），请移到其前",
    ),
    "done_twice": Words("'{done}' in {place} already completes the unit", "'{done}' 已完成本件，见 {place}"),
    # small pieces with a place in the sentences above
    "did_you_mean": Words("; did you mean {words}?", "；是否指 {words}？"),
    "or": Words(" or ", " 或 "),
    "known": Words(" (there are: {words})", "（现有：{words}）"),
    "is_text": Words("a text", "文字"),
    "is_whole": Words("a whole number", "整数"),
    "is_number": Words("a number", "数字"),
    "is_bool": Words("true or false", "true 或 false"),
    "is_map": Words("a group of 'key: value'", "一组 'key: value'"),
    "is_list": Words("a list", "列表"),
    "is_nothing": Words("nothing", "空"),
    "is_secret": Words("!secret and a name", "!secret 加名称"),
    # what the verbs say
    "count_one": Words("1 error. Nothing was changed.", "共 1 处错误，未作任何更改。"),
    "count": Words("{count} errors. Nothing was changed.", "共 {count} 处错误，未作任何更改。"),
    "rest_waits": Words(
        "The rest of the file is checked once this can be read.", "以上问题解决后，再检查文件的其余部分。"
    ),
    "file_lines": Words("{file}  {lines} lines", "{file}  {lines} 行"),
    "fingerprint": Words("fingerprint {fingerprint}", "指纹 {fingerprint}"),
    "schema_package": Words(
        "the Python package '{package}' of one of the drivers is not installed on this PC",
        "本机尚未安装某个驱动所需的 Python 包 '{package}'",
    ),
    "right": Words(
        "{file}: no errors. "
        "Devices {devices}, stations {stations}, procedures {procedures}, destinations {destinations}.",
        "{file}：没有错误。设备 {devices} 台，工位 {stations} 个，工序 {procedures} 个，目标 {destinations} 个。",
    ),
}


def say(code: str, /, **fields: object) -> Words:
    """The sentence ``code`` with its places filled."""
    return SAY[code].fill(fields)
