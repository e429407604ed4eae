"""Mistakes in the `recovery` section, each told with its line; the shipped example has none."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field
from pydantic_core import InitErrorDetails

from alertbridge.alerts import Alert, AlertStatus
from alertbridge.recover import classifier
from alertbridge.recover.actions.registry import KNOWN as SHIPPED
from alertbridge.recover.config import RecoverySection
from alertbridge.recover.config_joins import OWN_ALERTS, recovery_faults, recovery_warnings
from alertbridge.recover.expressions import metric_names
from alertbridge.recover.parameters import Unrendered, rendered, rendered_expression
from runtime.loading import ConfigError, parse
from runtime.sections import Section, Surroundings
from tests.fakes.scripted_action import KNOWN

ROOT = Path(__file__).parents[2]
RULE = """\
prometheus: {{}}
recipients: [{{name: noc}}]
schedules: [{{name: night}}]
recovery:
  tell: noc
  rules:
    - name: mend
      match: {{labels: {match}}}
      {extra}
      steps:
        - action: {action}
          with: {{{parameters}}}
          {step}
"""


class Joined(Section):
    """As much of the joined configuration as recovery looks at."""

    prometheus: dict[str, str] | None = Field(default=None)
    recipients: tuple[dict[str, Any], ...] = Field(default=())
    rotas: tuple[dict[str, Any], ...] = Field(default=())
    schedules: tuple[dict[str, Any], ...] = Field(default=())
    channels: tuple[dict[str, Any], ...] = Field(default=())
    actions: dict[str, Any] = Field(default={})
    recovery: RecoverySection = Field(default=RecoverySection())

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        known = KNOWN if around.extras.get("scripted") else SHIPPED
        faults.extend(recovery_faults(given, known))
        return given


def told(text: str) -> list[str]:
    """The problems, as they are printed."""
    try:
        parse(text, Joined, extras={"scripted": True})
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def one(**changes: str) -> list[str]:
    """The problems of a good rule with changes."""
    values = {
        "match": '\'alertname="Broken"\'', "extra": "cooldown_s: 600", "action": "mend",
        "parameters": 'target: "{{ labels.thing }}"', "step": "tries: 3",
    }  # fmt: skip
    return told(RULE.format(**(values | changes)))


def test_a_good_rule_has_no_problem() -> None:
    """The base of the cases below."""
    assert one() == []


@pytest.mark.parametrize(
    ("changes", "line", "text"),
    [
        ({"match": "[]"}, 8, "matches alerts of every kind"),
        ({"match": "'router=~\".+\"'"}, 8, "matches alerts of every kind"),
        ({"match": "'alertname=~\".*\"'"}, 8, "matches alerts of every kind"),
        ({"match": "'component!=\"x\"'"}, 8, "matches alerts of every kind"),
        ({"match": "'alertname=~\"Recovery.+\"'"}, 8, "matches RecoveryExhausted, the bridge's alert about itself"),
        ({"match": "'component=\"bridge\"'"}, 8, "the bridge's alert about itself"),
        ({"action": "mennd"}, 11, 'there is no action "mennd"; did you mean "mend"?'),
        ({"parameters": "targett: a"}, 12, 'mend has no parameter "targett"; did you mean "target"?'),
        ({"parameters": "level: 2"}, 12, 'mend needs "target"'),
        ({"parameters": "target: a, level: none"}, 12, "valid integer"),
        ({"parameters": "target: '{{ labels.thing'"}, 12, "is no template"),
        ({"extra": "window: nigth"}, 9, 'there is no schedule "nigth"; did you mean "night"?'),
        ({"extra": "tell: nocc"}, 9, 'there is no recipient or rota "nocc"; did you mean "noc"?'),
        ({"extra": "per_hour: 30"}, 9, "30 an hour can never be reached with per_day: 20"),
        ({"extra": "per_hour: 2"}, 13, "3 tries can never be made with per_hour: 2"),
        ({"step": "verify: {by: []}"}, 13, "a cure without evidence is none"),
        ({"step": "verify: {deadline_s: 300}"}, 13, "can never hold"),
        ({"step": "verify: {by: [target], stable_s: 400}"}, 13, "can never hold"),
        ({"step": "verify: {by: [target, promql]}"}, 13, "names promql, but there is no promql"),
        ({"step": "verify: {promql: up == 1}"}, 13, "is asked only when by names it"),
        ({"step": 'precondition: {promql: "rate(up[5m]"}'}, 13, 'has a "(" that is not closed'),
        ({"step": 'precondition: {promql: "{{ labels.x }} > 1"}'}, 13, "has a template outside quotes"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_at_its_line(changes: dict[str, str], line: int, text: str) -> None:
    """With the line, and with what was probably meant."""
    problems = one(**changes)
    assert any(problem.startswith(f"line {line}: ") and text in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("action", "parameters", "refused"),
    [
        ("bot_restart", "channel: noc", True),
        ("interface_enable", "router: core, interface: ether1", False),
        ("command_run", "command: one-way", True),
        ("command_run", "command: both-ways", False),
        ("command_run", 'command: "{{ labels.command }}"', False),
    ],
)
def test_only_what_can_be_taken_back_is_taken_back_by_a_rule(
    action: str, parameters: str, *, refused: bool
) -> None:
    """Told at its line; a command needs its `undo`."""
    step = "undo_when_not_cured: true"
    rule = RULE.format(
        match="'alertname=\"Broken\"'", extra="", action=action, parameters=parameters, step=step
    )
    commands = (
        "{name: one-way, command: [/bin/true]}, {name: both-ways, command: [/bin/true], undo: [/bin/true]}"
    )
    around = f"channels: [{{name: noc}}]\nactions: {{routers: [{{name: core}}], services: [{commands}]}}\n"
    problems: list[str] = []
    try:
        parse(around + rule.lstrip("\n"), Joined)
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
    told_so = [problem for problem in problems if f"{action} cannot be taken back here" in problem]
    assert bool(told_so) is refused
    assert all(problem.startswith("line 15: ") for problem in told_so)


@pytest.mark.parametrize(
    ("action", "parameters", "text"),
    [
        ("bot_reconnect", "channel: nocc", 'there is no channel "nocc"; did you mean "noc"?'),
        ("bot_reconnect", "channel: noc", ""),
        ("bot_reconnect", 'channel: "{{ labels.bot }}"', ""),
        ("router_reboot", "router: cor", 'there is no router "cor"; did you mean "core"?'),
        ("exporter_pool_reset", "router: elsewhere", ""),
        ("sqlite_checkpoint", "database: bill", 'there is no database "bill"; did you mean "billing"?'),
        ("systemd_restart", "service: radius", 'there is no service "radius"'),
        ("command_run", "command: cleanup", 'there is no command "cleanup"'),
    ],
)
def test_a_target_that_is_not_configured_is_told(action: str, parameters: str, text: str) -> None:
    """A name that no label completes must be borne by something, or the rule could never act."""
    rule = RULE.format(
        match="'alertname=\"Broken\"'", extra="", action=action, parameters=parameters, step="tries: 3"
    )
    around = "channels: [{name: noc}]\nactions: {routers: [{name: core}], databases: [{name: billing}]}\n"
    try:
        parse(around + rule.lstrip("\n"), Joined)
        problems = []
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
    assert [problem for problem in problems if "there is no" in problem] == [
        problem for problem in problems if text and text in problem
    ]
    assert bool(text) == any("there is no" in problem for problem in problems), problems


def test_a_question_to_prometheus_needs_one() -> None:
    """An expression that nobody can be asked is told where it stands."""
    text = RULE.format(
        match="'alertname=\"Broken\"'", extra="cooldown_s: 1", action="mend", parameters="target: a",
        step="precondition: {promql: up == 1}",
    ).replace("prometheus: {}\n", "")  # fmt: skip
    assert any("needs the section prometheus" in problem for problem in told(text))


def two(first: str, second: str, approval: str = "auto", thing: str = "a") -> list[str]:
    """The problems of two rules."""
    return told(f"""
