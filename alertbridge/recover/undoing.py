"""What of a run can be taken back, and the run that does it: proposed like any other, it holds the same targets.

A run that takes back is asked for by a person, and no limit of a rule keeps it from that, nor does a pause. Each action
is taken back once; one of which nobody knows whether it was taken back only if the person says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.recover import approvals
from alertbridge.recover.journal import Journal, alert_of
from alertbridge.recover.model import Planned, Run, RunEvent
from alertbridge.store.schema_recovery import recovery_actions, recovery_runs

UNDONE = "undone"
"""Outcome of an action that was taken back, in `recovery_actions`."""
TAKEN_UP_WITHIN_S = 600.0
"""A wish that no bridge took up for so long is not fulfilled any more: who wished it has gone on."""

CanUndo = Callable[[Planned], bool]


class Refusal(Enum):
    """Why a run is not taken back. The value is what an operator reads; `{run}` and `{other}` are runs."""

    NO_SUCH_RUN = "there is no run {run}"
    UNDER_WAY = "run {run} is still under way; wait for its end, or pause recovery"
    NO_CHANGE = "run {run} changed nothing, so there is nothing to take back"
    UNDONE = "run {run} was taken back already"
    UNKNOWN = (
        "run {run} was perhaps taken back already: that was cut off and nobody knows how far it came; look at the "
        "target first"
    )
    NOT_UNDOABLE = "what run {run} did cannot be taken back"
    IS_UNDO = "run {run} takes another one back; that cannot be taken back itself"
    BUSY = "run {other} has the target of run {run} now; wait for its end"


@dataclass(frozen=True, slots=True)
class Refused:
    """No run was begun."""

    refusal: Refusal
    number: int
    other: int = 0

    def __str__(self) -> str:
        return self.refusal.value.format(run=self.number, other=self.other)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants which run taken back, and why. `again`: also what was perhaps taken back already."""

    number: int
    by: str
    why: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """The run that takes back. It waits for `code` when there is one, for `valid_s` seconds."""

    run: Run
    code: str = ""
    valid_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a run stands: `steps` changed something, or may have, the last one first. `once` were taken back, of
    `unknown` nobody knows whether they were."""

    steps: tuple[Planned, ...]
    once: bool
    unknown: frozenset[tuple[str, str]]


async def standing(connection: AsyncConnection, run: Run) -> Standing:
    """What of `run` stands, by what its actions and those that took them back have noted."""
    acts = recovery_actions.c
    back = select(recovery_runs.c.id).where(recovery_runs.c.undoes == run.id)
    found = (
        select(acts.action, acts.target, acts.changed, acts.outcome, acts.undoes)
        .where(or_(acts.run_id == run.id, acts.run_id.in_(back)))
        .order_by(acts.id)
    )
    stands: dict[tuple[str, str], None] = {}
    once, unknown = False, set[tuple[str, str]]()
    for row in await connection.execute(found):
        key = (row.action, row.target)
        if not row.undoes and row.changed is not False:
            stands.pop(key, None)
            stands[key] = None
            unknown.discard(key)
        elif row.undoes and row.outcome == UNDONE:
            stands.pop(key, None)
            unknown.discard(key)
            once = True
        elif row.undoes and row.changed is None:
            unknown.add(key)
    planned = {(one.action, one.target): one for one in run.plan}
    steps = tuple(planned[key] for key in reversed(stands) if key in planned)
    return Standing(steps, once, frozenset(unknown))


async def has_changed(connection: AsyncConnection, run: Run) -> bool:
    """Whether it is known that the step that `run` is at changed something, and nobody took it back."""
    acts = recovery_actions.c
    last = (
        select(acts.undoes)
        .where(acts.run_id == run.id, acts.action == run.now.action, acts.target == run.now.target)
        .where(or_(acts.changed, acts.undoes))
        .order_by(acts.id.desc())
        .limit(1)
    )
    return (await connection.execute(last)).scalar() is False


async def begin(
    journal: Journal, wish: Wish, can_undo: CanUndo, *, code_valid_s: float | None = None
) -> Begun | Refused:
    """The run that fulfils `wish`; with `code_valid_s` it waits for a code that only this person can give.

    Raises StoreError.
    """
    async with journal.change() as connection:
        run = await journal.run(connection, wish.number)
        found = Refused(Refusal.NO_SUCH_RUN, wish.number)
        if run is not None:
            plan = await _plan(journal, connection, run, wish, can_undo)
            if not isinstance(plan, Refused):
                return await _begun(journal, connection, run, wish, plan, code_valid_s)
            found = plan
    return found


async def _plan(
    journal: Journal, connection: AsyncConnection, run: Run, wish: Wish, can_undo: CanUndo
) -> tuple[Planned, ...] | Refused:
    stands = await standing(connection, run)
    refusal = _refusal(run, stands, wish)
    plan = tuple(one for one in stands.steps if can_undo(one))
    if refusal is None and not plan:
        refusal = Refusal.NOT_UNDOABLE
    if refusal is not None:
        return Refused(refusal, run.id)
    holder = await journal.holder(connection, {one.target for one in plan})
    return plan if holder is None else Refused(Refusal.BUSY, run.id, holder)


def _refusal(run: Run, stands: Standing, wish: Wish) -> Refusal | None:
    if run.undoes is not None:
        return Refusal.IS_UNDO
    if run.under_way:
        return Refusal.UNDER_WAY
    if not stands.steps:
        return Refusal.UNDONE if stands.once else Refusal.NO_CHANGE
    if not wish.again and any((one.action, one.target) in stands.unknown for one in stands.steps):
        return Refusal.UNKNOWN
    return None


async def _begun(
    journal: Journal,
    connection: AsyncConnection,
    run: Run,
    wish: Wish,
    plan: tuple[Planned, ...],
    code_valid_s: float | None,
) -> Begun:
    begun = await journal.propose(
        connection,
        rule=run.rule,
        alert=alert_of(run),
        episode_id=run.episode_id,
        plan=plan,
        asks=code_valid_s is not None,
        requested_by=wish.by,
        undoes=run.id,
        why=wish.why or f"run {run.id} is to be taken back",
    )
    if code_valid_s is None:
        return Begun(begun)
    begun = await journal.move(connection, begun, RunEvent.ASK)
    code = await approvals.make(connection, journal.ages, begun.id, valid_s=code_valid_s, bound_to=wish.by)
    return Begun(begun, code, code_valid_s)
