"""What the Tryton destination says: when Tryton cannot be reached, and why an event has no place in it."""

from __future__ import annotations

from typing import Final

from edge.wording import Words

TROUBLE: Final[dict[str, Words]] = {
    "no_answer": Words("Tryton gave no answer within {seconds} s.", "Tryton 在 {seconds} 秒内没有应答。"),
    "unreachable": Words("Tryton at {host} cannot be reached: {why}.", "无法连接 {host} 上的 Tryton：{why}。"),
    "certificate": Words("The certificate of {host} is not accepted: {why}.", "{host} 的证书不被接受：{why}。"),
    "certificate_do": Words(
        "Check this PC's clock, or name the plant's authority with ca_file.",
        "请检查本机时钟，或用 ca_file 指定工厂的证书机构。",
    ),
    "busy": Words("Tryton answered {status}: {words}", "Tryton 应答 {status}：{words}"),
    "not_tryton": Words(
        "{host} answered {status}, but not as Tryton does: {words}",
        "{host} 应答 {status}，但不是 Tryton 的应答：{words}",
    ),
    "unsettled": Words(
        "Tryton's {what} keeps changing while it is being posted.", "过账过程中 Tryton 的 {what} 不断变化。"
    ),
    "key": Words("Tryton does not accept the key.", "Tryton 不接受该密钥。"),
    "key_do": Words(
        "Make a REST application key for the edge's user in Tryton, validate it, set it as secret '{name}', and press Try now.",
        "请在 Tryton 中为该用户创建并验证 REST 应用密钥，写入密钥 '{name}'，然后按“立即重试”。",
    ),
    "password": Words(
        "Tryton does not accept user '{user}' with this password.", "Tryton 不接受用户 '{user}' 的密码。"
    ),
    "password_do": Words("Set the right password and press Try now.", "请设置正确的密码，然后按“立即重试”。"),
    "forbidden": Words("Tryton does not let the edge's user do this: {what}.", "Tryton 不允许该用户执行：{what}。"),
    "forbidden_do": Words(
        "Give the user the groups Stock, Production, Purchase and Quality.",
        "请为该用户分配库存、生产、采购和质量用户组。",
    ),
    "address": Words(
        "There is no REST interface for database '{database}' at {host}.",
        "{host} 上没有数据库 '{database}' 的 REST 接口。",
    ),
    "address_do": Words(
        "Check url and database; the REST interface came with Tryton 8.0.",
        "请检查 url 和 database；REST 接口自 Tryton 8.0 起提供。",
    ),
    "company": Words(
        "Tryton shows the edge's user these companies: {names}.", "该用户在 Tryton 中可见的公司：{names}。"
    ),
    "company_do": Words("Name one of them as company.", "请在 company 中指定其一。"),
    "warehouse": Words("Tryton has these warehouses: {names}.", "Tryton 中的仓库：{names}。"),
    "warehouse_do": Words("Name one of them as warehouse.", "请在 warehouse 中指定其一。"),
    "module": Words("Tryton lacks the module {names}.", "Tryton 缺少模块 {names}。"),
    "module_do": Words("Activate it in Tryton.", "请在 Tryton 中启用。"),
}

