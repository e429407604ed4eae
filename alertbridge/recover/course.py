"""What comes after a try of a run: the next one, the next step, or the end and who is told of it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.recover.actions.base import Action
from alertbridge.recover.config import StepSection, TextKind
from alertbridge.recover.journal import Journal, alert_of
from alertbridge.recover.model import Decision, Reason, Run, RunEvent, RunState
from alertbridge.recover.ports import ActionMaker, RecoveryCounts
from alertbridge.recover.rules import DAY_S, Rule, decide
from alertbridge.recover.telling import Matter, Telling
from alertbridge.recover.undoing import has_changed
from alertbridge.recover.verification import Conclusion
from alertbridge.recover.world import Plan, World, made
from alertbridge.store.errors import StoreError

log = structlog.get_logger(__name__)

BACKOFF_LONGEST_S = 30.0
AFTER_STORE_S = 1.0
CAPS = (Reason.HOURLY_CAP, Reason.DAILY_CAP)
_ENDS: Mapping[RunState, TextKind] = {
    RunState.CURED: "cured",
    RunState.NOT_CURED: "not_cured",
    RunState.FAILED: "exhausted",
    RunState.EXHAUSTED: "exhausted",
    RunState.REFUSED: "refused",
    RunState.INTERRUPTED: "interrupted",
}


def backoff_s(attempt: int) -> float:
    """Seconds of pause after that many tries: 1, 2, 4, 8, 16 and then 30."""
    return min(float(2 ** min(max(attempt - 1, 0), 10)), BACKOFF_LONGEST_S)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a runner works with; a new configuration gives new ones. `always_asks` are actions that nobody automates."""

    rules: Mapping[str, Rule]
    maker: ActionMaker
    world: World
    telling: Telling


