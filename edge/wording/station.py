"""What the station answers: every verdict by its code, with the number that stands in the manual.

Pattern: what happened · what it means · what to do. ``level`` is how loud: ``stop`` fills the page, ``warn`` is a yellow band that
the next scan clears, ``ok`` is green and only ever said after the record is on disk, ``neutral`` changes nothing.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from edge.wording import Words

Level = Literal["ok", "neutral", "warn", "stop"]


class Answer(Struct, frozen=True):
    """One thing a station can say."""

    number: str
    level: Level
    title: Words
    say: Words


def _a(number: str, level: Level, title_en: str, title_zh: str, en: str, zh: str) -> Answer:
    return Answer(number, level, Words(title_en, title_zh), Words(en, zh))


ANSWERS: Final[dict[str, Answer]] = {
    # accepted
    "badge_ok": _a("A101", "ok", "Welcome", "欢迎", "You work here now.", "您现在在此工位工作。"),
    "order_ok": _a(
        "A102",
        "ok",
        "Order {order}",
        "工单 {order}",
        "Making {material}: {made} of {quantity} done.",
        "生产 {material}：已完成 {made} / {quantity}。",
    ),
    "received": _a(
        "A103",
        "ok",
        "Received",
        "已收货",
        "{material} lot {lot}, {quantity} {unit}. Booked in.",
        "{material} 批次 {lot}，{quantity} {unit}，已入库。",
    ),
    "loaded": _a(
        "A104",
        "ok",
        "Loaded",
        "已上料",
        "{material} lot {lot} at {position}. Units take from it now.",
        "{material} 批次 {lot} 已装到 {position}，后续产品从此批取用。",
    ),
    "consumed": _a(
        "A105", "ok", "OK", "正确", "{material} {item} goes into this unit.", "{material} {item} 已装入本件。"
    ),
    "unit_ok": _a(
        "A106",
        "ok",
        "Unit {unit}",
        "产品 {unit}",
        "Started. Follow the next instruction.",
        "已开始，请按下一步提示操作。",
    ),
    "unit_done": _a("A107", "ok", "Done", "完成", "Unit {unit} is complete and saved.", "产品 {unit} 已完成并保存。"),
    "unit_done_closed": _a(
        "A108",
        "ok",
        "Order complete",
        "工单完成",
        "Unit {unit} was the last of order {order}. The order is closed.",
        "产品 {unit} 是工单 {order} 的最后一件，工单已关闭。",
    ),
    "order_closed_ok": _a(
        "A109",
        "ok",
        "Order closed",
        "工单已关闭",
        "Order {order} is closed with {made} made.",
        "工单 {order} 已关闭，共完成 {made}。",
    ),
    "unit_cancelled": _a(
        "A110",
        "ok",
        "Cleared",
        "已清除",
        "The unit in progress was cleared. Start it again.",
        "未完成的产品已清除，请重新开始。",
    ),
    # neutral
    "repeated": _a(
        "W201",
        "neutral",
        "Already scanned",
        "已扫描",
        "Scanned {seconds} s ago. Counted once.",
        "{seconds} 秒前已扫描，只计一次。",
    ),
    "repeated_refused": _a(
        "W218",
        "neutral",
        "Scanned again",
        "再次扫描",
        "Scanned again after {seconds} s. The answer is the same.",
        "{seconds} 秒后再次扫描，结果相同。",
    ),
    # incomplete
    "scan_lot": _a(
        "W203",
        "warn",
        "Scan the lot code too",
        "请再扫批号",
        "This code has no lot number. Scan the second code on the same label.",
        "此码没有批号，请扫同一标签上的第二个码。",
    ),
    "scan_gtin": _a(
        "W206",
        "warn",
        "Scan the article code too",
        "请再扫商品码",
        "This code has a lot but no article. Scan the other code on the same label.",
        "此码只有批号，没有商品码，请扫同一标签上的另一个码。",
    ),
    "scan_serial": _a(
        "W207",
        "warn",
        "Scan the serial number",
        "请扫序列号",
        "This code has no serial number. Scan the serial code on the same part.",
        "此码没有序列号，请扫同一零件上的序列号码。",
    ),
    "scan_quantity": _a(
        "W208",
        "warn",
        "Scan the quantity",
        "请扫数量",
        "This label has not said how many yet. Scan its quantity code.",
        "尚未读到数量，请扫标签上的数量码。",
    ),
    "scan_expiry": _a(
        "W209",
        "warn",
        "Scan the expiry date",
        "请扫有效期",
        "This label has not said its expiry yet. Scan its date code.",
        "尚未读到有效期，请扫标签上的日期码。",
    ),
    # refused, a band
    "unknown_code": _a(
        "W202",
        "warn",
        "Unknown code",
        "无法识别",
        "I do not know this code: {code}. Scan {hint}.",
        "无法识别此码：{code}。请扫{hint}。",
    ),
    "unreadable": _a("W210", "warn", "Wrong code", "条码有误", "{problem}", "{problem}"),
    "label_incomplete": _a(
        "W211",
        "warn",
        "Label not complete",
        "标签不完整",
        "The other code of the label was not scanned in time. Nothing was taken. Scan both again.",
        "未及时扫到标签的另一个码，未计入。请重新扫两个码。",
    ),
    "label_conflict": _a(
        "W212",
        "warn",
        "Two different labels",
        "不是同一标签",
        "{problem} Nothing was taken. Scan both codes of one label.",
        "{problem}未计入。请扫同一标签上的两个码。",
    ),
    "unknown_badge": _a(
        "W213",
        "warn",
        "Unknown badge",
        "未知工牌",
        "This badge is not known here. Ask the line leader.",
        "本工位不认识此工牌，请联系班长。",
    ),
    "unknown_command": _a(
        "W214", "warn", "Card not valid", "卡片无效", "This command card does nothing here.", "此命令卡在本工位无效。"
    ),
    "nothing_open": _a(
        "W215", "warn", "Nothing to clear", "没有可清除的", "No unit is in progress.", "没有正在进行的产品。"
    ),
    "not_here": _a(
        "W216",
        "warn",
        "Not needed here",
        "此处不需要",
        "This station does not use that kind of code.",
        "本工位不使用此类码。",
    ),
    "already_done": _a(
        "W217",
        "warn",
        "Already there",
        "已有",
        "Step {step} of this unit is complete. Scan {hint}.",
        "本件的{step}已完成。请扫{hint}。",
    ),
    # refused, the whole page
    "wrong_material": _a(
        "B101",
        "stop",
        "STOP: wrong material",
        "停！物料错误",
        "This step needs {need}. You scanned {got}. Put it back and scan the right one.",
        "本工序需要 {need}，您扫的是 {got}。请放回，扫描正确物料。",
    ),
    "lot_expired": _a(
        "B102",
        "stop",
        "STOP: lot expired",
        "停！批次过期",
        "Lot {lot} expired on {date}. Do not use it. Set it aside and call quality.",
        "批次 {lot} 已于 {date} 过期。禁止使用，请隔离并通知质检。",
    ),
    "lot_held": _a(
        "B104",
        "stop",
        "STOP: lot on hold",
        "停！批次冻结",
        "Lot {lot} is on hold. Only quality can release it. Set it aside.",
        "批次 {lot} 已冻结，只有质检可以放行，请隔离。",
    ),
    "lot_empty": _a(
        "B107",
        "stop",
        "STOP: lot empty",
        "停！批次已用完",
        "Lot {lot} at {position} has {left} left; this unit needs {need}. Load a new lot, then scan again.",
        "{position} 的批次 {lot} 只剩 {left}，本件需要 {need}。请装新批次后再扫。",
    ),
    "step_missing": _a(
        "B105",
        "stop",
        "STOP: step missing",
        "停！缺少步骤",
        "“{step}” has not been done yet. Do it first: {hint}.",
        "“{step}”尚未完成。请先完成：{hint}。",
    ),
    "duplicate_serial": _a(
        "B106",
        "stop",
        "STOP: serial already used",
        "停！序列号重复",
        "Serial {serial} was already used ({when}, {where}). Keep the part and call the line leader.",
        "序列号 {serial} 已使用（{when}，{where}）。请保留零件并呼叫班长。",
    ),
    "parameter_stale": _a(
        "B108",
        "stop",
        "STOP: no fresh measurement",
        "停！没有最新数据",
        "The last {name} from {tag} is {age} s old. The unit cannot be completed. Mend it, do the step again, then scan again.",
        "{tag} 的{name}已 {age} 秒没有更新，不能完工。请排除故障，重做该步骤后再扫。",
    ),
    "parameter_out_of_limits": _a(
        "B109",
        "stop",
        "STOP: out of limits",
        "停！超出限值",
        "{name} was {value} {unit}; allowed is {low} to {high}. Set the unit aside and call quality.",
        "{name} 为 {value} {unit}，允许 {low} 至 {high}。请隔离产品并通知质检。",
    ),
    "not_authorised": _a(
        "B110",
        "stop",
        "STOP: not allowed",
        "停！无权限",
        "This step needs the role “{role}”. Ask somebody who has it.",
        "本工序需要“{role}”权限，请由有权限的人操作。",
    ),
    "not_trained": _a(
        "B111",
        "stop",
        "STOP: training missing",
        "停！未培训",
        "This step needs the training “{training}”. Ask the line leader.",
        "本工序需要“{training}”培训，请联系班长。",
    ),
    "unknown_order": _a(
        "B112",
        "stop",
        "STOP: unknown order",
        "停！未知工单",
        "Order {order} is not known here. Check the paper or ask the line leader.",
        "本机没有工单 {order}。请核对单据或联系班长。",
    ),
    "order_not_running": _a(
        "B113",
        "stop",
        "STOP: order not open",
        "停！工单未开",
        "Order {order} is {state}. Choose a running order.",
        "工单 {order} 状态为 {state}，请选择进行中的工单。",
    ),
    "wrong_order": _a(
        "B114",
        "stop",
        "STOP: wrong order",
        "停！工单不符",
        "Order {order} makes {material}; this station makes {need}.",
        "工单 {order} 生产 {material}，本工位生产 {need}。",
    ),
    "unit_open": _a(
        "B115",
        "stop",
        "STOP: a unit is open",
        "停！有未完成产品",
        "Unit {unit} is not complete. Complete it or clear it first.",
        "产品 {unit} 未完成，请先完成或清除。",
    ),
    "other_unit": _a(
        "B116",
        "stop",
        "STOP: another unit",
        "停！不是同一产品",
        "Unit {open} is open here; you scanned {got}. Complete the open unit first.",
        "当前产品为 {open}，您扫的是 {got}。请先完成当前产品。",
    ),
    "supplier_not_approved": _a(
        "B117",
        "stop",
        "STOP: supplier not approved",
        "停！供应商未批准",
        "Supplier {supplier} is not approved. Set the delivery aside and call quality.",
        "供应商 {supplier} 未获批准。请隔离并通知质检。",
    ),
    "lot_conflict": _a(
        "B118",
        "stop",
        "STOP: label contradicts",
        "停！标签矛盾",
        "Lot {lot} is known with expiry {known}; this label says {got}. Set it aside and call quality.",
        "批次 {lot} 的有效期记录为 {known}，标签为 {got}。请隔离并通知质检。",
    ),
    "not_representable": _a(
        "B119",
        "stop",
        "STOP: cannot be recorded",
        "停！无法记录",
        "This cannot be written as a valid record: {problem}. Call the technician.",
        "无法写成有效记录：{problem}。请呼叫技术员。",
    ),
    "procedure_changed": _a(
        "B120",
        "stop",
        "STOP: procedure changed",
        "停！工序已变更",
        "This unit was begun under another procedure. Clear it and start it again.",
        "本件是按旧工序开始的。请清除后重新开始。",
    ),
    # cannot know
    "lot_unknown": _a(
        "K301",
        "stop",
        "Cannot know this lot",
        "无法确认批次",
        "Lot {lot} of {material} is not known here, so it cannot be checked. Receive it first or ask quality.",
        "本机没有 {material} 批次 {lot} 的资料，无法检查。请先收货或询问质检。",
    ),
    "parameter_unknown": _a(
        "K302",
        "stop",
        "Cannot know the measurement",
        "无法确认参数",
        "{name} of this unit was not recorded (the PC or the device was away). Do the step again, or call quality.",
        "本件的{name}没有记录（电脑或设备曾中断）。请重做该步骤或通知质检。",
    ),
    "lot_quantity_unknown": _a(
        "K303",
        "stop",
        "Cannot know the quantity",
        "无法确认数量",
        "Nothing says how much lot {lot} holds. Scan a label with a quantity, or ask the line leader.",
        "不知道批次 {lot} 的数量。请扫带数量的标签或询问班长。",
    ),
    "bill_unknown": _a(
        "K304",
        "stop",
        "Cannot know the amount",
        "无法确认用量",
        "The bill of {material} does not say how much {component} one unit takes. Call the technician.",
        "{material} 的物料清单没有 {component} 的用量。请呼叫技术员。",
    ),
    "material_unknown": _a(
        "K305",
        "stop",
        "Cannot know the product",
        "无法确认产品",
        "Material {material} is no longer in the masters, so its serials cannot be checked. Call the technician.",
        "主数据中已没有物料 {material}，无法检查序列号。请呼叫技术员。",
    ),
    # the line stands
    "storage_stop": _a(
        "S402",
        "stop",
        "STOP: the PC cannot save",
        "停！电脑无法保存",
        "Nothing more is recorded. {reason} Call the technician.",
        "之后的操作不会被记录。{reason} 请呼叫技术员。",
    ),
}
