"""A file becomes a model or one ConfigError that lists everything wrong with it, with lines and without secrets."""

import os
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, SecretStr
from pydantic_core import InitErrorDetails

from runtime.loading import ConfigError, Problem, load, parse
from runtime.sections import SecretSection, Section, Surroundings, fault, secret_values


class Box(SecretSection):
    """A section with one key of each kind."""

    name: str = Field(default="box", min_length=1, max_length=20)
    timeout_s: float = Field(default=1.0, gt=0, le=60)
    count: int = Field(default=1, ge=1, lt=100)
    loud: bool = False
    kind: Literal["small", "large"] = "small"
    password: SecretStr | None = None
    password_file: str | None = None
    password_env: str | None = None


class Shelf(Section):
    """Boxes in every form that a model can hold them."""

    boxes: tuple[Box, ...] = ()
    named: dict[str, Box] = Field(default={})
    best: Box | None = None
    numbers: list[Annotated[int, Field(ge=0)]] = Field(default=[])

    @classmethod
    def prepare(
        cls, given: dict[str, object], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, object]:
        given = super().prepare(given, around, faults)
        if given.get("numbers") == [13]:
            faults.append(fault("13 is {unlucky}", "numbers", 0))
        return given


def problems_of(text: str, **more: object) -> list[str]:
    """The problems of `text` as a Shelf, as they are printed."""
    with pytest.raises(ConfigError) as caught:
        parse(text, Shelf, **more)  # type: ignore[arg-type]  # tests pass keywords on
    return [str(problem) for problem in caught.value.problems]


def error_of(text: str) -> ConfigError | None:
    """The error that `text` gives as a Shelf, None when it gives a Shelf; anything else is raised."""
    try:
        parse(text, Shelf, environment={})
    except ConfigError as error:
        return error
    return None


def test_the_text_form_is_the_one_of_the_style_guide() -> None:
    """A header with file and count, then one indented line per problem: line, path with the item's name, message."""
    text = (
        "boxes:\n- {name: a, password: x}\n- name: branch-7\n  password: x\n  timeout_s: -3\n"
        "- {pasword: y, password: x, name: hq}\n"
    )
    with pytest.raises(ConfigError) as caught:
        parse(text, Shelf, source="exporter.yml")
    assert str(caught.value) == (
        "exporter.yml: 2 problems\n"
        "  line 5: boxes[1] (branch-7) > timeout_s: must be greater than 0, got -3\n"
        '  line 6: boxes[2] (hq): unknown key "pasword"; did you mean "password"?'
    )
    assert caught.value.problems[0] == Problem(
        "boxes[1] (branch-7) > timeout_s", 5, "must be greater than 0, got -3"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("timeout_s: 0", "timeout_s: must be greater than 0, got 0"),
        ("timeout_s: 61", "timeout_s: must be at most 60, got 61"),
        ("timeout_s: 10s", 'timeout_s: must be a number, got "10s"; write 10, in seconds'),
        ("timeout_s: 5 min", 'timeout_s: must be a number, got "5 min"; write 300, in seconds'),
        ("timeout_s: 1..2s", 'timeout_s: must be a number, got "1..2s"'),
        ("timeout_s: .inf", "timeout_s: must be a finite number, got inf"),
        ("timeout_s: [1]", "timeout_s: must be a number, got a list"),
        ("count: 1.5", "count: must be a whole number, got 1.5"),
        ("count: many", 'count: must be a whole number, got "many"'),
        ("count: 100", "count: must be less than 100, got 100"),
        ("count: 0", "count: must be at least 1, got 0"),
        ("loud: maybe", 'loud: must be true or false, got "maybe"'),
        ("loud: {}", "loud: must be true or false, got a mapping"),
        ("name: 7", "name: must be text, got 7; put it in quotes"),
        ("name: true", "name: must be text, got true; put it in quotes"),
        ('name: ""', "name: must have at least 1 character"),
        (f"name: {'x' * 21}", "name: must have at most 20 characters"),
        ("kind: smal", 'kind: must be one of small, large; got "smal"; did you mean "small"?'),
        ("kind: zzz", 'kind: must be one of small, large; got "zzz"'),
        ("password: 123", "password: must be text, got ***; put it in quotes"),
        ("password_file: {a: b}", "password_file: must be text, got a mapping"),
        (
            "colour: red",
            'unknown key "colour"; allowed: count, kind, loud, name, password, password_env, password_file, timeout_s',
        ),
    ],
)
def test_each_mistake_says_what_was_found_and_what_is_allowed(value: str, message: str) -> None:
    """One wrong value gives one problem in words, and in the end the place stands before it."""
    password = "" if value.startswith("password") and "hunter" not in value else "  password: x\n"
    (problem,) = problems_of(f"best:\n{password}  {value}\n")
    separator = ": " if message.startswith("unknown") else " > "
    assert problem.split(": ", 1)[1].replace("best (7)", "best") == f"best{separator}{message}"


