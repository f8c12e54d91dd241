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
    kind: str, level: str, code: str, title: dict[str, str], say: dict[str, str], value: str, seq: int
) -> dict[str, Any]:
    at = "2026-11-22T03:42:07.123Z"
    return {
        "kind": kind, "level": level, "code": code, "title": title, "say": say, "value": value, "at": at, "age_s": 8, "seq": seq,
    }  # fmt: skip


OK = verdict(
    "accepted", "ok", "loaded", both("OK – bearing loaded", "通过 – 轴承已上料"),
    both("BRG-6204 lot L77 is at tray-1. 88 pieces are left.", "BRG-6204 批次 L77 已装到 tray-1，余 88 件。"),
    "(01)09506000134352(17)270531(10)L77", 123,
)  # fmt: skip
WARN = verdict(
    "refused", "warn", "unknown_code", both("Unknown code", "无法识别的条码"),
    both("This code is not known at this station. Scan the label with the part number and the lot.",
         "本工位不认识此条码。请扫描带有料号和批号的标签。"),
    "https://example.com/?p=77", 124,
)  # fmt: skip
STOP = verdict(
    "refused", "stop", "lot_expired", both("STOP – lot L41 has expired", "停！批次 L41 已过期"),
    both("Lot L41 of BRG-6204 expired on 2026-10-31. It must not be used. Put it aside, call quality, and load another lot.",
         "BRG-6204 批次 L41 已于 2026-10-31 过期，禁止使用。请隔离该批次，通知质检，并换用其他批次。"),
    "(01)09506000134352(17)261031(10)L41", 125,
)  # fmt: skip
REPEATED = verdict(
    "repeated", "neutral", "repeated", both("Already scanned", "已扫描"),
    both("The same label was scanned 1 s ago. It counts once.", "1 秒前已扫描同一标签，只计一次。"),
    "(01)09506000134352(17)270531(10)L77", 126,
)  # fmt: skip
INCOMPLETE = verdict(
    "incomplete", "neutral", "incomplete", both("One more code", "还差一个条码"),
    both("This symbol holds the lot only. Scan the other barcode of the same label.", "此条码只有批号。请再扫同一标签上的另一个条码。"),
    "(10)L77", 127,
)  # fmt: skip
CANNOT_KNOW = verdict(
    "cannot_know", "warn", "parameter_stale", both("Cannot tell", "无法判断"),
    both("No force value has come from press-2 for 12 s. The unit cannot be completed until it returns.",
         "已 12 秒没有收到 press-2 的压力数据，恢复之前不能完工。"),
    "SN1", 128,
)  # fmt: skip
VERDICTS = {
    "ok": OK, "warn": WARN, "stop": STOP, "repeated": REPEATED, "incomplete": INCOMPLETE, "cannot_know": CANNOT_KNOW, "none": None,
}  # fmt: skip


def document(station: str = "ST10", **changes: Any) -> dict[str, Any]:
    """A full station at work."""
    steps = [
        ("operator", "Operator", "操作员", True, False, "Li Wei"),
        ("work_order", "Work order", "工单", True, False, "WO-1001"),
        ("unit", "Unit", "产品序列号", True, False, "SN1"),
        ("bearings", "Bearings", "轴承", True, False, "L77"),
        ("shaft", "Shaft", "轴", False, True, ""),
        ("press", "Press", "压装", False, False, ""),
        ("grease", "Grease", "涂油脂", False, False, ""),
        ("label", "Label", "标签", False, False, ""),
    ]
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
        "unit": {"id": "SN1", "material": "PUMP-100", "material_name": both("Feed pump", "给水泵")},
        "steps": [
            {"name": name, "say": both(en, zh), "done": done, "now": now, "detail": both(detail, detail)}
            for name, en, zh, done, now, detail in steps
        ],
        "order": {
            "id": "WO-1001", "material": "PUMP-100", "material_name": both("Feed pump", "给水泵"), "made": "412", "quantity": "600",
        },
        "operator": {"id": "op-17", "name": "Li Wei"},
        "loaded": [
            {"position": "tray-1", "material": "BRG-6204", "lot": "L77", "left": "88", "unit": both("pcs", "件"), "expiry": "2027-05-31"},
            {"position": "tank-1", "material": "GREASE-2", "lot": "G-2026-118", "left": "12.45", "unit": both("kg", "千克"), "expiry": "2027-02-28"},
        ],
        "live": [
            live("press-2.force", "Press force", "压装力", "10412", "N", 9500, 11200, 10412.0),
            live("climate-1.temperature", "Room temperature", "室温", "22.4", "°C", 18, 26, 22.4),
            live("climate-1.humidity", "Humidity", "湿度", "48", "%RH", None, 60, 48.0),
        ],
        "devices": [
            {"id": device, "state": "online", "say": both("online", "在线")} for device in ("hand-1", "press-2", "climate-1", "label-1")
        ],
        "sync": [{
            "destination": "erp", "waiting": 3, "parked": 0, "gathered": 412, "state": "delivering",
            "say": both("3 waiting, 412 for order close", "3 条待传，412 条待关单"),
        }],
        "recent": [
            {"at": "2026-11-22T03:42:07.123Z", "level": "ok", "text": both("BRG-6204 lot L77 loaded at tray-1", "BRG-6204 批次 L77 装到 tray-1")},
            {"at": "2026-11-22T03:41:51.004Z", "level": "ok", "text": both("Unit SN1 begun", "产品 SN1 开始")},
            {"at": "2026-11-22T03:41:12.700Z", "level": "warn", "text": both("Unknown code", "无法识别的条码")},
            {"at": "2026-11-22T03:40:58.200Z", "level": "ok", "text": both("Unit SN0 finished, label verified", "产品 SN0 完成，标签已核对")},
            {"at": "2026-11-22T03:39:02.900Z", "level": "stop", "text": both("Lot L41 refused: expired", "批次 L41 被拒：已过期")},
        ],
        "acts": [
            {"act": "cancel_unit", "say": both("Cancel this unit", "取消本件"), "hold": True},
            {"act": "confirm_close", "say": both("Close the order", "关闭工单"), "hold": True},
        ],
        "generation": 1,
    }  # fmt: skip
    return {**shown, **changes}


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
    fixed = {
        "tag": tag,
        "label": both(en, zh),
        "value": value,
        "unit": unit,
        "low": low,
        "high": high,
        "number": number,
    }
    return {**fixed, "age_s": 0.4, "stale": False, "ok": True, **more}


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
                    await self._changed.wait_for(lambda: self._version != seen)
                seen = self._version
                yield copy.deepcopy(self.documents[station])
        finally:
            self.open_streams -= 1

    async def act(self, station: str, act: str, fields: Mapping[str, str]) -> dict[str, Any]:
        self.acts.append((station, act, dict(fields)))
        return {"ok": True, "say": both(f"Done: {act}", f"已完成：{act}")}


if __name__ == "__main__":
    asyncio.run(serve(create_app(FakeLine()), "127.0.0.1", int(sys.argv[1]), lambda port: print(port, flush=True)))
