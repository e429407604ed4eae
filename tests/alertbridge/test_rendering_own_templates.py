"""The operator's own templates are tried before they are used, and one that fails later loses no alert."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from alertbridge.deliver.model import Kind
from alertbridge.deliver.providers.base import Traits
from alertbridge.deliver.render.rendering import Renderer
from alertbridge.deliver.render.sandbox import FAILURES
from alertbridge.deliver.render.styles import sandbox
from alertbridge.deliver.render.usertemplates import Sources, built_in, read_folder, template_faults
from alertbridge.deliver.sending import MARK_CHARACTERS, outgoing
from tests.fakes.told import NOW_S, notice, told_message

JAKARTA = ZoneInfo("Asia/Jakarta")


def faults(folder: Path, text: str, name: str = "id/firing.j2") -> list[str]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return [str(found["type"]) for found in template_faults(folder, "templates")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{{ alert.name", "line 1: unexpected end of template"),
        ("a\n{% if %}", "line 2:"),
        ("a\n{{ nothing }}", "line 2: 'nothing' is undefined"),
        ("{{ alert.nickname }}", "has no attribute 'nickname'"),
        ("{{ alert.name|shout }}", "No filter named 'shout'"),
        ("{{ 'a' * 1000000000 }}", "* is not allowed"),
        ("{{ 2 ** 99 ** 99 }}", "** is not allowed"),
        ("{% for a in range(1000000000) %}x{% endfor %}", "line 1:"),
        ("{% set l = [1] %}{% for a in alert.labels %}{% for b in alert.labels %}" * 9
         + "{% endfor %}{% endfor %}" * 9 + "x", "takes more than 20000 steps"),
        ("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}", "a macro that calls itself"),
        ("{% set a = '0123456789' %}" + "{% set a = a ~ a %}" * 30 + "{{ a }}", "more than 16000 characters"),
        ("{% set a = '0123456789' %}" + "{% set a = a + a %}" * 30 + "{{ a }}", "more than 16000 characters"),
        ("{% set a = 99 %}" + "{% set a = a * a %}" * 30 + "{{ a }}", "too large a number"),
        ("{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a|join }}", "only texts and numbers"),
        ("{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}", "cannot be written"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "too many things inside each other"),
        ("{% for a in alert.place %}" * 30 + "{% endfor %}" * 30, "too many things inside each other"),
        ("{{ " + "(alert.id + " * 250 + "1" + ")" * 250 + " }}", "too many things inside each other"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ alert.name.format(alert) }}", "only macros can be called"),
        ("{{ '%s' % alert }}", "% is not allowed"),
        ("{% include 'id/firing' %}", "include is not allowed"),
        ("{% import 'x' as y %}", "import is not allowed"),
        ("x" * 16_001, "longer than 16000"),
        ("  \n ", "writes nothing"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ kind.nope.nope }}", "has no attribute 'nope'"),
    ],
)  # fmt: skip
def test_a_template_that_will_not_do_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """Slips, names that are not there and bombs are found at load, each with its reason."""
    (message,) = faults(tmp_path, text)
    assert message.startswith("id/firing.j2: ")
    assert complaint in message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("id/firing.j2", "{{ alert.symbol|emoji }}{{ alert.name|upper|bold }} {{ alert.place|join(', ') }}"),
        ("en/noc.j2", "{% macro w(x) %}<{{ x }}>{% endmacro %}{{ w(alert.name) }} {{ kind }} {{ now_s|time }}"),
        ("en/noc.resolved.j2", "{{ alert.lasted_s|duration }} {{ alert.ends_at_s|clock }}"),
        ("id/digest.j2", "{{ all.total }} {% for a in all.firing %}{{ loop.index }}{{ a.name }}{% endfor %}"),
        ("id/away.j2", "{{ summary.total }} {{ over_count }}"),
        ("id/report.j2", "{{ report.title }}"),
        ("id/x.j2", "{% for name, value in alert.labels|pairs %}{{ name }}={{ value }}{% endfor %}."),
        ("id/y.j2", "{{ alert.labels.no }}."),
    ],
)  # fmt: skip
def test_a_sound_template_is_taken(tmp_path: Path, name: str, text: str) -> None:
    """What the built-in ones can say, others can, too; a label that is not there is empty."""
    assert faults(tmp_path, text, name) == []


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("id/noc.firingg.j2", 'did you mean "firing"'),
        ("id/firing.resolved.j2", "name the file resolved.j2"),
        ("de/firing.j2", "holds no templates"),
    ],
)
def test_a_name_that_nothing_would_use_is_refused(tmp_path: Path, name: str, complaint: str) -> None:
    """A file that would silently never be used is told."""
    (message,) = faults(tmp_path, "x", name)
    assert complaint in message


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing folder and one with bytes that are no UTF-8 are mistakes of the configuration."""
    (tmp_path / "id").mkdir()
    (tmp_path / "id" / "firing.j2").write_bytes(b"\xff\xfe")
    assert len(list(template_faults(tmp_path))) == 1
    assert len(list(template_faults(tmp_path / "nowhere"))) == 1


