"""Mistakes in routes and what they name are told with their line; what is hardly meant is warned of."""

from pathlib import Path
from typing import get_args

import pytest

from alertbridge.alerts import Severity
from alertbridge.deliver.render.words import LANGUAGES
from alertbridge.deliver.route.config import Language, SeverityWord
from alertbridge.deliver.route.joins import routing_warnings
from runtime.loading import ConfigError
from tests.fakes.routing_config import routing_config

HEAD = """\
channels: [{name: wa}]
recipients:
  - {name: noc, channel: wa, to: "1"}
  - {name: budi, channel: wa, to: "2"}
schedules: [{name: night, hours: "22:00-06:00"}]
rotas: [{name: oncall, start: 2026-01-05, members: [budi]}]
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("routes: [{name: a, to: budy}]",
         'line 7: routes[0] (a) > to: there is no recipient or rota "budy"; did you mean "budi"?'),
        ("routes: [{name: a, to: [noc, onncall]}]",
         'line 7: routes[0] (a) > to[1]: there is no recipient or rota "onncall"; did you mean "oncall"?'),
        ("routes: [{name: a, to: noc, when: nihgt}]",
         'line 7: routes[0] (a) > when: there is no schedule "nihgt"; did you mean "night"?'),
        ("routes: [{name: a, to: noc, quiet: {schedule: x}}]",
         'line 7: routes[0] (a) > quiet > schedule: there is no schedule "x"; allowed: night'),
        ("routes: [{name: a, to: noc, match: {labels: ['x=~\"(\"']}}]",
         'line 7: routes[0] (a) > match > labels[0]: the regular expression "(" has a "(" that is not closed'),
        ("routes: [{name: a, to: noc}, {name: a, to: noc}]",
         "line 7: routes[1] (a) > name: routes[0] has this name already; names must differ"),
        ("routes: [{name: a, to: noc, template: x}]",
         "line 7: routes[0] (a) > template: names a template, but delivery has no folder of templates"),
        ("routes: [{name: a, to: noc, match: {severity: kritis}}]", "must be one of critical, warning, info, none"),
        ("routes: [{name: a, to: noc, continue: perhaps}]",
         'line 7: routes[0] (a) > continue: must be true or false, got "perhaps"'),
        ("delivery: {timezone: Jakarta}", "line 7: delivery > timezone: must be a time zone such as Asia/Jakarta"),
        ("delivery: {timezone: ../../etc/passwd}", "must be a time zone"),
        ("delivery: {language: de}", "must be one of id, en"),
        ("delivery: {templates: nowhere}", "line 7: delivery > templates: there is no such folder"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, problem: str) -> None:
    """The message names the place, what is wrong and what may have been meant."""
    with pytest.raises(ConfigError) as caught:
        routing_config(HEAD + text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("recipients: [{name: a, channel: b, to: x}]\nchannels: [{name: wa}]", 'channel: there is no channel "b"'),
        ("recipients: [{name: a, channel: wa, to: x, fallback: [{channel: s, to: y}]}]\nchannels: [{name: wa}]",
         'fallback[0] > channel: there is no channel "s"'),
        ("rotas: [{name: a, start: 2026-01-05, members: [x]}]", 'members[0]: there is no recipient "x"'),
        ("rotas: [{name: a, start: 2026-01-05, members: []}]", "must have at least 1 entry"),
        ("rotas: [{name: a, start: 20260105, members: [x]}]", "must be a date such as 2026-08-17"),
        ("rotas: [{name: a, start: 2026-02-30, members: [x]}]", "start"),
        ("rotas: [{name: a, start: 2026-01-05, handover: '24:00', members: [x]}]", "from 00:00 to 23:59"),
        ("schedules: [{name: a, days: [monday]}]", "must be a day or days such as mon"),
        ("schedules: [{name: a, hours: 8-17}]", "must be hours such as 08:00-17:00"),
        ("schedules: [{name: a, hours: '08:00-25:00'}]", "must be a time of day such as 08:00"),
        ("schedules: [{name: a, hours: '08:00-08:00'}]", "the whole day is 00:00-24:00"),
        ("recipients: [{name: a, channel: wa, to: x}]\nrotas: [{name: a, start: 2026-01-05, members: [a]}]",
         "a recipient has this name already"),
    ],
)  # fmt: skip
def test_a_mistake_in_another_section_is_told(text: str, problem: str) -> None:
    """Names, hours, days and dates are checked where they stand."""
    with pytest.raises(ConfigError) as caught:
        routing_config(text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("routes", "warning"),
    [
        ("[{name: a, to: [noc, budi]}, {name: b, match: {severity: critical}, to: noc}]",
         "routes[1] (b) is never reached: `a` before it takes every alert that it matches"),
        ("[{name: a, match: {labels: 'r=~\"c.*\"'}, to: [noc, budi]}, {name: b, match: {labels: r=c1}, to: noc}]",
         "routes[1] (b) is never reached"),
        ("[{name: a, match: {labels: ['x=\"1\"', 'x=\"2\"']}, to: [noc, budi]}]",
         'routes[0] (a) matches nothing: x="1" and x="2"'),
        ("[{name: a, when: night, not_when: night, to: [noc, budi]}]", "when and not_when are both night"),
        ("[{name: a, to: noc}]", "recipients[1] (budi) is named by no route"),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_is_warned_of(routes: str, warning: str) -> None:
    """Routes that nothing reaches or matches, and recipients whom nothing reaches, are named."""
    (told,) = routing_warnings(routing_config(f"{HEAD}routes: {routes}"))
    assert warning in told


def test_a_sound_configuration_gives_no_warning() -> None:
    """Routes that differ, one of them for the night only, are as they should be."""
    routes = """
