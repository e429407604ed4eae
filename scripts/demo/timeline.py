"""Plays a fault: breaks something, notes when each stage is reached, mends what nobody else mends.

play("bot", state, tell=print_stage)
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from scripts.demo.breaking import known
from scripts.demo.calls import Unreachable, ask
from scripts.demo.faults import DEADLINES_S, Fault
from scripts.demo.stages import Sighting, Stage
from scripts.demo.state import State
from scripts.demo.watching import Json, Watcher

POLL_S = 0.2
QUIET_WITHIN_S = 120.0
QUIET_FOR_S = 2.0
"""How long the last fault must be over before the next one."""
RECOVERY = re.compile(r"\brun \d+")
"""What recovery says names its run; channels that know no emoji keep that."""
OVER = re.compile(r"SELESAI|RESOLVED|[Ss]udah selesai|Resolved")
CODE = re.compile(r"(?:yes|ya) ([A-Z0-9]{4,})\b")

Tell = Callable[[Sighting], None]


class NotQuiet(Exception):
    """The alert of the last fault does not end."""


@dataclass(slots=True)
class Played:
    """What came of a fault. Times are seconds since it began."""

    fault: str
    began_s: float
    sightings: list[Sighting] = field(default_factory=list)
    missing: tuple[Stage, ...] = ()
    attempts: int = 0

    def after_s(self, stage: Stage) -> float | None:
        """Seconds from the fault to a stage; None when it was not reached."""
        return next((one.at_s - self.began_s for one in self.sightings if one.stage is stage), None)

    def as_json(self) -> Json:
        """For programs."""
        stages = [
            {"stage": one.stage.value, "after_s": round(one.at_s - self.began_s, 2), "detail": one.detail}
            for one in sorted(self.sightings, key=lambda one: one.at_s)
        ]
        missing = [stage.value for stage in self.missing]
        return {"fault": self.fault, "stages": stages, "missing": missing, "attempts": self.attempts}


def play(name: str, state: State, *, tell: Tell, answers: bool = True) -> Played:
    """Returns when every stage was reached or is overdue. `answers`: questions to the operator are answered with yes.

    Raises UnknownFault, NotQuiet, Unreachable.
    """
    scene = _Scene(known(name), name, state, tell, answers)
    scene.wait_until_quiet()
    try:
        return scene.play()
    finally:
        ask("DELETE", f"{state.urls['control']}/faults/{name}")


class _Scene:
    """One fault and what is looked at."""

    def __init__(self, fault: Fault, name: str, state: State, tell: Tell, answers: bool) -> None:
        self._fault = fault
        self._name = name
        self._state = state
        self._tell = tell
        self._answers = answers
        self._watcher = Watcher(state)
        self._played = Played(name, 0.0)
        self._before: Mapping[str, float] = {}
        self._counts: Mapping[str, float] = {}
        self._carried: Mapping[str, float] = {}
        self._crashed = False
        self._messages: list[Json] = []
        self._looks: Mapping[Stage, Callable[[], Sighting | None]] = {
            Stage.SEEN: self._seen,
            Stage.PENDING: self._pending,
            Stage.FIRING: self._firing,
            Stage.ALERTMANAGER: self._at_alertmanager,
            Stage.MESSAGE: self._message,
            Stage.ASKED: self._asked,
            Stage.ACTION: self._action,
            Stage.CRASHED: self._crash,
            Stage.VERIFIED: self._verified,
            Stage.ESCALATED: self._escalated,
            Stage.RESOLVED: self._resolved,
        }

    # -- before and after

    def wait_until_quiet(self) -> None:
        """Raises NotQuiet when the alert does not end, Unreachable."""
        began_s = quiet_since_s = time.monotonic()
        while time.monotonic() - quiet_since_s < QUIET_FOR_S:
            fires = self._watcher.alert(self._fault.alert, self._fault.labels) is not None
            if fires or self._watcher.at_alertmanager(self._fault.alert, self._fault.labels):
                quiet_since_s = time.monotonic()
            if time.monotonic() - began_s > QUIET_WITHIN_S:
                raise NotQuiet(
                    f"{self._fault.alert} still fires from before; mend it, or wait until it is over"
                )
            time.sleep(POLL_S)

    def play(self) -> Played:
        """Breaks, watches, mends. Raises Unreachable."""
        fault = self._fault
        self._before = self._watcher.counts(fault.rule)
        since = max((message["seq"] for message in self._watcher.messages()), default=0)
        self._played.began_s = time.time()
        self._note(Sighting(Stage.FAULT, self._played.began_s, fault.title))
        ask("POST", f"{self._state.urls['control']}/faults/{self._name}")
        left = [*fault.stages]
        while left:
            elapsed_s = time.time() - self._played.began_s
            if all(elapsed_s > DEADLINES_S[stage] + fault.slow_s for stage in left):
                break
            self._count()
            self._messages = self._watcher.messages(since=since)
            reached = [stage for stage in left if self._reached(stage)]
            left = [stage for stage in left if stage not in reached]
            time.sleep(POLL_S)
        self._played.missing = tuple(left)
        self._played.attempts = int(self._more("attempts"))
        return self._played

    def _count(self) -> None:
        """What the bridge counts now; one that was just started again is given time to answer. Raises Unreachable."""
        try:
            self._counts = self._watcher.counts(self._fault.rule) if self._fault.rule else {}
        except Unreachable:
            if not self._crashed:
                raise

    def _reached(self, stage: Stage) -> bool:
        sighting = self._looks[stage]()
        if sighting is None:
            return False
        self._note(sighting)
        if stage is Stage.ASKED and self._answers:
            self._answer(sighting.detail)
        if stage is self._fault.mend_after:
            ask("DELETE", f"{self._state.urls['control']}/faults/{self._name}")
            self._note(Sighting(Stage.MENDED, time.time(), "by this program, as a person would"))
        return True

    def _note(self, sighting: Sighting) -> None:
        self._played.sightings.append(sighting)
        self._tell(sighting)

    def _answer(self, text: str) -> None:
        found = CODE.search(text)
        if found is not None:
            body = {"from": self._state.operator, "text": f"ya {found[1]}", "via": "waha"}
            ask("POST", f"{self._state.urls['phone']}/phone/inbound", body)

    # -- what is looked at

    def _now(self, stage: Stage, detail: str = "") -> Sighting:
        return Sighting(stage, time.time(), detail)

    def _seen(self) -> Sighting | None:
        return self._now(Stage.SEEN, self._fault.seen) if self._watcher.has(self._fault.seen) else None

    def _pending(self) -> Sighting | None:
        found = self._watcher.alert(self._fault.alert, self._fault.labels)
        if found is None:
            return None
        return Sighting(Stage.PENDING, max(found.active_at_s, self._played.began_s), self._fault.alert)

    def _firing(self) -> Sighting | None:
        found = self._watcher.alert(self._fault.alert, self._fault.labels)
        if found is None or not found.firing:
            return None
        return self._now(Stage.FIRING, f"{self._fault.alert} ({found.severity})")

    def _at_alertmanager(self) -> Sighting | None:
        arrived = self._watcher.at_alertmanager(self._fault.alert, self._fault.labels)
        return self._now(Stage.ALERTMANAGER, self._fault.alert) if arrived else None

    def _message(self) -> Sighting | None:
        return self._told(Stage.MESSAGE, (one for one in self._about_it() if not OVER.search(one["text"])))

    def _resolved(self) -> Sighting | None:
        return self._told(Stage.RESOLVED, (one for one in self._about_it() if OVER.search(one["text"])))

    def _about_it(self) -> Iterable[Json]:
        """Messages to the operator about the alert, without those about recovery."""
        for message in self._messages:
            text = message["text"]
            ours = message["to"] == self._state.operator
            if ours and self._fault.alert in text and not RECOVERY.search(text):
                yield message

    def _asked(self) -> Sighting | None:
        asked = (
            one
            for one in self._messages
            if one["to"] == self._state.operator
            and self._fault.alert in one["text"]
            and RECOVERY.search(one["text"])
            and CODE.search(one["text"])
        )
        return self._told(Stage.ASKED, asked)

    def _escalated(self) -> Sighting | None:
        over_sms = (one for one in self._messages if one["to"] == self._state.sms_chat)
        handed_over = (
            one
            for one in over_sms
            if self._fault.alert in one["text"]
            and RECOVERY.search(one["text"])
            and not CODE.search(one["text"])
        )
        return self._told(Stage.ESCALATED, handed_over)

    def _told(self, stage: Stage, messages: Iterable[Json]) -> Sighting | None:
        found = next(iter(messages), None)
        return None if found is None else Sighting(stage, found["at"], found["text"])

    def _action(self) -> Sighting | None:
        done = self._more("attempts") > 0
        return self._now(Stage.ACTION, f"rule {self._fault.rule}") if done else None

    def _crash(self) -> Sighting | None:
        """Kills the bridge once it is time; it counts from zero again, so what it counted is carried."""
        reached = any(one.stage is self._fault.crash_after for one in self._played.sightings)
        if not reached or self._more("cured") > 0:
            return None  # too early; or too late, and so it stays missing
        ask("POST", f"{self._state.urls['control']}/bridge/crash")
        self._carried = {what: self._more(what) for what in self._counts}
        self._before, self._counts, self._crashed = {}, {}, True
        return self._now(Stage.CRASHED, "killed by this program, and started again")

    def _verified(self) -> Sighting | None:
        if self._fault.crash_after is not None and not self._crashed:
            return None  # what is verified before is no proof of what comes after
        cured = self._more("cured") > 0
        return self._now(Stage.VERIFIED, f"rule {self._fault.rule}: cured") if cured else None

    def _more(self, what: str) -> float:
        """By how much a count of the bridge has grown since before the fault."""
        grown = self._counts.get(what, 0.0) - self._before.get(what, 0.0)
        return self._carried.get(what, 0.0) + grown


def told(sighting: Sighting, began_s: float) -> str:
    """A stage for a person, with the text of a message below it."""
    first, *more = sighting.detail.strip().splitlines() or [""]
    line = f"{sighting.at_s - began_s:7.1f} s  {sighting.stage.value:13} {first}"
    return "\n".join([line, *(f"{'':25}{text}" for text in more if text)])