recovery:
  rules:
    - {{name: one, match: {{labels: 'alertname="A"'}}, steps: [{{action: {first}, with: {{target: a}}}}]}}
    - name: two
      match: {{labels: 'alertname="B"'}}
      approval: {approval}
      tell: []
      steps: [{{action: {second}, with: {{target: {thing}}}}}]
""")


def test_two_rules_that_fight_are_refused() -> None:
    """Opposite actions on one target, both by themselves."""
    assert any("they would fight" in problem for problem in two("mend", "break"))
    assert any("they would fight" in problem for problem in two("break", "mend"))
    assert not any("fight" in problem for problem in two("mend", "break", thing="b"))
    assert not any("fight" in problem for problem in two("mend", "break", approval="off"))
    assert any("nobody is named under tell" in problem for problem in two("mend", "break", approval="ask"))


def test_the_example_works_with_the_shipped_actions_and_alerts() -> None:
    """Every alert that it names is in the shipped rules, every action exists, and all of it is a dry run."""
    text = (ROOT / "examples/recovery.yml").read_text(encoding="utf-8")
    section = parse("recipients: [{name: noc}]\n" + text, Joined).recovery
    assert all(rule.dry_run for rule in section.rules)
    assert {rule.name for rule in section.rules} >= {one.rule for one in classifier.SYMPTOMS if one.rule}
    assert len(recovery_warnings(section)) == len(section.rules)
    shipped = {
        rule["alert"]
        for path in (ROOT / "prometheus/rules").glob("*.rules.yml")
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    for rule in section.rules:
        assert any(
            matcher.holds({"alertname": name}) for name in shipped for matcher in rule.matchers
            if matcher.label == "alertname"
        ) or rule.name == "bot-restart"  # fmt: skip
    assert {name for symptom in classifier.SYMPTOMS for name in symptom.alerts} <= shipped
    assert set(OWN_ALERTS) <= shipped


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Error: connect ECONNREFUSED 127.0.0.1:3000", "connection_refused"),
        ("SqliteError: SQLITE_BUSY: database is locked", "sqlite_busy"),
        ("SQLITE_CORRUPT: database disk image is malformed", "sqlite_corrupt"),
        ("write: ENOSPC: no space left on device", "disk_full"),
        ("router core: login timed out after 10 s", "router_timeout"),
        ("Queue is full, dropping message", "queue_overflow"),
        ("connection closed, reason: loggedOut", "logged_out"),
        ('lastDisconnect {"statusCode": 401}', "logged_out"),
        ('lastDisconnect {"statusCode":428}', "session_closed"),
        ('lastDisconnect {"statusCode":440}', "connection_replaced"),
        ("Session error: Bad MAC", "bad_session"),
        ("all is well", None),
    ],
)
def test_symptoms_of_log_lines(line: str, name: str | None) -> None:
    """The words that bots and libraries write."""
    found = classifier.of_text(line)
    assert (None if found is None else found.name) == name


def test_a_symptom_becomes_a_label() -> None:
    """By the alert's name, else by its annotations; never over a label that is there."""
    alert = Alert("f", AlertStatus.FIRING, {"alertname": "DatabaseLocked"}, {}, 0.0)
    assert classifier.with_symptom(alert).labels["symptom"] == "sqlite_busy"
    told = Alert("f", AlertStatus.FIRING, {"alertname": "X"}, {"description": "ENOSPC"}, 0.0)
    assert classifier.with_symptom(told).labels["symptom"] == "disk_full"
    own = Alert("f", AlertStatus.FIRING, {"alertname": "DatabaseLocked", "symptom": "mine"}, {}, 0.0)
    assert classifier.with_symptom(own).labels["symptom"] == "mine"


