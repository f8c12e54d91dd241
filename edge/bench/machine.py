"""The machine a table was measured on, in words: what it is, never where it stands or what it is called."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import apsw
from msgspec import Struct


class Machine(Struct, frozen=True, kw_only=True):
    """What a reader needs in order to compare."""

    cpu: str
    cores: int
    memory_gb: float
    disk: str
    kernel: str
    python: str
    sqlite: str

    def __str__(self) -> str:
        return (
            f"{self.cores} cores of {self.cpu}, {self.memory_gb:.0f} GB of memory, {self.disk}, Linux {self.kernel}, "
            f"Python {self.python}, SQLite {self.sqlite}"
        )


def describe(place: Path) -> Machine:
    """This machine and the disk that holds ``place``."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        disk=_disk(place),
        kernel=re.match(r"[0-9.]*", platform.release())[0].rstrip("."),  # type: ignore[index] # matches always
        python=platform.python_version(),
        sqlite=apsw.sqlite_lib_version(),
    )


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "Hardware"):
            return " ".join(value.split())
    return platform.machine()


def _disk(place: Path) -> str:
    """ "a virtual disk (write back) with ext4"."""
    filesystem = _filesystem(place)
    number = os.stat(place).st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not device.exists():
        return f"a {filesystem}"
    device = device.resolve()
    if (device / "partition").exists():
        device = device.parent
    return f"{_kind(device)} ({_read(device / 'queue/write_cache') or 'cache unknown'}) with {filesystem}"


def _kind(device: Path) -> str:
    name = device.name
    if name.startswith("nvme"):
        return "an NVMe SSD"
    if name.startswith("mmcblk"):
        return "an SD card or eMMC"
    if name.startswith(("vd", "xvd")):
        return "a virtual disk"
    return "a hard disk" if _read(device / "queue/rotational") == "1" else "an SSD"


def _filesystem(place: Path) -> str:
    best = ("", "file system")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, after = line.partition(" - ")
        mount = fields.split()[4]
        if place.resolve().is_relative_to(mount) and len(mount) >= len(best[0]):
            best = (mount, after.split()[0])
    return best[1]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
