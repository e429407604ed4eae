"""YAML text becomes plain values with their lines; flaws are told by line, with a remedy, and quote nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import yamltree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("0123", 123),
        ("0x1f", 31),
        ("0o17", 15),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("-.5", -0.5),
        ("true", True),
        ("~", None),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("=", "="),
        ("{a: , b: [1, x]}", {"a": None, "b": [1, "x"]}),
        ("- a\n- b", ["a", "b"]),
        ("# nothing", None),
        ("", None),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    """Words like no, off and 12:30 are text; numbers, booleans and null are what YAML 1.2 says."""
    tree = yamltree.parse(text)
    assert tree.flaws == ()
    assert tree.value == value
    assert type(tree.value) is type(value)


def test_lines_are_kept_for_keys_and_items() -> None:
    """Each key and each list item knows its line; a place that is not there has the line of what is around it."""
    tree = yamltree.parse("a: 1\nb:\n  - c: 2\n    d: 3\n  -\n    c: 4\n")
    assert tree.line_of(("a",)) == 1
    assert tree.line_of(("b",)) == 2
    assert tree.line_of(("b", 0)) == 3
    assert tree.line_of(("b", 0, "d")) == 4
    assert tree.line_of(("b", 1, "c")) == 6
    assert tree.line_of(("b", 1, "missing", 7)) == 6


def test_merge_keys_fill_in_what_is_missing() -> None:
    """`<<` adds the keys of an anchor that the mapping lacks, with the lines on which they are written."""
    tree = yamltree.parse("- &base {a: 1, b: 2}\n- <<: *base\n  b: 3\n- <<: [*base, {c: 4, a: 9}]\n")
    assert tree.flaws == ()
    assert tree.value == [{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1, "b": 2, "c": 4}]
    assert tree.line_of((1, "a")) == 1
    assert tree.line_of((1, "b")) == 3


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n\tb: 2", 2, "tab"),
        ("a: 1\na: 2", 2, "given twice; the first time in line 1"),
        ("a: @b", 1, "cannot begin with @"),
        ("a: *hunter2", 1, "begins with * refers to an anchor"),
        ("a: !hunter2 x", 1, "cannot begin with !"),
        ("a: !h!unter2 x", 1, "cannot begin with !"),
        ("a: %x", 1, "cannot begin with %"),
        ("a: `x`", 1, "cannot begin with `"),
        ('x: 1\na: "hunter2\nb: 2', 2, "never closed"),
        ("a: b: c", 1, '":" too many'),
        ("a: 1\n  b: 2", 2, '":" too many, or wrong indentation'),
        ("a: [1, 2\nb: 3", 2, '"["'),
        ("a: [::1]:9436", 1, 'cannot begin with ":"'),
        ("a: {b: 1\nc: 2", 2, '"{"'),
        ("{a: :9436}", 1, 'cannot begin with ":"'),
        ("a:\n  - b\n c", 3, "indentation"),
        ("1: x", 1, "not text"),
        ("? [a]\n: x", 1, "not text"),
        ("true: x", 1, "not text"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a: \x00", 1, "U+0000"),
        ("a: 1\nb: \x07", 2, "U+0007"),
        ('a: "\\ud800"', 1, "surrogate"),
        ("a: &x [*x]", 1, "part of"),
        ("a: &x 1\nb: &x 2\n", 2, "anchor"),
        ("a: " + "[" * 60 + "]" * 60, 1, "levels deep"),
        ("a: " + "[" * 5000, 1, "levels deep"),
        ("a: " + "[" * 100_000 + "]" * 100_000, 1, "levels deep"),
        ("- " * 100_000, 1, "levels deep"),
        ("a: " + "9" * 5000, 1, "not a number"),
        ("a: !!binary aGVsbG8=", 1, "cannot begin with !"),
        ("a: !!int x", 1, "not a number"),
        ("<<: 1", 1, "merges a mapping"),
        ("a\nb: 1", 2, ""),
    ],
)
def test_flaws_name_line_and_remedy(text: str, line: int, words: str) -> None:
    """Each kind of slip is told with its line and what to do, and never with the text it stands in."""
    tree = yamltree.parse(text)
    assert [flaw.line for flaw in tree.flaws] == [line]
    assert words in tree.flaws[0].message
    assert "hunter2" not in tree.flaws[0].message
    assert "unter2" not in tree.flaws[0].message


def test_nested_aliases_do_not_fill_the_memory() -> None:
    """Ten aliases of ten aliases, nine deep, are refused instead of followed."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    tree = yamltree.parse("\n".join(lines))
    assert tree.value is None
    assert "once its aliases" in tree.flaws[0].message


def test_flaws_beside_good_values_leave_the_values() -> None:
    """A duplicate key does not hide what else is in the text."""
    tree = yamltree.parse("a: 1\na: 2\nb: 3\n1: x\n")
    assert tree.value == {"a": 1, "b": 3}
    assert [flaw.line for flaw in tree.flaws] == [2, 4]


_yaml_like = st.lists(
    st.sampled_from(
        [*"abc: -[]{}#&*!|>'\"%@`,?\n\t<=~.\\0123456789", "  ", "\n- ", "\n  ", ": ", "&a ", "*a", "<<: "]
    )
).map("".join)


@given(st.one_of(st.text(), _yaml_like))
def test_any_text_gives_a_tree(text: str) -> None:
    """Whatever the text, there is a tree: values, or a flaw with a line that the text has."""
    tree = yamltree.parse(text)
    for flaw in tree.flaws:
        assert 1 <= flaw.line <= len(text.splitlines()) + 2
        assert flaw.message