def test_a_missing_space_after_a_key_does_not_tell_the_secret() -> None:
    """`password:hunter2` is one key to YAML; only the part before the colon is told."""
    assert problems_of("best: {password: x, token:hunter2}") == [
        'line 1: best: unknown key "token..."; is a space missing after "token:"?'
    ]


def test_the_rest_of_a_secret_with_a_comma_is_not_told() -> None:
    """In braces, what follows a comma is a key of its own to YAML; without a value it may be half a password."""
    expected = (
        "a word that is no key, without a value; if it belongs to the value before it, put that in quotes"
    )
    assert problems_of("best: {password: hun,ter2}") == [f"line 1: best: {expected}"]
    assert problems_of("best: {password: x}\nhunter2:\n") == [f"line 2: {expected}"]


def test_structure_mistakes_never_show_the_value() -> None:
    """Text where a section or list is wanted may be a password in the wrong place, so only its kind is told."""
    assert problems_of("best: 'admin:hunter2'") == ["line 1: best: must hold keys with values, got text"]
    assert problems_of("boxes: hunter2") == ["line 1: boxes: must be a list, got text"]
    assert problems_of("named: [hunter2]") == ["line 1: named: must hold keys with values, got a list"]
    assert problems_of("named: 5") == ["line 1: named: must hold keys with values, got a number"]
    assert problems_of("hunter2") == ["line 1: must hold keys with values, got text"]


def test_unknown_keys_inside_lists_and_mappings_know_their_neighbours() -> None:
    """The suggestion comes from the model at that place, however it is nested."""
    assert problems_of("named:\n  a b:\n    password: x\n    timout_s: 1") == [
        'line 4: named > a b: unknown key "timout_s"; did you mean "timeout_s"?'
    ]
    assert problems_of("bests: {}") == ['line 1: unknown key "bests"; did you mean "best"?']


def test_own_faults_come_together_with_the_others() -> None:
    """A check of our own and one of pydantic's are told in the same run, braces in a message included."""
    assert problems_of("numbers: [13]\nbest: {password: x, count: 0}") == [
        "line 1: numbers[0]: 13 is {unlucky}",
        "line 2: best > count: must be at least 1, got 0",
    ]


def test_yaml_flaws_come_together_with_wrong_values() -> None:
    """A key given twice does not hide a wrong value elsewhere, nor is its place complained of twice."""
    assert problems_of("numbers: [1]\nnumbers: [2]\nbest: {count: 0, password: x}\n") == [
        "line 2: numbers: is given twice; the first time in line 1",
        "line 3: best > count: must be at least 1, got 0",
    ]


def test_empty_keys_count_as_left_out() -> None:
    """A key without a value is as good as no key, unless it is unknown."""
    assert parse("best:\nboxes:\n", Shelf) == Shelf()
    assert problems_of("bust:\n") == ['line 1: unknown key "bust"; did you mean "best"?']


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"boxes: []\nname: \xff\n", "line 2: is not UTF-8 text; save it as UTF-8"),
        (b"a: 1\n\tb: 2\n", "line 2: a tab; YAML wants spaces for indentation"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes, expected: str) -> None:
    """Empty files, other encodings and broken YAML are one problem each, under the file's name."""
    path = tmp_path / "shelf.yml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, Shelf)
    assert str(caught.value) == f"{path}: 1 problem\n  {expected}"


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    """A missing file and a folder are said to be that."""
    for path, words in (
        (tmp_path / "no.yml", "there is no such file"),
        (tmp_path, "is a folder, not a file"),
    ):
        with pytest.raises(ConfigError, match=words):
            load(path, Shelf)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """What Windows editors put in front is skipped."""
    path = tmp_path / "shelf.yml"
    path.write_bytes(b"\xef\xbb\xbfnumbers: [1]\n")
    assert load(path, Shelf).numbers == [1]


