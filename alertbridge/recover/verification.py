"""Whether an action helped: the target is asked first, then a metric, then the alert, which takes its time to end.

`conclude` is pure. "Cured" needs evidence from after the action; "not cured" is never said because a metric or an
alert lags behind; what nobody can tell is told as that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Self

from alertbridge.recover.actions.base import Verdict
from alertbridge.recover.config import VerifySection
from runtime.clock import Clock

ASK_S = 10.0
"""Longest time for one question to a target; one that hangs knows nothing."""


class Outcome(Enum):
    """What is concluded."""

    CURED = "cured"
    NOT_CURED = "not_cured"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AlertFact:
    """The alert as it is known now. `ended_before` says that it ended, by its own word, before the action began."""

    fires: bool
    ended_before: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sources said the last time. `elapsed_s` counts from the beginning of the action, and the target has
    said the same for `target_for_s`. `watched_s` counts from the first look: after a restart it began late. None: not
    asked, or no answer."""

    elapsed_s: float
    target: Verdict = Verdict.UNKNOWN
    target_for_s: float = 0.0
    metric: bool | None = None
    alert: AlertFact | None = None
    watched_s: float = inf


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The verdict; `by` names the source that decided, and `evidence` is what all of them said."""

    outcome: Outcome
    by: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, outcome: Outcome, by: str, seen: Seen) -> Self:
        alert = None if seen.alert is None else ("fires" if seen.alert.fires else "ended")
        said = {"target": seen.target.value, "metric": seen.metric, "alert": alert}
        return cls(outcome, by, {**said, "by": by, "after_s": round(seen.elapsed_s, 1)})


def conclude(section: VerifySection, seen: Seen) -> Conclusion | None:
    """The verdict, or None while it is too early for one."""
    settled = seen.elapsed_s >= section.settle_s
    if "target" in section.by and seen.target is not Verdict.UNKNOWN:
        found = _by_target(section, seen)
        return None if found is None else Conclusion.of(found, "target", seen)
    # A metric may be older than the action, so that it counts only when it had its time.
    if "promql" in section.by and settled and seen.metric:
        return Conclusion.of(Outcome.CURED, "promql", seen)
    if "alert" in section.by and seen.alert is not None:
        if not seen.alert.fires and (settled or not seen.alert.ended_before):
            return Conclusion.of(Outcome.CURED, "alert", seen)
        if seen.alert.fires and settled:
            return Conclusion.of(Outcome.NOT_CURED, "alert", seen)
    if seen.elapsed_s >= section.deadline_s:
        return Conclusion.of(Outcome.UNKNOWN, "", seen)
    return None


def _by_target(section: VerifySection, seen: Seen) -> Outcome | None:
    if seen.target is Verdict.HOLDS:
        # Whoever only says so at the very end has not been well for long enough; who is only asked then, after a
        # restart, has that time all the same.
        if seen.target_for_s >= section.stable_s:
            return Outcome.CURED
        is_late = seen.elapsed_s >= section.deadline_s and seen.watched_s >= 2 * section.stable_s
        return Outcome.UNKNOWN if is_late else None
    # One look is no evidence either way: what was not asked until late, or comes and goes, may be about to be well.
    # At the deadline a target that says no is believed at once.
    is_late = seen.elapsed_s >= section.target_s and seen.target_for_s >= min(
        section.stable_s, section.target_s
    )
    return Outcome.NOT_CURED if is_late or seen.elapsed_s >= section.deadline_s else None


Ask = Callable[[], Awaitable[Verdict]]
AskMetric = Callable[[], Awaitable[bool | None]]
AskAlert = Callable[[], Awaitable[AlertFact | None]]


@dataclass(slots=True)
class Verification:
    """Asks again and again until there is a verdict."""

    section: VerifySection
    clock: Clock
    target: Ask
    metric: AskMetric
    alert: AskAlert
    _last: Verdict = Verdict.UNKNOWN
    _since_s: float = 0.0
    _looking_since_s: float = 0.0

    async def run(self, elapsed_s: float) -> Conclusion:
        """The verdict on an action that began `elapsed_s` seconds ago."""
        began_s = self.clock.monotonic() - elapsed_s
        self._since_s = self._looking_since_s = self.clock.monotonic()
        while True:
            found = conclude(self.section, await self._look(began_s))
            if found is not None:
                return found
            await asyncio.sleep(self.section.every_s)

    async def _look(self, began_s: float) -> Seen:
        by = self.section.by
        verdict = await asked(self.target) if "target" in by else Verdict.UNKNOWN
        now_s = self.clock.monotonic()
        if verdict is not self._last:
            self._last, self._since_s = verdict, now_s
        settled = now_s - began_s >= self.section.settle_s
        metric = await self.metric() if "promql" in by and settled else None
        alert = await self.alert() if "alert" in by and verdict is Verdict.UNKNOWN else None
        elapsed_s = self.clock.monotonic() - began_s
        watched_s = self.clock.monotonic() - self._looking_since_s
        return Seen(elapsed_s, verdict, now_s - self._since_s, metric, alert, watched_s)


async def asked(ask: Ask, limit_s: float = ASK_S) -> Verdict:
    """What a target says within `limit_s`; UNKNOWN when it does not."""
    try:
        async with asyncio.timeout(limit_s):
            return await ask()
    except TimeoutError:
        return Verdict.UNKNOWN
