"""What a rule is held against: the store's view of an alert and its surroundings, and what the target says itself."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Alert
from alertbridge.prometheus import PrometheusError
from alertbridge.recover.actions.base import Action, Verdict
from alertbridge.recover.config import PreconditionSection, StepSection
from alertbridge.recover.journal import Journal
from alertbridge.recover.model import GAVE_UP, Decision, Planned, Reason, Run, RunState
from alertbridge.recover.parameters import Unrendered, rendered_all, rendered_expression
from alertbridge.recover.ports import ActionMaker, Asking, NoSuchTarget
from alertbridge.recover.rules import Rule, Situation
from alertbridge.recover.verification import AlertFact, asked
from alertbridge.store.schema import episodes
from alertbridge.store.schema_recovery import recovery_switch

log = structlog.get_logger(__name__)

SWITCH = "recovery"
DECLINED = (Reason.DECLINED.value, Reason.AWAITING_APPROVAL.value)
"""Why a run was cancelled that nobody said yes to: it is not asked again about the same alert."""
_OTHERS_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a rule for one alert; `fault` says why there are none."""

    steps: tuple[Planned, ...] = ()
    fault: str = ""


def planned(rule: Rule, alert: Alert, maker: ActionMaker) -> Plan:
    """What `rule` would do about `alert`."""
    steps: list[Planned] = []
    for step in rule.section.steps:
        try:
            settings = rendered_all(step.parameters, alert.labels)
            steps.append(Planned(step.action, settings, made(maker, step.action, settings).target))
        except (Unrendered, NoSuchTarget) as error:
            return Plan(fault=f"{step.action}: {error}")
    return Plan(tuple(steps))


def made(maker: ActionMaker, name: str, settings: Mapping[str, object], *, run_id: str = "") -> Action:
    """An action with rendered parameters. Raises NoSuchTarget."""
    known = maker.known.get(name)
    if known is None:
        raise NoSuchTarget(f"there is no action {name}")
    try:
        parameters = known.settings.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise NoSuchTarget(f"{place}: {first['msg']}") from error
    return maker.make(name, parameters, run_id=run_id)