REFUSED: Final[dict[str, Words]] = {
    "tryton": Words("Tryton: {words}", "Tryton: {words}"),
    "act": Words("Tryton has no place for an event of the kind '{act}'.", "Tryton 无法存放 '{act}' 类事件。"),
    "no_order": Words("The event names no work order.", "该事件没有工单号。"),
    "material": Words("Tryton has no product with code {material}.", "Tryton 中没有代码为 {material} 的产品。"),
    "unit": Words(
        "Tryton has no unit for '{unit}' in which {material} is counted.",
        "Tryton 中 {material} 没有对应单位 '{unit}'。",
    ),
    "quantity": Words("The event says no quantity for {material}.", "该事件没有 {material} 的数量。"),
    "purchase": Words(
        "Purchase {purchase} has no open line for {material} in Tryton.",
        "Tryton 中采购单 {purchase} 没有 {material} 的未收行。",
    ),
    "too_much": Words(
        "{got} {material} came in, but only {open} are still open on {purchase} in Tryton. "
        "Amend the purchase in Tryton, then retry.",
        "收到 {got} {material}，但 Tryton 中 {purchase} 只剩 {open} 未收。请在 Tryton 中修改采购单后重试。",
    ),
    "supplier": Words(
        "{material} came in without a purchase order, and Tryton knows no supplier for it. "
        "Add a supplier to the product in Tryton, then retry.",
        "{material} 无采购单收货，且 Tryton 中没有其供应商。请在 Tryton 产品上添加供应商后重试。",
    ),
    "unplanned": Words(
        "Tryton asks a person: {words} Press Receive on shipment {shipment} in Tryton, then retry; "
        "or give this destination user and password, so that it may answer for receipts without a purchase order.",
        "Tryton 需要人工确认：{words} 请在 Tryton 中对收货单 {shipment} 按“接收”后重试；或为此目标设置 user 和 password。",
    ),
    "expiry": Words(
        "Lot {lot} of {material} expires {tryton} in Tryton, but {label} on its label. Correct the lot in Tryton, then retry.",
        "{material} 批次 {lot} 在 Tryton 中的有效期为 {tryton}，标签上为 {label}。请在 Tryton 中更正后重试。",
    ),
    "receipt_cancelled": Words(
        "Shipment {shipment} was cancelled in Tryton.", "收货单 {shipment} 已在 Tryton 中取消。"
    ),
    "receipt_differs": Words(
        "Shipment {shipment} in Tryton has this event's reference but holds {theirs} instead of {ours}.",
        "Tryton 收货单 {shipment} 的参考号属于此事件，但内容为 {theirs}，应为 {ours}。",
    ),
    "order_unknown": Words("Tryton has no production {order}.", "Tryton 中没有生产单 {order}。"),
    "order_ambiguous": Words(
        "Several productions in Tryton have the reference {order}: {names}.",
        "Tryton 中有多个生产单的参考号为 {order}：{names}。",
    ),
    "order_cancelled": Words("Production {order} was cancelled in Tryton.", "生产单 {order} 已在 Tryton 中取消。"),
    "order_draft": Words(
        "Production {order} is still a {state} in Tryton. Set it to waiting there, then retry.",
        "生产单 {order} 在 Tryton 中仍为 {state}。请设为等待后重试。",
    ),
    "order_material": Words(
        "Production {order} makes {theirs} in Tryton, but {ours} was made.",
        "Tryton 生产单 {order} 的产品是 {theirs}，实际生产的是 {ours}。",
    ),
    "order_done": Words(
        "Production {order} is already {state} in Tryton, with {theirs} instead of {ours}.",
        "生产单 {order} 在 Tryton 中已为 {state}，内容为 {theirs}，应为 {ours}。",
    ),
    "nothing_made": Words(
        "Nothing was made for {order}. Cancel the production in Tryton.",
        "{order} 没有产出。请在 Tryton 中取消该生产单。",
    ),
    "incomplete": Words(
        "{order} closed with {made} made, but the events collected for it tell of {told}.",
        "{order} 关闭时产量为 {made}，但收集到的事件合计为 {told}。",
    ),
    "lot_unknown": Words(
        "Tryton has no lot {lots} of {material}. Receive it there, then retry.",
        "Tryton 中没有 {material} 的批次 {lots}。请先收货再重试。",
    ),
    "shortage": Words(
        "Tryton cannot assign {missing}: that much is not in stock at {place}. Correct the stock in Tryton, then retry.",
        "Tryton 无法分配 {missing}：{place} 库存不足。请在 Tryton 中更正库存后重试。",
    ),
    "inspection_wanted": Words(
        "Tryton wants an inspection before production {order} is done. Name its control as inspection, or inspect it in Tryton, "
        "then retry.",
        "Tryton 要求先检验再完成生产单 {order}。请在 inspection 中指定其控制项，或在 Tryton 中检验后重试。",
    ),
    "control": Words("Tryton has no quality control '{control}'.", "Tryton 中没有质量控制 '{control}'。"),
    "point": Words(
        "No event of {order} measured '{point}', which control '{control}' asks for.",
        "{order} 的事件中没有控制 '{control}' 所需的测点 '{point}'。",
    ),
    "still": Words(
        "Production {order} stays {state} in Tryton: Tryton wants something from a person there. Then retry.",
        "生产单 {order} 在 Tryton 中仍为 {state}：Tryton 需要人工处理，处理后请重试。",
    ),
    "still_shipment": Words(
        "Shipment {shipment} stays {state} in Tryton.", "收货单 {shipment} 在 Tryton 中仍为 {state}。"
    ),
}
"""Every reason to park an event. Those with Tryton's own words carry them unchanged, in the language of the edge's user."""
