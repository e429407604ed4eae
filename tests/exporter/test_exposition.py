"""Lines, blocks and headers are what the two formats ask for; prometheus_client is the oracle."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from exporter.exposition import Format, Headers, block, heads, label_text, number_text, page, without_router
from exporter.samples import Family, Kind

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(value=_TEXT.filter(bool), other=_TEXT)
def test_any_label_value_comes_back_as_it_went_in(value: str, other: str) -> None:
    """Whatever a router calls something, Prometheus reads the same name."""
    line = block("m", heads([label_text({"a": value, "b": other})]), ["1"])
    (family,) = read_text("# TYPE m gauge\n" + line)
    assert family.samples[0].labels == {"a": value, **({"b": other} if other else {})}


@given(st.one_of(st.floats(), st.integers(min_value=-(2**70), max_value=2**70), st.booleans()))
def test_any_number_comes_back_as_it_went_in(value: float) -> None:
    """Number text reads as the number."""
    read = float(number_text(value))
    assert math.isnan(read) if math.isnan(value) else read == float(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (3.0, "3"), (0.1, "0.1"), (True, "1"), (1e300, "1e+300"), (2**64 - 1, "18446744073709551615")],
)
def test_whole_numbers_have_no_point(value: float, text: str) -> None:
    """A counter of 64 bits keeps every digit."""
    assert number_text(value) == text


@given(names=st.lists(_TEXT, min_size=1, max_size=5, unique=True))
def test_probe_text_is_metrics_text_without_the_router(names: list[str]) -> None:
    """Taking the router label out never touches anything else, whatever the other labels hold."""
    router = label_text({"router": "core-1", "site": "x"})
    others = [label_text({"n": name, "t": '{router="core-1",site="x",'}) for name in names]
    with_router = block(
        "m", heads([f"{router},{other}" for other in others] + [router]), ["1"] * (len(names) + 1)
    )
    bare = block("m", heads([*others, ""]), ["1"] * (len(names) + 1))
    assert without_router(with_router.encode(), router).decode() == bare


def test_headers_differ_by_format_and_blocks_do_not() -> None:
    """OpenMetrics names a counter's family without _total; the samples are the same bytes."""
    families = (
        Family("a_total", Kind.COUNTER, 'Says "x" and \\ .', "/a b"),
        Family("b_info", Kind.INFO, "Is."),
        Family("c", Kind.STATE_SET, "State."),
        Family("never", Kind.GAUGE, "Has no sample."),
    )
    blocks = {"a_total": [b"a_total 1\n"], "b_info": [b'b_info{x="y"} 1\n'], "c": [b'c{state="up"} 1\n']}
    text = b"".join(page(families, blocks, Headers(families, Format.TEXT), Format.TEXT)).decode()
    openmetrics = b"".join(
        page(families, blocks, Headers(families, Format.OPENMETRICS), Format.OPENMETRICS)
    ).decode()
    assert text == (
        '# HELP a_total Says "x" and \\\\ . [/a b]\n# TYPE a_total counter\na_total 1\n'
        '# HELP b_info Is.\n# TYPE b_info gauge\nb_info{x="y"} 1\n'
        '# HELP c State.\n# TYPE c gauge\nc{state="up"} 1\n'
    )
    assert openmetrics == (
        '# HELP a Says \\"x\\" and \\\\ . [/a b]\n# TYPE a counter\na_total 1\n'
        '# HELP b Is.\n# TYPE b info\nb_info{x="y"} 1\n'
        '# HELP c State.\n# TYPE c gauge\nc{state="up"} 1\n# EOF\n'
    )
    assert [f.type for f in read_openmetrics(openmetrics)] == ["counter", "info", "gauge"]


@pytest.mark.parametrize(
    ("name", "kind", "help_text"),
    [
        ("a", Kind.COUNTER, "X."),
        ("a_total", Kind.GAUGE, "X."),
        ("a", Kind.INFO, "X."),
        ("a", Kind.GAUGE, "X"),
    ],
)
def test_a_family_named_against_the_conventions_is_refused(name: str, kind: Kind, help_text: str) -> None:
    """The conventions hold by construction."""
    with pytest.raises(ValueError, match=name):
        Family(name, kind, help_text)
