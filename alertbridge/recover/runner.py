"""Drives one run from state to state. Each state is stored before what it stands for begins, and after it ended.

What a crash can leave behind is ACTING: an action that began and whose outcome nobody knows. It goes to verification,
and is done again only when the target itself says that it is not well and the action may be repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.recover import approvals
from alertbridge.recover.actions.base import Action, ActionFailed, Done, Verdict
from alertbridge.recover.config import StepSection, TextKind, VerifySection
from alertbridge.recover.journal import Journal, LostRun, alert_of
from alertbridge.recover.model import Decision, Reason, Run, RunEvent, RunState
from alertbridge.recover.ports import ActionMaker, NoSuchTarget, RecoveryCounts
from alertbridge.recover.rules import DAY_S, Rule, decide
from alertbridge.recover.telling import Matter, Telling
from alertbridge.recover.verification import ASK_S, Conclusion, Outcome, Verification
from alertbridge.recover.world import Plan, World, made, within
from alertbridge.store.errors import StoreError

log = structlog.get_logger(__name__)

BACKOFF_LONGEST_S = 30.0
AFTER_STORE_S = 1.0
POLL_S = 1.0
_CAPS = (Reason.HOURLY_CAP, Reason.DAILY_CAP)
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


@dataclass(frozen=True, slots=True)
class _Ended:
    """How an action ended, before it is stored."""

    event: RunEvent
    outcome: str
    detail: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    final: bool = False


class Runner:
    """Drives runs that this engine owns."""

    def __init__(self, journal: Journal, counts: RecoveryCounts, tools: Callable[[], Tools]) -> None:
        self._journal = journal
        self._counts = counts
        self._tools = tools
        self._steps: Mapping[RunState, Callable[[Run], Awaitable[Run]]] = {
            RunState.PROPOSED: self._proposed,
            RunState.AWAITING: self._awaiting,
            RunState.PRECHECKED: self._recheck,
            RunState.ACTING: self._found_acting,
            RunState.VERIFYING: self._verifying,
        }

    async def drive(self, run: Run) -> None:
        """Until the run's end, or until it is somebody else's."""
        while run.under_way:
            try:
                run = await self._steps[run.state](run)
            except StoreError as error:
                log.warning("recovery.store_away", run=run.id, state=run.state.value, detail=str(error))
                found = await self._found_again(run)
                if found is None:
                    return
                run = found
            except LostRun:
                log.info("recovery.run_left", run=run.id)
                return

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

    # -- the states

    async def _proposed(self, run: Run) -> Run:
        """Looks at the target. Between two tries it waits."""
        if run.next_at_s is not None:
            wait_s = run.next_at_s - self._journal.now_s()
            await asyncio.sleep(min(max(wait_s, 0.0), BACKOFF_LONGEST_S))
        rule, step = self._rule_of(run)
        if rule is None or step is None:
            return await self._stop(run, Decision(Reason.DISABLED, "the rule was changed or taken away"))
        try:
            action = self._made(run)
        except NoSuchTarget as error:
            return await self._end(run, RunEvent.BREAK, "no_target", str(error))
        seen = await self._tools().world.look(step, action, run.labels, acted=run.acted > 0)
        if isinstance(seen, Verdict):
            return await self._end(run, RunEvent.CURE, "target", after={"target": seen.value})
        if not seen.acts:
            return await self._stop(run, seen)
        if (gate := await self._gate_now(run, rule)) is not None:
            return await self._stop(run, gate)
        return await self._prechecked(run, rule, step, action)

    async def _prechecked(self, run: Run, rule: Rule, step: StepSection, action: Action) -> Run:
        try:
            facts = await within(min(step.timeout_s, 3 * ASK_S), action)
        except ActionFailed as error:
            if error.final:
                return await self._end(run, RunEvent.REFUSE, error.reason, str(error))
            return await self._again(run, step, error.reason, str(error), used=True)
        except TimeoutError:
            return await self._again(run, step, "timeout", "the target did not answer", used=True)
        except Exception as error:
            log.exception("recovery.action_fault", run=run.id, action=action.name)
            return await self._again(run, step, "fault", repr(error)[:300], used=True)
        async with self._journal.change() as connection:
            run = await self._journal.move(
                connection,
                run,
                RunEvent.READY,
                before=facts,
                next_at=None,
                evidence={**run.evidence, "before": facts},
            )
        return await self._act(run, rule, step, action)

    async def _act(self, run: Run, rule: Rule, step: StepSection, action: Action) -> Run:
        """The gate, the note that it begins, and the deed: all of it or nothing before the deed."""
        told: Sequence[str] = ()
        async with self._journal.change() as connection:
            gate = await self._gate(connection, run, rule)
            if gate is not None:
                run, told = await self._stopped(connection, run, gate)
            else:
                run = await self._journal.move(
                    connection,
                    run,
                    RunEvent.ACT,
                    lease_s=step.timeout_s + self._journal.lease_s,
                    attempt=run.attempt + 1,
                    acted=run.acted + 1,
                    acted_at=self._journal.now_s(),
                    lost=False,
                    reason="",
                    detail="",
                )
                await self._journal.begin_action(connection, run)
                if run.acted == 1:
                    told = await self._tell(connection, "acted", run, rule)
            began_s = self._journal.ages.clock.monotonic()
        self._tools().telling.woken(told)
        if gate is not None:
            self._count_end(run)
            return run
        if self._journal.ages.clock.monotonic() - began_s > self._journal.lease_s / 2:
            raise LostRun  # it slept so long between the commit and here that another may have taken over
        self._counts.attempted(run.rule, run.now.action)
        return await self._acted(run, step, await self._deed(run, step, action))

    async def _deed(self, run: Run, step: StepSection, action: Action) -> _Ended:
        try:
            async with asyncio.timeout(step.timeout_s):
                done = await action.run()
        except ActionFailed as error:
            if error.changed is False:
                return _Ended(RunEvent.AGAIN, error.reason, str(error), final=error.final)
            event = RunEvent.LOST if error.changed is None else RunEvent.DONE
            return _Ended(event, error.reason, str(error))
        except TimeoutError:
            return _Ended(RunEvent.LOST, "timeout", f"no end within {step.timeout_s:g} s")
        except Exception as error:
            log.exception("recovery.action_fault", run=run.id, action=action.name)
            return _Ended(RunEvent.LOST, "fault", repr(error)[:300])
        return _told_done(done)

    async def _acted(self, run: Run, step: StepSection, ended: _Ended) -> Run:
        """Stores how it ended. While the store is away the knowledge is kept, as long as the run is ours."""
        while True:
            try:
                return await self._store_acted(run, step, ended)
            except StoreError as error:
                log.warning("recovery.outcome_waits", run=run.id, detail=str(error))
                found = await self._found_again(run)
                if found is None:
                    raise LostRun from error
                if found.state is not RunState.ACTING:
                    return found  # it was committed after all

    async def _store_acted(self, run: Run, step: StepSection, ended: _Ended) -> Run:
        if ended.event is RunEvent.AGAIN:
            if ended.final:
                return await self._end(run, RunEvent.REFUSE, ended.outcome, ended.detail)
            return await self._again(run, step, ended.outcome, ended.detail)
        async with self._journal.change() as connection:
            await self._journal.end_action(connection, run, ended.outcome)
            return await self._journal.move(
                connection,
                run,
                ended.event,
                why=ended.detail,
                after={"outcome": ended.outcome, **ended.facts},
                lost=ended.event is RunEvent.LOST,
                evidence={**run.evidence, "after": dict(ended.facts)},
                reason=ended.outcome[:60],
                detail=ended.detail[:500],
            )

    async def _recheck(self, run: Run) -> Run:
        """Found after a crash: nothing was done in this try."""
        async with self._journal.change() as connection:
            return await self._journal.move(connection, run, RunEvent.RECHECK, why="found after a restart")

    async def _found_acting(self, run: Run) -> Run:
        """Found after a crash: it may have been done, or not, or half."""
        async with self._journal.change() as connection:
            await self._journal.end_action(connection, run, "unknown")
            return await self._journal.move(
                connection, run, RunEvent.LOST, why="found after a restart", lost=True, reason="restart"
            )

    async def _verifying(self, run: Run) -> Run:
        rule, step = self._rule_of(run)
        section = step.verify if step is not None else VerifySection()
        try:
            action = self._made(run)
        except NoSuchTarget as error:
            return await self._end(run, RunEvent.BREAK, "no_target", str(error))
        async with self._journal.database.read() as connection:
            elapsed_s = await self._journal.last_action_age_s(connection, run)
        world = self._tools().world
        found = await Verification(
            section,
            self._journal.ages.clock,
            target=action.verify,
            metric=lambda: world.metric_or_none(section.promql or "", run.labels),
            alert=lambda: world.alert(run),
        ).run(elapsed_s)
        if found.outcome is Outcome.CURED:
            return await self._end(run, RunEvent.CURE, found.by, after=found.evidence)
        if found.outcome is Outcome.UNKNOWN:
            event = RunEvent.INTERRUPT if run.lost else RunEvent.DOUBT
            return await self._end(run, event, "unknown", after=found.evidence)
        if run.lost and not (action.repeatable and found.by == "target"):
            return await self._end(run, RunEvent.INTERRUPT, "not_repeatable", after=found.evidence)
        if rule is None or step is None:
            return await self._end(run, RunEvent.GIVE_UP, "disabled", after=found.evidence)
        return await self._again(run, step, run.reason if run.lost else "not_cured", run.detail, found)

    async def _awaiting(self, run: Run) -> Run:
        """Until a person answers, or the code is no longer good."""
        while True:
            async with self._journal.database.read() as connection:
                found = await self._journal.run(connection, run.id)
                left_s = await approvals.left_s(connection, self._journal.ages, run.id)
            if found is None or found.fence != run.fence or found.state is not RunState.AWAITING:
                return await self._answered(run, found)
            if left_s <= 0:
                async with self._journal.change() as connection:
                    await approvals.settle(connection, self._journal.ages, run.id, "expired", "")
                    ended, told = await self._stopped(
                        connection, run, Decision(Reason.AWAITING_APPROVAL, "nobody answered in time")
                    )
                self._tools().telling.woken(told)
                self._count_end(ended)
                return ended
            await asyncio.sleep(min(POLL_S, left_s))

    async def _answered(self, run: Run, found: Run | None) -> Run:
        if found is None or found.fence != run.fence:
            raise LostRun
        if not found.under_way:
            self._count_end(found)
        return found

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
        """The next try, the next step, or the end. `used` counts a try in which nothing was done."""
        tries = run.attempt + used
        evidence = {} if found is None else found.evidence
        now_s = self._journal.now_s()
        if tries < step.tries:
            changes: dict[str, Any] = {"attempt": tries, "next_at": now_s + backoff_s(tries)}
        elif run.step + 1 < len(run.plan):
            changes = {"step": run.step + 1, "attempt": 0, "next_at": now_s}
        else:
            return await self._end(run, RunEvent.GIVE_UP, reason, detail, after=evidence)
        async with self._journal.change() as connection:
            if run.state is RunState.ACTING:
                await self._journal.end_action(connection, run, reason)
            return await self._journal.move(
                connection,
                run,
                RunEvent.AGAIN,
                why=reason,
                after=evidence,
                reason=reason[:60],
                detail=detail[:500],
                **changes,
            )

    async def _gate(self, connection: AsyncConnection, run: Run, rule: Rule) -> Decision | None:
        """Why the next try must not be made; None when it may."""
        if rule.asks and not run.approved_by:
            return Decision(Reason.AWAITING_APPROVAL, "nobody said yes")
        situation = await self._tools().world.situation(
            connection, rule, Plan(run.plan), run.episode_id, run=run
        )
        alert = alert_of(run)
        found = decide(rule, alert, situation, self._journal.now_s(), going_on=True)
        return None if found.acts else found

    async def _gate_now(self, run: Run, rule: Rule) -> Decision | None:
        """The same before the target is looked at, so that a stopped engine does not even ask."""
        async with self._journal.database.read() as connection:
            return await self._gate(connection, run, rule)

    async def _stop(self, run: Run, gate: Decision) -> Run:
        async with self._journal.change() as connection:
            ended, told = await self._stopped(connection, run, gate)
        self._tools().telling.woken(told)
        self._count_end(ended)
        return ended

    async def _stopped(
        self, connection: AsyncConnection, run: Run, gate: Decision
    ) -> tuple[Run, Sequence[str]]:
        """Nothing more is done. Over the cap after it acted, it gave up; a person must know in either case."""
        gave_up = gate.reason in _CAPS and run.acted > 0
        ended = await self._journal.move(
            connection,
            run,
            RunEvent.GIVE_UP if gave_up else RunEvent.CANCEL,
            why=gate.detail,
            reason=gate.reason.value,
            detail=gate.detail[:500],
        )
        rule, _ = self._rule_of(run)
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
                await self._journal.end_action(connection, run, reason)
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

    def _made(self, run: Run) -> Action:
        return made(self._tools().maker, run.now.action, run.now.settings, run_id=str(run.id))

    def _rule_of(self, run: Run) -> tuple[Rule | None, StepSection | None]:
        """The rule and step as they are configured now; none when they are not those that the run was begun by."""
        rule = self._tools().rules.get(run.rule)
        if rule is None or run.step >= len(rule.section.steps):
            return rule, None
        step = rule.section.steps[run.step]
        return rule, step if step.action == run.now.action else None


def _told_done(done: Done) -> _Ended:
    facts = {"changed": done.changed, **done.evidence.facts}
    return _Ended(RunEvent.DONE, "done", done.detail, facts)


def asked_for(run: Run, code: str, valid_s: float) -> Matter:
    """What a person is asked."""
    return replace(Matter.of(run, duration_s=valid_s), code=code)
