"""What ``lotline`` itself says, before any verb does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge.wording import Words

ABOUT: Final = Words("Quality traceability on the production line's PC.", "产线电脑上的质量追溯。")
USAGE: Final = Words(
    "usage: lotline VERB [--state DIR] [--lang en|zh] …\n       lotline VERB --help",
    "用法：lotline 动词 [--state 目录] [--lang en|zh] …\n      lotline 动词 --help",
)
UNKNOWN: Final = Words("lotline: no verb '{verb}'{near}", "lotline：没有动词 '{verb}'{near}")

#: verb -> what it does
VERBS: Final[Mapping[str, Words]] = {
    "run": Words("run the line described by a file", "按配置文件运行产线"),
    "check": Words(
        "check a file: every mistake at once, no device is touched", "检查配置文件：一次列出全部错误，不接触任何设备"
    ),
    "schema": Words("print the JSON Schema of the file", "输出配置文件的 JSON Schema"),
    "show": Words("show a file as it is understood", "显示程序所理解的配置"),
    "demo": Words("run a demonstration line with simulated devices", "用模拟设备运行演示产线"),
    "status": Words("what the running line is doing", "正在运行的产线的状态"),
    "sync": Words("delivery: status, parked records, retry, export", "送达：状态、搁置的记录、重试、导出"),
    "resume": Words("try a device again after its fault was mended", "故障排除后重新尝试设备"),
    "verify": Words(
        "re-hash the whole log and name the first bad record", "重新计算整个日志的哈希，指出第一条损坏的记录"
    ),
    "drivers": Words("the drivers and what each was tested against", "驱动程序，以及各自经过哪些测试"),
    "bench": Words("measure this machine against the targets", "按目标测量本机性能"),
}
