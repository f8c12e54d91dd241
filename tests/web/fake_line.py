"""A line that shows what a test tells it to. ``python fake_line.py PORT`` serves it in a process of its own."""

from __future__ import annotations

import asyncio
import copy
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from edge.web import create_app, serve


def both(en: str, zh: str) -> dict[str, str]:
    return {"en": en, "zh": zh}


def verdict(
    kind: str, level: str, code: str, seq: int, value: str, title: dict[str, str], say: dict[str, str]
) -> dict[str, Any]:
    told = {"kind": kind, "level": level, "code": code, "title": title, "say": say, "value": value, "seq": seq}
    return {**told, "at": "2026-11-22T03:42:07.123Z", "age_s": 8}


OK = verdict(
    "accepted",
    "ok",
    "loaded",
    123,
    "(01)09506000134352(17)270531(10)L77",
    both("OK – bearing loaded", "通过 – 轴承已上料"),
    both("BRG-6204 lot L77 is at tray-1. 88 pieces are left.", "BRG-6204 批次 L77 已装到 tray-1，余 88 件。"),
)
WARN = verdict(
    "refused",
    "warn",
    "unknown_code",
    124,
    "https://example.com/?p=77",
    both("Unknown code", "无法识别的条码"),
    both(
        "This code is not known at this station. Scan the label with the part number and the lot.",
        "本工位不认识此条码。请扫描带有料号和批号的标签。",
    ),
)
STOP = verdict(
    "refused",
    "stop",
    "lot_expired",
    125,
    "(01)09506000134352(17)261031(10)L41",
    both("STOP – lot L41 has expired", "停！批次 L41 已过期"),
    both(
        "Lot L41 of BRG-6204 expired on 2026-10-31. It must not be used. "
        "Put it aside, call quality, and load another lot.",
        "BRG-6204 批次 L41 已于 2026-10-31 过期，禁止使用。请隔离该批次，通知质检，并换用其他批次。",
    ),
)
REPEATED = verdict(
    "repeated",
    "neutral",
    "repeated",
    126,
    "(01)09506000134352(17)270531(10)L77",
    both("Already scanned", "已扫描"),
    both("The same label was scanned 1 s ago. It counts once.", "1 秒前已扫描同一标签，只计一次。"),
)
INCOMPLETE = verdict(
    "incomplete",
    "neutral",
    "incomplete",
    127,
    "(10)L77",
    both("One more code", "还差一个条码"),
    both(
        "This symbol holds the lot only. Scan the other barcode of the same label.",
        "此条码只有批号。请再扫同一标签上的另一个条码。",
    ),
)
CANNOT_KNOW = verdict(
    "cannot_know",
    "warn",
    "parameter_stale",
    128,
    "SN1",
    both("Cannot tell", "无法判断"),
    both(
        "No force value has come from press-2 for 12 s. The unit cannot be completed until it returns.",
        "已 12 秒没有收到 press-2 的压力数据，恢复之前不能完工。",
    ),
)
VERDICTS: dict[str, dict[str, Any] | None] = {
    "ok": OK,
    "warn": WARN,
    "stop": STOP,
    "repeated": REPEATED,
    "incomplete": INCOMPLETE,
    "cannot_know": CANNOT_KNOW,
    "none": None,
}


def document(station: str = "ST10", **changes: Any) -> dict[str, Any]:
    """A full station at work."""
    pump = {"material": "PUMP-100", "material_name": both("Feed pump", "给水泵")}
    shown: dict[str, Any] = {
        "station": station,
        "name": both("Press bearing", "压装轴承"),
        "site": "SZ1 · assembly · L3",
        "simulated": True,
        "clock": {"offset": "+08:00", "synchronised": True},
        "state": "collecting",
        "storage": {"ok": True, "say": both("Everything is saved on this PC.", "全部已存本机。")},
        "config_note": None,
        "next": both("Scan the shaft", "请扫描轴"),
        "verdict": OK,
        "unit": {"id": "SN1", **pump},
        "steps": [
            step("operator", "Operator", "操作员", "Li Wei"),
            step("work_order", "Work order", "工单", "WO-1001"),
            step("unit", "Unit", "产品序列号", "SN1"),
            step("bearings", "Load Bearing 6204 at tray-1", "请将轴承 6204 装到 tray-1", "L77, 88 pcs left"),
            {**step("shaft", "Shaft", "轴", ""), "now": True},
            step("press", "Press", "压装", ""),
            step("grease", "Grease", "涂油脂", ""),
            step("label", "Label", "标签", ""),
        ],
        "order": {"id": "WO-1001", **pump, "made": "412", "quantity": "600"},
        "operator": {"id": "op-17", "name": "Li Wei"},
        "loaded": [
            lot("tray-1", "BRG-6204", "L77", "88", both("pcs", "件"), "2027-05-31"),
            lot("tank-1", "GREASE-2", "G-2026-118", "12.45", both("kg", "千克"), "2027-02-28"),
        ],
        "live": [
            live("press-2.force", "Press force", "压装力", "10412", "N", 9500, 11200, 10412.0),
            live("climate-1.temperature", "Room temperature", "室温", "22.4", "°C", 18, 26, 22.4),
            live("climate-1.humidity", "Humidity", "湿度", "48", "%RH", None, 60, 48.0),
        ],
        "devices": [device(name, "online", "online", "在线") for name in ("hand-1", "press-2", "climate-1", "label-1")],
        "sync": [destination(3, 0, "3 waiting, 412 for order close", "3 条待传，412 条待关单")],
        "recent": [
            event("03:42:07", "ok", "BRG-6204 lot L77 loaded at tray-1", "BRG-6204 批次 L77 装到 tray-1"),
            event("03:41:51", "ok", "Unit SN1 begun", "产品 SN1 开始"),
            event("03:41:12", "warn", "Unknown code", "无法识别的条码"),
            event("03:40:58", "ok", "Unit SN0 finished, label verified", "产品 SN0 完成，标签已核对"),
            event("03:39:02", "stop", "Lot L41 refused: expired", "批次 L41 被拒：已过期"),
        ],
        "acts": [
            {"act": "cancel_unit", "say": both("Cancel this unit", "取消本件"), "hold": True},
            {"act": "confirm_close", "say": both("Close the order", "关闭工单"), "hold": True},
        ],
        "generation": 1,
    }
    return {**shown, **changes}


