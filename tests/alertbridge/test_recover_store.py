"""Runs, targets, codes and the audit on both kinds of database, with replicas that work at the same time."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from alertbridge.alerts import Alert, AlertStatus
from alertbridge.recover import approvals, audit, decisions
from alertbridge.recover.ages import Ages
from alertbridge.recover.approvals import Answer
from alertbridge.recover.engine import answered, switch
from alertbridge.recover.journal import Journal, LostRun
from alertbridge.recover.model import Decision, Planned, Reason, Run, RunEvent, RunState
from alertbridge.recover.undoing import UNDONE, Begun, Refusal, Refused, Wish, begin, has_changed, standing
from alertbridge.store.database import Database
from alertbridge.store.schema_recovery import audit as entries
from alertbridge.store.schema_recovery import audit_head, recovery_approvals, recovery_runs
from tests.fakes.clock import FakeClock

ALERT = Alert("f1", AlertStatus.FIRING, {"alertname": "Broken", "severity": "critical"}, {}, 1.0)
PLAN = (Planned("mend", {"target": "a"}, "thing:a"), Planned("mend", {"target": "b"}, "thing:b"))


def journal(database: Database, clock: FakeClock, name: str = "one") -> Journal:
    """The journal of an engine of this process."""
    return Journal(database, Ages(clock, "boot"), f"{database.instance}:{name}", 15.0)


async def proposed(of: Journal, plan: tuple[Planned, ...] = PLAN) -> Run | None:
    """A run, unless its targets are taken."""
    async with of.change() as connection:
        if await of.holder(connection, {one.target for one in plan}) is not None:
            return None
        return await of.propose(connection, rule="mend", alert=ALERT, episode_id=7, plan=plan, asks=False)


async def test_one_run_has_a_target(database: Database, clock: FakeClock) -> None:
    """Six replicas want it at once: one gets it, and the next one when it is free again."""
    found = await asyncio.gather(*(proposed(journal(database, clock, str(number))) for number in range(6)))
    (run,) = [one for one in found if one is not None]
    of = Journal(database, Ages(clock, "boot"), run.owner, 15.0)
    assert await proposed(of, PLAN[1:]) is None
    async with of.change() as connection:
        await of.move(connection, run, RunEvent.CANCEL)
    assert await proposed(of) is not None


async def test_the_key_itself_keeps_a_second_run_out(database: Database, clock: FakeClock) -> None:
    """Also for who did not ask first."""
    of = journal(database, clock)
    await proposed(of)

    async def again() -> None:
        async with of.change() as connection:
            await of.propose(connection, rule="x", alert=ALERT, episode_id=None, plan=PLAN[:1], asks=False)

    with pytest.raises(IntegrityError):
        await again()
    assert len(await of.latest(10)) == 1


async def test_a_run_is_read_as_it_was_written(database: Database, clock: FakeClock) -> None:
    """Every field, on both databases."""
    of = journal(database, clock)
    run = await proposed(of)
    assert run is not None
    assert (run.plan, run.targets, run.labels) == (PLAN, ("thing:a", "thing:b"), ALERT.labels)
    async with of.change() as connection:
        moved = await of.move(
            connection, run, RunEvent.READY, before={"well": False}, evidence={"before": {"n": 1}}
        )
    assert (moved.state, moved.evidence) == (RunState.PRECHECKED, {"before": {"n": 1}})
    assert await of.latest(5) == [moved]


async def test_who_lost_a_run_writes_nothing(database: Database, clock: FakeClock) -> None:
    """An engine that slept past its lease finds its fence too old, whatever it wants to write."""
    old, new = journal(database, clock, "old"), journal(database, clock, "new")
    run = await proposed(old)
    assert run is not None
    assert await new.take_over() == []
    clock.advance(16)
    if database.dialect == "postgresql":  # leases go by the server's clock there
        async with database.write() as connection:
            await connection.execute(update(recovery_runs).values(lease_until=0.0))
    (taken,) = await new.take_over()
    assert (taken.id, taken.fence, taken.owner) == (run.id, run.fence + 1, new.owner)

    async def write_late() -> None:
        async with old.change() as connection:
            await old.move(connection, run, RunEvent.READY)

    with pytest.raises(LostRun):
        await write_late()
    assert (await new.latest(1))[0].state is RunState.PROPOSED
    assert (await audit.verify(database)).holds


async def test_a_lease_is_kept_by_who_lives(database: Database, clock: FakeClock) -> None:
    """Renewed, it is nobody else's; released, it is at once. What nobody drives is not renewed."""
    old, new = journal(database, clock, "old"), journal(database, clock, "new")
    run = await proposed(old)
    assert run is not None
    clock.advance(14)
    await old.renew([run.id + 1])
    await old.renew([run.id])
    clock.advance(14)
    assert await new.take_over() == []
    await old.release()
    clock.advance(1)
    assert len(await new.take_over()) == 1


