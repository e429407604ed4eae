"""Alert and moment -> who is told, in which language, by which template, and why. No input, no output.

The end of an alert must reach those who were told of its beginning, also when the rota has moved on or the
hours have changed since. Whoever makes notices of an end therefore asks `Routes.follow` with the recipients of
that episode's earlier notices, and `Routes.decide` only for a beginning.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from alertbridge.alerts import Alert, Severity
from alertbridge.deliver.model import Kind
from alertbridge.deliver.route.addressbook import AddressBook
from alertbridge.deliver.route.config import RouteSection, RoutingConfig
from alertbridge.deliver.route.matchers import Matcher, parse_matcher
from alertbridge.deliver.route.schedule import Rota, Schedule

SUPPRESSED_NO_ROUTE = "no_route"
SUPPRESSED_MUTED = "muted"
SUPPRESSED_QUIET = "quiet_hours"
SUPPRESSED_UNWANTED_END = "resolved_off"
SUPPRESSED_GONE = "recipient_gone"

EVERYBODY = RouteSection.model_validate({"name": "everybody", "to": []})
"""The route of a configuration that has none; `Routes` sends it to every recipient."""

_ENDS = (Kind.RESOLVED, Kind.CALM)
"""What is never dropped when its beginning was told."""


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who is told. `template` is empty for the built-in one; `not_before_s` is Unix time."""

    recipient: str
    language: str
    template: str = ""
    not_before_s: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is told, and in words why. `suppressed` is why nobody is (a SUPPRESSED_... word), else empty."""

    targets: tuple[Target, ...]
    reasons: tuple[str, ...]
    suppressed: str = ""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is to be decided."""

    alert: Alert
    kind: Kind
    now_s: float
    receiver: str


@dataclass(frozen=True, slots=True)
class _Route:
    """A route with its matchers and schedules looked up."""

    section: RouteSection
    matchers: tuple[Matcher, ...]
    when: Schedule | None
    not_when: Schedule | None
    quiet: Schedule | None

    def matches(self, question: _Question) -> bool:
        """Whether it is for that alert, at one hour or another."""
        match = self.section.match
        return (
            (not match.severity or question.alert.severity.value in match.severity)
            and match.receiver in (None, question.receiver)
            and all(matcher.holds(question.alert.labels) for matcher in self.matchers)
        )

    def is_on(self, now_s: float) -> bool:
        """Whether it holds at that moment."""
        wanted = self.when is None or self.when.covers(now_s)
        return wanted and not (self.not_when is not None and self.not_when.covers(now_s))

    def reason(self, severity: Severity) -> str:
        """Why it is for an alert that it matches, in words."""
        return ", ".join(self._conditions(severity)) or "it is for every alert"

    def _conditions(self, severity: Severity) -> Iterator[str]:
        if self.section.match.severity:
            yield f"severity is {severity.value}"
        yield from map(str, self.matchers)
        if self.section.match.receiver is not None:
            yield f"receiver is {self.section.match.receiver}"
        if self.when is not None:
            yield f"it is {self.when.name}"
        if self.not_when is not None:
            yield f"it is not {self.not_when.name}"


@dataclass(slots=True)
class _Verdict:
    """What the routes that were looked at amount to."""

    targets: dict[str, Target] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    suppressed: str = ""

    def add(self, target: Target) -> None:
        """Each recipient is told once: as its first route says, at the earliest moment that any of them says."""
        known = self.targets.setdefault(target.recipient, target)
        if known.not_before_s is not None and (
            target.not_before_s is None or target.not_before_s < known.not_before_s
        ):
            self.targets[target.recipient] = Target(
                known.recipient, known.language, known.template, target.not_before_s
            )

    def decision(self) -> Decision:
        targets = tuple(self.targets.values())
        return Decision(targets, tuple(self.reasons), "" if targets else self.suppressed)


