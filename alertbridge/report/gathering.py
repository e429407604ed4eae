"""Asks everything that a report needs, a few questions at a time and no longer than a deadline.

What is not known stays unknown, with the reason: a report comes also while Prometheus is down.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Protocol, TypeVar

import structlog

from alertbridge.prometheus import BadQuery, PrometheusUnavailable, Series, Value
from alertbridge.report.ledger import read_ledger
from alertbridge.report.model import Answer, Gathered, Ledger, Missing, Part, Track
from alertbridge.report.questions import ATTENTIONS, CURVES, QUESTIONS, STEPS, When, filled
from alertbridge.report.schedule import Kind, Period
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from runtime.clock import Clock

log = structlog.get_logger(__name__)

AT_ONCE = 4
DEADLINE_S = 60.0
_UP = "vector(1)"

Found = TypeVar("Found", Answer, Track)
Make = Callable[[Missing | None, str], Found]


class Asked(Protocol):
    """Answers questions; see `prometheus.Prometheus`."""

    async def query(self, expression: str, *, at_s: float | None = None) -> list[Value]: ...

    async def query_range(
        self, expression: str, *, start_s: float, end_s: float, step_s: float
    ) -> list[Series]: ...


class Gathering:
    """Asks Prometheus and the store. `kept_s`: how long the store keeps alerts."""

    def __init__(
        self,
        prometheus: Asked | None,
        database: Database | None,
        clock: Clock,
        *,
        kept_s: float,
        deadline_s: float = DEADLINE_S,
        at_once: int = AT_ONCE,
    ) -> None:
        self._prometheus = prometheus
        self._database = database
        self._clock = clock
        self._kept_s = kept_s
        self._deadline_s = deadline_s
        self._at_once = at_once

    async def gather(
        self, kind: Kind, period: Period, *, state_at_s: float, parts: Collection[Part], top: int
    ) -> Gathered:
        """All that `parts` need. Raises nothing but CancelledError."""
        ledger = await self._ledger(period, top)
        answers: dict[str, Answer] = {}
        tracks: dict[str, Track] = {}
        if self._prometheus is not None:
            asking = _Asking(
                self._prometheus, kind, period, state_at_s, top, asyncio.Semaphore(self._at_once)
            )
            await asking.all(parts, answers, tracks, self._deadline_s)
        replies: list[tuple[str, Answer | Track]] = [*answers.items(), *tracks.items()]
        for name, found in replies:
            if found.missing not in (None, Missing.NO_DATA):
                log.warning(
                    "report.no_answer", question=name, reason=found.missing.value, detail=found.detail
                )
        return Gathered(kind, period, state_at_s, top, answers, tracks, ledger)

    async def _ledger(self, period: Period, top: int) -> Ledger | None:
        if self._database is None:
            return None
        kept_since_s = self._clock.time() - self._kept_s
        try:
            async with self._database.read() as connection:
                return await read_ledger(connection, period, top, kept_since_s)
        except StoreError as error:
            log.warning("report.no_ledger", detail=str(error))
            return None


class _Asking:
    """The questions of one report."""

    def __init__(
        self,
        prometheus: Asked,
        kind: Kind,
        period: Period,
        state_at_s: float,
        top: int,
        room: asyncio.Semaphore,
    ) -> None:
        self._prometheus = prometheus
        self._kind = kind
        self._period = period
        self._state_at_s = state_at_s
        self._top = top
        self._room = room

    async def all(
        self,
        parts: Collection[Part],
        answers: dict[str, Answer],
        tracks: dict[str, Track],
        deadline_s: float,
    ) -> None:
        """Fills `answers` and `tracks`; what is not there at the deadline is LATE."""
        asked = dict(self._questions(parts))
        drawn = {curve.name: curve.expression for curve in CURVES if curve.part in parts}
        late = Missing.LATE, f"no answer within {deadline_s:g} s"
        answers.update({name: Answer((), *late) for name in asked})
        tracks.update({name: Track((), *late) for name in drawn})

        async def ask(name: str, expression: str, at_s: float) -> None:
            answers[name] = await self._one(expression, at_s)

        async def draw(name: str, expression: str) -> None:
            tracks[name] = await self._curve(expression)

        try:
            async with asyncio.timeout(deadline_s):
                if (first := await self._one(_UP, self._state_at_s)).missing is Missing.UNREACHABLE:
                    answers.update(dict.fromkeys(asked, first))
                    tracks.update(dict.fromkeys(drawn, Track((), first.missing, first.detail)))
                    return
                await asyncio.gather(
                    *(ask(name, *question) for name, question in asked.items()),
                    *(draw(name, expression) for name, expression in drawn.items()),
                )
        except TimeoutError:
            log.warning("report.deadline", deadline_s=deadline_s)

    def _questions(self, parts: Collection[Part]) -> Iterator[tuple[str, tuple[str, float]]]:
        for question in QUESTIONS:
            if question.part in parts:
                at_s = self._period.until_s if question.when is When.END else self._state_at_s
                yield question.name, (question.text(self._kind, self._period.length_s, self._top), at_s)
        if Part.ATTENTION in parts:
            for attention in ATTENTIONS:
                yield attention.name, (attention.text, self._state_at_s)

    async def _one(self, expression: str, at_s: float) -> Answer:
        async def ask() -> Answer:
            values = await self._prometheus.query(expression, at_s=at_s)
            return Answer(tuple(values)) if values else Answer(missing=Missing.NO_DATA)

        return await self._guarded(ask, lambda missing, detail: Answer((), missing, detail))

    async def _curve(self, expression: str) -> Track:
        step_s = STEPS[self._kind].chart
        text = filled(expression, self._kind, self._period.length_s, self._top)

        async def ask() -> Track:
            series = await self._prometheus.query_range(
                text,
                start_s=self._period.since_s + step_s,  # a point tells of the step before it
                end_s=self._period.until_s,
                step_s=step_s,
            )
            found = tuple(one for one in series if one.points)
            return Track(found) if found else Track(missing=Missing.NO_DATA)

        return await self._guarded(ask, lambda missing, detail: Track((), missing, detail))

    async def _guarded(self, ask: Callable[[], Awaitable[Found]], without: Make[Found]) -> Found:
        async with self._room:
            try:
                return await ask()
            except PrometheusUnavailable as error:
                return without(Missing.UNREACHABLE, str(error))
            except BadQuery as error:
                return without(Missing.REFUSED, str(error))
