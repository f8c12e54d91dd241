"""However the bytes are split, the same pieces come out, and nothing is ever shortened or joined."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.framing import Broken, Fault, Frame, Terminator, framer

GS = b"\x1d"
AT = 0


def pieces(terminator: Terminator, *chunks: bytes, max_length: int = 4096, quiet: bool = False) -> list[object]:
    cutter = framer(terminator, max_length)
    out = [piece for chunk in chunks for piece in cutter.feed(chunk, AT)]
    if quiet:
        out += cutter.quiet(AT)
    return [piece.raw if isinstance(piece, Frame) else (piece.fault, piece.length) for piece in out]


@pytest.mark.parametrize(
    ("terminator", "data", "frames"),
    [
        ("any", b"A\rB\nC\r\nD\r", [b"A", b"B", b"C", b"D"]),
        ("any", b"\r\n\r\n\n\r", []),
        ("cr", b"A\r\nB\r", [b"A", b"\nB"]),
        ("lf", b"A\r\nB\n", [b"A\r", b"B"]),
        ("crlf", b"A\rB\nC\r\nD\r\r\n", [b"A\rB\nC", b"D\r"]),
        ("crlf", b"\r\n\r\n", []),
        ("stx_etx", b"\x02A\x03\x02B\r\nC\x03\r\n", [b"A", b"B\r\nC"]),
        ("stx_etx", b"\x02\x03", []),
    ],
)
def test_terminators_end_frames_and_empty_frames_are_none(terminator, data, frames):
    assert pieces(Terminator(terminator), data) == frames
    assert pieces(Terminator(terminator), *(bytes([byte]) for byte in data)) == frames


@pytest.mark.parametrize("terminator", list(Terminator))
def test_gs_and_every_control_character_of_a_code_is_kept(terminator):
    code = b"]d20109506000134352" + GS + b"10L77" + b"\x1e\x04\x00\xff"
    wrap = {"stx_etx": (b"\x02", b"\x03"), "idle": (b"", b""), "lf": (b"", b"\n")}.get(terminator, (b"", b"\r\n"))
    if terminator == "cr":
        wrap = (b"", b"\r")
    assert pieces(terminator, wrap[0] + code + wrap[1], quiet=terminator == "idle") == [code]


def test_a_frame_of_gs_only_is_a_frame():
    assert pieces(Terminator.ANY, GS * 3 + b"\r") == [GS * 3]


def test_silence_ends_a_frame_that_has_no_terminator():
    assert pieces(Terminator.IDLE, b"AB", b"C\r\n", quiet=True) == [b"ABC\r\n"]
    assert pieces(Terminator.IDLE, quiet=True) == []


def test_silence_inside_a_frame_spoils_it_whole_with_what_comes_after_it():
    cutter = framer(Terminator.ANY, 4096)
    assert cutter.feed(b"AB", 1) == []
    assert cutter.quiet(2) == [Broken(fault=Fault.UNTERMINATED, length=2, at=1)]
    assert cutter.feed(b"C\r", 3) == []
    assert cutter.feed(b"D\r", 4) == [Frame(raw=b"D", at=4)]


def test_a_scanner_without_terminator_is_told_of_after_every_scan():
    cutter = framer(Terminator.ANY, 4096)
    for _ in range(3):
        cutter.feed(b"ABC", 1)
        assert [piece.fault for piece in cutter.quiet(2)] == [Fault.UNTERMINATED]
        assert cutter.pending == 0


def test_silence_between_frames_means_nothing():
    cutter = framer(Terminator.CRLF, 4096)
    assert cutter.quiet(1) == []
    assert cutter.feed(b"A\r\n", 1) == [Frame(raw=b"A", at=1)]
    assert cutter.pending == 0
    assert cutter.quiet(2) == []
    assert cutter.feed(b"B\r\n", 3) == [Frame(raw=b"B", at=3)]


@pytest.mark.parametrize("terminator", [each for each in Terminator if each not in ("idle", "stx_etx")])
def test_the_cap_is_the_longest_frame_that_passes(terminator):
    end = {"cr": b"\r", "lf": b"\n"}.get(terminator, b"\r\n")
    assert pieces(terminator, b"x" * 8 + end, max_length=8) == [b"x" * 8]
    assert pieces(terminator, b"x" * 9 + end + b"y" + end, max_length=8) == [(Fault.OVERRUN, 8), b"y"]


def test_the_cap_holds_for_brackets_and_silence():
    assert pieces(Terminator.STX_ETX, b"\x02" + b"x" * 9 + b"\x03\x02y\x03", max_length=8) == [(Fault.OVERRUN, 8), b"y"]
    assert pieces(Terminator.IDLE, b"x" * 9, b"zz", max_length=8, quiet=True) == [(Fault.OVERRUN, 8)]


def test_a_lost_etx_spoils_its_own_frame_only():
    assert pieces(Terminator.STX_ETX, b"\x02AB\x02CD\x03") == [(Fault.UNTERMINATED, 2), b"CD"]


def test_a_lost_stx_is_told_not_swallowed():
    assert pieces(Terminator.STX_ETX, b"AB\x03\x02CD\x03") == [(Fault.STRAY, 2), b"CD"]


def test_an_etx_after_silence_completes_nothing():
    cutter = framer(Terminator.STX_ETX, 4096)
    cutter.feed(b"\x02AB", 1)
    assert cutter.quiet(2) == [Broken(fault=Fault.UNTERMINATED, length=2, at=1)]
    assert cutter.feed(b"C\x03", 3) == [Broken(fault=Fault.STRAY, length=1, at=3)]
    assert cutter.feed(b"\x02D\x03", 4) == [Frame(raw=b"D", at=4)]


def test_a_frame_carries_the_stamp_of_its_first_byte():
    cutter = framer(Terminator.ANY, 4096)
    assert cutter.feed(b"A\rB", 1) == [Frame(raw=b"A", at=1)]
    assert cutter.feed(b"C", 2) == []
    assert cutter.feed(b"\rD\r", 3) == [Frame(raw=b"BC", at=1), Frame(raw=b"D", at=3)]


@pytest.mark.parametrize("terminator", list(Terminator))
def test_ten_megabytes_without_terminator_use_no_more_memory_than_the_cap(terminator):
    cutter = framer(terminator, 4096)
    told = cutter.feed(b"\x02", AT) if terminator == "stx_etx" else []
    for _ in range(10_000):
        told += cutter.feed(b"x" * 1000, AT)
        assert len(cutter._held) <= 4096
    assert told == [Broken(fault=Fault.OVERRUN, length=4096, at=AT)]
    assert cutter.pending == 10_000_000 - 4096


#: few letters, so that terminators and their halves meet often
ALPHABET = st.sampled_from([b"a", b"b", b"\r", b"\n", b"\x02", b"\x03", GS, b"\x00"])


@given(
    terminator=st.sampled_from(list(Terminator)),
    letters=st.lists(ALPHABET, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=20),
    max_length=st.integers(1, 12),
)
def test_any_split_of_a_stream_gives_the_same_pieces(terminator, letters, cuts, max_length):
    data = b"".join(letters)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    chunks = [data[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    whole = pieces(terminator, data, max_length=max_length, quiet=True)
    assert pieces(terminator, *chunks, max_length=max_length, quiet=True) == whole


@given(
    codes=st.lists(st.binary(min_size=1, max_size=40).filter(lambda raw: not set(raw) & {2, 3, 10, 13}), max_size=20)
)
@pytest.mark.parametrize(
    ("terminator", "before", "after"),
    [
        ("any", b"", b"\r"),
        ("any", b"", b"\r\n"),
        ("crlf", b"", b"\r\n"),
        ("cr", b"", b"\r"),
        ("stx_etx", b"\x02", b"\x03"),
    ],
)
def test_what_is_framed_comes_out_as_it_was(terminator, before, after, codes):
    data = b"".join(before + code + after for code in codes)
    assert pieces(Terminator(terminator), *(bytes([byte]) for byte in data)) == codes
