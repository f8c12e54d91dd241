"""Everything that can go wrong, named by who must act.

::

    LotlineError(what, hint)
    ├── MachineError            the machine: tries again by itself
    │   ├── DeviceUnavailable       a device does not answer
    │   └── SinkUnavailable         a destination does not answer; may say how long to wait
    ├── TechnicianError         a technician: waiting would not help
    │   ├── DeviceFault             wrong wiring, wrong setting, wrong answer
    │   ├── SinkFault               credentials or addressing of a destination
    │   ├── ConfigError             the file; carries every mistake at once
    │   ├── SecretMissing           a ``!secret`` has no value
    │   └── StateInUse              another daemon works in this state directory
    └── LineStop                nobody can work on: the line stops
        ├── StorageStop             the disk is full, read-only or failing
        └── LogDamaged              a stored record is not what was written

What an operator must act on is no exception: it is a refusal, a value the station returns.
"""

from __future__ import annotations

from edge.wording import Words


class LotlineError(Exception):
    """``what`` happened, for its reader; ``hint`` says what to do ("" when there is nothing to do).

    Either may be Words: then ``say`` is in both languages, while ``what``, ``hint`` and the message are English.
    """

    def __init__(self, what: str | Words, hint: str | Words = "") -> None:
        did, do = _words(what), _words(hint)
        super().__init__(f"{did.en} {do.en}".strip())
        self.what = did.en
        self.hint = do.en
        self.say = Words(
            f"{did.en} {do.en}".strip(), f"{did.zh}{do.zh}" if did.zh != did.en else f"{did.zh} {do.zh}".strip()
        )


class MachineError(LotlineError):
    """Tried again by itself."""


class DeviceUnavailable(MachineError):
    """The device cannot be reached or went away; the supervisor connects again."""


class SinkUnavailable(MachineError):
    """The destination cannot take records now. ``wait_s`` is its own wish (Retry-After), None for ours."""

    def __init__(self, what: str | Words, hint: str | Words = "", *, wait_s: float | None = None) -> None:
        super().__init__(what, hint)
        self.wait_s = wait_s


class TechnicianError(LotlineError):
    """A person with a screwdriver or an editor has to act first."""


class DeviceFault(TechnicianError):
    """The device answers, but wrongly: nothing is retried until a person says so."""


class SinkFault(TechnicianError):
    """The destination refuses us as a whole: key, address, version."""


class ConfigError(TechnicianError):
    """The file is refused. The message is the whole printed list of mistakes."""


class SecretMissing(TechnicianError):
    """No source holds the named secret."""


class StateInUse(TechnicianError):
    """The state directory belongs to a running daemon."""


class LineStop(LotlineError):
    """Nothing more may be acknowledged."""


class StorageStop(LineStop):
    """Nothing can be made durable. Acknowledged records are safe; the unacknowledged one was not taken."""


class LogDamaged(LineStop):
    """A stored record does not match its leaf hash."""


def _words(text: str | Words) -> Words:
    return Words(text, text) if isinstance(text, str) else text