class Course:
    """The part of a runner that looks ahead."""

    def __init__(self, journal: Journal, counts: RecoveryCounts, tools: Callable[[], Tools]) -> None:
        self._journal = journal
        self._counts = counts
        self._tools = tools

    async def _found_again(self, run: Run) -> Run | None:
        """The run as the store has it, once it can be asked; None when it is not ours any more."""
        while True:
            await asyncio.sleep(AFTER_STORE_S)
            try:
                async with self._journal.database.read() as connection:
                    found = await self._journal.run(connection, run.id)
            except StoreError:
                continue
            mine = found is not None and (found.owner, found.fence) == (run.owner, run.fence)
            return found if mine else None

    # -- what comes next

    async def _again(
        self,
        run: Run,
        step: StepSection,
        reason: str,
        detail: str,
        found: Conclusion | None = None,
        *,
        used: bool = False,
    ) -> Run:
        """The next try, taking back what the step changed, the next step, or the end. `used` counts a try in which
        nothing was done."""
        tries = run.attempt + used
        evidence = {} if found is None else found.evidence
        now_s = self._journal.now_s()
        if tries < step.tries:
            changes: dict[str, Any] = {"attempt": tries, "next_at": now_s + backoff_s(tries)}
            event = RunEvent.AGAIN
        elif await self._leaves_change(run, step):
            changes = {"attempt": tries, "next_at": None}
            event = RunEvent.TAKE_BACK
        elif run.step + 1 < len(run.plan):
            changes = {"step": run.step + 1, "attempt": 0, "next_at": now_s}
            event = RunEvent.AGAIN
        else:
            return await self._end(run, RunEvent.GIVE_UP, reason, detail, after=evidence)
        async with self._journal.change() as connection:
            if run.state is RunState.ACTING:
                await self._journal.end_action(connection, run, reason, changed=False)
            return await self._journal.move(
                connection,
                run,
                event,
                why=reason,
                after=evidence,
                reason=reason[:60],
                detail=detail[:500],
                **changes,
            )

    async def _leaves_change(self, run: Run, step: StepSection | None) -> bool:
        """Whether the step that run is at changed something that is to be taken back when it does not help."""
        if step is None or not step.undo_when_not_cured:
            return False
        async with self._journal.database.read() as connection:
            return await has_changed(connection, run)

    async def _gate(
        self, connection: AsyncConnection, run: Run, rule: Rule, *, taking_back: bool = False
    ) -> Decision | None:
        """Why the next try must not be made, or the last one not taken back; None when it may."""
        if rule.asks and not run.approved_by:
            return Decision(Reason.AWAITING_APPROVAL, "nobody said yes")
        situation = await self._tools().world.situation(
            connection, rule, Plan(run.plan), run.episode_id, run=run
        )
        alert = alert_of(run)
        now_s = self._journal.now_s()
        found = decide(rule, alert, situation, now_s, going_on=True, taking_back=taking_back)
        return None if found.acts else found

    async def _gate_now(self, run: Run, rule: Rule) -> Decision | None:
        """The same before the target is looked at, so that a stopped engine does not even ask."""
        async with self._journal.database.read() as connection:
            return await self._gate(connection, run, rule)

    async def _stop(self, run: Run, gate: Decision) -> Run:
        async with self._journal.change() as connection:
            ended, told = await self._stopped(connection, run, gate)
        self._tools().telling.woken(told)
        if not ended.under_way:
            self._count_end(ended)
        return ended

    async def _stopped(
        self, connection: AsyncConnection, run: Run, gate: Decision
    ) -> tuple[Run, Sequence[str]]:
        """Nothing more is done. Over the cap after it acted, it gave up; a person must know in either case."""
        gave_up = gate.reason in CAPS and run.acted > 0
        rule, step = self._rule_of(run)
        event = RunEvent.GIVE_UP if gave_up else RunEvent.CANCEL
        wants_back = gave_up and step is not None and step.undo_when_not_cured
        if wants_back and await has_changed(connection, run):
            event = RunEvent.TAKE_BACK
        ended = await self._journal.move(
            connection,
            run,
            event,
            why=gate.detail,
            reason=gate.reason.value,
            detail=gate.detail[:500],
        )
        if event is RunEvent.TAKE_BACK:
            return ended, ()
        if run.state is RunState.UNDO_DUE and run.undoes is None:
            return ended, await self._tell(connection, "not_undone", ended, rule)
        if gave_up:
            return ended, await self._tell(connection, "exhausted", ended, rule)
        if run.acted > 0 or run.asks:
            return ended, await self._tell(connection, "stopped", ended, rule)
        return ended, ()

    async def _end(
        self,
        run: Run,
        event: RunEvent,
        reason: str,
        detail: str = "",
        *,
        after: Mapping[str, object] | None = None,
    ) -> Run:
        rule, _ = self._rule_of(run)
        async with self._journal.change() as connection:
            if run.state is RunState.ACTING:
                await self._journal.end_action(connection, run, reason, changed=False)
            ended = await self._journal.move(
                connection,
                run,
                event,
                why=detail or reason,
                after=after,
                reason=reason[:60],
                detail=detail[:500],
                evidence={**run.evidence, "verdict": dict(after or {})},
            )
            told = list(await self._tell(connection, _ENDS[ended.state], ended, rule))
            if ended.state is RunState.CURED and rule is not None:
                told += await self._tell_if_often(connection, ended, rule)
        self._tools().telling.woken(told)
        self._count_end(ended)
        return ended

    async def _tell_if_often(self, connection: AsyncConnection, run: Run, rule: Rule) -> Sequence[str]:
        """It works, and too often: whoever can look for the cause is told."""
        escalate = rule.section.escalate
        cures = await self._journal.cures(connection, run, escalate.within_d * DAY_S)
        if cures < escalate.after:
            return ()
        matter = Matter.of(run, duration_s=escalate.within_d * DAY_S, number=cures)
        return await self._tools().telling.tell(connection, "too_often", matter, rule.section)

    async def _tell(
        self, connection: AsyncConnection, kind: TextKind, run: Run, rule: Rule | None
    ) -> Sequence[str]:
        lasted_s = max(0.0, self._journal.now_s() - run.proposed_at_s)
        section = rule.section if rule is not None else None
        return await self._tools().telling.tell(
            connection, kind, Matter.of(run, duration_s=lasted_s), section
        )

    def _count_end(self, run: Run) -> None:
        now_s = self._journal.now_s()
        cured = run.state is RunState.CURED
        self._counts.run_ended(
            run.rule,
            run.state.value,
            max(0.0, now_s - run.proposed_at_s),
            max(0.0, now_s - run.starts_at_s) if cured and run.starts_at_s > 0 else None,
        )
        log.info("recovery.run_ended", run=run.id, rule=run.rule, state=run.state.value, reason=run.reason)

    # -- what a run is made of

    def _made(self, run: Run, *, of_run: int | None = None) -> Action:
        """The action that a run is at; `of_run` is the one that it stands for, itself when left out."""
        name = str(of_run or run.id)
        return made(self._tools().maker, run.now.action, run.now.settings, run_id=name)

    def _rule_of(self, run: Run) -> tuple[Rule | None, StepSection | None]:
        """The rule and step as they are configured now; none when they are not those that the run was begun by."""
        rule = self._tools().rules.get(run.rule)
        if rule is None or run.step >= len(rule.section.steps):
            return rule, None
        step = rule.section.steps[run.step]
        return rule, step if step.action == run.now.action else None