async def test_cooldowns_and_caps_are_counted_from_rows(database: Database, clock: FakeClock) -> None:
    """Of the same action on the same target, and of the rule, youngest first."""
    of = journal(database, clock)
    run = await proposed(of)
    assert run is not None
    for _ in range(3):
        async with of.change() as connection:
            await of.begin_action(connection, run)
            await of.end_action(connection, run, "done", changed=True)
        clock.advance(10)
    async with database.read() as connection:
        assert await of.ages_s(connection, "mend", 2) == pytest.approx([10, 20])
        assert await of.since_same_s(connection, PLAN) == pytest.approx(10)
        assert await of.since_same_s(connection, PLAN[1:]) is None
        assert await of.last_action_age_s(connection, run) == pytest.approx(10)


async def test_what_stands_of_a_run_is_read_from_rows(database: Database, clock: FakeClock) -> None:
    """What changed something, the last one first; taken back it does not stand, cut off nobody knows."""
    of = journal(database, clock)
    run = await proposed(of)
    assert run is not None
    first, second = run, replace(run, step=1)
    async with of.change() as connection:
        for step, changed in ((first, True), (second, False), (second, None), (first, False)):
            await of.begin_action(connection, step)
            await of.end_action(connection, run, "done", changed=changed)
        assert (await standing(connection, run)).steps == (PLAN[1], PLAN[0])
        assert await has_changed(connection, first)
        assert not await has_changed(connection, second)
        await of.begin_action(connection, second, undoes=True)
        await of.end_action(connection, run, "restart", changed=None)
        assert (await standing(connection, run)).unknown == {("mend", "thing:b")}
        ended = await of.move(connection, run, RunEvent.CANCEL)
    assert await begin(of, Wish(run.id, "budi"), lambda one: True) == Refused(Refusal.UNKNOWN, run.id)
    begun = await begin(of, Wish(run.id, "budi", again=True), lambda one: one.target == "thing:a")
    assert isinstance(begun, Begun)
    assert (begun.run.undoes, begun.run.plan) == (run.id, PLAN[:1])
    async with of.change() as connection:
        await of.begin_action(connection, begun.run, undoes=True)
        await of.end_action(connection, begun.run, UNDONE, changed=True)
        found = await standing(connection, ended)
        assert (found.steps, found.once) == ((PLAN[1],), True)
        assert not await of.states(connection, "mend", 7) & {(RunState.PROPOSED, "")}


async def test_a_code_is_good_once_and_for_a_while(database: Database, clock: FakeClock) -> None:
    """Two who answer at once: one is taken. It is bound to an operator, expires, and is nowhere in the store."""
    of = journal(database, clock)
    run = await proposed(of)
    assert run is not None
    async with of.change() as connection:
        await of.move(connection, run, RunEvent.ASK)
        code = await approvals.make(connection, of.ages, run.id, valid_s=120, bound_to="budi")
    assert (await answered(of, code, "siti", approves=True)).answer is Answer.WRONG
    both = await asyncio.gather(*(answered(of, code, "budi", approves=True) for _ in range(2)))
    assert sorted(one.answer.value for one in both) == ["taken", "used"]
    (now,) = await of.latest(1)
    assert (now.state, now.approved_by) == (RunState.PROPOSED, "budi")
    lines = [line async for line in audit.export(database)]
    assert not any(code in line for line in lines)


async def test_a_code_expires_by_the_monotonic_clock(database: Database, clock: FakeClock) -> None:
    """Setting the wall clock back makes none good again."""
    of = journal(database, clock)
    run = await proposed(of)
    assert run is not None
    async with of.change() as connection:
        await of.move(connection, run, RunEvent.ASK)
        code = await approvals.make(connection, of.ages, run.id, valid_s=120)
    clock.advance(121)
    clock._time_s -= 3600
    assert (await answered(of, code, "budi", approves=True)).answer is Answer.EXPIRED


