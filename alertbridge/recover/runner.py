"""Drives one run from state to state. Each state is stored before what it stands for begins, and after it ended.

What a crash can leave behind is ACTING: an action that began and whose outcome nobody knows. It goes to verification,
and is done again only when the target itself says that it is not well and the action may be repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from alertbridge.recover import approvals
from alertbridge.recover.actions.base import Action, ActionFailed, Done, Verdict
from alertbridge.recover.config import StepSection, VerifySection
from alertbridge.recover.course import BACKOFF_LONGEST_S, Tools
from alertbridge.recover.journal import Journal, LostRun
from alertbridge.recover.model import Decision, Reason, Run, RunEvent, RunState
from alertbridge.recover.ports import NoSuchTarget, RecoveryCounts
from alertbridge.recover.rules import Rule
from alertbridge.recover.takeback import TakeBack
from alertbridge.recover.telling import Matter
from alertbridge.recover.verification import ASK_S, Outcome, Verification
from alertbridge.recover.world import within
from alertbridge.store.errors import StoreError

log = structlog.get_logger(__name__)

POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class _Ended:
    """How an action ended, before it is stored."""

    event: RunEvent
    outcome: str
    detail: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    final: bool = False
    changed: bool | None = None


class Runner(TakeBack):
    """Drives runs that this engine owns."""

    def __init__(self, journal: Journal, counts: RecoveryCounts, tools: Callable[[], Tools]) -> None:
        super().__init__(journal, counts, tools)
        self._steps: Mapping[RunState, Callable[[Run], Awaitable[Run]]] = {
            RunState.PROPOSED: self._proposed,
            RunState.AWAITING: self._awaiting,
            RunState.PRECHECKED: self._recheck,
            RunState.ACTING: self._found_acting,
            RunState.VERIFYING: self._verifying,
            RunState.UNDO_DUE: self._undo_due,
            RunState.UNDOING: self._found_undoing,
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

    # -- the states

    async def _proposed(self, run: Run) -> Run:
        """Looks at the target. Between two tries it waits."""
        if run.undoes is not None:
            return await self._wished(run)
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
            if not run.under_way:
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
            return _Ended(event, error.reason, str(error), changed=error.changed)
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
            await self._journal.end_action(connection, run, ended.outcome, changed=ended.changed)
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
            await self._journal.end_action(connection, run, "unknown", changed=None)
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
            return await self._end(
                run, RunEvent.INTERRUPT, "not_repeatable", run.detail, after=found.evidence
            )
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


def _told_done(done: Done) -> _Ended:
    facts = {"changed": done.changed, **done.evidence.facts}
    return _Ended(RunEvent.DONE, "done", done.detail, facts, changed=done.changed)


def asked_for(run: Run, code: str, valid_s: float) -> Matter:
    """What a person is asked."""
    return replace(Matter.of(run, duration_s=valid_s), code=code)
