"""What couriers say on the page and in ``lotline status``."""

from __future__ import annotations

from typing import Final

from edge.wording import Words

COURIER: Final[dict[str, Words]] = {
    "nothing_waits": Words("nothing waiting", "无待发送"),
    "waiting": Words("{count} waiting, oldest {age}", "{count} 条待发送，最早 {age}前"),
    "gathered": Words("{count} collected for order close", "{count} 条已收集，待工单关闭"),
    "parked": Words(
        "{count} parked, {destination} said “{reason}” (lotline sync parked)",
        "{count} 条已搁置，{destination} 的答复：“{reason}”（lotline sync parked）",
    ),
    "last_receipt": Words("last receipt {time}", "最近回执 {time}"),
    "unavailable": Words("{destination} does not take records: {what}", "{destination} 暂不接收：{what}"),
    "fault": Words("{destination} needs a person: {what}", "{destination} 需要人工处理：{what}"),
    "rests": Words("delivery to {destination} rests: {what}", "向 {destination} 的发送已暂停：{what}"),
    "stopped": Words("{destination} is not being served", "{destination} 未在运行"),
    "connecting": Words("{destination} has not answered yet", "{destination} 尚未应答"),
}

OWN_FILE: Final[dict[str, Words]] = {
    "disk": Words("{file}: {why}.", "{file}：{why}。"),
    "disk_do": Words("Make room on the disk.", "请清理磁盘空间。"),
    "damaged": Words("{file} is damaged ({why}).", "{file} 已损坏（{why}）。"),
    "damaged_do": Words(
        "Move it away and start again: everything is offered once more, and the destination knows the keys.",
        "请将其移走并重新启动：所有记录会再次发送，对方可按键值识别重复。",
    ),
    "other_log": Words("{file} belongs to log {its}, not to {ours}.", "{file} 属于日志 {its}，而不是 {ours}。"),
    "other_log_do": Words(
        "Move the file away to deliver everything again from the beginning of this log.",
        "移走该文件后，将从本日志开头重新发送全部记录。",
    ),
    "older_log": Words(
        "{file} has delivered up to record {its}, but the log ends at {ours}: the log is an older copy.",
        "{file} 已发送到第 {its} 条记录，但日志只到 {ours}：日志是较旧的副本。",
    ),
    "older_log_do": Words(
        "Restore the newest backup of the log before anything is delivered.", "发送之前请先恢复最新的日志备份。"
    ),
    "record_gone": Words(
        "A courier still needs record {seq}, but the log no longer holds it.",
        "发送程序仍需要第 {seq} 条记录，但日志中已没有。",
    ),
    "record_gone_do": Words("Restore the missing segment of the log from the backup.", "请从备份恢复缺失的日志分段。"),
    "not_parked": Words("No parked record has the id '{id}'.", "没有编号为“{id}”的已搁置记录。"),
    "not_parked_do": Words("`lotline sync parked` lists them.", "可用 `lotline sync parked` 查看列表。"),
}

DESTINATION: Final[dict[str, Words]] = {
    "no_answer": Words("No answer within {seconds} s.", "{seconds} 秒内没有应答。"),
    "http_unreachable": Words("{host} cannot be reached: {why}.", "无法连接 {host}：{why}。"),
    "http_certificate": Words("The certificate of {host} is not accepted: {why}.", "{host} 的证书不被接受：{why}。"),
    "http_certificate_do": Words(
        "Check this PC's clock, or name the plant's authority with ca_file.",
        "请检查本机时钟，或用 ca_file 指定工厂的证书机构。",
    ),
    "http_busy": Words("{host} answered {status}: {words}", "{host} 应答 {status}：{words}"),
    "http_unclear": Words(
        "{host} answered 200, but did not say what became of the records: {words}",
        "{host} 应答 200，但未说明各条记录的结果：{words}",
    ),
    "http_key": Words(
        "{host} does not accept the key (HTTP {status}): {words}", "{host} 不接受密钥（HTTP {status}）：{words}"
    ),
    "http_key_do": Words("Set the right key and press Try now.", "请设置正确的密钥，然后按“立即重试”。"),
    "http_address": Words(
        "{host} does not take records at this address (HTTP {status}): {words}",
        "{host} 在此地址不接收记录（HTTP {status}）：{words}",
    ),
    "http_address_do": Words("Check url in the file.", "请检查文件中的 url。"),
    "http_ca_file": Words(
        "The file {file} of ca_file cannot be used: {why}.", "ca_file 指定的文件 {file} 无法使用：{why}。"
    ),
    "http_ca_file_do": Words("Put the authority's certificate there as PEM.", "请放入 PEM 格式的机构证书。"),
    "http_refuses_all": Words(
        "{host} refuses every record, {count} in a row, the last with: {words}",
        "{host} 连续拒绝了 {count} 条记录，最后的答复：{words}",
    ),
    "http_refuses_all_do": Words(
        "Nothing more is parked. Check url, and whether the server knows our materials.",
        "不再搁置更多记录。请检查 url，以及服务器是否已有这些物料。",
    ),
    "spool_missing": Words("The directory {directory} is not there.", "目录 {directory} 不存在。"),
    "spool_missing_do": Words("Mount the share or make the directory.", "请挂载共享目录或创建该目录。"),
    "spool_disk": Words("{directory} takes nothing: {why}.", "{directory} 无法写入：{why}。"),
    "spool_disk_do": Words("Make room or mend the disk.", "请清理空间或修复磁盘。"),
    "spool_forbidden": Words("{directory} may not be written: {why}.", "没有 {directory} 的写入权限：{why}。"),
    "spool_forbidden_do": Words("Give the service the right to write there.", "请授予服务写入权限。"),
    "spool_taken": Words("{file} is already there and would be overwritten.", "{file} 已存在，不能覆盖。"),
    "spool_taken_do": Words("Move it away.", "请将其移走。"),
}

AGE: Final[tuple[tuple[float, float, Words], ...]] = (
    # below this many seconds, shown in units of this many seconds
    (120.0, 1.0, Words("{n} s", "{n} 秒")),
    (7_200.0, 60.0, Words("{n} min", "{n} 分钟")),
    (172_800.0, 3_600.0, Words("{n} h", "{n} 小时")),
    (float("inf"), 86_400.0, Words("{n} d", "{n} 天")),
)


def age(seconds: float) -> Words:
    """A duration as people say it: ``2 s``, ``14 min``, ``3 h``, ``6 d``."""
    below = next(row for row in AGE if seconds < row[0])
    return below[2].fill({"n": int(seconds // below[1])})
