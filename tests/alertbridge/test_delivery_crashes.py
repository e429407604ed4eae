"""Killed anywhere, nothing is lost, order holds, and a duplicate is rare and marked; on both kinds of store.

A crash is simulated in the process: at the chosen await the delivery is cancelled and dropped with all that it
remembers, and a new one starts on the same store. `test_delivery_kills` does it with real processes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.model import MessageState
from alertbridge.deliver.outbox import claims
from alertbridge.deliver.providers.base import Outgoing, Traits
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreUnavailable, Unavailable
from tests.fakes.delivery_bench import Bench, JumpingClock

POINTS = 28
"""More steps than a run takes: on SQLite every one of them is killed once, elsewhere some."""


class Killed(BaseException):
    """The process is gone."""


class FaultyDatabase(Database):
    """Counts the ends of transactions and dies before or after the one that is told."""

    die_at = 0
    steps = 0
    refusing = False
    freeze: Callable[[], None] | None = None

    @classmethod
    def around(cls, database: Database) -> "FaultyDatabase":
        """The same store, with faults."""
        faulty = cls.__new__(cls)
        faulty.__dict__ = database.__dict__
        return faulty

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.die_at:
            raise Killed

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        if self.refusing:
            raise StoreUnavailable(Unavailable.DISK_FULL, "database or disk is full")
        async with Database.write(self) as connection:
            yield connection
            self.step()  # everything is written, nothing is committed
        self.step()  # committed
        if self.freeze is not None:
            self.freeze()


@pytest.fixture
def clock() -> JumpingClock:
    """A clock that the bench drives."""
    return JumpingClock()


async def told_through_a_kill(database: Database, clock: JumpingClock, die_at: int, traits: Traits) -> Bench:
    """Three alerts begin and one ends while the process is killed once, at its step `die_at`."""
    faulty = FaultyDatabase.around(database)
    faulty.die_at = faulty.steps = 0
    bench = Bench(database, clock, wa=traits)
    bench.database = faulty
    doomed = bench.new_delivery("doomed")
    bench.database = database

    def die_in_request(_: Outgoing) -> "asyncio.Future[None] | None":
        faulty.step()
        return None

    bench.wa.before_answer = die_in_request
    first = await bench.firing("A", group="a")
    await bench.firing("B", group="b")
    faulty.die_at, faulty.steps = die_at, 0
    try:
        await bench.run(6, delivery=doomed)
        await bench.resolve(first)
        await bench.firing("C", group="c")
        await bench.run(6, delivery=doomed)
    except Killed:
        pass
    bench.wa.before_answer = None
    clock.advance(60)
    await bench.expire_leases()
    heir = bench.new_delivery("heir")
    await bench.run(15, delivery=heir)
    if sum((await bench.notice_states()).values()) < 3:  # it died before the end came in
        await bench.resolve(first)
    await bench.run(40, delivery=heir)
    return bench


@pytest.mark.timeout(600)
@pytest.mark.parametrize("takes_our_id", [False, True], ids=["no ids", "our ids"])
async def test_a_kill_anywhere_loses_nothing(
    database: Database, clock: JumpingClock, takes_our_id: bool
) -> None:
    """For each step of a run: killed there, everything is told in order; a duplicate is single and marked."""
    traits = Traits(text_limit=4096, tells_acks=True, takes_our_id=takes_our_id)
    thorough = database.dialect == "sqlite" and not takes_our_id
    for die_at in range(1, POINTS, 1 if thorough else 4):
        async with database.write() as connection:
            for table in ("attempts", "messages", "notices", "episodes"):
                await connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608  constants
        bench = await told_through_a_kill(database, clock, die_at, traits)
        states = await bench.notice_states()
        assert not any(state.startswith(("pending", "composed", "dead")) for state in states), (
            die_at,
            states,
        )
        whole = "\n".join(bench.wa.texts)
        told = [whole.count("firing A"), whole.count("firing B"), whole.count("resolved A")]
        assert min(told) >= 1, (die_at, bench.wa.texts)
        assert whole.index("firing A") < whole.index("resolved A"), (die_at, bench.wa.texts)
        again = [text for text in bench.wa.texts if text.startswith("(repeat)")]
        assert len(again) <= 1, (die_at, bench.wa.texts)
        assert len(bench.wa.texts) - len(set(bench.wa.texts)) == 0, (die_at, bench.wa.texts)
        if takes_our_id:
            assert again == []


async def test_a_message_found_sending_is_marked(database: Database, clock: JumpingClock) -> None:
    """Killed between request and answer, the message is sent again with its mark, at once."""
    bench = Bench(database, clock)

    def die(_: Outgoing) -> "asyncio.Future[None] | None":
        raise Killed

    bench.wa.before_answer = die
    await bench.firing("A", severity=Severity.CRITICAL)
    with pytest.raises(Killed):
        await bench.run(5)
    bench.wa.before_answer = None
    clock.advance(25)
    await bench.expire_leases()
    await bench.run(3, delivery=bench.new_delivery())
    assert bench.wa.texts == ["firing A", "(repeat) firing A"]
    [message] = await bench.all_messages()
    assert (message.state, message.repeated, message.attempts) == (MessageState.ACKED, True, 2)


async def test_cancelled_in_the_middle_of_a_request(database: Database, clock: JumpingClock) -> None:
    """A task that is cancelled while it waits for the provider leaves a message of unknown outcome, no more."""
    bench = Bench(database, clock)
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    left = asyncio.Event()

    def hang(_: Outgoing) -> "asyncio.Future[None] | None":
        left.set()
        return never

    bench.wa.before_answer = hang
    await bench.firing("A")
    clock.advance(2)
    task = asyncio.create_task(bench.delivery.turn(Lane("noc")))
    await left.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await bench.bundles_of(MessageState.SENDING) == 1


async def test_two_replicas_send_each_message_once(database: Database, clock: JumpingClock) -> None:
    """Two workers on one store take turns; nothing is told twice and order holds."""
    bench = Bench(database, clock)
    other = bench.new_delivery("other")
    ended = [await bench.firing(f"A{number}", group=f"g{number}") for number in range(3)]
    for second in range(40):
        both = (bench.delivery, other)
        if second == 20:
            for episode in ended:
                await bench.resolve(episode)
        await asyncio.gather(*(worker.turn(Lane("noc")) for worker in both))
        await bench.run(1, delivery=both[second % 2])
    whole = "\n".join(bench.wa.texts)
    for number in range(3):
        assert whole.count(f"firing A{number}") == 1
        assert whole.count(f"resolved A{number}") == 1


async def test_a_lane_that_somebody_holds_is_left_alone(database: Database, clock: JumpingClock) -> None:
    """With PostgreSQL, a claim keeps others out until its lease ends; a file has one bridge only."""
    bench = Bench(database, clock)
    await bench.firing("A")
    clock.advance(2)
    async with database.write() as connection:
        assert await claims.claim(connection, database, Lane("noc"), "somebody", 3.0)
    if database.dialect == "postgresql":
        assert await bench.delivery.turn(Lane("noc")) == 1.0
        assert bench.wa.sent == []
    async with asyncio.timeout(60):
        while await bench.delivery.turn(Lane("noc")):  # noqa: ASYNC110  the server's clock ends the lease
            await asyncio.sleep(0.1)
    assert len(bench.wa.sent) == 1


async def test_a_lost_lease_sends_nothing(database: Database, clock: JumpingClock) -> None:
    """A worker that was frozen between its commit and the request notices that its lease is over: it does not send."""
    faulty = FaultyDatabase.around(database)
    bench = Bench(database, clock)
    bench.database = faulty
    frozen = bench.new_delivery("frozen")
    await bench.firing("A")
    clock.advance(2)
    faulty.freeze = lambda: clock.advance(50)
    await frozen.turn(Lane("noc"))
    assert bench.wa.sent == []
    faulty.freeze = None
    await bench.run(10, delivery=frozen)
    assert bench.wa.texts == ["firing A"]


async def test_critical_goes_out_while_nothing_can_be_written(
    database: Database, clock: JumpingClock
) -> None:
    """With a full disk a critical alert of the outbox is told directly, once, and written down afterwards."""
    faulty = FaultyDatabase.around(database)
    bench = Bench(database, clock)
    bench.database = faulty
    delivery = bench.new_delivery("full")
    await bench.firing("Core", severity=Severity.CRITICAL)
    faulty.refusing = True
    for _ in range(60):
        clock.advance(1)
        with suppress(StoreUnavailable):
            await delivery.look()
    assert len(bench.sms.sent) == 1
    assert "firing Core" in bench.sms.texts[0]
    faulty.refusing = False
    await bench.run(60, delivery=delivery)
    assert len(bench.sms.sent) == 1
    assert bench.wa.sent == []
    assert await bench.notice_states() == {"delivered:emergency": 1}


async def test_an_outcome_that_cannot_be_stored_is_kept_until_it_can(
    database: Database, clock: JumpingClock
) -> None:
    """The store fails right after a message left: its outcome is not forgotten and it is not sent again."""
    faulty = FaultyDatabase.around(database)
    bench = Bench(database, clock, wa=Traits(text_limit=4096, acks_on_accept=True))
    bench.database = faulty
    delivery = bench.new_delivery("full")

    left = asyncio.Event()

    def fill_the_disk(_: Outgoing) -> "asyncio.Future[None] | None":
        faulty.refusing = True
        left.set()
        return None

    bench.wa.before_answer = fill_the_disk
    await bench.firing("A")
    clock.advance(2)
    turn = asyncio.create_task(delivery.turn(Lane("noc")))
    await left.wait()
    await asyncio.sleep(0.15)  # it tries at least once in vain
    assert not turn.done()
    faulty.refusing = False
    await turn
    assert await bench.notice_states() == {"delivered": 1}
    assert len(bench.wa.sent) == 1
