"""A stand-in for a driver whose package is not installed."""

import no_such_robot  # noqa: F401
