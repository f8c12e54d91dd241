"""The event in the standard's form: EPCIS 2.0 in JSON (GS1, ratified 2022), CBV 2.0 words, our extensions under ``lotline:``."""

from edge.epcis.build import Draft, Item, Place, Role, ScanRef, Sensor, build
from edge.epcis.ids import Ids
from edge.epcis.validate import InvalidEvent, validate

__all__ = ["Draft", "Ids", "InvalidEvent", "Item", "Place", "Role", "ScanRef", "Sensor", "build", "validate"]
