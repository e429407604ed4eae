"""What can be told of the routers at this moment, for the API and the page."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from exporter.cache import Slot
from exporter.fleet import Fleet
from exporter.judgement import CollectorEvidence, Evidence, Health, Judgement, judge
from exporter.performance import Performance, Recent
from exporter.serve import models
from exporter.watch import Watched
from routeros import BreakerState, CommandDeadline, CommandFailed, RouterError, failure_class

_STATES = {True: models.State.UP, False: models.State.DOWN, None: models.State.UNKNOWN}


class Survey:
    """Looks at the fleet without asking any router anything."""

    def __init__(
        self, fleet: Fleet, performance: Performance, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self.fleet = fleet
        self._performance = performance
        self._wall_clock = wall_clock

    def __repr__(self) -> str:
        return f"<Survey {self.fleet!r} {self._performance!r}>"

    @property
    def window_s(self) -> float:
        """How far back `recent` looks."""
        return self._performance.window_s

    def recent(self, watched: Watched) -> Recent:
        """What the router's latest commands say."""
        return self._performance.recent(watched.name)

    def routers(self) -> list[models.Router]:
        """Every router, in the order of the configuration."""
        return [models.Router(**self._glance(watched)) for watched in self.fleet]

    def detail(self, watched: Watched) -> models.RouterDetail:
        """One router with its collectors."""
        collectors = [_collector(name, slot) for name, slot in self._slots(watched).items()]
        return models.RouterDetail(**self._glance(watched), collectors=collectors)

    def judgement(self, watched: Watched) -> Judgement:
        """How a router is doing."""
        return judge(self._evidence(watched, self._slots(watched)))

    def _glance(self, watched: Watched) -> dict[str, object]:
        section, facts = watched.section, watched.facts
        slots = self._slots(watched)
        judgement = judge(self._evidence(watched, slots))
        answers = watched.answers
        return {
            "name": watched.name,
            "address": section.address,
            "port": section.effective_port,
            "tls": section.tls is not None,
            "module": section.module,
            "labels": section.labels,
            "state": _STATES[answers],
            "health": judgement.health,
            "reasons": reasons(judgement),
            "breaker": breaker(watched),
            "identity": facts.identity or None,
            "board": facts.board or None,
            "version": facts.version or None,
            "uptime_s": self._wall_clock() - facts.booted_at_s if answers and facts.booted_at_s else None,
            "last_scrape": _last_scrape(watched),
            "slowest_collector": _slowest(slots),
            "last_error": _past_error(watched),
        }

    def _slots(self, watched: Watched) -> dict[str, Slot]:
        """The slot of each collector that was refreshed lately, whichever module asked for it; those of the latest
        scrapes if none was."""
        latest: dict[str, Slot] = {}
        newest_s = -math.inf
        for name, slot in watched.made():
            started_s = slot.started_s
            if started_s is None:
                continue
            other = latest.get(name)
            if other is None or (other.started_s or 0.0) < started_s:
                latest[name] = slot
                newest_s = max(newest_s, started_s)
        oldest_s = newest_s - max(self.fleet.config.cache.max_stale_s, 300.0)
        return {name: slot for name, slot in latest.items() if (slot.started_s or 0.0) >= oldest_s}

    def _evidence(self, watched: Watched, slots: Mapping[str, Slot]) -> Evidence:
        config, client = self.fleet.config, watched.client
        recent = self.recent(watched)
        stats = client.stats()
        cause = _cause(watched)
        return Evidence(
            answers=watched.answers,
            asked_s_ago=watched.asked_s_ago,
            cause=failure_class(cause) if cause is not None else "",
            contact_text=cause.message if cause is not None else "",
            breaker=client.breaker.state.value,
            breaker_text=client.breaker.why,
            retry_in_s=client.breaker.retry_in_s,
            collectors=tuple(
                _collector_evidence(name, slot)
                for name, slot in slots.items()
                if slot.is_refreshing or slot.failing_since_s is not None
            ),
            commands=recent.commands,
            success_ratio=recent.success_ratio,
            p95_s=recent.p95_s,
            deadline_s=config.scrape.default_deadline_s,
            waiting=stats.waiting,
            limit=stats.limit,
            max_stale_s=config.cache.max_stale_s,
        )