def test_an_unreadable_file_is_said_to_be_that(tmp_path: Path) -> None:
    """Missing rights are named; nobody has to read an errno."""
    path = tmp_path / "shelf.yml"
    path.write_text("numbers: [1]\n")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything; nobody may not
    try:
        with pytest.raises(ConfigError, match="this user may not read the file"):
            load(path, Shelf)
    finally:
        os.seteuid(user)


def test_secret_values_are_found_wherever_they_stand() -> None:
    """The redactor gets every secret of a configuration, in lists and mappings too."""
    shelf = parse(
        "best: {password: s-one}\nboxes: [{password: s-two}]\nnamed: {a: {password_env: P}}",
        Shelf,
        environment={"P": "s-three"},
    )
    assert secret_values(shelf) == {"s-one", "s-two", "s-three"}
    assert not any(secret in repr(shelf) for secret in ("s-one", "s-two", "s-three"))


_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), st.text(max_size=12), st.just("large")
)
_keys = st.one_of(st.sampled_from([*Shelf.model_fields, *Box.model_fields]), st.text(max_size=8))
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(st.dictionaries(_keys, _values, max_size=4))
def test_any_values_give_a_model_or_a_config_error(values: dict[str, object]) -> None:
    """Random values under known and unknown keys never give anything but a model or a ConfigError."""
    text = yaml.safe_dump(values, allow_unicode=True)
    error = error_of(text)
    assert error is None or error.problems
    assert error is None or all(p.message and "\n" not in str(p) for p in error.problems)


@settings(deadline=None)
@given(st.text())
def test_any_text_gives_a_model_or_a_config_error(text: str) -> None:
    """So does random text."""
    error = error_of(text)
    assert error is None or error.problems


@settings(deadline=None)
@given(
    st.sampled_from(
        [
            "{}",
            "[{}]",
            "{{x: {}}}",
            "'{}'",
            '"{}"',
            "*{}",
            "!{} x",
            "&{}",
            "{}: y",
            "{}:y",
            "- {}",
            "@{}",
            "<<: {}",
            '"{}',
            "{{{}",
            "\t{}",
            "| {}",
            "{{password: {}}}",
            "a,{}}}",
            "x#{}",
        ]
    ),
    st.sampled_from(
        [
            "password: ",
            "best: ",
            "best: {password: ",
            "boxes: [",
            "password_file: {a: ",
            "best: {password",
            "best:\n  password: ",
        ]
    ),
)
def test_a_secret_in_the_wrong_shape_is_not_told(shape: str, before: str) -> None:
    """Whatever an operator does to a password, the error does not repeat it."""
    assert "hunter2secret" not in str(error_of(before + shape.format("hunter2secret")))


class Drum(Section):
    """A thing of one kind, with a key that Python could not call so."""

    kind: Literal["drum"]
    skip_on: tuple[str, ...] = Field(default=(), alias="except")


class Crate(Section):
    """A thing of another kind."""

    kind: Literal["crate"]
    lid: Box | None = None


class Yard(Section):
    """Things of several kinds, and one of them apart."""

    things: tuple[Annotated[Drum | Crate, Field(discriminator="kind")], ...] = ()
    gate: Drum | Crate | None = Field(default=None, discriminator="kind")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "things: [{kind: drum, excepts: [a]}]",
            'things[0]: unknown key "excepts"; did you mean "except"?',
        ),
        (
            "things: [{kind: crate, name: x}]",
            'things[0] (x): unknown key "name"; allowed: kind, lid',
        ),
        (
            "things: [{kind: crate, lid: {password: s, cont: 2}}]",
            'things[0] > lid: unknown key "cont"; did you mean "count"?',
        ),
        (
            "things: [{kind: drun}]",
            'things[0] > kind: must be one of drum, crate; got "drun"; did you mean "drum"?',
        ),
        ("things: [{except: [a]}]", "things[0] > kind: is required"),
        (
            "gate: {kind: crate, lid: {password: s, count: 0}}",
            "gate > lid > count: must be at least 1, got 0",
        ),
        ("gate: {kind: drum, excepts: [a]}", 'gate: unknown key "excepts"; did you mean "except"?'),
    ],
)
def test_keys_are_offered_as_they_are_written(text: str, expected: str) -> None:
    """A key with another name in the file, and keys of one kind among several, are told as the operator writes them."""
    with pytest.raises(ConfigError) as caught:
        parse(text, Yard)
    assert [problem.message and str(problem) for problem in caught.value.problems] == [f"line 1: {expected}"]