def trouble() -> dict[str, Any]:
    """Everything that can be wrong beside the verdict, at once."""
    force, room, humidity = document()["live"]
    return {
        "config_note": both(
            "The file has errors; running the version of 12 Nov. Ask a technician to run lotline check.",
            "配置文件有错误，正在运行 11 月 12 日的版本。请技术员执行 lotline check。",
        ),
        "clock": {"offset": "+08:00", "synchronised": False},
        "live": [
            {**force, "value": "11850", "number": 11850.0, "ok": False},
            {**room, "stale": True, "age_s": 140},
            humidity,
        ],
        "devices": [
            device("hand-1", "online", "online", "在线"),
            device("press-2", "waiting", "does not answer – trying again", "无应答，正在重试"),
            device("climate-1", "fault", "wrong unit id", "站号错误"),
            device("label-1", "connecting", "connecting", "正在连接"),
        ],
        "sync": [destination(1200, 2, "1,200 waiting, oldest 2 h · 2 parked", "1200 条待传，最早 2 小时 · 2 条已搁置")],
    }


def crowded() -> dict[str, Any]:
    """More of everything than a station should have."""
    full = document()
    return {
        "steps": full["steps"] + [step(f"ring-{n}", f"Fit seal ring {n}", f"装密封圈 {n}", "") for n in range(4)],
        "loaded": [
            *full["loaded"],
            lot("reel-3", "CAP-0402", "R-88123", "4112", both("pcs", "件"), ""),
            lot("bin-2", "SCREW-M4", "S2026110", "960", both("pcs", "件"), ""),
        ],
        "live": [
            *full["live"],
            live("press-2.oil", "Hydraulic oil temperature", "液压油温度", "41.2", "°C", 20, 60, 41.2),
            live("press-2.stroke", "Stroke", "行程", "118.40", "mm", None, None, 118.4),
        ],
        "devices": full["devices"] + [device(name, "online", "online", "在线") for name in ("scale-1", "leak-3")],
    }


def step(name: str, en: str, zh: str, detail: str) -> dict[str, Any]:
    """Done where it has a detail."""
    return {"name": name, "say": both(en, zh), "done": bool(detail), "now": False, "detail": both(detail, detail)}


def lot(position: str, material: str, lot: str, left: str, unit: dict[str, str], expiry: str) -> dict[str, Any]:
    return {"position": position, "material": material, "lot": lot, "left": left, "unit": unit, "expiry": expiry}


def live(
    tag: str,
    en: str,
    zh: str,
    value: str,
    unit: str,
    low: float | None,
    high: float | None,
    number: float | None,
    **more: Any,
) -> dict[str, Any]:
    fixed = {"tag": tag, "label": both(en, zh), "value": value, "unit": unit, "low": low, "high": high}
    return {**fixed, "number": number, "age_s": 0.4, "stale": False, "ok": True, **more}


def device(name: str, state: str, en: str, zh: str) -> dict[str, Any]:
    return {"id": name, "state": state, "say": both(en, zh)}


def destination(waiting: int, parked: int, en: str, zh: str) -> dict[str, Any]:
    counts = {"waiting": waiting, "parked": parked, "gathered": 412}
    return {"destination": "erp", **counts, "state": "delivering", "say": both(en, zh)}


def event(time: str, level: str, en: str, zh: str) -> dict[str, Any]:
    return {"at": f"2026-11-22T{time}.123Z", "level": level, "text": both(en, zh)}


class FakeLine:
    """A LineView whose documents a test sets."""

    def __init__(self, *stations: str) -> None:
        self.documents = {station: document(station) for station in stations or ("ST10",)}
        self.acts: list[tuple[str, str, dict[str, str]]] = []
        self.open_streams = 0
        self._changed = asyncio.Condition()
        self._version = 0

    async def show(self, station: str = "ST10", **changes: Any) -> None:
        self.documents[station] = {**self.documents[station], **changes}
        self._version += 1
        async with self._changed:
            self._changed.notify_all()

    def stations(self) -> Sequence[str]:
        return list(self.documents)

    def view(self, station: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.documents.get(station))

    async def changes(self, station: str) -> AsyncIterator[dict[str, Any]]:
        self.open_streams += 1
        seen = self._version
        try:
            while True:
                async with self._changed:
                    while self._version == seen:
                        await self._changed.wait()
                seen = self._version
                yield copy.deepcopy(self.documents[station])
        finally:
            self.open_streams -= 1

    async def act(self, station: str, act: str, fields: Mapping[str, str]) -> dict[str, Any]:
        self.acts.append((station, act, dict(fields)))
        return {"ok": True, "say": both(f"Done: {act}", f"已完成：{act}")}


def _tell(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(create_app(FakeLine()), "127.0.0.1", int(sys.argv[1]), _tell))
