"""A value between its limits, drawn as one bar 100 wide: where the allowed band lies and where the value stands.

With two limits the allowed band is always the middle three fifths, so that every bar of the page is read the same way;
with one limit it reaches to the edge. The scale depends on the limits alone: the bar does not jump with the value.
"""

from __future__ import annotations

from typing import Final

WIDTH: Final = 100.0
_MARGIN: Final = 20.0  # room on either side of the band for values outside
_MARKER: Final = 1.2  # half the marker's width, kept inside the bar


def gauge(number: float | None, low: float | None, high: float | None) -> dict[str, str | bool]:
    """``shown`` only with a limit, ``marked`` only with a number; the places and the width in units of the bar."""
    if low is None and high is None:
        return {"shown": False, "band_x": "0", "band_width": "0", "marker_x": "0", "marked": False}
    start = _MARGIN if low is not None else 0.0
    end = WIDTH - _MARGIN if high is not None else WIDTH
    return {
        "shown": True,
        "band_x": f"{start:g}",
        "band_width": f"{end - start:g}",
        "marker_x": f"{_place(number, low, high) - _MARKER:.2f}" if number is not None else "0",
        "marked": number is not None,
    }


def _place(number: float, low: float | None, high: float | None) -> float:
    """Where ``number`` stands, 0 to WIDTH, clamped so that the whole marker is seen."""
    if low is not None and high is not None:
        span = high - low
        place = _MARGIN + (number - low) / span * (WIDTH - 2 * _MARGIN) if span > 0 else WIDTH / 2
    elif low is not None:
        place = _MARGIN + (number - low) / (abs(low) or 1.0) * (WIDTH - _MARGIN)
    else:
        limit = high if high is not None else 0.0
        place = WIDTH - _MARGIN + (number - limit) / (abs(limit) or 1.0) * (WIDTH - _MARGIN)
    return max(_MARKER, min(WIDTH - _MARKER, place))
