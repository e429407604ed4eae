"""Recovery as the bridge holds it: hears of alerts, begins runs and drives them, takes over what others left.

engine = Engine(database, clock, counts, settings)
await engine.start()
intake.listen(engine)          # or call engine.episode_changed from another listener
await engine.pause("operator:budi")
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.accept.ports import Change
from alertbridge.alerts import Alert, AlertStatus
from alertbridge.deliver.model import Kind
from alertbridge.deliver.route.schedule import Schedule
from alertbridge.recover import approvals, audit, decisions, undoing
from alertbridge.recover.ages import Ages
from alertbridge.recover.approvals import Answer, Answered
from alertbridge.recover.classifier import with_symptom
from alertbridge.recover.config import RecoverySection
from alertbridge.recover.course import Tools
from alertbridge.recover.deciding import Case, Deciding
from alertbridge.recover.journal import Journal, LostRun
from alertbridge.recover.model import GAVE_UP, UNDER_WAY, Decision, Reason, Run, RunEvent, RunState
from alertbridge.recover.ports import ActionMaker, Asking, People, RecoveryCounts, Teller
from alertbridge.recover.rules import Rule
from alertbridge.recover.runner import Runner
from alertbridge.recover.telling import Telling
from alertbridge.recover.world import SWITCH, World
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from alertbridge.store.leadership import Leadership
from alertbridge.store.schema import episodes
from alertbridge.store.schema_recovery import recovery_runs, recovery_switch
from runtime.clock import Clock

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Alerts that are decided upon at the same time: each may wait for a target's answer."""
OPEN_LIMIT = 20_000
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a configuration says, and whom it lets the engine speak to. `schedules` are those of the configuration."""

    section: RecoverySection
    maker: ActionMaker
    teller: Teller
    people: People
    schedules: Mapping[str, Schedule]
    prometheus: Asking | None = None

    def rules(self) -> Mapping[str, Rule]:
        """The rules by name; those that are switched off all the same, so that their runs can end."""
        always = frozenset(name for name, kind in self.maker.known.items() if kind.about.ask_only)
        return {one.name: Rule.of(one, self.schedules, always_asks=always) for one in self.section.rules}


@dataclass(frozen=True, slots=True)
class Status:
    """How recovery stands."""

    enabled: bool
    paused: bool
    paused_by: str
    running: int
    awaiting: int
    rules: int
    dry_rules: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of an operator's wish: a run that waits for `code`, or why there is none."""

    decision: Decision
    run_id: int | None = None
    code: str = ""
    valid_s: float = 0.0


