"""Matchers mean what they mean in Alertmanager, and no label makes one hang."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertbridge.deliver.route.matchers import parse_matcher
from alertbridge.deliver.route.patterns import compile_pattern, matches


@pytest.mark.parametrize(
    ("text", "labels", "holds"),
    [
        ('team="noc"', {"team": "noc"}, True),
        ("team=noc", {"team": "noc"}, True),
        (' team != "noc" ', {"team": "noc"}, False),
        ('team!="noc"', {}, True),
        ('team=""', {}, True),
        ('router=~"core.*"', {"router": "core-1"}, True),
        ('router=~"core"', {"router": "core-1"}, False),
        ('router=~"core.*"', {"router": "core\n1"}, True),
        ('router!~"core.*|edge.*"', {"router": "edge-1"}, False),
        ('router=~"(?i)CORE-[0-9]+"', {"router": "core-12"}, True),
        (r'path="C:\\x \"y\""', {"path": 'C:\\x "y"'}, True),
        (r'router=~"a\\.b"', {"router": "a.b"}, True),
        (r'router=~"a\.b"', {"router": "axb"}, False),
        ('router=~".+"', {}, False),
    ],
)
def test_a_matcher_means_what_alertmanager_means(text: str, labels: dict[str, str], holds: bool) -> None:
    """A missing label is empty; a regular expression fits the whole value."""
    assert parse_matcher(text).holds(labels) is holds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("router", "must be a label, one of = != =~ !~ and a value"),
        ('1router="x"', "must be a label"),
        ('router="x', "quote that is not closed"),
        ('a="x",b="y"', "something after it"),
        ('{a="x"}', "must be a label"),
        ("a=x,b=y", "value in quotes"),
        ('a=~"("', '"\\(" that is not closed'),
        ('a=~")"', 'a "\\)" too many'),
        ('a=~"["', '"\\[" that is not closed'),
        ('a=~"*"', "nothing to repeat"),
        ('a=~"x**"', "multiple repeat"),
        ('a=~"[[:alpha:]]"', "write \\[a-z\\]"),
        ('a=~"(?=x)y"', "looks ahead or behind"),
        (r'a=~"(x)\\1"', "refers back"),
        ('a=~"(x+x+)+y"', "repeats a group"),
        ('a=~"(a|aa)+"', "repeats a group"),
        ('a=~"' + "a?" * 40 + "a" * 40 + '"', "can take very long"),
        ('a=~".*.*.*.*x"', "can take very long"),
        ('a=~"' + "x" * 600 + '"', "longer than 500"),
        ('a=~"' + "(" * 30 + ")" * 30 + '"', "more than 20 groups"),
    ],
)
def test_what_is_wrong_with_a_matcher_is_told(text: str, message: str) -> None:
    """Mistakes and patterns that could take for ever are refused with a reason."""
    with pytest.raises(ValueError, match=message):
        parse_matcher(text)


@given(st.text(alphabet="ab.*+?|()[]{}1,\\^$-", max_size=14))
def test_no_pattern_that_is_taken_hangs(pattern: str) -> None:
    """Whatever passes the check is quick on the longest value that is looked at, even one made against it."""
    try:
        compiled = compile_pattern(pattern)
    except ValueError:
        return
    began = time.process_time()
    matches(compiled, "a" * 300 + "!")
    matches(compiled, "ab" * 150 + "!")
    assert time.process_time() - began < 2
