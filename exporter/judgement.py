"""How a router is doing, in one word with its reasons. Pure: evidence in, judgement out, all of it in one table.

judge(Evidence(answers=False, cause="unreachable", contact_text="connection refused", ...))
-> Judgement(health=Health.OFFLINE, reasons=(Reason("unreachable", "connection refused"),))
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

MIN_COMMANDS = 10
"""Fewer commands than this in the window prove nothing about rates and latencies."""
MIN_SUCCESS_RATIO = 0.9
LATENCY_SHARE = 0.5
"""Share of a scrape's deadline that commands may take at the 95th percentile."""
QUEUE_PER_SLOT = 4.0
"""Commands that may wait for each one that the router works on; a single scrape of all collectors stays below."""
SLOW_REFRESH_S = 10.0


class Health(StrEnum):
    """From good to bad; unknown is no judgement, because nobody asked."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    WARNING = "warning"
    CRITICAL = "critical"
    OFFLINE = "offline"


SEVERITY = {health: rank for rank, health in enumerate(Health)}


@dataclass(frozen=True, slots=True)
class CollectorEvidence:
    """One collector: what its latest refresh gave, and how old what is served is (None: nothing is)."""

    name: str
    error_class: str = ""
    error_text: str = ""
    failing_for_s: float | None = None
    refreshing_for_s: float | None = None
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one router, in plain values. Words for errors are those of `routeros.failure_class`."""

    answers: bool | None = None
    asked_s_ago: float | None = None
    cause: str = ""
    """Class of the error that something sent to the router ended with, while it does not answer."""
    contact_text: str = ""
    breaker: str = "closed"
    breaker_text: str = ""
    retry_in_s: float | None = None
    collectors: tuple[CollectorEvidence, ...] = ()
    """Those of which there is something to tell; the others may be left out."""
    commands: int = 0
    success_ratio: float | None = None
    p95_s: float | None = None
    deadline_s: float = 10.0
    waiting: int = 0
    limit: float = 1.0
    max_stale_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a stable word for programs, a sentence for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The worst that any rule says, with every reason that led to that or to less."""

    health: Health
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Gives a text when it applies, else None. After a `final` rule no further one is asked: the rest is only
    what follows from it."""

    code: str
    health: Health
    text: Callable[[Evidence], str | None]
    meaning: str
    final: bool = False


def judge(evidence: Evidence) -> Judgement:
    """Ask the rules in their order."""
    reasons: list[Reason] = []
    worst = Health.HEALTHY
    for rule in RULES:
        text = rule.text(evidence)
        if text is None:
            continue
        reasons.append(Reason(rule.code, text))
        worst = max(worst, rule.health, key=SEVERITY.__getitem__)
        if rule.final:
            break
    return Judgement(worst, tuple(reasons))


def _login_refused(e: Evidence) -> str | None:
    return _silence(e) if e.cause == "login_refused" else None


def _not_understood(e: Evidence) -> str | None:
    return _silence(e) if e.cause == "protocol" else None


def _silence(e: Evidence) -> str:
    return f"{e.contact_text}; {_next_try(e)}" if e.breaker == "open" else e.contact_text


def _next_try(e: Evidence) -> str:
    return f"next try in {e.retry_in_s:.0f} s" if e.retry_in_s else "the next try may go now"


def _breaker_open(e: Evidence) -> str | None:
    if e.breaker != "open":
        return None
    wait = f"left alone for another {e.retry_in_s:.0f} s" if e.retry_in_s else "to be tried again"
    return f"{wait}: {e.contact_text or e.breaker_text}"


def _unreachable(e: Evidence) -> str | None:
    return e.contact_text if e.answers is False else None


def _never_asked(e: Evidence) -> str | None:
    return "it was not asked yet" if e.asked_s_ago is None else None


def _awaited(e: Evidence) -> str | None:
    return "its first answer is awaited" if e.answers is None else None


def _not_asked_lately(e: Evidence) -> str | None:
    if e.asked_s_ago is None or e.asked_s_ago <= max(e.max_stale_s, 300.0):
        return None
    return f"nobody asked for {e.asked_s_ago / 60:.0f} min: does Prometheus scrape?"


def _half_open(e: Evidence) -> str | None:
    return f"on trial after {e.breaker_text}" if e.breaker == "half_open" else None


def _failing(e: Evidence) -> list[CollectorEvidence]:
    """Collectors that fail for a reason of their own."""
    return [c for c in e.collectors if c.error_class not in ("", "permission", "pool_exhausted")]


