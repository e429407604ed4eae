"""Runs as rows: every statement about them in one place. A run's row is written by its owner alone, with its fence.

Each transaction that changes something holds the audit's lock, so that what was looked at is still so when it is
written, and the entry that tells of it stands in the same transaction.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Float, Row, delete, func, insert, literal, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Alert, AlertStatus, Severity
from alertbridge.recover import audit
from alertbridge.recover.ages import Ages, Stamp
from alertbridge.recover.model import TRANSITIONS, UNDER_WAY, Planned, Run, RunEvent, RunState
from alertbridge.store.database import Database
from alertbridge.store.schema_recovery import recovery_actions as actions
from alertbridge.store.schema_recovery import recovery_runs as runs
from alertbridge.store.schema_recovery import recovery_targets as targets

_ACTIVE = tuple(state.value for state in UNDER_WAY)


class LostRun(Exception):
    """Another owner has the run now, or it moved on: write nothing, do nothing."""


class Journal:
    """The runs of one engine and of its peers. `owner` is unlike that of any other engine."""

    def __init__(self, database: Database, ages: Ages, owner: str, lease_s: float) -> None:
        self.database = database
        self.ages = ages
        self.owner = owner
        self.lease_s = lease_s

    def __repr__(self) -> str:
        return f"<Journal owner={self.owner}>"

    @asynccontextmanager
    async def change(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in which nobody else changes recovery's tables. Raises StoreError."""
        async with self.database.write() as connection:
            if self.database.dialect == "postgresql":
                await audit.lock(connection)
            yield connection

    def now_s(self) -> float:
        """Unix seconds."""
        return self.ages.clock.time()

    async def note(self, connection: AsyncConnection, entry: audit.Entry) -> None:
        """Adds to the audit."""
        await audit.append(connection, entry, self.now_s())

    # -- beginning and moving

    async def propose(
        self,
        connection: AsyncConnection,
        *,
        rule: str,
        alert: Alert,
        episode_id: int | None,
        plan: Sequence[Planned],
        asks: bool,
        requested_by: str = "",
        undoes: int | None = None,
        why: str = "",
    ) -> Run:
        """A run that holds its targets. The caller has seen that they are free."""
        now_s = self.now_s()
        values: dict[str, Any] = {
            "rule": rule,
            "episode_id": episode_id,
            "fingerprint": alert.fingerprint,
            "alert": alert.name,
            "severity": alert.severity.value,
            "labels": dict(alert.labels),
            "summary": alert.annotations.get("summary", "")[:500],
            "starts_at": alert.starts_at_s,
            "plan": [
                {"action": one.action, "settings": dict(one.settings), "target": one.target} for one in plan
            ],
            "state": RunState.PROPOSED.value,
            "asks": asks,
            "requested_by": requested_by,
            "undoes": undoes,
            "evidence": {},
            "owner": self.owner,
            "fence": 1,
            "proposed_at": now_s,
        }
        added = await connection.execute(insert(runs).values(**values, lease_until=self._lease(self.lease_s)))
        (number,) = added.inserted_primary_key or (0,)
        run = await self.run(connection, number)
        if run is None:  # pragma: no cover  it was inserted a line above
            raise LostRun
        await connection.execute(
            insert(targets), [{"target": target, "run_id": number} for target in run.targets]
        )
        why = why or f"{alert.name} {alert.fingerprint}".strip()
        actor = f"operator:{requested_by}" if requested_by else f"rule:{rule}"
        plan_told = {"plan": values["plan"], "asks": asks, "alert": values["labels"]}
        if undoes is not None:
            plan_told["undoes"] = undoes
        await self.note(
            connection,
            audit.Entry(actor, "proposed", number, ",".join(run.targets), why, after=plan_told),
        )
        return run

    async def move(
        self,
        connection: AsyncConnection,
        run: Run,
        event: RunEvent,
        *,
        actor: str = "",
        why: str = "",
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        lease_s: float | None = None,
        **changes: Any,
    ) -> Run:
        """`run` after `event`, with its entry in the audit. Raises LostRun when it is not ours as we know it."""
        state = TRANSITIONS[run.state, event]
        ended = state not in UNDER_WAY
        if ended:
            changes = {"ended_at": self.now_s(), "next_at": None, **changes}
        result = await connection.execute(
            update(runs)
            .where(
                runs.c.id == run.id,
                runs.c.fence == run.fence,
                runs.c.owner == run.owner,
                runs.c.state == run.state.value,
                runs.c.step == run.step,
                runs.c.attempt == run.attempt,
            )
            .values(state=state.value, lease_until=self._lease(lease_s or self.lease_s), **changes)
        )
        if _count(result) != 1:
            raise LostRun
        if ended:
            await connection.execute(delete(targets).where(targets.c.run_id == run.id))
        told = {"state": state.value, "action": run.now.action, **(after or {})}
        await self.note(
            connection,
            audit.Entry(actor or f"rule:{run.rule}", event.value, run.id, run.now.target, why, before, told),
        )
        moved = await self.run(connection, run.id)
        if moved is None:
            raise LostRun
        return moved

    async def begin_action(self, connection: AsyncConnection, run: Run, *, undoes: bool = False) -> None:
        """Notes that the action of this try begins: cooldowns and caps count from here. `undoes`: it is taken back."""
        now = self.ages.stamp()
        await connection.execute(
            insert(actions).values(
                run_id=run.id,
                rule=run.rule,
                action=run.now.action,
                target=run.now.target,
                at=now.at_s,
                boot=now.boot,
                boot_s=now.boot_s,
                undoes=undoes,
            )
        )

    async def end_action(
        self, connection: AsyncConnection, run: Run, outcome: str, *, changed: bool | None
    ) -> None:
        """Notes how the action of this try ended; `changed` is None when nobody knows."""
        await connection.execute(
            update(actions)
            .where(actions.c.run_id == run.id, actions.c.ended_at.is_(None))
            .values(ended_at=self.now_s(), outcome=outcome[:60], changed=changed)
        )

    # -- owners

    def _clock(self) -> ColumnElement[float]:
        """The clock of leases. Only one process works on a SQLite file, so that its own will do there."""
        if self.database.dialect == "postgresql":
            return sql_cast(func.extract("epoch", func.clock_timestamp()), Float(53))
        return literal(self.ages.clock.monotonic())

    def _lease(self, lease_s: float) -> ColumnElement[float]:
        return self._clock() + lease_s

    async def renew(self, driven: Iterable[int]) -> None:
        """Says that this engine lives and drives these runs. A lease that lasts longer stays as it is."""
        async with self.database.write() as connection:
            until = self._lease(self.lease_s)
            await connection.execute(
                update(runs)
                .where(
                    runs.c.owner == self.owner,
                    runs.c.id.in_(sorted(driven)),
                    runs.c.state.in_(_ACTIVE),
                    runs.c.lease_until < until,
                )
                .values(lease_until=until)
            )

    async def release(self) -> None:
        """Lets others have what this engine leaves."""
        async with self.database.write() as connection:
            await connection.execute(
                update(runs)
                .where(runs.c.owner == self.owner, runs.c.state.in_(_ACTIVE))
                .values(lease_until=0.0)
            )

    async def take_over(self, driven: Iterable[int] = ()) -> list[Run]:
        """Makes runs that nobody drives this engine's own; `driven` are those that it drives itself."""
        gone = runs.c.lease_until < self._clock()
        if self.database.dialect == "sqlite":  # another process's: there is but one, and that is we
            gone |= ~runs.c.owner.startswith(f"{self.database.instance}:")
        orphaned = select(runs.c.id).where(runs.c.state.in_(_ACTIVE), runs.c.id.not_in(sorted(driven)), gone)
        async with self.database.read() as connection:
            if (await connection.execute(orphaned.limit(1))).first() is None:
                return []
        taken: list[Run] = []
        async with self.change() as connection:
            for (number,) in (await connection.execute(orphaned.order_by(runs.c.id))).all():
                await connection.execute(
                    update(runs)
                    .where(runs.c.id == number)
                    .values(owner=self.owner, fence=runs.c.fence + 1, lease_until=self._lease(self.lease_s))
                )
                run = await self.run(connection, number)
                if run is not None:
                    taken.append(run)
                    entry = audit.Entry("engine", "taken_over", number, run.now.target, run.state.value)
                    await self.note(connection, entry)
        return taken

    # -- reading

    async def run(self, connection: AsyncConnection, number: int) -> Run | None:
        """One run."""
        row = (await connection.execute(select(runs).where(runs.c.id == number))).first()
        return None if row is None else run_of(row)

    async def latest(self, limit: int, *, active: bool = False) -> list[Run]:
        """The newest runs first. Raises StoreError."""
        wanted = select(runs).order_by(runs.c.id.desc()).limit(limit)
        if active:
            wanted = wanted.where(runs.c.state.in_(_ACTIVE))
        async with self.database.read() as connection:
            return [run_of(row) for row in await connection.execute(wanted)]

    async def holder(self, connection: AsyncConnection, wanted: Iterable[str]) -> int | None:
        """The run that has one of these targets."""
        found = select(targets.c.run_id).where(targets.c.target.in_(sorted(wanted))).limit(1)
        return (await connection.execute(found)).scalar()

    async def since_same_s(self, connection: AsyncConnection, plan: Sequence[Planned]) -> float | None:
        """Age of the youngest action of those of `plan` on their targets, by whatever rule; None without any."""
        ages: list[float] = []
        for one in {(step.action, step.target) for step in plan}:
            last = (
                select(actions.c.at, actions.c.boot, actions.c.boot_s)
                .where(actions.c.action == one[0], actions.c.target == one[1])
                .order_by(actions.c.id.desc())
                .limit(1)
            )
            ages += [self.ages.age_s(Stamp(*row)) for row in await connection.execute(last)]
        return min(ages, default=None)

    async def ages_s(self, connection: AsyncConnection, rule: str, limit: int) -> list[float]:
        """Ages of the last `limit` actions of a rule; what was taken back is not counted twice."""
        last = (
            select(actions.c.at, actions.c.boot, actions.c.boot_s)
            .where(actions.c.rule == rule, ~actions.c.undoes)
            .order_by(actions.c.id.desc())
            .limit(limit)
        )
        return [self.ages.age_s(Stamp(*row)) for row in await connection.execute(last)]

    async def last_action_age_s(self, connection: AsyncConnection, run: Run) -> float:
        """Seconds since the last action of a run began; 0 when there is none."""
        last = (
            select(actions.c.at, actions.c.boot, actions.c.boot_s)
            .where(actions.c.run_id == run.id, ~actions.c.undoes)
            .order_by(actions.c.id.desc())
            .limit(1)
        )
        row = (await connection.execute(last)).first()
        return 0.0 if row is None else self.ages.age_s(Stamp(*row))

    async def states(
        self, connection: AsyncConnection, rule: str, episode_id: int
    ) -> frozenset[tuple[RunState, str]]:
        """The states of a rule's runs about an episode, each with its reason; of those that take back, only UNDONE."""
        counts = runs.c.undoes.is_(None) | (runs.c.state == RunState.UNDONE.value)
        found = (
            select(runs.c.state, runs.c.reason)
            .where(runs.c.rule == rule, runs.c.episode_id == episode_id, counts)
            .distinct()
        )
        return frozenset((RunState(state), reason) for state, reason in await connection.execute(found))

    async def cures(self, connection: AsyncConnection, run: Run, within_s: float) -> int:
        """How often this rule cured the targets of `run` lately."""
        since = self.now_s() - within_s
        cured = select(runs.c.plan).where(
            runs.c.rule == run.rule, runs.c.state == RunState.CURED.value, runs.c.ended_at >= since
        )
        plans = [row.plan for row in await connection.execute(cured)]
        return sum(any(step["target"] in run.targets for step in plan) for plan in plans)


