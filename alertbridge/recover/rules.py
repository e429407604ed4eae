"""Whether a rule acts on an alert, with the reason by name. Pure: everything that is known comes in as values.

Ages are seconds that have passed, whatever any wall clock says (`ages.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alertbridge.alerts import Alert, Severity
from alertbridge.deliver.route.matchers import Matcher
from alertbridge.deliver.route.schedule import Schedule
from alertbridge.recover.config import RuleSection
from alertbridge.recover.model import Decision, Planned, Reason

HOUR_S = 3600.0
DAY_S = 86_400.0
OWN_COMPONENT = "bridge"


def is_own(labels: Mapping[str, str]) -> bool:
    """Whether an alert is about the bridge itself, recovery included."""
    own_metric = labels.get("__name__", "").startswith("alertbridge_")
    return own_metric or labels.get("component") == OWN_COMPONENT


@dataclass(frozen=True, slots=True)
class Unless:
    """Another alert that forbids it."""

    matchers: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def forbids(self, labels: Mapping[str, str], other: Mapping[str, str]) -> bool:
        """Whether `other` is such an alert for one with `labels`. A label that is missing equals nothing."""
        if not all(matcher.holds(other) for matcher in self.matchers):
            return False
        return all(labels.get(name) and labels.get(name) == other.get(name) for name in self.equal)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to be held against alerts. `asks` is true as well when one of its actions always asks."""

    section: RuleSection
    matchers: tuple[Matcher, ...]
    unless: tuple[Unless, ...]
    window: Schedule | None
    asks: bool

    @classmethod
    def of(
        cls,
        section: RuleSection,
        schedules: Mapping[str, Schedule],
        *,
        always_asks: frozenset[str] = frozenset(),
    ) -> "Rule":
        """`always_asks` are the actions that nobody may make automatic."""
        return cls(
            section=section,
            matchers=section.matchers,
            unless=tuple(Unless(one.matchers, one.equal) for one in section.unless),
            window=schedules[section.window] if section.window is not None else None,
            asks=section.approval == "ask" or any(step.action in always_asks for step in section.steps),
        )

    @property
    def name(self) -> str:
        return self.section.name

    def matches(self, labels: Mapping[str, str], receiver: str = "") -> bool:
        """Whether it is for an alert with `labels`."""
        match = self.section.match
        if match.receiver is not None and receiver != match.receiver:
            return False
        if match.severity and Severity.of(labels).value not in match.severity:
            return False
        return all(matcher.holds(labels) for matcher in self.matchers)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a rule is held against an alert, in the transaction that would begin a run.

    `plan` is None when its parameters cannot be made of the alert (`no_target` says why). `held_by` names another
    run that has one of its targets; `since_same_s` is the age of the last such action on one of its targets, and
    `ages_s` are those of this rule's last actions, youngest first.
    """

    plan: Sequence[Planned] | None
    no_target: str = ""
    is_open: bool = True
    flapping: bool = False
    gave_up: bool = False
    declined: bool = False
    awaiting: bool = False
    held_by: str = ""
    paused: bool = False
    since_same_s: float | None = None
    ages_s: Sequence[float] = ()
    others: Sequence[Mapping[str, str]] = field(default=(), repr=False)


def decide(
    rule: Rule,
    alert: Alert,
    situation: Situation,
    now_s: float,
    *,
    going_on: bool = False,
    taking_back: bool = False,
) -> Decision:
    """What `rule` makes of `alert` at `now_s` (Unix seconds, for schedules alone).

    With `going_on` a run of this rule has the targets already, and this is about its next try: then a cooldown does
    not count, since it began with that run, and neither does having been asked. With `taking_back` it is about taking
    its last action back, and caps do not count either.
    """
    found = _not_for_it(rule, alert, situation, going_on=going_on) or _not_now(rule, alert, situation, now_s)
    if found is None and not going_on:
        found = _busy(rule, situation)
    if found is None and not taking_back:
        found = _capped(rule.section, situation.ages_s)
    if found is None:
        found = Decision(Reason.DRY_RUN) if rule.section.dry_run else Decision(Reason.ACT)
    return found


def _not_for_it(rule: Rule, alert: Alert, situation: Situation, *, going_on: bool) -> Decision | None:
    """What stays so for as long as the alert does."""
    if rule.section.approval == "off":
        return Decision(Reason.DISABLED)
    if is_own(alert.labels):
        return Decision(Reason.OWN_ALERT, "an action must not answer to the bridge's alerts about itself")
    if not situation.is_open:
        return Decision(Reason.RESOLVED_ALREADY)
    if situation.gave_up and not going_on:
        return Decision(Reason.GAVE_UP, "it had its tries on this alert")
    if situation.declined and not going_on:
        return Decision(Reason.DECLINED, "a person said no about this alert, or took it back")
    if situation.plan is None:
        return Decision(Reason.NO_TARGET, situation.no_target)
    return None


def _not_now(rule: Rule, alert: Alert, situation: Situation, now_s: float) -> Decision | None:
    """What may be otherwise in a moment."""
    if situation.flapping and rule.section.on_flapping == "hold":
        return Decision(Reason.FLAPPING)
    if (found := _forbidding(rule, alert, situation.others)) is not None:
        return Decision(Reason.DEPENDENCY, f"{found.get('alertname', 'another alert')} fires")
    if rule.window is not None and not rule.window.covers(now_s):
        return Decision(Reason.OUTSIDE_WINDOW, rule.window.name)
    if situation.paused:
        return Decision(Reason.PAUSED)
    return None


def _forbidding(rule: Rule, alert: Alert, others: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    for other in others:
        if any(unless.forbids(alert.labels, other) for unless in rule.unless):
            return other
    return None


def _busy(rule: Rule, situation: Situation) -> Decision | None:
    if situation.awaiting:
        return Decision(Reason.AWAITING_APPROVAL)
    if situation.held_by:
        return Decision(Reason.BUSY_TARGET, situation.held_by)
    since_s = situation.since_same_s
    if since_s is not None and since_s < rule.section.cooldown_s:
        return Decision(Reason.COOLDOWN, f"for another {rule.section.cooldown_s - since_s:.0f} s")
    return None


def _capped(section: RuleSection, ages_s: Sequence[float]) -> Decision | None:
    for reason, cap, span_s in (
        (Reason.HOURLY_CAP, section.per_hour, HOUR_S),
        (Reason.DAILY_CAP, section.per_day, DAY_S),
    ):
        if sum(age_s < span_s for age_s in ages_s) >= cap:
            return Decision(reason, f"{cap} actions are made")
    return None