class Routes:
    """The routes of a configuration. Without any, everybody is told everything."""

    def __init__(self, config: RoutingConfig) -> None:
        zone = config.delivery.timezone
        self._zone = ZoneInfo(zone)
        self._book = AddressBook.of(config)
        self._rotas = {section.name: Rota.of(section, zone) for section in config.rotas}
        schedules = {section.name: Schedule.of(section, zone) for section in config.schedules}
        everybody = EVERYBODY.model_copy(update={"to": self._book.names})
        self._routes = tuple(
            _Route(
                section=section,
                matchers=tuple(map(parse_matcher, section.match.labels)),
                when=schedules[section.when] if section.when else None,
                not_when=schedules[section.not_when] if section.not_when else None,
                quiet=schedules[section.quiet.schedule] if section.quiet else None,
            )
            for section in (config.routes or (everybody,))
        )

    def decide(self, alert: Alert, kind: Kind, now_s: float, *, receiver: str = "") -> Decision:
        """Who is told of `alert` at `now_s` (Unix seconds). `receiver` is Alertmanager's name for it."""
        question = _Question(alert, kind, now_s, receiver)
        verdict = _Verdict(suppressed=SUPPRESSED_NO_ROUTE)
        for route in self._routes:
            if not (route.matches(question) and route.is_on(now_s)):
                continue
            self._apply(route, question, verdict)
            if not route.section.go_on:
                break
        else:
            if not verdict.reasons:
                verdict.reasons.append(f"none of {len(self._routes)} routes is for this alert now")
        return verdict.decision()

    def follow(
        self, alert: Alert, recipients: Iterable[str], kind: Kind, now_s: float, *, receiver: str = ""
    ) -> Decision:
        """As `decide`, but for those who were told of this episode before, each of them once.

        Nothing is dropped because of quiet hours, only held; who is no longer in the configuration is left out.
        """
        question = _Question(alert, kind, now_s, receiver)
        verdict = _Verdict(suppressed=SUPPRESSED_GONE)
        for name in dict.fromkeys(recipients):
            recipient = self._book.get(name)
            if recipient is None:
                verdict.reasons.append(f"{name}: was told of the beginning, but is no longer a recipient")
                continue
            route = self._route_to(name, question)
            if route is None:
                verdict.reasons.append(f"{name}: was told of the beginning")
                verdict.add(Target(name, recipient.language))
            elif kind in _ENDS and not route.section.resolved:
                verdict.reasons.append(f"{name}: route `{route.section.name}` does not tell ends")
                verdict.suppressed = SUPPRESSED_UNWANTED_END
            else:
                held_s = self._held_until(route, question)
                note = self._held_note(route, held_s)
                verdict.reasons.append(f"{name}: was told of the beginning{note}")
                verdict.add(self._target(route, name, held_s))
        return verdict.decision()

    def on_call(self, rota: str, at_s: float) -> str:
        """Who of `rota` is on call. Raises KeyError when there is no such rota."""
        return self._rotas[rota].on_call(at_s).member

    def _apply(self, route: _Route, question: _Question, verdict: _Verdict) -> None:
        section = route.section
        head = f"route `{section.name}`: {route.reason(question.alert.severity)}"
        if not section.to:
            verdict.suppressed = SUPPRESSED_MUTED
            verdict.reasons.append(f"{head} → nobody, as the route says")
            return
        if question.kind in _ENDS and not section.resolved:
            verdict.suppressed = SUPPRESSED_UNWANTED_END
            verdict.reasons.append(f"{head} → nobody, since it does not tell ends")
            return
        held_s = self._held_until(route, question)
        if held_s is not None and section.quiet and section.quiet.do == "drop" and question.kind not in _ENDS:
            verdict.suppressed = SUPPRESSED_QUIET
            verdict.reasons.append(f"{head} → nobody: quiet hours `{section.quiet.schedule}`, which drop it")
            return
        told = []
        for name in section.to:
            member, note = self._member(name, question.now_s)
            told.append(note)
            verdict.add(self._target(route, member, held_s))
        verdict.reasons.append(f"{head} → {', '.join(told)}{self._held_note(route, held_s)}")

    def _member(self, name: str, now_s: float) -> tuple[str, str]:
        """The recipient that `name` stands for now, and how the dry run calls it."""
        rota = self._rotas.get(name)
        if rota is None:
            return name, name
        duty = rota.on_call(now_s)
        until = f"{datetime.fromtimestamp(duty.until_s, rota.zone):%Y-%m-%d %H:%M}"
        return (
            duty.member,
            f"{name} (rota: {duty.member}{' out of turn' if duty.is_override else ''} until {until})",
        )

    def _target(self, route: _Route, name: str, held_s: float | None) -> Target:
        recipient = self._book.get(name)
        language = route.section.language or (recipient.language if recipient else "")
        return Target(name, language, route.section.template or "", held_s)

    def _held_until(self, route: _Route, question: _Question) -> float | None:
        """When the route's quiet hours are over, if they are on and not for others only."""
        quiet = route.section.quiet
        if quiet is None or route.quiet is None or question.kind is Kind.ESCALATION:
            return None
        if question.alert.severity.value in quiet.spared:
            return None
        return route.quiet.ends_after(question.now_s)

    def _held_note(self, route: _Route, held_s: float | None) -> str:
        if held_s is None or route.quiet is None:
            return ""
        until = f"{datetime.fromtimestamp(held_s, self._zone):%Y-%m-%d %H:%M}"
        return f"; held until {until}: quiet hours `{route.quiet.name}`"

    def _route_to(self, recipient: str, question: _Question) -> _Route | None:
        """The route by which `recipient` hears of that alert, now or at another hour."""
        routes = [
            route for route in self._routes if self._reaches(route, recipient) and route.matches(question)
        ]
        on_now = (route for route in routes if route.is_on(question.now_s))
        return next(on_now, routes[0] if routes else None)

    def _reaches(self, route: _Route, recipient: str) -> bool:
        rotas = (self._rotas[name] for name in route.section.to if name in self._rotas)
        return recipient in route.section.to or any(
            recipient in rota.members or any(one.member == recipient for one in rota.overrides)
            for rota in rotas
        )
