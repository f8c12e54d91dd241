"""What does this code say? GS1 in all its carriers, EAN and ITF, Digital Link, house formats; and exactly why not.

``identify`` reads one scan, ``merge`` puts the codes of one label together. Both are pure: no clock, no I/O, no
exception.
"""

from edge.identify.classify import identify
from edge.identify.code import Code, Element, Unreadable, element_name, sibling_words
from edge.identify.elements import element_string
from edge.identify.house import HouseFormat
from edge.identify.label import merge

__all__ = [
    "Code",
    "Element",
    "HouseFormat",
    "Unreadable",
    "element_name",
    "element_string",
    "identify",
    "merge",
    "sibling_words",
]
