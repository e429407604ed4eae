"""Values show as they are, whatever they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertbridge.deliver.render.characters import ISOLATE, ISOLATE_END, ZWJ, clean, gsm_friendly
from alertbridge.deliver.render.text import _spans, escape, plain


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("core-1", "core-1"),
        ("node_load_5", "node_load_5"),
        ("eth*", f"eth*{ZWJ}"),
        ("*bold*", f"*{ZWJ}bold*{ZWJ}"),
        ("_a_ ~b~", f"_{ZWJ}a_{ZWJ} ~{ZWJ}b~{ZWJ}"),
        ("```x```", "\u02cb\u02cb\u02cbx\u02cb\u02cb\u02cb"),
        ("> quote", f"{ZWJ}> quote"),
        ("- item", f"{ZWJ}- item"),
        ("1. item", f"{ZWJ}1. item"),
        ("a\r\nb\x00c\x1b[31m\td", "a bc[31m d"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("pa\u200bss\u200dword\ufeff\u2060\u00ad", "password"),
        ("\u05e9\u05dc\u05d5\u05dd", f"{ISOLATE}\u05e9\u05dc\u05d5\u05dd{ISOLATE_END}"),
        ("Z" + "\u0301" * 30, "Z" + "\u0301" * 4),
        ("\ud800x\ufffe", "\ufffdx\ufffd"),
        ("tag\U000e0041\U000e0042\U000e0100", "tag"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\u3164\u2800", ""),
    ],
)  # fmt: skip
def test_a_value_shows_as_it_is(value: str, shown: str) -> None:
    """Marks are neutral, what is invisible or turns text around is gone, and right-to-left is isolated."""
    assert escape(value) == shown


@given(st.text(alphabet=st.sampled_from("*_~`> -1.\n ab\u200d\u202e\u05d0"), max_size=60))
def test_no_value_makes_a_mark(value: str) -> None:
    """After escaping, nothing in a value is a pair of marks or a line of its own."""
    shown = escape(value)
    assert _spans(f"{shown} {shown}") == []
    assert "\n" not in shown
    assert "\u202e" not in shown


@given(st.text(max_size=60))
def test_what_is_clean_stays(value: str) -> None:
    """Cleaning twice is cleaning once."""
    assert clean(clean(value)) == clean(value)
    assert clean(clean(value, lines=True), lines=True) == clean(value, lines=True)


@pytest.mark.parametrize(
    ("text", "sms"),
    [
        ("\U0001f534 *KRITIS* RouterDown", "KRITIS RouterDown"),
        ("core-1 \u00b7 ether1 \u2026", "core-1 - ether1 ..."),
        ("\u201c\u00e9\u00e8\u201d \u2013 \u0101\u010d", '"\u00e9\u00e8" - ac'),
        ("```a\nb``` `c` _d_ ~e~", "a\nb c d e"),
        (f"{ISOLATE}\u05e9\u05dc\u05d5\u05dd{ISOLATE_END}", "\u05e9\u05dc\u05d5\u05dd"),
        (f"eth*{ZWJ} node_load_5", "eth* node_load_5"),
        ("\u2764\ufe0f ok", "ok"),
    ],
)
def test_plain_text_goes_into_an_sms(text: str, sms: str) -> None:
    """Marks and emoji are gone, typographic characters have their plain form, other scripts stay."""
    assert plain(text) == sms


def test_what_an_sms_takes_is_left_alone() -> None:
    """A text in the alphabet of GSM 03.38 is not changed."""
    assert gsm_friendly("Router [core_1] ~ 5\u20ac") == "Router [core_1] ~ 5\u20ac"
