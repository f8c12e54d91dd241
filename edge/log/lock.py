"""One daemon per state directory: ``lock`` is held by flock(2) and names its holder. Any death frees it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from edge.errors import StateInUse, StorageStop


class StateLock:
    """Held from construction to ``release``. Raises StateInUse, naming the process that holds it."""

    def __init__(self, state_dir: Path) -> None:
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise StorageStop(
                f"The state directory {state_dir} cannot be written: {exc.strerror}.",
                "Mend the disk or its permissions, or name another directory with --state.",
            ) from exc
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise StateInUse(
                f"The state directory {state_dir} is in use by the Lotline with process id {holder or 'unknown'}.",
                "Stop that one first, or name another directory with --state.",
            ) from None
        name = f"{os.getpid()}\n".encode()
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only its holder stays nameless
            os.pwrite(self._descriptor, name, 0)
            os.ftruncate(self._descriptor, len(name))

    def release(self) -> None:
        os.close(self._descriptor)