routes:
  - {name: night, when: night, to: oncall}
  - {name: more, match: {severity: critical}, to: noc, continue: true}
  - {name: critical, match: {severity: critical}, to: noc}
  - {name: rest, to: noc}
"""
    assert routing_warnings(routing_config(HEAD + routes)) == ()


def test_a_route_for_ever_quiet_is_warned_of() -> None:
    """Quiet hours that never end would hold everything for good."""
    text = HEAD.replace('hours: "22:00-06:00"', 'hours: "00:00-24:00"')
    routes = "routes: [{name: a, to: [noc, budi], quiet: {schedule: night}}]"
    assert routing_warnings(routing_config(text + routes)) == (
        "routes[0] (a) is quiet for ever: `night` never ends",
    )


def test_the_words_of_the_configuration_are_those_of_the_program() -> None:
    """Severities and languages are spelt out twice, and alike."""
    assert get_args(SeverityWord) == tuple(severity.value for severity in Severity)
    assert get_args(Language) == LANGUAGES


def test_templates_are_checked_where_they_are_named(tmp_path: Path) -> None:
    """A route may name a template of the folder; a wrong one is told with its line, a missing one by name."""
    (tmp_path / "own" / "id").mkdir(parents=True)
    (tmp_path / "own" / "id" / "short.j2").write_text("{{ alert.name }}")
    text = HEAD + "delivery: {templates: own}\nroutes: [{name: a, to: noc, template: NAME}]"
    assert routing_config(text.replace("NAME", "short"), tmp_path).routes[0].template == "short"
    with pytest.raises(ConfigError, match='no template "shortt"; did you mean "short"'):
        routing_config(text.replace("NAME", "shortt"), tmp_path)
    (tmp_path / "own" / "id" / "short.j2").write_text("one\n{{ alert.nickname }}")
    with pytest.raises(ConfigError, match=r"line 7: delivery > templates: id/short.j2: line 2: .*'nickname'"):
        routing_config(text.replace("NAME", "short"), tmp_path)
