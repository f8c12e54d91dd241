"""What is remembered: one append-only log, its readings, and the ids that were ever used.

The directory of a line PC::

    STATE/lock                       who works here
    STATE/log/records-<first>.db     the records, in segments; the last one also holds the working state
    STATE/log/leaves-<first>.bin     leaf hashes of removed segments
    STATE/log/index.db               ids that exist already: rebuilt by following the log, kept beyond retention
    STATE/log/ballast                space that lets a full disk be recorded
    STATE/readings/readings-<day>.db sensor readings of one UTC day
"""

from edge.log.clockwatch import ClockWatch
from edge.log.envelope import (
    Provenance,
    clock_members,
    entry,
    kind_inside,
    new_id,
    offset_text,
    record_id,
    time_text,
)
from edge.log.identities import Identities, Sighting
from edge.log.reader import LogReader
from edge.log.readings import ReadingStore
from edge.log.segment import leaf_hash
from edge.log.storage import StorageState
from edge.log.verify import Fault, Verification, verify
from edge.log.writer import Log

__all__ = [
    "ClockWatch",
    "Fault",
    "Identities",
    "Log",
    "LogReader",
    "Provenance",
    "ReadingStore",
    "Sighting",
    "StorageState",
    "Verification",
    "clock_members",
    "entry",
    "kind_inside",
    "leaf_hash",
    "new_id",
    "offset_text",
    "record_id",
    "time_text",
    "verify",
]
