"""The part of a runner that takes back: what a step changed that did not help, and what a person wants taken back.

As with an action, the note that it begins is stored before it does. Cut off in between, it is never begun again: a
person is told that nobody knows.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.recover.actions.base import Action, ActionFailed
from alertbridge.recover.config import TextKind
from alertbridge.recover.course import CAPS, Course
from alertbridge.recover.journal import LostRun
from alertbridge.recover.model import Decision, Reason, Run, RunEvent
from alertbridge.recover.ports import NoSuchTarget
from alertbridge.recover.undoing import TAKEN_UP_WITHIN_S, UNDONE
from alertbridge.store.errors import StoreError

log = structlog.get_logger(__name__)

_USUAL_S = 30.0
"""How long taking back may take where no rule says it any more."""


@dataclass(frozen=True, slots=True)
class _Back:
    """How taking back ended; `changed` is None when nobody knows."""

    outcome: str
    detail: str = ""
    changed: bool | None = False
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return self.outcome == UNDONE


class TakeBack(Course):
    """A run of its own (`undoes` is set), or a step of a run that acted."""

    async def _wished(self, run: Run) -> Run:
        """A run that takes back, before it begins: a person's wish is no reason to act hours later."""
        if self._journal.now_s() - run.proposed_at_s > TAKEN_UP_WITHIN_S:
            late = Decision(Reason.AWAITING_APPROVAL, "no bridge took it up in time")
            return await self._stop(run, late)
        async with self._journal.change() as connection:
            return await self._journal.move(connection, run, RunEvent.TAKE_BACK)

    async def _undo_due(self, run: Run) -> Run:
        """The gate, the note that it begins, and the deed."""
        try:
            action = self._made(run, of_run=run.undoes)
        except NoSuchTarget as error:
            return await self._went(run, _Back("no_target", str(error)))
        told: Sequence[str] = ()
        limit_s = self._limit_s(run)
        async with self._journal.change() as connection:
            gate = await self._back_gate(connection, run)
            if gate is not None:
                run, told = await self._stopped(connection, run, gate)
            else:
                run = await self._journal.move(
                    connection, run, RunEvent.UNDO, lease_s=limit_s + self._journal.lease_s
                )
                await self._journal.begin_action(connection, run, undoes=True)
            began_s = self._journal.ages.clock.monotonic()
        self._tools().telling.woken(told)
        if gate is not None:
            self._count_end(run)
            return run
        if self._journal.ages.clock.monotonic() - began_s > self._journal.lease_s / 2:
            raise LostRun  # another may have taken over meanwhile
        return await self._stored(run, await self._back(run, action, limit_s))

    async def _back_gate(self, connection: AsyncConnection, run: Run) -> Decision | None:
        """Why it must not be taken back now. Who asks for it is above the rule, and above a pause."""
        if run.undoes is not None:
            return None
        rule, step = self._rule_of(run)
        if rule is None or step is None:
            return Decision(Reason.DISABLED, "the rule was changed or taken away")
        return await self._gate(connection, run, rule, taking_back=True)

    def _limit_s(self, run: Run) -> float:
        rule = self._tools().rules.get(run.rule)
        steps = () if rule is None else rule.section.steps
        return max((step.timeout_s for step in steps if step.action == run.now.action), default=_USUAL_S)

    async def _back(self, run: Run, action: Action, limit_s: float) -> _Back:
        try:
            async with asyncio.timeout(limit_s):
                done = await action.undo()
        except ActionFailed as error:
            return _Back(error.reason, str(error), error.changed)
        except TimeoutError:
            return _Back("timeout", f"no end within {limit_s:g} s", None)
        except Exception as error:
            log.exception("recovery.undo_fault", run=run.id, action=action.name)
            return _Back("fault", repr(error)[:300], None)
        return _Back(UNDONE, done.detail, done.changed, {"changed": done.changed, **done.evidence.facts})

    async def _stored(self, run: Run, back: _Back) -> Run:
        """Stores how it ended. While the store is away the knowledge is kept, as long as the run is ours."""
        while True:
            try:
                return await self._went(run, back)
            except StoreError as error:
                log.warning("recovery.outcome_waits", run=run.id, detail=str(error))
                found = await self._found_again(run)
                if found is None:
                    raise LostRun from error
                if found.state is not run.state:
                    return found  # it was committed after all

    async def _found_undoing(self, run: Run) -> Run:
        """Found after a crash: it may have been taken back, or not, or half."""
        return await self._went(run, _Back("restart", "found after a restart", None))

    async def _went(self, run: Run, back: _Back) -> Run:
        """What follows: the action before it, the next step, or the end. Raises StoreError."""
        event, changes = self._after(run, back)
        rule, _ = self._rule_of(run)
        own = run.undoes is not None
        async with self._journal.change() as connection:
            await self._journal.end_action(connection, run, back.outcome, changed=back.changed)
            moved = await self._journal.move(
                connection,
                run,
                event,
                why=back.detail or back.outcome,
                after={"outcome": back.outcome, **back.facts},
                **changes,
            )
            # What is told is about what was taken back, whatever the run goes on with.
            about = replace(run, detail=back.detail, reason=back.outcome, id=run.undoes or run.id)
            kind: TextKind = "undone" if back.done else "undo_lost" if back.changed is None else "not_undone"
            told = list(await self._tell(connection, kind, about, rule))
            if event is RunEvent.GIVE_UP:
                told += await self._tell(connection, "exhausted", moved, rule)
        self._tools().telling.woken(told)
        if not moved.under_way:
            self._count_end(moved)
        log.info("recovery.taken_back", run=run.undoes or run.id, outcome=back.outcome, own=own)
        return moved

    def _after(self, run: Run, back: _Back) -> tuple[RunEvent, dict[str, Any]]:
        said: dict[str, Any] = {"reason": back.outcome[:60], "detail": back.detail[:500]}
        more = run.step + 1 < len(run.plan)
        if run.undoes is not None:
            if back.done:
                return (RunEvent.TAKE_BACK, {"step": run.step + 1}) if more else (RunEvent.UNDONE, said)
            return (RunEvent.UNDO_LOST if back.changed is None else RunEvent.UNDO_FAILED), said
        if back.changed is None and not back.done:
            return RunEvent.INTERRUPT, said
        if not back.done:
            return RunEvent.GIVE_UP, said
        if not more or run.reason in {cap.value for cap in CAPS}:
            return RunEvent.GIVE_UP, {}
        return RunEvent.AGAIN, {"step": run.step + 1, "attempt": 0, "next_at": self._journal.now_s()}
