"""Why nothing more is recorded, and what ``verify`` found: one sentence per cause, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge.wording import Words

#: why the log stopped; the fields are ``directory``, ``free_mb``, ``reserve_mb`` and ``detail``
STOPPED: Final[Mapping[str, Words]] = {
    "full": Words(
        "The disk is full: nothing more can be recorded. Everything acknowledged is safe. Free space on the disk of "
        "{directory}; recording goes on by itself.",
        "磁盘已满：无法继续记录。已确认的记录全部安全。请在 {directory} 所在磁盘上释放空间，之后会自动继续记录。",
    ),
    "reserve": Words(
        "Only {free_mb} MB are free on the disk and {reserve_mb} MB are kept in reserve: nothing more is recorded. "
        "Everything acknowledged is safe. Free space on the disk of {directory}; recording goes on by itself.",
        "磁盘仅剩 {free_mb} MB，须保留 {reserve_mb} MB：不再记录。已确认的记录全部安全。"
        "请在 {directory} 所在磁盘上释放空间，之后会自动继续记录。",
    ),
    "read_only": Words(
        "The disk of {directory} is read-only: nothing more can be recorded. Everything acknowledged is safe. "
        "Call a technician: the disk may be failing ({detail}).",
        "{directory} 所在磁盘为只读：无法继续记录。已确认的记录全部安全。请呼叫技术员：磁盘可能有故障（{detail}）。",
    ),
    "failing": Words(
        "The disk of {directory} reports an error ({detail}): nothing more can be recorded. Everything acknowledged "
        "is safe. Call a technician and keep the PC switched on.",
        "{directory} 所在磁盘报告错误（{detail}）：无法继续记录。已确认的记录全部安全。请呼叫技术员，并保持电脑开机。",
    ),
    "damaged": Words(
        "What the disk of {directory} gives back is not what was written ({detail}): nothing more is recorded. "
        "Call a technician and run 'lotline verify'.",
        "{directory} 所在磁盘读回的内容与写入的不一致（{detail}）：不再记录。请呼叫技术员，并运行 lotline verify。",
    ),
    "busy": Words(
        "Another program keeps the log in {directory} locked: nothing more can be recorded. Close that program; "
        "recording goes on by itself.",
        "另一个程序锁定了 {directory} 中的日志：无法继续记录。请关闭该程序，之后会自动继续记录。",
    ),
    "slow": Words(
        "The disk does not keep up: too many records are waiting to be written, and the newest were not taken. "
        "Recording goes on by itself; repeat the last scan.",
        "磁盘写入跟不上：等待写入的记录过多，最新的记录未被接收。将自动继续记录，请重新扫描上一次的条码。",
    ),
    "closed": Words(
        "The log is closed: the program is stopping. Start it again.",
        "日志已关闭：程序正在停止。请重新启动程序。",
    ),
}

#: sensor readings stop before scans do
READINGS_STOPPED: Final = Words(
    "Only {free_mb} MB are free on the disk: sensor readings are no longer stored, scans still are. "
    "Free space on the disk of {directory}.",
    "磁盘仅剩 {free_mb} MB：不再保存传感器读数，扫描仍会记录。请在 {directory} 所在磁盘上释放空间。",
)

#: what ``verify`` says about the first bad record
FAULTS: Final[Mapping[str, Words]] = {
    "leaf": Words(
        "the stored bytes are not the ones that were hashed: the record was changed after it was written",
        "存储的字节与写入时计算哈希的字节不同：该记录在写入后被改动",
    ),
    "gap": Words(
        "records are missing: {seq} was expected and {found} follows",
        "记录缺失：应为 {seq}，实际是 {found}",
    ),
    "kind": Words(
        "it is filed as '{filed}' but its bytes say '{said}'",
        "归类为 '{filed}'，而其内容为 '{said}'",
    ),
    "json": Words("its bytes are no JSON object", "其内容不是 JSON 对象"),
    "unreadable": Words("the file cannot be read from here on: {detail}", "从此处起文件无法读取：{detail}"),
    "count": Words(
        "{counted} records of kind '{kind}' are there, {written} were written",
        "'{kind}' 类记录现有 {counted} 条，曾写入 {written} 条",
    ),
    "frame": Words(
        "its frame {frame} is not what was written: what was recorded from there on may be gone",
        "其第 {frame} 帧与写入时不同：此后的记录可能已丢失",
    ),
    "lost": Words(
        "the log ends at record {head}, but its own index has seen record {followed}: what is between is gone",
        "日志止于记录 {head}，而其索引已见过记录 {followed}：两者之间的记录已丢失",
    ),
    "origin": Words("the file belongs to another log ({found})", "该文件属于另一份日志（{found}）"),
    "leaves": Words(
        "the kept leaf hashes of deleted records do not reach from {seq} on",
        "已删除记录所保留的叶哈希从 {seq} 起不完整",
    ),
    "block": Words(
        "the readings of '{tag}' in it are not the ones that were hashed",
        "其中 '{tag}' 的读数与计算哈希时不同",
    ),
    "block_missing": Words("the readings of '{tag}' are missing from it", "其中缺少 '{tag}' 的读数"),
    "file_missing": Words("the file is missing, and no retention removed it", "文件缺失，且并非因保留期到期而删除"),
}
