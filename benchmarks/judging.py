"""Plays one fault and judges what came of it; the operator at the phone, who answers what he is asked."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.ledger import Ledger, Run
from benchmarks.mixing import Kind, Target
from scripts.demo.calls import ask, get
from scripts.demo.faults import FAULTS
from scripts.demo.timeline import CODE

POLL_S = 0.3
OVER_WITHIN_S = 180.0
TOLD_WITHIN_S = 60.0
QUIET_WITHIN_S = 150.0
ALERTS = {
    rule: frozenset(fault.alert for fault in FAULTS.values() if fault.rule == rule)
    for rule in {fault.rule for fault in FAULTS.values()}
}
"""What each rule answers to."""
CLAIMS = {"cured": True, "exhausted": False, "refused": False}
"""What an end says of its target: that it is well, or that it is not."""
_RUN = re.compile(r"\brun (\d+)\b")


@dataclass(slots=True)
class Judged:
    """One fault. `after_s` is from the fault to the end of its run; `wrong` says what was not as it ought to be."""

    kind: str
    target: str
    can_be_cured: bool
    run: int = 0
    ended: str = "no run"
    reason: str = ""
    actions: int = 0
    after_s: float | None = None
    told_after_s: float | None = None
    well: bool | None = None
    wrong: list[str] = field(default_factory=list)

    @property
    def misjudged(self) -> bool:
        """Whether the verdict was not the truth. Other ends say that nobody knows."""
        return self.well is not None and CLAIMS.get(self.ended, self.well) != self.well


class Operator:
    """Looks at the phone, answers when he is asked, and knows what he heard over the fallback.

    He says no about whatever `declines` names just now. Only one thread may look; others may ask him.
    """

    def __init__(self, phone: str, number: str, fallback: str) -> None:
        self.declines: set[str] = set()
        self._phone = phone
        self._number = number
        self._fallback = fallback
        self._since = 0
        self._answered: set[str] = set()
        self._heard: dict[int, float] = {}

    def __repr__(self) -> str:
        return f"<Operator answered={len(self._answered)} heard={len(self._heard)}>"

    def heard_at_s(self, run: int) -> float | None:
        """When a run was told over the fallback, in Unix seconds; None when it was not yet."""
        return self._heard.get(run)

    def look(self) -> None:
        """Reads what is new and answers. Raises Unreachable."""
        query = {"since": str(self._since), "direction": "out"}
        for message in get(f"{self._phone}/phone/messages", query):
            self._since = max(self._since, message["seq"])
            if message["to"] == self._fallback:
                for run in _RUN.findall(message["text"]):
                    self._heard.setdefault(int(run), message["at"])
            found = CODE.search(message["text"])
            if message["to"] == self._number and found is not None and found[1] not in self._answered:
                self._answered.add(found[1])
                word = "tidak" if any(name in message["text"] for name in self.declines) else "ya"
                body = {"from": self._number, "text": f"{word} {found[1]}", "via": "waha"}
                ask("POST", f"{self._phone}/phone/inbound", body)


@dataclass(frozen=True, slots=True)
class Referee:
    """Plays faults and judges them. Threads may share it, each with a target of its own."""

    ledger: Ledger
    operator: Operator
    check: Callable[[], None]
    """Raises when the whole is broken, so that nobody waits in vain."""
    kills: Callable[[], int]
    """How often the bridge was killed so far: each may cost a run a try, of which nobody knows how it went."""

    def play(self, kind: Kind, target: Target) -> Judged:
        """Breaks it, waits for the end of its run, judges, and returns when all is quiet. Raises Unreachable."""
        found = Judged(kind.name, target.name, kind.can_be_cured)
        before, touched_before, kills_before = self.ledger.newest_run(), target.touched(), self.kills()
        if not kind.consents:
            self.operator.declines.add(target.name)
        began_s = time.time()
        target.break_(kind)
        try:
            run = self._ended(before, kind, target)
            if run is not None:
                self._judge(found, run, kind, target, began_s)
                self._count(found, run, kind, self.kills() - kills_before)
                if kind.actions[1] == 0 and target.touched() != touched_before:
                    found.wrong.append("it was touched though nothing could help")
            else:
                found.wrong.append(f"its run did not end within {OVER_WITHIN_S:.0f} s")
        finally:
            target.mend(kind)
        if kind.is_told and run is not None:
            self._hear(found, run)
        self.operator.declines.discard(target.name)
        self._quiet(found, kind, target)
        runs = self.ledger.runs(before, kind.rule, target.labels)
        if len(runs) > 1:
            found.wrong.append(
                f"{len(runs)} runs: {', '.join(f'{one.state} ({one.reason})' for one in runs)}"
            )
        return found

    def _ended(self, before: int, kind: Kind, target: Target) -> Run | None:
        """Its run when that is over; what helps in the field helps meanwhile. None when its time is over."""
        deadline_s = time.monotonic() + OVER_WITHIN_S
        helped = not kind.helped_after
        while time.monotonic() < deadline_s:
            run = next(iter(self.ledger.runs(before, kind.rule, target.labels)), None)
            if run is not None and run.over:
                return run
            if run is not None and not helped and run.acted >= kind.helped_after:
                target.mend(kind)
                helped = True
            self.check()
            time.sleep(POLL_S)
        return None

    def _judge(self, found: Judged, run: Run, kind: Kind, target: Target, began_s: float) -> None:
        found.well = target.is_well(kind)
        found.run, found.ended, found.reason, found.actions = run.id, run.state, run.reason, run.acted
        found.after_s = None if run.ended_at_s is None else round(run.ended_at_s - began_s, 2)
        if run.state not in kind.ends:
            found.wrong.append(f"it ended {run.state} ({run.reason}) instead of {' or '.join(kind.ends)}")
        if found.misjudged:
            found.wrong.append(
                f"the verdict was {run.state} and it was {'well' if found.well else 'not well'}"
            )

    def _count(self, found: Judged, run: Run, kind: Kind, kills: int) -> None:
        fewest, most = kind.actions
        if kind.can_be_cured:
            most += kills
        if not fewest <= run.acted <= most:
            found.wrong.append(f"{run.acted} actions instead of {fewest} to {most}")

    def _hear(self, found: Judged, run: Run) -> None:
        """A person hears of it over the fallback."""
        ended_s = run.ended_at_s or time.time()
        while (at_s := self.operator.heard_at_s(run.id)) is None:
            if time.time() > ended_s + TOLD_WITHIN_S:
                found.wrong.append(f"nobody was told over the fallback within {TOLD_WITHIN_S:.0f} s")
                return
            self.check()
            time.sleep(POLL_S)
        found.told_after_s = round(at_s - ended_s, 2)

    def _quiet(self, found: Judged, kind: Kind, target: Target) -> None:
        """What its rule answers to is over; that many messages failed may well be told for some minutes more."""
        deadline_s = time.monotonic() + QUIET_WITHIN_S
        while self.ledger.fires(ALERTS[kind.rule], target.labels) or not target.is_well(kind):
            if time.monotonic() > deadline_s:
                found.wrong.append(f"it was not quiet {QUIET_WITHIN_S:.0f} s after it was mended")
                return
            self.check()
            time.sleep(POLL_S)
