"""The verdicts of the GS1 Barcode Syntax Engine 1.4.1 against ours: 121 scans and bracketed texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.identify import Code, Unreadable, identify
from edge.identify.strict import strict_brackets, strict_scan
from tests.identify.scans import scan

VECTORS = Path(__file__).resolve().parents[2].parent / "shared/gs1/vectors.json"
KINDS = {"scan": strict_scan, "bracketed_ai": strict_brackets}

#: scans that the station takes although GS1 alone would not -> why
MILDER = {
    "scan-0002": "no AIM identifier: plain text that a house format could match",
    "scan-0003": "no AIM identifier: plain text",
    "scan-0004": "no AIM identifier: plain text",
    "scan-0005": "']XX' is no AIM identifier (ISO/IEC 15424 modifiers are hexadecimal): plain text",
    "scan-0054": "a web address without a GS1 key is somebody's web address, known to nobody here",
    "scan-0352": "an orphan lot: its GTIN may stand in another symbol of the label",
    "scan-0353": "(02) without (37): the count may stand in another symbol of the label",
}
#: scans that GS1 takes and the station does not -> why
STRICTER = {
    "scan-0007": "a code without any data says nothing: 'empty' tells the operator so",
    "scan-0016": "a code without any data says nothing: 'empty' tells the operator so",
    "scan-0023": "a code without any data says nothing: 'empty' tells the operator so",
}


def _vectors():
    if not VECTORS.is_file():
        return []
    vectors = json.loads(VECTORS.read_text("utf-8"))["vectors"]
    return [pytest.param(vector, id=vector["id"]) for vector in vectors if vector["kind"] in KINDS]


ALL = _vectors()
needs_vectors = pytest.mark.skipif(not ALL, reason="../shared/gs1/vectors.json is not here")


@needs_vectors
def test_there_are_121_vectors():
    assert len(ALL) == 121


@needs_vectors
@pytest.mark.parametrize("vector", ALL)
def test_strict_verdict_and_elements_agree(vector):
    verdict = KINDS[vector["kind"]](vector["input"])
    assert isinstance(verdict, Unreadable) is not vector["ok"], verdict
    if vector["ok"]:
        assert [list(element) for element in verdict] == vector["expected"]["elements"]


@needs_vectors
@pytest.mark.parametrize("vector", [each for each in ALL if each.values[0]["kind"] == "scan"])
def test_station_agrees_except_where_said(vector):
    answer = identify(scan(vector["input"]))
    expected = (vector["ok"] or vector["id"] in MILDER) and vector["id"] not in STRICTER
    assert isinstance(answer, Code) is expected, answer
    if vector["ok"] and expected:
        assert [list(element) for element in answer.elements] == vector["expected"]["elements"]


@needs_vectors
def test_bracketed_text_that_is_right_reads_as_gs1():
    for each in ALL:
        vector = each.values[0]
        if vector["kind"] == "bracketed_ai" and vector["ok"]:
            answer = identify(scan(vector["input"]))
            if vector["id"] == "bracketed_ai-0058":  # no GTIN beside a weight and a lot: both are waited for
                assert answer.missing == ("gtin",)
            assert isinstance(answer, Code) and answer.family == "gs1" and answer.confidence == "heuristic"
            assert [list(element) for element in answer.elements] == vector["expected"]["elements"]