def renderer(texts: dict[tuple[str, str], str], failures: list[str] | None = None) -> Renderer:
    told = failures if failures is not None else []
    return Renderer(JAKARTA, Sources(texts), told.append)


def test_own_templates_are_used_by_name_and_kind() -> None:
    """The most special one counts: of the route and kind, of the route, of the kind, the built-in one."""
    own = renderer(
        {
            ("id", "noc"): "A {{ kind }}",
            ("id", "noc.resolved"): "B",
            ("id", "firing"): "C",
            ("en", "calm"): "D",
        }
    )

    def text(kind: Kind, template: str = "", language: str = "id") -> str:
        return own.alert(notice(kind, template=template), language=language, now_s=NOW_S)

    assert text(Kind.FIRING, "noc") == "A firing"
    assert text(Kind.RESOLVED, "noc") == "B"
    assert text(Kind.FIRING) == "C"
    assert text(Kind.CALM, language="en") == "D"
    assert "KRITIS" in text(Kind.REPEAT)
    assert "CRITICAL" in text(Kind.FIRING, "noc", "en")


def test_a_template_that_fails_is_replaced_and_told() -> None:
    """The built-in text comes with a note, the failure is counted each time and logged once."""
    failures: list[str] = []
    own = renderer({("id", "firing"): "{{ alert.labels.nope.nope|upper }}{{ nope }}"}, failures)
    with capture_logs() as logs:
        texts = [own.alert(notice(), language="id", now_s=NOW_S) for _ in range(3)]
    assert texts[0].startswith("\N{LARGE RED CIRCLE} *KRITIS* RouterDown\ncore-1")
    assert texts[0].endswith("(template firing gagal; ini template bawaan)")
    assert failures == ["id/firing"] * 3
    assert [entry["event"] for entry in logs] == ["template.failed"]


def test_marks_and_values_of_own_templates() -> None:
    """Marks written by hand work, values are escaped all the same, and plain text has neither."""
    own = renderer({("id", "firing"): "*{{ alert.name }}* {{ alert.labels.x }} {{ alert.labels.x|mono }}"})
    told = notice(name="A_b", labels={"x": "*y*"})
    assert own.alert(told, language="id", now_s=NOW_S) == "*A_b* *\u200dy*\u200d `*y*`"
    assert own.alert(told, language="id", now_s=NOW_S, rich=False) == "A_b y y"


def test_marks_of_sending_do_not_depend_on_the_template() -> None:
    """Late and repeated stand before any text, and before the title: no template can lose them."""
    own = renderer({("en", "firing"): "one\ntwo"})
    text = own.alert(notice(), language="en", now_s=NOW_S)
    message = told_message(text, title="Link", waited_s=700.0, repeated=True)
    told = outgoing(message, Traits(text_limit=4096), 20.0, 120.0, None)
    assert told.text == "(repeat, sent 12 minutes late) one\ntwo"
    assert told.template_fields["title"] == "(repeat, sent 12 minutes late) Link"


def test_what_is_sent_at_once_has_no_mark() -> None:
    """A message that is neither late nor a repeat is its text."""
    told = outgoing(told_message("one", waited_s=60.0), Traits(text_limit=4096), 60.0, 120.0, None)
    assert told.text == "one"


def test_the_longest_mark_has_its_room() -> None:
    """Every part of a message keeps room for what is put before it."""
    for language in ("id", "en"):
        for waited_s in (121.0, 59 * 60.0, 23.9 * 3600, 30 * 86400 - 61.0):
            message = told_message("", language=language, waited_s=waited_s, repeated=True)
            told = outgoing(message, Traits(text_limit=4096), 0.0, 120.0, None)
            assert len(told.text) <= MARK_CHARACTERS


def test_the_built_in_templates_pass_the_check(tmp_path: Path) -> None:
    """What is asked of others holds for our own, so that a copy is a good beginning."""
    for (language, name), text in built_in().texts.items():
        (tmp_path / language).mkdir(exist_ok=True)
        (tmp_path / language / f"{name}.j2").write_text(text, encoding="utf-8")
    assert list(template_faults(tmp_path)) == []
    assert read_folder(tmp_path).names == built_in().names


def test_every_language_and_style_compiles_every_template() -> None:
    """No built-in template has a slip that shows only in plain text."""
    for (language, name), text in built_in().texts.items():
        for rich in (True, False):
            try:
                sandbox(language, JAKARTA, rich=rich).compiled(text, name)
            except FAILURES as error:  # pragma: no cover
                pytest.fail(f"{language}/{name}: {error}")
