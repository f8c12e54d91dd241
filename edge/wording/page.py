"""What the operator's page says around the station's own words: labels, the faces that fill the screen, ages."""

from __future__ import annotations

from typing import Final

from edge.wording import Words

PAGE: Final[dict[str, Words]] = {
    # the frame
    "simulated": Words("SIMULATED", "模拟"),
    "clock_unchecked": Words("clock not synchronised", "时钟未同步"),
    "no_operator": Words("nobody signed in", "未登录"),
    "language": Words("中文", "English"),
    "sound_on": Words("Sound on", "声音开"),
    "sound_off": Words("Sound off", "声音关"),
    "sound_blocked": Words("Touch for sound", "轻触开声"),
    # the parts of the page
    "next": Words("NEXT", "下一步"),
    "no_verdict": Words("No scan yet", "尚无扫描"),
    "no_verdict_say": Words("The answer to each scan appears here.", "每次扫描的结果显示在这里。"),
    "unit": Words("Unit", "产品"),
    "no_unit": Words("no unit yet", "尚无产品"),
    "order": Words("Work order", "工单"),
    "no_order": Words("no work order", "尚无工单"),
    "made_of": Words("{made} of {quantity}", "{made} / {quantity}"),
    "steps": Words("Steps", "工步"),
    "loaded": Words("Loaded lots", "已上料批次"),
    "nothing_loaded": Words("nothing loaded", "未上料"),
    "left": Words("{left} {unit} left", "余 {left} {unit}"),
    "expires": Words("exp. {date}", "有效至 {date}"),
    "lot": Words("lot {lot}", "批次 {lot}"),
    "live": Words("Now", "实时"),
    "no_live": Words("no process values here", "本工位无过程参数"),
    "above": Words("above {limit}", "高于 {limit}"),
    "below": Words("below {limit}", "低于 {limit}"),
    "not_ok": Words("outside its limits", "超出限值"),
    "stale": Words("out of date", "数据过期"),
    "recent": Words("Last events", "最近事件"),
    "no_recent": Words("nothing yet", "暂无"),
    "scanned": Words("scanned", "扫描内容"),
    # how long ago; the browser counts on with the same words
    "age_now": Words("now", "刚刚"),
    "age_s": Words("{n} s ago", "{n} 秒前"),
    "age_min": Words("{n} min ago", "{n} 分钟前"),
    "age_h": Words("{n} h ago", "{n} 小时前"),
    "age_d": Words("{n} d ago", "{n} 天前"),
    # what the operator can do
    "hold": Words("press and hold", "按住不放"),
    "type_in": Words("Type in", "手动输入"),
    "type_in_label": Words("Type what the label says", "输入标签内容"),
    "type_in_send": Words("Send", "发送"),
    "type_in_close": Words("Close", "关闭"),
    "act_unanswered": Words(
        "No answer from the station program. Look at the page before you do it again.",
        "工位程序没有应答。请先查看画面，再决定是否重做。",
    ),
    # the faces that fill the screen
    "stopped": Words("STOP – this station is blocked.", "停！本工位已锁定。"),
    "storage_title": Words("STOP – this PC cannot save.", "停！电脑无法保存数据。"),
    "storage_do": Words(
        "Nothing more is recorded until this is solved. What was shown as OK is safe. Stop work and call a technician.",
        "解决之前不会再记录任何数据；已显示通过的记录是安全的。请停止作业并呼叫技术员。",
    ),
    "lost_title": Words(
        "Display lost contact with the station program.",
        "画面与工位程序断开。",
    ),
    "lost_say": Words(
        "Scans may still be recorded. Do not repeat a scan before this page is back. It comes back by itself; "
        "if not within a minute, call a technician.",
        "扫描可能仍在记录。画面恢复前请勿重复扫描。画面会自动恢复；超过一分钟请呼叫技术员。",
    ),
    "last_contact": Words("Last contact", "上次联系"),
    "frozen": Words(
        "This page shows one moment and reloads every 5 s: scripts are switched off in this browser.",
        "浏览器已停用脚本：本页为静态画面，每 5 秒重新加载。",
    ),
    # the other pages
    "stations": Words("Stations", "工位"),
    "no_stations": Words("No station is configured.", "尚未配置工位。"),
    "unknown_station": Words("There is no station {station} on this PC.", "本机没有工位 {station}。"),
    "all_stations": Words("All stations", "全部工位"),
    # what the technician is told
    "no_port": Words("The pages cannot be served at {host}:{port}: {why}.", "无法在 {host}:{port} 提供画面：{why}。"),
    "no_port_do": Words(
        "Stop the program that uses this port, or give the pages another one.",
        "请停止占用该端口的程序，或为画面换一个端口。",
    ),
    # what a refused request is told
    "refused_token": Words(
        "This request did not come from the station's page. Reload the page and try again.",
        "此请求并非来自工位画面。请重新加载页面后再试。",
    ),
    "refused_act": Words("That is not possible now. Look at the page.", "现在不能执行此操作，请查看画面。"),
    "refused_body": Words(
        "The page sent something unreadable. Reload the page.", "页面发送的内容无法识别，请重新加载页面。"
    ),
    "too_long": Words("That is longer than any label: at most {n} characters.", "内容过长：最多 {n} 个字符。"),
}

STATES: Final[dict[str, Words]] = {
    "no_operator": Words("waiting for an operator", "等待登录"),
    "no_order": Words("waiting for a work order", "等待工单"),
    "idle": Words("ready", "就绪"),
    "collecting": Words("working", "作业中"),
    "done": Words("finished", "完成"),
    "blocked": Words("STOP", "停"),
    "storage_stop": Words("STOP – cannot save", "停！无法保存"),
}
