"""What happens on one router while somebody watches: a reading every two seconds, told to all who are there."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from exporter.collectors.reader import Source
from exporter.live.counts import LiveCounts
from exporter.live.rates import NO_RATE, Meters, Rate
from exporter.live.reading import Answered, Outcome, Question, Trouble, questions, read
from exporter.live.subjects import PLACES, Counted, Kind, Subject
from exporter.live.users import User, users, users_json
from exporter.live.viewer import Phase, Viewer, event, told
from routeros import Record

_log = structlog.stdlib.get_logger("exporter.live")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a hub goes. Times are seconds."""

    period_s: float = 2.0
    deadline_s: float = 6.0
    failure_limit: int = 5
    restart_s: float = 3.0
    """Pause before viewers come back after `failure_limit` failures in a row."""
    history_s: float = 300.0
    linger_s: float = 10.0
    """For how long counters and history are kept when nobody watches; somebody who reloads the page needs them."""


class Hub:
    """The viewers of one router. It reads only while there are any, and never twice within a period."""

    def __init__(
        self,
        router: str,
        source: Source,
        counts: LiveCounts,
        *,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.router = router
        self._source = source
        self._counts = counts
        self._pace = pace
        self._clock = clock
        self._wall_clock = wall_clock
        self._viewers: dict[Viewer, None] = {}
        self._meters = Meters()
        self._history: dict[Subject, deque[tuple[float, float | None, float | None]]] = {}
        self._labels: dict[Subject, str] = {}
        self._failures = 0
        self._due_s = clock()
        self._left_s = clock()
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Hub {self.router} viewers={len(self._viewers)} failures={self._failures} {self._meters!r}>"

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def subjects(self) -> set[Subject]:
        """Everything that is watched now."""
        return {subject for viewer in self._viewers for subject in viewer.subjects}

    @property
    def is_idle(self) -> bool:
        """Nobody watches, and nobody who left is likely to come back for what is kept here."""
        return not self._viewers and self._clock() - self._left_s >= self._pace.linger_s

    def join(self, viewer: Viewer) -> None:
        """Let `viewer` watch. It is told at once what is known of the last minutes."""
        if self.is_idle:
            self._meters.forget()
            self._history.clear()
        self._viewers[viewer] = None
        self._counts.viewers += 1
        viewer.offer(self._hello(viewer))
        if self._task is None:
            self._failures = 0
            self._task = asyncio.create_task(self._run(), name=f"live {self.router}")

    def leave(self, viewer: Viewer) -> None:
        """Let `viewer` go; when it was the last one, the reading stops."""
        self._remove(viewer)
        if not self._viewers and self._task is not None:
            self._cancel(self._task)
            self._task = None

    def _cancel(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _remove(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            del self._viewers[viewer]
            self._counts.viewers -= 1
            self._left_s = self._clock()

    async def close(self) -> None:
        """End every viewer's stream; their pages connect again by themselves."""
        task, self._task = self._task, None
        self._end_all()
        if task is not None:
            self._cancel(task)
        if self._ending:
            await asyncio.wait(self._ending)

    def _end_all(self) -> None:
        for viewer in list(self._viewers):
            viewer.end()
            self._remove(viewer)

    def _tell(self, chunk: Callable[[Viewer], bytes]) -> None:
        for viewer in list(self._viewers):
            if viewer.offer(chunk(viewer)):
                continue
            if viewer.phase is Phase.DROPPED:
                self._counts.dropped += 1
                _log.info("live.viewer_dropped", router=self.router, reason="too slow")
            self._remove(viewer)

    # the readings

    async def _run(self) -> None:
        try:
            while self._viewers:
                await self._pause()
                await self._round()
        except Exception:  # noqa: BLE001  # the edge of one router's live view: viewers must not wait for a dead one
            _log.exception("live.broke", router=self.router)
            self._end_all()
        finally:
            if self._task is asyncio.current_task():
                self._task = None

    async def _pause(self) -> None:
        """Wait for the next reading, with a sign of life each period."""
        while (left_s := self._due_s - self._clock()) > self._pace.period_s * 1.5:
            await asyncio.sleep(self._pace.period_s)
            self._tell_same(told("resting", again_in_s=round(left_s - self._pace.period_s, 1)))
        await asyncio.sleep(max(0.0, left_s))

    async def _round(self) -> None:
        """One reading, told to everybody; after too many failures in a row the streams end."""
        began_s = self._clock()
        asked = questions(self.subjects, users=any(viewer.users for viewer in self._viewers))
        self._counts.reads += 1
        outcomes = await self._read(asked)
        ended_s = self._clock()
        answered = any(isinstance(outcome, Answered) for outcome in outcomes.values())
        self._plan(began_s, ended_s, rest_s=ended_s - began_s if answered else 0.0)
        if asked and not answered:
            self._fail(next(iter(outcomes.values())))
            return
        self._failures = 0
        self._publish(outcomes, took_s=ended_s - began_s)

    def _plan(self, began_s: float, ended_s: float, *, rest_s: float) -> None:
        """Keep to the grid of periods, so that rates are over equal times; rest for `rest_s` at least."""
        period_s = self._pace.period_s
        on_grid = began_s - self._due_s < period_s / 4
        due_s = (self._due_s if on_grid else began_s) + period_s
        self._due_s = max(due_s, ended_s + rest_s)

    async def _read(self, asked: list[Question]) -> dict[str, Outcome]:
        """What came of the questions; those who wait are told that they wait, once a period."""
        began_s = self._clock()
        work = asyncio.create_task(
            read(self._source, asked, deadline_s=self._pace.deadline_s, clock=self._clock)
        )
        try:
            while True:
                done, _ = await asyncio.wait([work], timeout=self._pace.period_s)
                if done:
                    return work.result()
                self._tell_same(told("waiting", for_s=round(self._clock() - began_s, 1)))
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait([work])

    def _fail(self, outcome: Outcome) -> None:
        self._failures += 1
        self._counts.failures += 1
        is_last = self._failures >= self._pace.failure_limit
        wait_s = self._pace.restart_s if is_last else self._due_s - self._clock()
        trouble = _trouble(outcome)
        chunk = told(
            "failure",
            failures=self._failures,
            limit=self._pace.failure_limit,
            again_in_s=round(wait_s, 1),
            restart=is_last,
            **{"class": trouble.failure_class, "message": trouble.message},
        )
        self._tell_same(chunk)
        if is_last:
            _log.info("live.restarting", router=self.router, failures=self._failures, error=trouble.message)
            self._due_s = max(self._due_s, self._clock() + self._pace.restart_s)
            self._end_all()

    # what is told

    def _hello(self, viewer: Viewer) -> bytes:
        history = {
            subject.key: [list(point) for point in self._history.get(subject, ())]
            for subject in viewer.subjects
        }
        return told(
            "hello",
            router=self.router,
            now_s=self._wall_clock(),
            period_s=self._pace.period_s,
            history=history,
        )

    def _tell_same(self, chunk: bytes) -> None:
        self._tell(lambda _: chunk)

    def _publish(self, outcomes: Mapping[str, Outcome], *, took_s: float) -> None:
        """Work out the rates once, and put together for each viewer what it wants of them."""
        now_s = self._wall_clock()
        tables = {path: one for path, one in outcomes.items() if isinstance(one, Answered)}
        self._meters.begin_round()
        rates = self._rates(tables)
        online = self._users(tables) if any(viewer.users for viewer in self._viewers) else []
        self._meters.end_round(complete=len(tables) == len(outcomes))
        self._remember(rates, now_s)
        pieces = {subject: f"{json.dumps(subject.key)}:{_rate_json(rate)}" for subject, rate in rates.items()}
        head = f'"t":{now_s:.3f},"took_s":{took_s:.3f},"viewers":{len(self._viewers)}'
        head += f',"missing":{_missing_json(outcomes)}'
        samples: dict[tuple[Subject, ...], bytes] = {}
        lists: dict[str, bytes] = {}

        def chunk(viewer: Viewer) -> bytes:
            sample = samples.get(viewer.subjects)
            if sample is None:
                body = ",".join(pieces[subject] for subject in viewer.subjects if subject in pieces)
                labels = {s.key: self._labels[s] for s in viewer.subjects if s in self._labels}
                told_labels = f',"labels":{json.dumps(labels)}' if labels else ""
                sample = samples[viewer.subjects] = event(
                    "sample", f'{{{head},"rates":{{{body}}}{told_labels}}}'
                )
            if not viewer.users:
                return sample
            if viewer.words not in lists:
                lists[viewer.words] = event("users", users_json(online, viewer.words))
            return sample + lists[viewer.words]

        self._tell(chunk)

    def _rates(self, tables: Mapping[str, Answered]) -> dict[Subject, Rate]:
        """The rate of each subject whose menu was read; none for one that is not there."""
        found: dict[Subject, Rate] = {}
        watched = self.subjects
        self._labels = {s: label for s, label in self._labels.items() if s in watched}
        rows: dict[str, dict[str, Record]] = {}
        for subject in watched:
            place = subject.place
            table = tables.get(place.path)
            if table is None:
                continue
            if place.path not in rows:
                rows[place.path] = {row.get(place.key, ""): row for row in table.records}
            row = rows[place.path].get(subject.name)
            if row is None:
                found[subject] = NO_RATE
                continue
            found[subject] = self._rate(table, subject.kind, row, place.read(row))
            if label := row.get(place.label):
                self._labels[subject] = label
        return found

    def _rate(self, table: Answered, kind: Kind, row: Record, counted: Counted) -> Rate:
        name = row.get(PLACES[kind].key, "")
        return self._meters.rate((kind, name), table.at_s, row.get(".id", ""), counted)

    def _users(self, tables: Mapping[str, Answered]) -> list[User]:
        def meter(kind: Kind, row: Record, counted: Counted) -> Rate:
            return self._rate(tables[PLACES[kind].path], kind, row, counted)

        return users({path: table.records for path, table in tables.items()}, meter)

    def _remember(self, rates: Mapping[Subject, Rate], now_s: float) -> None:
        watched = self.subjects
        self._history = {subject: points for subject, points in self._history.items() if subject in watched}
        for subject, (one, other) in rates.items():
            points = self._history.setdefault(subject, deque())
            points.append((round(now_s, 3), _rounded(one), _rounded(other)))
            while points[0][0] < now_s - self._pace.history_s:
                points.popleft()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _rate_json(rate: Rate) -> str:
    return json.dumps([_rounded(rate[0]), _rounded(rate[1])])


def _trouble(outcome: Outcome) -> Trouble:
    return outcome if isinstance(outcome, Trouble) else Trouble("failed", "no answer")


def _missing_json(outcomes: Mapping[str, Outcome]) -> str:
    """Menus that could not be read, with the reason of each."""
    troubles = {path: one for path, one in outcomes.items() if isinstance(one, Trouble)}
    return json.dumps(
        {path: {"class": one.failure_class, "message": one.message} for path, one in troubles.items()}
    )