def run_of(row: Row[Any]) -> Run:
    """A row as what it means."""
    return Run(
        id=row.id,
        rule=row.rule,
        episode_id=row.episode_id,
        fingerprint=row.fingerprint,
        alert=row.alert,
        severity=Severity(row.severity),
        labels=row.labels,
        summary=row.summary,
        starts_at_s=row.starts_at,
        plan=tuple(Planned(one["action"], one["settings"], one["target"]) for one in row.plan),
        state=RunState(row.state),
        owner=row.owner,
        fence=row.fence,
        proposed_at_s=row.proposed_at,
        step=row.step,
        attempt=row.attempt,
        acted=row.acted,
        reason=row.reason,
        detail=row.detail,
        asks=row.asks,
        requested_by=row.requested_by,
        approved_by=row.approved_by,
        next_at_s=row.next_at,
        acted_at_s=row.acted_at,
        ended_at_s=row.ended_at,
        lost=row.lost,
        undoes=row.undoes,
        evidence=row.evidence,
    )


def alert_of(run: Run) -> Alert:
    """The alert that a run is about, as it was when it began."""
    annotations = {"summary": run.summary} if run.summary else {}
    return Alert(run.fingerprint, AlertStatus.FIRING, run.labels, annotations, run.starts_at_s)


def _count(result: object) -> int:
    return cast("CursorResult[tuple[object, ...]]", result).rowcount
