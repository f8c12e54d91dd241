"""What stands beside the unit: udev rules, the user, the directories. Each is tried by the program that will read it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.files import shipped

SYSTEMD = shipped("systemd")
RULES = sorted((SYSTEMD / "udev").glob("*.rules"))
PORT = "/sys/class/tty/ttyS0"  # of this PC, if it has one

#: udev(7): keys that are compared, with an attribute where they need one, and keys that are set
COMPARED = (
    r"ACTION|DEVPATH|KERNEL|KERNELS|NAME|SYMLINK|SUBSYSTEM|SUBSYSTEMS|DRIVER|DRIVERS|ATTRS?\{[^}]+\}|ENV\{[^}]+\}"
    r"|TAGS?|TEST|PROGRAM|RESULT"
)
SET = r"NAME|SYMLINK|OWNER|GROUP|MODE|ATTR\{[^}]+\}|ENV\{[^}]+\}|TAG|RUN|LABEL|GOTO|IMPORT\{\w+\}|OPTIONS"
TOKEN = re.compile(rf'(?:(?:{COMPARED})(?:==|!=)|(?:{SET})(?:=|\+=|-=|:=))"(?:[^"\\]|\\.)*"')

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may")


def lines_of(rules: Path) -> list[str]:
    lines = rules.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def test_the_rules_run_between_the_serial_numbers_and_the_modem_manager() -> None:
    assert [rules.name for rules in RULES] == ["61-lotline-devices.rules", "62-lotline.rules"]


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.name)
def test_every_rule_is_made_of_keys_that_udev_knows(rules: Path) -> None:
    assert lines_of(rules)
    for line in lines_of(rules):
        for token in re.split(r",\s*", line):
            assert TOKEN.fullmatch(token), f"{rules.name}: {token}"


def test_every_goto_has_its_label() -> None:
    text = (SYSTEMD / "udev/62-lotline.rules").read_text("utf-8")
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(re.findall(r'LABEL="(\w+)"', text))


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.name)
def test_udevadm_accepts_the_rules(rules: Path) -> None:
    udevadm = shutil.which("udevadm")
    if udevadm is None:
        pytest.skip("udevadm is not installed")
    if subprocess.run([udevadm, "verify", "--help"], capture_output=True, check=False).returncode:
        pytest.skip("this udevadm has no verify (systemd 254 brought it)")
    ran = subprocess.run([udevadm, "verify", rules], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@as_root
@pytest.mark.root
@needs("udevadm")
@needs("unshare")
@pytest.mark.skipif(not Path(PORT).exists(), reason="this PC has no ttyS0")
def test_udev_itself_gives_the_port_its_name(tmp_path: Path) -> None:
    """The real udev reads the shipped rules; what it would change is hidden in a mount namespace that ends with it."""
    group = tmp_path / "group"
    group.write_text(Path("/etc/group").read_text() + "lotline:x:990:\n")
    major, minor = Path(PORT, "dev").read_text().strip().split(":")
    script = (
        f"mount --bind {group} /etc/group && mount -t tmpfs none /etc/udev/rules.d && mount -t tmpfs none /run && "
        f"mount -t tmpfs none /dev && mknod /dev/ttyS0 c {major} {minor} && "
        f"cp {' '.join(map(str, RULES))} /etc/udev/rules.d && udevadm test {PORT} && readlink /dev/lotline/press-2"
    )
    ran = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    said = ran.stdout + ran.stderr
    if "unshare:" in said or "mount:" in said:
        pytest.skip(f"mounting is not allowed here: {said.strip()}")
    assert ran.returncode == 0, said
    assert ran.stdout.splitlines()[-1] == "../ttyS0"
    assert "ID_MM_DEVICE_IGNORE=1" in said
    assert not re.search(r"6[12]-lotline\S*:\d+ .*(?:nvalid|nknown|gnoring)", said), said


@as_root
@needs("systemd-sysusers")
@needs("systemd-tmpfiles")
def test_the_user_and_the_directories_come_to_be(tmp_path: Path) -> None:
    """Both programs work in a root of our own, as they do in an installer's."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/group").write_text("root:x:0:\ndialout:x:20:\n")
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    for words in (
        ["systemd-sysusers", f"--root={tmp_path}", str(SYSTEMD / "sysusers.d/lotline.conf")],
        ["systemd-tmpfiles", "--create", f"--root={tmp_path}", str(SYSTEMD / "tmpfiles.d/lotline.conf")],
    ):
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    user = next(line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("lotline:"))
    uid, home, shell = int(user.split(":")[2]), user.split(":")[5], user.split(":")[6]
    assert 0 < uid < 1000
    assert (home, shell) == ("/var/lib/lotline", "/usr/sbin/nologin")
    assert "dialout:x:20:lotline" in (tmp_path / "etc/group").read_text()
    found = {
        name: (about.st_uid == uid, about.st_mode & 0o777)
        for name in ("etc/lotline", "etc/lotline/secrets", "srv/lotline")
        if (about := (tmp_path / name).stat())
    }
    assert found == {"etc/lotline": (False, 0o750), "etc/lotline/secrets": (False, 0o700), "srv/lotline": (True, 0o750)}
