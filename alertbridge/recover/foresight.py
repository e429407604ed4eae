"""What Prometheus knows of recovery rules beforehand: metrics that it has not, queries that it refuses, and alerts that
go on for longer than a verification waits.
"""

import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from alertbridge.deliver.route.matchers import Matcher
from alertbridge.prometheus import AlertRule, BadQuery, Value
from alertbridge.recover.config import RecoverySection, RuleSection, StepSection
from alertbridge.recover.expressions import metric_names
from alertbridge.recover.parameters import Unrendered, rendered_expression
from runtime import yamltree
from runtime.wording import did_you_mean

Place = tuple[str | int, ...]

_UNITS_S: Mapping[str, float] = {
    "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0
}  # fmt: skip
_DURATION = re.compile(r"([0-9]+)(ms|[smhdwy])")
_RANGE = re.compile(r"\[([0-9a-z]+)[\]:]")
_LABEL = re.compile(r"labels\.([a-zA-Z_][a-zA-Z0-9_]*)")
_SCRAPE_S, _GROUP_INTERVAL_S = 60.0, 300.0
"""What Prometheus and Alertmanager do when nothing is written."""


class Knowing(Protocol):
    """Asks Prometheus; `prometheus.Prometheus`. Everything raises PrometheusError."""

    async def query(self, expression: str, *, at_s: float | None = None) -> list[Value]: ...
    async def metric_names(self) -> frozenset[str]: ...
    async def alert_rules(self) -> list[AlertRule]: ...
    async def configuration(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What will not work (`fails`), or is hardly meant. `place` counts from the whole configuration."""

    place: Place
    message: str
    fails: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    place: Place
    expression: str


async def foreseen(
    section: RecoverySection, prometheus: Knowing, alertmanager: str | None
) -> Sequence[Foreseen]:
    """What Prometheus says of these rules; `alertmanager` is Alertmanager's configuration in YAML, if it is known.

    Raises PrometheusUnavailable when it cannot be asked.
    """
    found: list[Foreseen] = []
    questions = [one for number, rule in enumerate(section.rules) for one in _questions(number, rule)]
    if questions:
        known = await prometheus.metric_names()
        for question in questions:
            found += [one async for one in _of_question(question, known, prometheus)]
    if any("alert" in step.verify.by for rule in section.rules for step in rule.steps):
        scrape_s = scrape_interval_s(await prometheus.configuration())
        alerts = await prometheus.alert_rules()
        group_s = None if alertmanager is None else group_interval_s(alertmanager)
        for number, rule in enumerate(section.rules):
            found += _of_alerts(number, rule, alerts, scrape_s, group_s)
    return found


# -- expressions


def _questions(number: int, rule: RuleSection) -> Iterator[_Asked]:
    for index, step in enumerate(rule.steps):
        place = ("recovery", "rules", number, "steps", index)
        for key, expression in (("precondition", step.precondition.promql), ("verify", step.verify.promql)):
            if expression is not None:
                yield _Asked((*place, key, "promql"), expression)


async def _of_question(
    question: _Asked, known: Collection[str], prometheus: Knowing
) -> AsyncIterator[Foreseen]:
    for name in sorted(metric_names(question.expression) - frozenset(known)):
        message = f"Prometheus has no metric {name}{did_you_mean(name, known)}"
        yield Foreseen(question.place, message, fails=True)
    labels = dict.fromkeys(_LABEL.findall(question.expression), "x")
    try:
        await prometheus.query(rendered_expression(question.expression, labels))
    except BadQuery as error:
        yield Foreseen(question.place, f"Prometheus refuses it: {error}", fails=True)
    except Unrendered:
        return  # its labels are read in a way that only an alert can fill


# -- alerts


def _of_alerts(
    number: int, rule: RuleSection, alerts: Sequence[AlertRule], scrape_s: float, group_s: float | None
) -> Iterator[Foreseen]:
    mine = [alert for alert in alerts if _is_for(rule.matchers, alert)]
    if not mine:
        return
    slowest = max(mine, key=lambda alert: sum(_decay(alert, scrape_s, group_s).values()))
    parts = _decay(slowest, scrape_s, group_s)
    told = " + ".join(f"{name} {value:g}" for name, value in parts.items() if value)
    for index, step in enumerate(rule.steps):
        place = ("recovery", "rules", number, "steps", index, "verify")
        yield from _of_verify(place, step, slowest.name, sum(parts.values()), told)


def _of_verify(place: Place, step: StepSection, alert: str, decay_s: float, told: str) -> Iterator[Foreseen]:
    verify = step.verify
    if "alert" not in verify.by:
        return
    lasts = f"{alert} may fire for {decay_s:g} s after a cure ({told})"
    if verify.by == ("alert",) and verify.deadline_s <= decay_s:
        message = f"may never hold: deadline_s is {verify.deadline_s:g}, and {lasts}"
        yield Foreseen((*place, "deadline_s"), message, fails=False)
    elif verify.settle_s < decay_s:
        message = f"settle_s is {verify.settle_s:g}, and {lasts}: a cure may be told as none"
        yield Foreseen((*place, "settle_s"), message, fails=False)


def _is_for(matchers: Sequence[Matcher], alert: AlertRule) -> bool:
    """Whether a rule with these matchers is for this alert by its name; labels that only the alert has do not count."""
    static = {name: value for name, value in alert.labels.items() if "{{" not in value}
    labels = {**static, "alertname": alert.name}
    named = any(one.label == "alertname" for one in matchers)
    return named and all(one.holds(labels) for one in matchers if one.label in labels)


def _decay(alert: AlertRule, scrape_s: float, group_s: float | None) -> Mapping[str, float]:
    """How long an alert goes on after its cause is gone, in seconds, by what takes so long."""
    return {
        "scrape": scrape_s,
        "range": longest_range_s(alert.expression),
        "evaluation": alert.interval_s,
        "keep_firing_for": alert.keep_firing_for_s,
        "Alertmanager's group_interval": 0.0 if group_s is None else group_s,
    }


def longest_range_s(expression: str) -> float:
    """The longest range that an expression looks back over, in seconds; 0 when it has none."""
    return max((seconds(found) for found in _RANGE.findall(expression)), default=0.0)


def seconds(duration: str) -> float:
    """``1h30m`` as seconds; 0 for what is none."""
    return sum(float(number) * _UNITS_S[unit] for number, unit in _DURATION.findall(duration))


def scrape_interval_s(configuration: str) -> float:
    """How often Prometheus scrapes by its configuration, where a job says nothing else."""
    return seconds(str(_inside(configuration, "global").get("scrape_interval", ""))) or _SCRAPE_S


def group_interval_s(configuration: str) -> float:
    """The shortest `group_interval` of Alertmanager's routes: which of them leads to us is not known."""
    return min(_intervals(_inside(configuration, "route"), _GROUP_INTERVAL_S), default=_GROUP_INTERVAL_S)


def _intervals(route: Mapping[str, Any], inherited_s: float) -> Iterator[float]:
    own_s = seconds(str(route.get("group_interval", ""))) or inherited_s
    yield own_s
    for child in route.get("routes") or ():
        if isinstance(child, Mapping):
            yield from _intervals(child, own_s)


def _inside(configuration: str, key: str) -> Mapping[str, Any]:
    tree = yamltree.parse(configuration).value
    found = tree.get(key) if isinstance(tree, Mapping) else None
    return found if isinstance(found, Mapping) else {}
