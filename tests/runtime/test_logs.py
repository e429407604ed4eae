"""Log events come out as logfmt lines or JSON, whoever wrote them, and without secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from runtime.logs import LogSection, Redactor, configure

SECRET = 's3c"ret\\wörd'


class Sink:
    """A configured log and what was written to it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.redactor = Redactor([SECRET])

    def configure(
        self,
        format: Literal["console", "json"],  # noqa: A002  the key's own name
        level: Literal["debug", "info", "warning", "error"] = "info",
    ) -> None:
        root = logging.getLogger()  # pytest's own handlers would see records before they are masked
        root.handlers[:] = [one for one in root.handlers if not type(one).__module__.startswith("_pytest")]
        configure(LogSection(format=format, level=level), self.redactor, stream=self.stream)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def event(self) -> dict[str, object]:
        """The only event, from JSON."""
        (line,) = self.text.splitlines()
        event: dict[str, object] = json.loads(line)
        return event


@pytest.fixture
def sink() -> Iterator[Sink]:
    root = logging.getLogger()
    level, sink = root.level, Sink()
    yield sink
    root.setLevel(level)
    root.handlers[:] = [one for one in root.handlers if getattr(one, "stream", None) is not sink.stream]
    structlog.reset_defaults()


log = structlog.get_logger("shop")


def fail_with_a_cause() -> None:
    try:
        {}[SECRET]
    except KeyError as error:
        raise ValueError(f"no {SECRET}") from error


def test_console_lines_are_pairs(sink: Sink) -> None:
    """One line per event: time, level, event, logger, then the event's own pairs."""
    sink.configure("console")
    log.info("scrape.finished", router="core 1", duration_s=0.25, up=True, failed=[], reason=None)
    time, rest = sink.text.split(" ", 1)
    assert time.startswith("time=20")
    assert time.endswith("Z")
    assert rest == (
        'level=info event=scrape.finished logger=shop router="core 1" duration_s=0.25 up=true failed=[] reason=\n'
    )


def test_json_lines_keep_types(sink: Sink) -> None:
    """In JSON numbers, booleans and lists stay what they are."""
    sink.configure("json")
    log.warning("a.b", number=1.5, flag=False, items=["x", {"y": 1}], nothing=None)
    event = sink.event
    assert event.pop("time")
    assert event == {
        "level": "warning",
        "event": "a.b",
        "logger": "shop",
        "number": 1.5,
        "flag": False,
        "items": ["x", {"y": 1}],
        "nothing": None,
    }


def test_the_level_can_be_changed_for_loggers_in_use(sink: Sink) -> None:
    """A second `configure` reaches a logger that has spoken before, and does not double its lines."""
    sink.configure("json", level="warning")
    log.info("first")
    assert sink.text == ""
    sink.configure("json", level="debug")
    log.debug("second")
    assert sink.event["event"] == "second"


@pytest.mark.parametrize("form", ["console", "json"])
def test_keys_that_name_a_secret_are_masked(sink: Sink, form: Literal["console", "json"]) -> None:
    """What stands under password, token or authorization is masked, also inside mappings; references are not."""
    sink.configure(form)
    log.info(
        "x", password="a-1", headers={"Authorization": "a-2", "n": [{"api_token": "a-3"}]}, password_file="/p"
    )
    assert not any(value in sink.text for value in ("a-1", "a-2", "a-3"))
    assert sink.text.count("***") == 3
    assert "/p" in sink.text


@pytest.mark.parametrize("form", ["console", "json"])
def test_registered_values_are_masked_wherever_they_occur(
    sink: Sink, form: Literal["console", "json"]
) -> None:
    """In texts, nested values, keys, objects, reprs, bytes and URLs, and in what was bound before."""
    sink.configure(form)
    bound = log.bind(hint=f"tried {SECRET}")
    url = "http://u:s3c%22ret%5Cw%C3%B6rd@host"
    bound.info(
        f"said {SECRET}!",
        args=[SECRET, (SECRET,)],
        error=ValueError(SECRET),
        raw=SECRET.encode(),
        url=url,
        **{SECRET: 1},
    )
    assert sink.text.count("***") == 8
    for form_of_it in ("s3c", "rd@", "w\\xc3"):
        assert form_of_it not in sink.text


@pytest.mark.parametrize("form", ["console", "json"])
def test_tracebacks_are_masked(sink: Sink, form: Literal["console", "json"]) -> None:
    """The text of an exception, its cause included, loses its secrets."""
    sink.configure(form)
    try:
        fail_with_a_cause()
    except ValueError:
        log.exception("x.failed")
    assert "Traceback" in sink.text
    assert "ValueError: no ***" in sink.text
    assert "s3c" not in sink.text


@pytest.mark.parametrize("form", ["console", "json"])
def test_the_standard_librarys_log_takes_the_same_way(sink: Sink, form: Literal["console", "json"]) -> None:
    """Libraries that log through `logging` get the same form, and are masked as well."""
    sink.configure(form)
    library = logging.getLogger("some.library")
    library.info("hello %s", SECRET)
    assert "hello ***" in sink.text
    assert "some.library" in sink.text
    try:
        fail_with_a_cause()
    except ValueError:
        library.exception("broken")
    assert "ValueError: no ***" in sink.text
    assert "s3c" not in sink.text


def test_an_event_cannot_forge_a_line(sink: Sink) -> None:
    """Control characters in values and spaces in keys are written so that a line stays one line."""
    sink.configure("console")
    log.info("x", path="a\nlevel=error\r\x1b[31m", **{"two words": 1})
    assert len(sink.text.splitlines()) == 1
    assert "\x1b" not in sink.text
    assert "two_words=1" in sink.text


def test_a_value_that_cannot_be_shown_is_not_printed_by_the_standard_library(
    sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    """When logging itself fails, one line says so; the arguments, perhaps secret, are not dumped."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError(SECRET)

    sink.configure("console")
    log.info("x", thing=Broken(), note="plain")
    assert sink.text == "level=error event=log.failed logger=shop error=RuntimeError\n"
    assert capsys.readouterr().err == ""


def test_secrets_can_be_added_and_short_ones_are_masked_alone() -> None:
    """A secret of three characters or fewer is masked where it is the whole value, and does not riddle the log."""
    redactor = Redactor()
    assert redactor.text("abc abcdef") == "abc abcdef"
    redactor.register(["abc", "abcdef", "abcdefgh", ""])
    assert redactor.text("abc") == "***"
    assert redactor.text("abc abcdef abcdefgh") == "abc *** ***"
    assert repr(redactor) == "<Redactor secrets=3>"


_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("x hunter2 y"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("hunter2"), inner),
    max_leaves=10,
)


@given(_json_values)
def test_no_event_keeps_a_registered_secret(value: object) -> None:
    """However deep, the value is gone from the event, and the rest has kept its shape."""
    event = Redactor(["hunter2"])(None, "info", {"event": "x", "value": value})
    assert "hunter2" not in repr(event)
    if "hunter2" not in repr(value):
        assert json.dumps(event["value"]) == json.dumps(value) or "***" in json.dumps(event["value"])
