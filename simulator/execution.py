"""When a router works on which command: its latency, and how many it does at once."""

from asyncio import AbstractEventLoop, TimerHandle
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, auto
from random import Random

from .call import Call
from .spec import LatencyRange


class JobState(Enum):
    """What becomes of a command."""

    WAITING = auto()
    WORKING = auto()
    REPLYING = auto()
    OVER = auto()


_ORDER = {
    JobState.WAITING: {JobState.WORKING, JobState.OVER},
    JobState.WORKING: {JobState.REPLYING, JobState.OVER},
    JobState.REPLYING: {JobState.OVER},
    JobState.OVER: {JobState.OVER},
}


class Job:
    """One command from its arrival to its last sentence."""

    __slots__ = ("call", "holds_slot", "perform", "state", "stop", "timer")

    def __init__(self, call: Call, perform: Callable[["Job"], None]) -> None:
        self.call = call
        self.perform = perform
        self.state = JobState.WAITING
        self.timer: TimerHandle | None = None
        self.stop: Callable[[], None] | None = None
        self.holds_slot = False

    def __repr__(self) -> str:
        return f"<Job {self.call.path} tag {self.call.tag} {self.state.name.lower()}>"

    def become(self, state: JobState) -> None:
        """The only place that changes the state."""
        if state not in _ORDER[self.state]:
            raise RuntimeError(f"{self!r} cannot become {state.name.lower()}")
        self.state = state
        if state is JobState.OVER:
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None
            if self.stop is not None:
                self.stop()
                self.stop = None


class Executor:
    """Gives commands their latency; at most `concurrency` at once, the others first come first served."""

    def __init__(
        self, loop: AbstractEventLoop, latency_s: LatencyRange, concurrency: int | None, random: Random
    ) -> None:
        self._loop = loop
        self._low_s, self._high_s = latency_s
        self._concurrency = concurrency
        self._random = random
        self._queue: deque[tuple[Job, float]] = deque()
        self.working = 0
        self.most_working = 0

    def __repr__(self) -> str:
        return f"<Executor {self.working} working, {len(self._queue)} waiting>"

    def submit(self, job: Job, extra_s: float = 0.0) -> None:
        """Work on `job` as soon as a slot is free; then its `perform` is called."""
        if self._concurrency is not None and self.working >= self._concurrency:
            self._queue.append((job, extra_s))
        else:
            self._start(job, extra_s)

    def release(self, job: Job) -> None:
        """The job needs its slot no longer; calling it again changes nothing."""
        if not job.holds_slot:
            return
        job.holds_slot = False
        self.working -= 1
        while self._queue and (self._concurrency is None or self.working < self._concurrency):
            waiting, extra_s = self._queue.popleft()
            if waiting.state is JobState.WAITING:
                self._start(waiting, extra_s)

    def _start(self, job: Job, extra_s: float) -> None:
        job.become(JobState.WORKING)
        job.holds_slot = True
        self.working += 1
        self.most_working = max(self.most_working, self.working)
        delay_s = (
            self._low_s if self._low_s == self._high_s else self._random.uniform(self._low_s, self._high_s)
        )
        delay_s += extra_s
        if delay_s > 0:
            job.timer = self._loop.call_later(delay_s, job.perform, job)
        else:
            job.perform(job)


class Output:
    """Sentences that wait to be written; `job` ends with them if `last`."""

    __slots__ = ("job", "last", "sentences")

    def __init__(self, job: Job | None, sentences: Iterator[bytes], *, last: bool) -> None:
        self.job = job
        self.sentences = sentences
        self.last = last

    def take(self, limit_bytes: int, parts: list[bytes]) -> bool:
        """Move about `limit_bytes` of whole sentences to `parts`; False when nothing is left."""
        size = 0
        for sentence in self.sentences:
            parts.append(sentence)
            size += len(sentence)
            if size >= limit_bytes:
                return True
        return False
