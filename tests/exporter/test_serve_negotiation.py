"""A client gets the format that it likes best, and gzip when it can read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition import Format
from exporter.serve.negotiation import choose_format
from runtime.serving.negotiation import accepts_gzip

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
PROMETHEUS_TEXT_FIRST = (
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,"
    "application/openmetrics-text;version=1.0.0;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ([], Format.TEXT),
        ([""], Format.TEXT),
        (["*/*"], Format.TEXT),
        (["text/html,application/xhtml+xml,*/*;q=0.8"], Format.TEXT),
        ([PROMETHEUS_2], Format.OPENMETRICS),
        ([PROMETHEUS_3], Format.OPENMETRICS),
        ([PROMETHEUS_TEXT_FIRST], Format.TEXT),
        (["application/openmetrics-text"], Format.OPENMETRICS),
        (["APPLICATION/OpenMetrics-Text ; Version=1.0.0"], Format.OPENMETRICS),
        (['application/openmetrics-text; version="1.0.0"'], Format.OPENMETRICS),
        (["application/openmetrics-text; version=2.0.0"], Format.TEXT),
        (
            ["application/openmetrics-text; version=2.0.0, application/openmetrics-text;q=0.1"],
            Format.OPENMETRICS,
        ),
        (["application/openmetrics-text;q=0.4, text/plain;q=0.5"], Format.TEXT),
        (["application/openmetrics-text;q=0.5, text/plain;q=0.5"], Format.TEXT),
        (["application/openmetrics-text;q=0"], Format.TEXT),
        (["application/openmetrics-text;q=0, */*"], Format.TEXT),
        (["text/plain;q=0, */*;q=0.1"], Format.OPENMETRICS),
        (["text/*;q=0.2, application/*;q=0.3"], Format.OPENMETRICS),
        (["text/plain;q=0.2, text/*;q=0.9, application/openmetrics-text;q=0.3"], Format.OPENMETRICS),
        (["application/openmetrics-text;q=nonsense, text/plain;q=0.1"], Format.TEXT),
        (["application/openmetrics-text;q=nan"], Format.TEXT),
        (["application/openmetrics-text;q=7"], Format.TEXT),
        (["text/plain;q=0.1", "application/openmetrics-text;q=0.2"], Format.OPENMETRICS),
    ],
)
def test_the_format_with_the_highest_quality_is_chosen(accept: list[str], expected: Format) -> None:
    """Quality decides, the more special entry of two counts, and text settles every tie and every doubt."""
    assert choose_format(accept) is expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ([], False),
        (["identity"], False),
        (["deflate, br"], False),
        (["gzip"], True),
        (["GZip, deflate"], True),
        (["x-gzip"], True),
        (["*"], True),
        (["*, gzip;q=0"], False),
        (["gzip;q=0"], False),
        (["gzip;q=0.0"], False),
        (["gzip;q=0.2, identity;q=0.5"], False),
        (["gzip;q=0.5, identity;q=0.5"], True),
        (["deflate", "gzip;q=0.001"], True),
        (["gzip;q="], False),
    ],
)
def test_gzip_is_used_only_where_it_is_welcome(accept_encoding: list[str], expected: bool) -> None:
    """A client gets gzip when it names it or takes anything, and does not rather want the text as it is."""
    assert accepts_gzip(accept_encoding) is expected


@given(st.lists(st.text(alphabet='*/;,=q.0159textplainopenmetrics- "', max_size=60), max_size=3))
def test_no_header_is_too_strange(values: list[str]) -> None:
    """Whatever stands in the headers, there is an answer."""
    assert choose_format(values) in Format
    assert accepts_gzip(values) in (True, False)