class World:
    """Looks at the store, at Prometheus and at targets."""

    def __init__(
        self, journal: Journal, prometheus: Asking | None, *, paused_by_default: Callable[[], bool]
    ) -> None:
        self._journal = journal
        self._prometheus = prometheus
        self._paused_by_default = paused_by_default

    async def paused(self, connection: AsyncConnection) -> bool:
        """Whether an operator, or the configuration, stopped everything."""
        found = select(recovery_switch.c.paused).where(recovery_switch.c.name == SWITCH)
        said = (await connection.execute(found)).scalar()
        return self._paused_by_default() if said is None else bool(said)

    async def situation(
        self,
        connection: AsyncConnection,
        rule: Rule,
        plan: Plan,
        episode_id: int | None,
        *,
        run: Run | None = None,
    ) -> Situation:
        """What holds now; `run` is the rule's own that asks before its next try."""
        journal, steps = self._journal, plan.steps
        is_open, flapping = await self._episode(connection, episode_id)
        ends = (
            await journal.states(connection, rule.name, episode_id)
            if episode_id is not None and run is None
            else frozenset[tuple[RunState, str]]()
        )
        states = {state for state, _ in ends}
        holder = await journal.holder(connection, {one.target for one in steps}) if run is None else None
        most = max(rule.section.per_hour, rule.section.per_day)
        return Situation(
            plan=steps or None,
            no_target=plan.fault,
            is_open=is_open,
            flapping=flapping,
            gave_up=not states.isdisjoint(GAVE_UP),
            declined=RunState.UNDONE in states
            or any(state is RunState.CANCELLED and why in DECLINED for state, why in ends),
            awaiting=RunState.AWAITING in states,
            held_by="" if holder is None else f"run {holder} is under way",
            paused=await self.paused(connection),
            since_same_s=None if run is not None else await journal.since_same_s(connection, steps),
            ages_s=await journal.ages_s(connection, rule.name, most),
            others=await self._others(connection, episode_id) if rule.unless else (),
        )

    async def _episode(self, connection: AsyncConnection, episode_id: int | None) -> tuple[bool, bool]:
        """Whether the alert still fires, and whether it flaps. Without one an operator asked."""
        if episode_id is None:
            return True, False
        found = select(episodes.c.status, episodes.c.flapping).where(episodes.c.id == episode_id)
        row = (await connection.execute(found)).first()
        return (False, False) if row is None else (row.status == "open", bool(row.flapping))

    async def _others(
        self, connection: AsyncConnection, episode_id: int | None
    ) -> Sequence[Mapping[str, str]]:
        wanted = select(episodes.c.labels).where(episodes.c.status == "open").limit(_OTHERS_LIMIT)
        if episode_id is not None:
            wanted = wanted.where(episodes.c.id != episode_id)
        return [labels for (labels,) in await connection.execute(wanted)]

    async def alert(self, run: Run) -> AlertFact | None:
        """The alert of a run, for its verification. Raises StoreError."""
        if run.episode_id is None:
            return None
        async with self._journal.database.read() as connection:
            again = select(episodes.c.id).where(
                episodes.c.fingerprint == run.fingerprint, episodes.c.status == "open"
            )
            if (await connection.execute(again.limit(1))).first() is not None:
                return AlertFact(fires=True)
            own = select(episodes.c.ends_at).where(episodes.c.id == run.episode_id)
            row = (await connection.execute(own)).first()
        if row is None:
            return None
        ended_before = row.ends_at is not None and run.acted_at_s is not None and row.ends_at < run.acted_at_s
        return AlertFact(fires=False, ended_before=ended_before)

    # -- before acting

    async def look(
        self, step: StepSection, action: Action, labels: Mapping[str, str], *, acted: bool
    ) -> Decision | Verdict:
        """ACT when the step's preconditions hold, the reason when not; HOLDS when the target became well after an
        action of the same run."""
        condition = step.precondition
        if condition.promql is not None and (refusal := await self._metric_refusal(condition, labels)):
            return Decision(Reason.PRECONDITION, refusal)
        if condition.probe == "none" and not acted:
            return Decision(Reason.ACT)
        verdict = await asked(action.verify)
        if verdict is Verdict.HOLDS and acted:
            return verdict
        if condition.probe == "none":
            return Decision(Reason.ACT)
        if verdict is Verdict.HOLDS:
            return Decision(Reason.TARGET_WELL)
        if condition.probe == "fails" and verdict is not Verdict.FAILS:
            return Decision(Reason.PRECONDITION, "the target does not say that it fails")
        return Decision(Reason.ACT)

    async def _metric_refusal(self, condition: PreconditionSection, labels: Mapping[str, str]) -> str:
        """Why the precondition does not hold; empty when it does."""
        try:
            found = await self.metric(condition.promql or "", labels)
        except (PrometheusError, Unrendered) as error:
            return f"the precondition could not be asked: {error}"[:300]
        return "" if found else "the precondition gives nothing"

    async def metric(self, expression: str, labels: Mapping[str, str]) -> bool:
        """Whether an expression gives a series. Raises PrometheusError, Unrendered."""
        if self._prometheus is None:
            raise PrometheusError("no Prometheus is configured")
        return bool(await self._prometheus.query(rendered_expression(expression, labels)))

    async def metric_or_none(self, expression: str, labels: Mapping[str, str]) -> bool | None:
        """The same for a verification: None when nobody knows."""
        try:
            return await self.metric(expression, labels)
        except (PrometheusError, Unrendered) as error:
            log.info("recovery.metric_unknown", detail=str(error)[:200])
            return None


async def within(limit_s: float, action: Action) -> Mapping[str, object]:
    """What an action sees beforehand. Raises ActionFailed, TimeoutError."""
    async with asyncio.timeout(limit_s):
        return dict((await action.before()).facts)