class Engine:
    """One engine in each replica. `boot` names the boot whose monotonic clock `clock` tells; the machine's own."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        counts: RecoveryCounts,
        settings: Settings,
        *,
        boot: str | None = None,
    ) -> None:
        self._database = database
        self._counts = counts
        self._settings = settings
        self._ages = Ages(clock) if boot is None else Ages(clock, boot)
        owner = f"{database.instance}:{next(_numbers)}"
        self._journal = Journal(database, self._ages, owner, settings.section.lease_s)
        self._tools = self._made_tools(settings)
        self._runner = Runner(self._journal, counts, lambda: self._tools)
        self._deciding = Deciding(
            self._journal,
            counts,
            lambda: self._tools,
            approval_s=lambda: self._settings.section.approval_s,
        )
        self._leadership = Leadership(database, "recovery", clock)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[tuple[str, int]] = set()
        self._driven: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._told_exhausted: set[str] = set()

    def __repr__(self) -> str:
        return f"<Engine rules={len(self._tools.rules)} running={len(self._driven)}>"

    def _made_tools(self, settings: Settings) -> Tools:
        section = settings.section
        return Tools(
            rules=settings.rules(),
            maker=settings.maker,
            world=World(self._journal, settings.prometheus, paused_by_default=lambda: section.paused),
            telling=Telling(settings.teller, settings.people, section, self._ages.clock),
        )

    # -- life

    async def start(self) -> None:
        """Takes over what was left, and begins to look at what fires. Raises nothing: the store may come later."""
        section = self._settings.section
        self._spawn(self._again(section.lease_s / 3, self._renew), "recovery leases")
        self._spawn(self._again(lambda: self._settings.section.reconsider_s, self._reconsider), "recovery")

    async def stop(self) -> None:
        """Ends without finishing: what is under way is taken up at verification by whoever comes next."""
        tasks = [*self._tasks, *self._driven.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._driven.clear()
        try:
            await self._journal.release()
        except StoreError as error:
            log.warning("recovery.not_released", detail=str(error))
        await self._leadership.release()

    def replace(self, settings: Settings) -> None:
        """Goes by a new configuration from the next step on."""
        self._settings = settings
        self._tools = self._made_tools(settings)
        self._deciding.forget_all()

    async def drained(self) -> None:
        """Returns when the runs that are driven now are not driven any more, however they end."""
        if self._driven:
            await asyncio.wait(set(self._driven.values()))

    # -- accept.ports.IntakeListener, the part that matters here

    def episode_changed(self, change: Change) -> None:
        """An episode began, goes on or ended."""
        if change.kind is Kind.RESOLVED:
            self._deciding.forget(change.episode_id)
            return
        case = Case(with_symptom(change.alert), change.episode_id, change.receiver)
        self._consider(case)

    # -- what operators can do

    async def pause(self, by: str) -> None:
        """No step begins from now on, in any replica. Raises StoreError."""
        await self._switch(by, paused=True)

    async def resume(self, by: str) -> None:
        """Steps may begin again. Raises StoreError."""
        await self._switch(by, paused=False)

    async def peek(self, code: str) -> Run | None:
        """What `code` was made for; it stays as good as it was. Raises StoreError."""
        async with self._database.read() as connection:
            number = await approvals.find(connection, code)
            return None if number is None else await self._journal.run(connection, number)

    async def approve(self, code: str, by: str) -> Answered:
        """Lets the run that waits for `code` act. Raises StoreError."""
        return await answered(self._journal, code, by, approves=True)

    async def reject(self, code: str, by: str) -> Answered:
        """Ends the run that waits for `code`. Raises StoreError."""
        return await answered(self._journal, code, by, approves=False)

    async def request(self, rule: str, labels: Mapping[str, str], by: str) -> Asked | None:
        """A run of `rule` that an operator wants, for a target with `labels`; None when there is no such rule.

        It waits for its code, which only `by` can use. Every limit of the rule holds. Raises StoreError.
        """
        found = self._tools.rules.get(rule)
        if found is None:
            return None
        named = {"alertname": f"run {rule}", **labels}
        alert = Alert("", AlertStatus.FIRING, named, {}, 0.0)
        decision, run, code = await self._deciding.decide(found, Case(alert, None, asked_by=by))
        if run is None:
            return Asked(decision)
        self._drive(run)
        return Asked(decision, run.id, code, self._settings.section.approval_s)

    async def request_undo(
        self, wish: undoing.Wish, *, with_code: bool = True
    ) -> undoing.Begun | undoing.Refused:
        """A run that takes another one back, for a person; with a code that only this person can give.

        No limit of a rule and no pause keeps it from that. Raises StoreError.
        """
        valid_s = self._settings.section.approval_s if with_code else None
        maker = self._tools.maker
        found = await undoing.begin(
            self._journal, wish, lambda one: maker.can_undo(one.action, one.settings), code_valid_s=valid_s
        )
        if isinstance(found, undoing.Begun):
            self._drive(found.run)
        return found

    async def status(self) -> Status:
        """How it stands. Raises StoreError."""
        async with self._database.read() as connection:
            paused = await self._tools.world.paused(connection)
            by = (await connection.execute(select(recovery_switch.c.by))).scalar()
        running = await self._journal.latest(1000, active=True)
        section = self._settings.section
        return Status(
            enabled=section.enabled,
            paused=paused,
            paused_by=str(by or "configuration") if paused else "",
            running=len(running),
            awaiting=sum(run.state is RunState.AWAITING for run in running),
            rules=len(section.rules),
            dry_rules=sum(rule.dry_run for rule in section.rules),
        )

    async def runs(self, limit: int = 20) -> Sequence[Run]:
        """The newest first. Raises StoreError."""
        return await self._journal.latest(limit)

    async def decided(self, limit: int = 50) -> Sequence[decisions.Decided]:
        """The latest decisions. Raises StoreError."""
        async with self._database.read() as connection:
            return await decisions.latest(connection, limit)

    # -- inside

    async def _switch(self, by: str, *, paused: bool) -> None:
        await switch(self._journal, by, paused=paused)
        self._counts.recovering(len(self._driven), paused=paused)

    def _consider(self, case: Case) -> None:
        if not self._settings.section.enabled or case.episode_id is None:
            return
        for rule in self._tools.rules.values():
            key = (rule.name, case.episode_id)
            if not rule.matches(case.alert.labels, case.receiver):
                continue
            if key not in self._under_way and not self._deciding.is_settled(*key):
                self._under_way.add(key)
                self._spawn(self._decide(rule, case, key), f"recovery {rule.name}")

    async def _decide(self, rule: Rule, case: Case, key: tuple[str, int]) -> None:
        try:
            async with self._room:
                _, run, _ = await self._deciding.decide(rule, case)
            if run is not None:
                await asyncio.shield(self._drive(run))
        except StoreError as error:
            log.warning("recovery.put_off", rule=rule.name, detail=str(error))  # looked at again soon
        finally:
            self._under_way.discard(key)

    def _drive(self, run: Run) -> asyncio.Task[None]:
        task = asyncio.create_task(self._runner.drive(run), name=f"recovery run {run.id}")
        self._driven[run.id] = task
        task.add_done_callback(lambda done: self._ended(run.id, done))
        return task

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        if self._driven.get(number) is task:
            del self._driven[number]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("recovery.run_fault", run=number, error=repr(error), exc_info=error)

    def _spawn(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("recovery.fault", task=task.get_name(), error=repr(error), exc_info=error)

    async def _again(self, every_s: float | Callable[[], float], do: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await do()
            except StoreError as error:
                log.warning("recovery.put_off", detail=str(error))
            except Exception:  # the edge of a task that must not end: without it nothing is mended any more
                log.exception("recovery.round_failed")
            await asyncio.sleep(every_s() if callable(every_s) else every_s)

    async def _renew(self) -> None:
        """A run that a fault left undriven is not renewed: it is taken up again once its lease is over."""
        if self._driven:
            await self._journal.renew(self._driven)

    async def _reconsider(self) -> None:
        """What fires is held against the rules again: a cooldown may be over, a window open, an event missed."""
        leads = await self._leadership.held()
        if leads:
            for run in await self._journal.take_over(self._driven):
                log.info("recovery.taken_over", run=run.id, state=run.state.value)
                self._drive(run)
            for case in await self._open_cases():
                self._consider(case)
        async with self._database.read() as connection:
            paused = await self._tools.world.paused(connection)
            gave_up = await _exhausted_rules(connection)
        if leads:
            async with self._database.write() as connection:
                await decisions.forget(connection, self._journal.now_s())
        for name in self._tools.rules:
            self._counts.exhausted(name, is_exhausted=name in gave_up)
        self._counts.recovering(len(self._driven), paused=paused)

    async def _open_cases(self) -> list[Case]:
        """Episodes that fire and that a rule may be for."""
        wanted = select(episodes).where(episodes.c.status == "open").order_by(episodes.c.id).limit(OPEN_LIMIT)
        if not self._settings.section.enabled or not self._tools.rules:
            return []
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return [
            Case(
                with_symptom(
                    Alert(
                        row.fingerprint,
                        AlertStatus.FIRING,
                        row.labels,
                        row.annotations,
                        row.starts_at,
                        generator_url=row.generator_url,
                    )
                ),
                row.id,
                row.receiver,
            )
            for row in rows
        ]


async def _exhausted_rules(connection: AsyncConnection) -> frozenset[str]:
    """Rules that gave up on an alert that still fires."""
    found = (
        select(recovery_runs.c.rule)
        .join(episodes, episodes.c.id == recovery_runs.c.episode_id)
        .where(episodes.c.status == "open", recovery_runs.c.state.in_([state.value for state in GAVE_UP]))
        .distinct()
    )
    return frozenset(rule for (rule,) in await connection.execute(found))


async def switch(journal: Journal, by: str, *, paused: bool) -> None:
    """Stops everything before its next step, or lets it go on; also from a command line. Raises StoreError."""
    row = {"paused": paused, "by": by, "at": journal.now_s()}
    async with journal.change() as connection:
        await connection.execute(
            journal.database.insert(recovery_switch)
            .values(name=SWITCH, **row)
            .on_conflict_do_update(index_elements=["name"], set_=row)
        )
        await journal.note(connection, audit.Entry(f"operator:{by}", "paused" if paused else "resumed"))
    log.info("recovery.switched", paused=paused, by=by)


async def answered(journal: Journal, code: str, by: str, *, approves: bool) -> Answered:
    """Uses a code up; also from a command line. The run's owner goes on within a second. Raises StoreError."""
    async with (
        journal.database.read() as connection
    ):  # hashing takes its time: not while others wait for the lock
        number = await approvals.find(connection, code)
    async with journal.change() as connection:
        word = "approved" if approves else "rejected"
        found = await approvals.answer(connection, journal.ages, number, by, word)
        if found.run_id is None:
            await journal.note(
                connection, audit.Entry(f"operator:{by}", "code_refused", why=found.answer.value)
            )
            return found
        run = await journal.run(connection, found.run_id)
        if run is None or run.state is not RunState.AWAITING or run.state not in UNDER_WAY:
            return Answered(Answer.EXPIRED)
        try:
            if approves:
                await journal.move(connection, run, RunEvent.APPROVE, actor=f"operator:{by}", approved_by=by)
            else:
                await journal.move(
                    connection,
                    run,
                    RunEvent.CANCEL,
                    actor=f"operator:{by}",
                    reason=Reason.DECLINED.value,
                    detail=f"by {by}"[:500],
                )
        except LostRun:
            return Answered(Answer.EXPIRED)
    return found