def _cause(watched: Watched) -> RouterError | None:
    """Why the router does not answer: what its breaker opened for, else the error that told."""
    found = watched.client.breaker
    if found.state is not BreakerState.CLOSED and isinstance(found.cause, RouterError):
        return found.cause
    return watched.contact.cause or watched.contact.error


SURVEY = web.AppKey("survey", Survey)
"""Where handlers find it."""


def totals(healths: Iterable[Health]) -> models.Totals:
    """How many there are of each."""
    counts = Counter(healths)
    return models.Totals(
        routers=counts.total(),
        healthy=counts[Health.HEALTHY],
        unknown=counts[Health.UNKNOWN],
        warning=counts[Health.WARNING],
        critical=counts[Health.CRITICAL],
        offline=counts[Health.OFFLINE],
    )


def breaker(watched: Watched) -> models.Breaker:
    """The router's breaker."""
    found = watched.client.breaker
    return models.Breaker(
        state=models.BreakerState(found.state.value),
        failures=found.failures,
        retry_in_s=found.retry_in_s,
        why=found.why,
    )


def reasons(judgement: Judgement) -> list[models.Reason]:
    """The reasons of a judgement."""
    return [models.Reason(code=reason.code, text=reason.text) for reason in judgement.reasons]


def error_told(error: RouterError) -> models.Error:
    """An error, without the router's name, which stands around it."""
    return models.Error(failure_class=failure_class(error), message=error.message)


def _last_scrape(watched: Watched) -> models.LastScrape | None:
    last = watched.last_scrape
    if last.came_at_s is None:
        return None
    return models.LastScrape(at=_moment(last.came_at_s), duration_s=last.lasted_s)


def _slowest(slots: Mapping[str, Slot]) -> models.Slowest | None:
    durations = [(slot.duration_s, name) for name, slot in slots.items() if slot.duration_s is not None]
    if not durations:
        return None
    duration_s, name = max(durations)
    return models.Slowest(collector=name, duration_s=duration_s)


def _past_error(watched: Watched) -> models.PastError | None:
    mishap = watched.mishap
    if mishap is None:
        return None
    return models.PastError(
        failure_class=failure_class(mishap.error),
        message=mishap.error.message,
        collector=mishap.collector if isinstance(mishap.error, CommandFailed | CommandDeadline) else None,
        at=_moment(mishap.at_s),
    )


def _collector(name: str, slot: Slot) -> models.Collector:
    error = slot.last_error
    return models.Collector(
        name=name,
        succeeded=slot.last.succeeded if slot.last else None,
        supported=slot.last.supported if slot.last else None,
        error=error_told(error) if error is not None else None,
        duration_s=slot.duration_s,
        asked_s_ago=slot.clock() - slot.started_s if slot.started_s is not None else None,
        age_s=slot.age_s,
        ttl_s=slot.ttl_s,
        failures_total=dict(slot.failures),
    )


def _collector_evidence(name: str, slot: Slot) -> CollectorEvidence:
    error = slot.last_error
    failing_for_s = None if slot.failing_since_s is None else slot.clock() - slot.failing_since_s
    since_s = slot.refreshing_since_s
    return CollectorEvidence(
        name=name,
        error_class=failure_class(error) if error is not None else "",
        error_text=error.message if error is not None else "",
        failing_for_s=failing_for_s,
        refreshing_for_s=slot.clock() - since_s if since_s is not None else None,
        age_s=slot.age_s,
    )


def _moment(time_s: float) -> datetime:
    return datetime.fromtimestamp(time_s, UTC)