@pytest.mark.parametrize(
    ("source", "labels"),
    [
        ("{{ labels.router }}", {}),
        ("{{ labels.router }}", {"router": ""}),
        ("{{ labels.router }}", {"router": "a\nb"}),
        ("{{ labels.router }}", {"router": "x" * 600}),
        ("{{ labels.items }}", {"router": "a"}),
        ("{{ ''.__class__ }}", {}),
        ("{% for x in range(9) %}a{% endfor %}", {}),
    ],
)
def test_what_an_alert_cannot_be_made_into_is_refused(source: str, labels: dict[str, str]) -> None:
    """A label that is missing, empty or not one line makes no parameter; neither does a way out of the sandbox."""
    with pytest.raises(Unrendered):
        rendered(source, labels)


def test_a_label_stays_a_value_in_an_expression() -> None:
    """A hostile name closes no quote, and is no template again."""
    hostile = 'a"} or up{x="{{ 1 }}'
    found = rendered_expression('up{router="{{ labels.router }}"} == 1', {"router": hostile})
    assert found == r'up{router="a\"} or up{x=\"{{ 1 }}"} == 1'
    assert metric_names('sum by (router) (rate(m_total{a="x"}[5m])) > 1 and on (bot) n == 1') == {
        "m_total",
        "n",
    }
