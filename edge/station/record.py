"""What an act leaves in the log: its own record, then the events it completed. A pure function but for the ids of the events."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from edge.epcis import Place, build, validate
from edge.log import Provenance, entry, new_id
from edge.model import Entry, Kind, Moment, Scan
from edge.station.context import Act, Misread, Outcome, Read
from edge.station.procedure import Procedure
from edge.wording import Words


def entries(
    act: Act,
    outcome: Outcome,
    moment: Moment,
    *,
    place: Place,
    procedure: Procedure,
    provenance: Provenance,
    salt: bytes,
    shift: str,
) -> list[Entry]:
    """In the order in which they are stored. Raises InvalidEvent where what happened cannot be said in EPCIS."""
    events = []
    for draft in outcome.drafts:
        event_id = new_id()
        data = build(
            draft,
            place=place,
            moment=moment,
            event_id=event_id,
            provenance=provenance,
            procedure=(procedure.id, procedure.revision),
            shift=shift,
        )
        validate(data)
        events.append((event_id, Entry(kind=Kind.EVENT, data=data)))
    body: dict[str, Any] = {
        "verdict": outcome.verdict,
        "code": outcome.code,
        "says": {name: value.en if isinstance(value, Words) else value for name, value in outcome.fields.items()},
        "step": outcome.step,
        "shift": shift,
        "operator": outcome.desk.operator,
        "order": outcome.desk.order,
        "events": [event_id for event_id, _ in events],
    }
    match act:
        case Read(scan=scan) | Misread(scan=scan):
            kind = Kind.SCAN
            body |= _quoted(act, scan, salt)
        case _:
            kind = Kind.AUDIT if outcome.verdict == "accepted" else Kind.REFUSAL
            body["act"] = type(act).__name__.lower()
    return [entry(kind, moment, place.station, provenance, body), *(event for _, event in events)]


def _quoted(act: Read | Misread, scan: Scan, salt: bytes) -> dict[str, Any]:
    """The scan as it came and as it was understood. A badge is a person: its bytes are kept as a salted commitment only."""
    quoted: dict[str, Any] = {
        "device": scan.device,
        "symbology": scan.symbology,
        "capturedAt": scan.captured_at.isoformat(),
        "capturedMonotonicNs": scan.monotonic_ns,
    }
    if isinstance(act, Misread):
        return quoted | {"raw": base64.b64encode(scan.raw).decode(), "family": "", "problem": act.problem.code}
    code = act.code
    if code.badge is not None:
        commitment = hmac.new(salt, scan.raw, hashlib.sha256).hexdigest()
        return quoted | {"commitment": commitment, "family": code.family}
    return quoted | {
        "raw": base64.b64encode(scan.raw).decode(),
        "symbology": code.symbology,
        "family": code.family,
        "confidence": code.confidence,
        "elements": code.elements,
    }
