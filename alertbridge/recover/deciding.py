"""Holds rules against alerts, and begins a run where one is to act: looked at first, then decided under the lock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Alert, Severity
from alertbridge.recover import approvals, decisions
from alertbridge.recover.actions.base import Verdict
from alertbridge.recover.course import Tools
from alertbridge.recover.journal import Journal
from alertbridge.recover.model import Decision, Reason, Run, RunEvent
from alertbridge.recover.ports import NoSuchTarget, RecoveryCounts
from alertbridge.recover.rules import Rule, Situation, decide
from alertbridge.recover.runner import asked_for
from alertbridge.recover.telling import Matter
from alertbridge.recover.world import Plan, made, planned

log = structlog.get_logger(__name__)

_WAITS = frozenset({Reason.COOLDOWN, Reason.HOURLY_CAP, Reason.DAILY_CAP})
_FOR_GOOD = frozenset({Reason.DISABLED, Reason.OWN_ALERT, Reason.GAVE_UP, Reason.DECLINED})
"""What stays so until the alert ends, or the configuration changes."""
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Case:
    """An alert to hold rules against. Without an episode an operator asks, by name."""

    alert: Alert
    episode_id: int | None
    receiver: str = ""
    asked_by: str = ""


class Deciding:
    """Decides for one engine."""

    def __init__(
        self,
        journal: Journal,
        counts: RecoveryCounts,
        tools: Callable[[], Tools],
        *,
        approval_s: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._counts = counts
        self._tools = tools
        self._approval_s = approval_s
        self._last: dict[tuple[str, int], Reason] = {}

    def forget(self, episode_id: int) -> None:
        """The episode is over."""
        for key in [key for key in self._last if key[1] == episode_id]:
            del self._last[key]

    def forget_all(self) -> None:
        """The rules are others now."""
        self._last.clear()

    def is_settled(self, rule: str, episode_id: int) -> bool:
        """Whether looking again would find nothing new."""
        return self._last.get((rule, episode_id)) in _FOR_GOOD

    async def decide(self, rule: Rule, case: Case) -> tuple[Decision, Run | None, str]:
        """The decision; the run when one began, with the code when a person must say yes to it. Raises StoreError."""
        plan = planned(rule, case.alert, self._tools().maker)
        async with self._journal.database.read() as connection:
            situation = await self._tools().world.situation(connection, rule, plan, case.episode_id)
        found = self._found(rule, case, situation)
        if found.reason in (Reason.ACT, Reason.DRY_RUN):
            found = await self._looked(rule, case, plan, found)
        if not found.acts:
            await self._settle(rule, case, plan, situation, found)
            return found, None, ""
        return await self._begin(rule, case, plan)

    def _found(self, rule: Rule, case: Case, situation: Situation) -> Decision:
        return decide(rule, case.alert, situation, self._journal.now_s())

    async def _looked(self, rule: Rule, case: Case, plan: Plan, found: Decision) -> Decision:
        """`found`, or why the first step must not act after all: no row is made of a run for that."""
        first = plan.steps[0]
        try:
            action = made(self._tools().maker, first.action, first.settings)
        except NoSuchTarget as error:
            return Decision(Reason.NO_TARGET, str(error))
        seen = await self._tools().world.look(rule.section.steps[0], action, case.alert.labels, acted=False)
        return found if isinstance(seen, Verdict) or seen.acts else seen

    async def _begin(self, rule: Rule, case: Case, plan: Plan) -> tuple[Decision, Run | None, str]:
        """Decided once more with everybody else locked out, and begun in the same transaction."""
        run, code, told = None, "", list[str]()
        asks = rule.asks or bool(case.asked_by)
        async with self._journal.change() as connection:
            situation = await self._tools().world.situation(connection, rule, plan, case.episode_id)
            found = self._found(rule, case, situation)
            if found.acts:
                run = await self._journal.propose(
                    connection,
                    rule=rule.name,
                    alert=case.alert,
                    episode_id=case.episode_id,
                    plan=plan.steps,
                    asks=asks,
                    requested_by=case.asked_by,
                )
                if asks:
                    run = await self._journal.move(connection, run, RunEvent.ASK)
                    valid_s = self._approval_s()
                    code = await approvals.make(
                        connection, self._journal.ages, run.id, valid_s=valid_s, bound_to=case.asked_by
                    )
                    if not case.asked_by:
                        matter = asked_for(run, code, valid_s)
                        told += await self._tools().telling.tell(connection, "asked", matter, rule.section)
                if case.episode_id is not None:
                    await self._note(connection, rule, case.episode_id, found)
        if run is None:
            await self._settle(rule, case, plan, situation, found)
        else:
            self._remember(rule, case, found)
            self._tools().telling.woken(told)
        return found, run, code

    # -- not to act

    async def _settle(
        self, rule: Rule, case: Case, plan: Plan, situation: Situation, found: Decision
    ) -> None:
        """Stores and counts why nothing is done, when that is news, and tells people what they must know."""
        stays = await self._stays(rule, case, plan, situation, found)
        is_news = case.episode_id is None or self._last.get((rule.name, case.episode_id)) is not found.reason
        if not is_news and not stays:
            return
        told: Sequence[str] = ()
        if case.episode_id is not None:
            async with self._journal.change() as connection:
                if is_news:
                    await self._note(connection, rule, case.episode_id, found)
                told = await self._told(connection, rule, case, plan, found, stays=stays)
        self._tools().telling.woken(told)
        if is_news:
            self._remember(rule, case, found)

    async def _note(self, connection: AsyncConnection, rule: Rule, episode_id: int, found: Decision) -> None:
        now_s = self._journal.now_s()
        await decisions.note(self._journal.database, connection, rule.name, episode_id, found, now_s)

    def _remember(self, rule: Rule, case: Case, found: Decision) -> None:
        self._counts.decided(rule.name, found.reason.value)
        log.info("recovery.decided", rule=rule.name, episode=case.episode_id, reason=found.reason.value)
        if case.episode_id is None:
            return
        if len(self._last) >= _REMEMBERED:
            self._last.clear()  # at worst some decisions are counted once more
        self._last[rule.name, case.episode_id] = found.reason

    async def _stays(self, rule: Rule, case: Case, plan: Plan, situation: Situation, found: Decision) -> bool:
        """Whether a critical alert stays though the rule may not act: a limit must not mute it. Right after an
        action the alert has its time to end."""
        if case.alert.severity is not Severity.CRITICAL or found.reason not in _WAITS:
            return False
        since_s = situation.since_same_s
        settle_s = max(step.verify.settle_s for step in rule.section.steps)
        return since_s is None or since_s >= settle_s

    async def _told(
        self,
        connection: AsyncConnection,
        rule: Rule,
        case: Case,
        plan: Plan,
        found: Decision,
        *,
        stays: bool,
    ) -> Sequence[str]:
        dry = found.reason is Reason.DRY_RUN
        if case.episode_id is None or not (stays or dry):
            return ()
        if not await decisions.tell_once(
            connection, rule.name, case.episode_id, found, self._journal.now_s()
        ):
            return ()
        first = plan.steps[0]
        matter = Matter(
            rule=rule.name,
            alert=case.alert.name,
            severity=case.alert.severity,
            labels=case.alert.labels,
            action=first.action,
            target=first.target,
            episode_id=case.episode_id,
            reason=found.reason.value,
            detail=found.detail,
        )
        return await self._tools().telling.tell(
            connection, "dry_run" if dry else "stays", matter, rule.section
        )