def _is_gone(c: CollectorEvidence, e: Evidence) -> bool:
    return c.age_s is None and c.failing_for_s is not None and c.failing_for_s > e.max_stale_s


def _collectors_gone(e: Evidence) -> str | None:
    return _listed(
        [
            f"{c.name} fails for {c.failing_for_s / 60:.0f} min and nothing is served ({c.error_text})"
            for c in _failing(e)
            if c.failing_for_s is not None and _is_gone(c, e)
        ]
    )


def _collectors_failing(e: Evidence) -> str | None:
    return _listed([f"{c.name} fails: {c.error_text}" for c in _failing(e) if not _is_gone(c, e)])


def _permission_missing(e: Evidence) -> str | None:
    return _listed([f"{c.name}: {c.error_text}" for c in e.collectors if c.error_class == "permission"])


def _stale(e: Evidence) -> str | None:
    return _listed(
        [
            f"{c.name} is being read for {c.refreshing_for_s:.0f} s, what is served is {_age(c)}"
            for c in e.collectors
            if c.refreshing_for_s is not None and c.refreshing_for_s > SLOW_REFRESH_S
        ]
    )


def _age(c: CollectorEvidence) -> str:
    return "nothing yet" if c.age_s is None else f"{c.age_s:.0f} s old"


def _queue_waits(e: Evidence) -> str | None:
    turned_away = [c.name for c in e.collectors if c.error_class == "pool_exhausted"]
    if turned_away:
        return f"no place came free in time for {', '.join(turned_away)}"
    if e.waiting > QUEUE_PER_SLOT * max(1.0, e.limit):
        return f"{e.waiting} commands wait, where {e.limit:.0f} may run at once"
    return None


def _latency_high(e: Evidence) -> str | None:
    if e.commands < MIN_COMMANDS or e.p95_s is None or e.p95_s <= LATENCY_SHARE * e.deadline_s:
        return None
    return f"one command in twenty takes {e.p95_s:.1f} s or longer, and a scrape has {e.deadline_s:g} s"


def _commands_failing(e: Evidence) -> str | None:
    if e.commands < MIN_COMMANDS or e.success_ratio is None or e.success_ratio >= MIN_SUCCESS_RATIO:
        return None
    if any(c.error_class for c in e.collectors):
        return None  # told already, and better
    return f"{1 - e.success_ratio:.0%} of the last {e.commands} commands failed"


def _listed(texts: list[str], shown: int = 3) -> str | None:
    if not texts:
        return None
    more = len(texts) - shown
    return "; ".join(texts[:shown]) + (f"; and {more} more" if more > 0 else "")


RULES: tuple[Rule, ...] = (
    Rule(
        "login_refused", Health.CRITICAL, _login_refused, "It refuses the user or the password.", final=True
    ),
    Rule("not_understood", Health.CRITICAL, _not_understood, "What it sends is no RouterOS API.", final=True),
    Rule("breaker_open", Health.OFFLINE, _breaker_open, "It failed too often and is left alone.", final=True),
    Rule("unreachable", Health.OFFLINE, _unreachable, "It did not answer when last asked.", final=True),
    Rule("never_asked", Health.UNKNOWN, _never_asked, "No scrape has asked for it yet.", final=True),
    Rule("first_answer_awaited", Health.UNKNOWN, _awaited, "The first scrape is under way.", final=True),
    Rule("not_asked_lately", Health.UNKNOWN, _not_asked_lately, "No scrape asked for long.", final=True),
    Rule("half_open", Health.WARNING, _half_open, "The breaker lets a single probe through."),
    Rule(
        "collectors_gone",
        Health.CRITICAL,
        _collectors_gone,
        "Collectors fail so long that nothing is served.",
    ),
    Rule(
        "collectors_failing", Health.WARNING, _collectors_failing, "Collectors fail; old results are served."
    ),
    Rule("permission_missing", Health.WARNING, _permission_missing, "The user's group lacks a policy."),
    Rule("stale", Health.WARNING, _stale, f"A collector is being read for more than {SLOW_REFRESH_S:g} s."),
    Rule("queue_waits", Health.WARNING, _queue_waits, "Commands wait too long for their turn."),
    Rule("latency_high", Health.WARNING, _latency_high, "Commands take too much of a scrape's deadline."),
    Rule(
        "commands_failing", Health.WARNING, _commands_failing, "Recent commands failed, and retries hid it."
    ),
)
"""Every rule; `docs/reference/api.md` lists the codes from here."""
