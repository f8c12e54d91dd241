"""What is said about devices: their states, by who must act, and what can be wrong with a scanner.

A ``Trouble`` is what happened and what to do; a driver raises ``DeviceUnavailable(*PORT_ABSENT.fill(port=port))``.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from edge.model import NoticeCode
from edge.wording import Words


class Trouble(Struct, frozen=True):
    """What happened, and what to do about it."""

    what: Words
    hint: Words

    def fill(self, **fields: object) -> tuple[Words, Words]:
        """Both texts with every ``{name}`` filled in."""
        return self.what.fill(fields), self.hint.fill(fields)


# -- the state of a device or follower, as the page shows it ----------------------------------------------------------

CONNECTING: Final = Words("Connecting.", "正在连接。")
ONLINE: Final = Words("Online.", "在线。")
RUNNING: Final = Words("Running.", "正在运行。")
STOPPED: Final = Words("Stopped.", "已停止。")
#: the machine acts
RETRYING: Final = Words("{say} Tries again by itself.", "{say}系统会自动重试。")
#: a technician acts
NEEDS_TECHNICIAN: Final = Words(
    "{say} A technician has to mend this and then press Resume.", "{say}请技术员处理后按“恢复”。"
)
#: we act
BUG: Final = Words(
    "A bug in Lotline stopped this part ({bug}); everything else runs on. "
    "Press Resume to start it again, and send the log to whoever looks after Lotline.",
    "Lotline 程序错误，此部分已停止（{bug}），其他部分照常运行。请按“恢复”重新启动，并把日志发给 Lotline 维护人员。",
)
BUG_RETRYING: Final = Words(
    "A bug in Lotline interrupted this part ({bug}); everything else runs on. "
    "It is started again by itself; send the log to whoever looks after Lotline.",
    "Lotline 程序错误，此部分已中断（{bug}），其他部分照常运行。系统会自动重新启动它，请把日志发给 Lotline 维护人员。",
)
#: one device of a shared bus
SILENT: Final = Words(
    "No answer from this device ({text}). It is asked again by itself.",
    "此设备没有应答（{text}）。系统会自动继续询问。",
)

WENT_AWAY: Final = Trouble(Words("The connection ended.", "连接已结束。"), Words("", ""))
ENDED: Final = Trouble(Words("It ended by itself.", "它自行结束了。"), Words("", ""))
NOT_RELEASED: Final = Trouble(
    Words("The port was not released within {seconds} s.", "端口未能在 {seconds} 秒内释放。"),
    Words("Unplug the device and plug it in again.", "请拔下设备再重新插上。"),
)

# -- notices, told apart by their code --------------------------------------------------------------------------------

NOTICES: Final[dict[NoticeCode, Words]] = {
    NoticeCode.NO_READ: Words("Triggered, but nothing was read. Scan again.", "已触发但没有读到条码，请重新扫描。"),
    NoticeCode.OVERRUN: Words("Too long for a code; thrown away.", "数据过长，不是条码，已丢弃。"),
    NoticeCode.UNDECODABLE: Words("Damaged on the way; thrown away. Scan again.", "传输受损，已丢弃，请重新扫描。"),
    NoticeCode.DROPPED: Words(
        "Cut off when the connection broke; thrown away. Scan again.", "连接中断，数据不完整，已丢弃，请重新扫描。"
    ),
    NoticeCode.SILENT: Words("The device stopped answering.", "设备停止应答。"),
    NoticeCode.ANSWERING: Words("The device answers again.", "设备恢复应答。"),
    NoticeCode.NO_VALUE: Words("The device has no valid value.", "设备没有有效值。"),
}

# -- serial scanners --------------------------------------------------------------------------------------------------

#: what a person plugs in
SCANNER: Final = Words("scanner", "扫码枪")
ADAPTER: Final = Words("adapter", "转换器")
NOT_INSTALLED: Final = Trouble(
    Words("The Python package {package} is not installed.", "未安装 Python 包 {package}。"),
    Words("Run: pip install 'lotline[{extra}]'.", "请运行：pip install 'lotline[{extra}]'。"),
)
PORT_ABSENT: Final = Trouble(
    Words("{port} is not there.", "找不到 {port}。"),
    Words("Plug the {thing} in, or correct its port in the file.", "请插上{thing}，或更正配置文件中的端口。"),
)
PORT_GONE: Final = Trouble(
    Words("{port} went away.", "{port} 已断开。"),
    Words("Check the scanner's cable.", "请检查扫码枪的连接线。"),
)
PORT_DENIED: Final = Trouble(
    Words("{port} may not be opened by this account.", "当前账户无权打开 {port}。"),
    Words(
        "Run: sudo usermod -aG dialout $(id -un {uid}), then start Lotline again.",
        "请运行：sudo usermod -aG dialout $(id -un {uid})，然后重新启动 Lotline。",
    ),
)
PORT_BUSY: Final = Trouble(
    Words("{port} is in use by another program.", "{port} 正被其他程序占用。"),
    Words("Close that program; fuser -v {port} names it.", "请关闭该程序；fuser -v {port} 可查出是哪个程序。"),
)
PORT_SICK: Final = Trouble(
    Words("{port} cannot be opened ({reason}).", "无法打开 {port}（{reason}）。"),
    Words("Unplug the {thing} and plug it in again.", "请拔下{thing}再重新插上。"),
)
PORT_HANGS: Final = Trouble(
    Words("{port} did not open within {seconds} s.", "{port} 未能在 {seconds} 秒内打开。"),
    Words("Unplug the {thing} and plug it in again.", "请拔下{thing}再重新插上。"),
)
NOT_SERIAL: Final = Trouble(
    Words("{port} is no serial port.", "{port} 不是串口。"),
    Words(
        "Correct the port in the file; ls -l /dev/serial/by-id lists them.",
        "请更正配置文件中的端口；ls -l /dev/serial/by-id 可列出串口。",
    ),
)
LINE_REFUSED: Final = Trouble(
    Words("{port} does not take these line settings ({reason}).", "{port} 不支持这些串口参数（{reason}）。"),
    Words(
        "Correct baudrate, parity, bytesize or stopbits in the file.",
        "请更正配置文件中的波特率、校验、数据位或停止位。",
    ),
)

# -- network scanners -------------------------------------------------------------------------------------------------

NAME_UNKNOWN: Final = Trouble(
    Words("No address is known for '{host}'.", "无法解析“{host}”的地址。"),
    Words("Correct host in the file, or write the IP address.", "请更正配置文件中的 host，或直接写 IP 地址。"),
)
CONNECTION_REFUSED: Final = Trouble(
    Words("{peer} refuses the connection.", "{peer} 拒绝连接。"),
    Words(
        "Switch on the reader's TCP server, or correct port in the file.",
        "请启用读码器的 TCP 服务器，或更正配置文件中的端口。",
    ),
)
NO_ANSWER: Final = Trouble(
    Words("{peer} did not answer within {seconds} s.", "{peer} 在 {seconds} 秒内没有应答。"),
    Words("Check the reader's power, cable and address.", "请检查读码器的电源、网线和地址。"),
)
NO_ROUTE: Final = Trouble(
    Words("{peer} cannot be reached ({reason}).", "无法到达 {peer}（{reason}）。"),
    Words("Check the cable and this PC's network settings.", "请检查网线和本机的网络设置。"),
)
READER_GONE: Final = Trouble(
    Words("{peer} closed the connection.", "{peer} 关闭了连接。"),
    Words("Check the reader's power and cable.", "请检查读码器的电源和网线。"),
)
LISTEN_BUSY: Final = Trouble(
    Words("Port {port} of this PC is in use by another program.", "本机端口 {port} 正被其他程序占用。"),
    Words(
        "Close that program; ss -ltnp 'sport = :{port}' names it.",
        "请关闭该程序；ss -ltnp 'sport = :{port}' 可查出是哪个程序。",
    ),
)
LISTEN_DENIED: Final = Trouble(
    Words("Port {port} may not be used by this account.", "当前账户无权使用端口 {port}。"),
    Words("Take a port above 1023 in the file and in the reader.", "请在配置文件和读码器中改用 1023 以上的端口。"),
)
LISTEN_SICK: Final = Trouble(
    Words("Port {port} of this PC can take no calls ({reason}).", "本机端口 {port} 无法接受连接（{reason}）。"),
    Words(
        "Restart Lotline; if it comes back, send the log to whoever looks after it.",
        "请重启 Lotline；若再次出现，请把日志发给维护人员。",
    ),
)
LISTEN_NO_ADDRESS: Final = Trouble(
    Words("This PC does not have the address {host} ({reason}).", "本机没有地址 {host}（{reason}）。"),
    Words(
        "Check this PC's network settings, or correct host in the file.",
        "请检查本机的网络设置，或更正配置文件中的 host。",
    ),
)