async def test_codes_of_an_hour_share_a_salt(database: Database, clock: FakeClock) -> None:
    """An answer costs a slow hash for each salt, however many questions wait. Each code finds its run."""
    of = journal(database, clock)
    runs, codes = [], []
    for name in "abcd":
        run = await proposed(of, (Planned("mend", {}, name),))
        assert run is not None
        if name == "d":
            clock.advance(3601)
        async with of.change() as connection:
            codes.append(await approvals.make(connection, of.ages, run.id, valid_s=120))
        runs.append(run.id)
    async with database.read() as connection:
        assert [await approvals.find(connection, code) for code in codes] == runs
        assert await approvals.find(connection, "AAAAAA") is None
        salts = [salt for (salt,) in await connection.execute(select(recovery_approvals.c.salt))]
    assert len(set(salts)) == 2


async def test_decisions_are_rows_by_reason(database: Database, clock: FakeClock) -> None:
    """The same again counts; who is told of it is told once; old ones go."""
    found = Decision(Reason.COOLDOWN, "for another 60 s")
    async with database.write() as connection:
        for _ in range(3):
            await decisions.note(database, connection, "mend", 7, found, clock.time())
        assert await decisions.tell_once(connection, "mend", 7, found, clock.time())
        assert not await decisions.tell_once(connection, "mend", 7, found, clock.time())
        (row,) = await decisions.latest(connection, 10)
        assert (row.reason, row.times) == ("cooldown", 3)
        await decisions.forget(connection, clock.time() + decisions.KEEP_S + 1)
        assert await decisions.latest(connection, 10) == []


# -- the audit


async def filled(database: Database, clock: FakeClock, number: int = 5) -> None:
    """Some entries."""
    of = journal(database, clock)
    for one in range(number):
        await switch(of, f"budi{one}", paused=bool(one % 2))


async def test_the_chain_holds_with_replicas_that_write_at_once(database: Database, clock: FakeClock) -> None:
    """Twenty entries of five replicas: numbered without a gap, each with the hash of the one before."""
    await asyncio.gather(*(filled(database, clock, 4) for _ in range(5)))
    proof = await audit.verify(database)
    assert (proof.holds, proof.count) == (True, 20)
    lines = [json.loads(line) async for line in audit.export(database)]
    assert [line["entry"]["seq"] for line in lines] == list(range(1, 21))
    assert lines[0]["entry"]["previous"] == audit.BEGINNING
    assert {line["entry"]["event"] for line in lines} == {"paused", "resumed"}


TAMPERINGS = {
    "changed": [update(entries).where(entries.c.seq == 3).values(entry='{"seq":3}')],
    "changed with its hash": [
        update(entries).where(entries.c.seq == 3).values(entry='{"seq":3}', hash=audit.hash_of('{"seq":3}'))
    ],
    "removed": [delete(entries).where(entries.c.seq == 3)],
    "removed first": [delete(entries).where(entries.c.seq == 1)],
    "cut off": [delete(entries).where(entries.c.seq >= 4)],
    "emptied": [delete(entries)],
    "reordered": [
        update(entries).where(entries.c.seq == 2).values(seq=99),
        update(entries).where(entries.c.seq == 3).values(seq=2),
        update(entries).where(entries.c.seq == 99).values(seq=3),
    ],
    "added": [insert(entries).values(seq=6, at=1.0, entry="{}", hash=audit.hash_of("{}"))],
    "time of the row": [update(entries).where(entries.c.seq == 2).values(at=5.0)],
    "run of the row": [update(entries).where(entries.c.seq == 2).values(run_id=5)],
    "head": [update(audit_head).values(hash="0" * 64)],
    "shorter head": [update(audit_head).values(count=4)],
    "no head": [delete(audit_head)],
    "renumbered": [delete(entries).where(entries.c.seq == 1), update(entries).values(seq=entries.c.seq - 1)],
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_every_tampering_is_found(name: str, database: Database, clock: FakeClock) -> None:
    """A row that was changed, taken out, reordered, added or cut off."""
    await filled(database, clock)
    assert (await audit.verify(database)).holds
    async with database.write() as connection:
        for statement in TAMPERINGS[name]:
            await connection.execute(statement)
    proof = await audit.verify(database)
    assert not proof.holds
    assert proof.fault


async def test_what_did_not_happen_is_not_in_the_audit(database: Database, clock: FakeClock) -> None:
    """An entry stands and falls with the transaction of what it tells."""
    of = journal(database, clock)

    async def fail_midway() -> None:
        async with of.change() as connection:
            await of.note(connection, audit.Entry("engine", "nothing"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_midway()
    await filled(database, clock, 1)
    assert (await audit.verify(database)).count == 1
