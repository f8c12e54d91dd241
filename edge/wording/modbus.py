"""What is said about Modbus devices: why a poll failed, what a device refuses, and what to do about it."""

from __future__ import annotations

from typing import Final

from edge.wording import Words
from edge.wording.devices import Trouble

# -- why an answer cannot be used -------------------------------------------------------------------------------------

NO_ANSWER: Final = Words("no answer within {seconds} s", "{seconds} 秒内没有应答")
OTHER_ANSWER: Final = Words(
    "an answer to something else (unit {unit}, function {function})",
    "收到的应答不属于本次请求（站号 {unit}，功能码 {function}）",
)
OTHER_TRANSACTION: Final = Words(
    "an answer with transaction {got} instead of {expected}", "应答的事务号是 {got}，应为 {expected}"
)
SHORT_ANSWER: Final = Words("{got} values instead of {expected}", "收到 {got} 个值，应为 {expected} 个")
DAMAGED: Final = Words("a damaged answer", "应答数据受损")
TWO_ANSWERS: Final = Words(
    "two answers to one request: the first was late, both were thrown away",
    "一次请求收到两个应答：前一个迟到，两个都已丢弃",
)
REFUSED: Final = Words("exception {code} ({meaning})", "异常码 {code}（{meaning}）")

#: Modbus Application Protocol V1.1b3 §7
EXCEPTIONS: Final[dict[int, Words]] = {
    1: Words("illegal function", "功能码不支持"),
    2: Words("illegal data address", "地址不存在"),
    3: Words("illegal data value", "数据值不合法"),
    4: Words("device failure", "设备故障"),
    5: Words("acknowledged, not done yet", "已受理，尚未完成"),
    6: Words("device busy", "设备忙"),
    8: Words("memory parity error", "存储校验错误"),
    10: Words("gateway path unavailable", "网关路径不可用"),
    11: Words("the device behind the gateway does not answer", "网关后的设备没有应答"),
}
UNKNOWN_EXCEPTION: Final = Words("unknown", "未知")

# -- one device -------------------------------------------------------------------------------------------------------

SILENT: Final = Trouble(
    Words(
        "Unit {unit} at {line} gave no usable answer {times} times in a row, last: {why}.",
        "{line} 的站号 {unit} 连续 {times} 次没有可用的应答，最近一次：{why}。",
    ),
    Words(
        "Check the device's power and cable, its unit id and line settings.", "请检查设备电源、接线、站号和串口参数。"
    ),
)
ALL_SILENT: Final = Trouble(
    Words(
        "None of the {count} devices at {line} answers, last: {why}.",
        "{line} 上的 {count} 台设备都没有应答，最近一次：{why}。",
    ),
    Words("Check the power of the bus, its cable and line settings.", "请检查总线电源、接线和串口参数。"),
)
ALL_REFUSED: Final = Trouble(
    Words(
        "Unit {unit} at {line} answers, but refuses every tag: {why}.",
        "{line} 的站号 {unit} 有应答，但拒绝所有数据点：{why}。",
    ),
    Words(
        "Correct the tags' tables and addresses (zero-based, unless one_based: true), or unit_id.",
        "请更正数据点的表和地址（从 0 开始，除非 one_based: true），或更正 unit_id。",
    ),
)
BACK: Final = Words("answers again after {count} failed polls", "在 {count} 次轮询失败后恢复应答")
TAG_REFUSED: Final = Words("the device refuses {tags}: {why}", "设备拒绝读取 {tags}：{why}")
TAG_WITHOUT_VALUE: Final = Words("the device has no valid value for {tags}", "设备没有 {tags} 的有效值")

# -- the line ---------------------------------------------------------------------------------------------------------

LINE_GONE: Final = Trouble(
    Words("{line} went away ({reason}).", "{line} 已断开（{reason}）。"),
    Words("Check the device's power and cable.", "请检查设备电源和连接线。"),
)
CLOSED: Final = Words("closed by the other side", "被对方关闭")
OUT_OF_STEP: Final = Trouble(
    Words("{line} sent what is no Modbus answer.", "{line} 发来的不是 Modbus 应答。"),
    Words(
        "Check that the address and port are those of the device's Modbus server.",
        "请确认地址和端口是设备的 Modbus 服务。",
    ),
)
CONNECTION_REFUSED: Final = Trouble(
    Words("{line} refuses the connection.", "{line} 拒绝连接。"),
    Words(
        "Switch on the device's Modbus server, or correct port in the file.",
        "请启用设备的 Modbus 服务，或更正配置文件中的端口。",
    ),
)
CONNECT_TIMEOUT: Final = Trouble(
    Words("{line} did not accept a connection within {seconds} s.", "{line} 在 {seconds} 秒内没有接受连接。"),
    Words("Check the device's power, cable and address.", "请检查设备电源、网线和地址。"),
)
NO_ROUTE: Final = Trouble(
    Words("{line} cannot be reached ({reason}).", "无法到达 {line}（{reason}）。"),
    Words("Check the cable and this PC's network settings.", "请检查网线和本机的网络设置。"),
)
NAME_UNKNOWN: Final = Trouble(
    Words("No address is known for {line}.", "无法解析 {line} 的地址。"),
    Words("Correct host in the file, or write the IP address.", "请更正配置文件中的 host，或直接写 IP 地址。"),
)
