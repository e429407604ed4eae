"""The delivery's own tasks, with the machine's clock."""

import asyncio
import time

from alertbridge.alerts import Severity
from alertbridge.deliver.providers.base import OutcomeClass, Outgoing, Traits
from alertbridge.deliver.worker import STOP_WITHIN_S
from alertbridge.store.database import Database
from runtime.clock import SystemClock
from tests.fakes.delivery_bench import Bench, JumpingClock


class PassingClock(JumpingClock):
    """The machine's clock, where the bench wants one to drive."""

    def monotonic(self) -> float:
        return SystemClock().monotonic()

    def time(self) -> float:
        return SystemClock().time()


async def test_it_tells_what_is_new_and_ends_when_it_is_told(database: Database) -> None:
    """Woken after a commit it sends within a moment of gathering, and stops at once when nothing is under way."""
    bench = Bench(database, PassingClock(), wa=Traits(text_limit=4096, acks_on_accept=True))
    told = asyncio.Event()
    bench.wa.on_accepted = lambda *_: told.set()
    await bench.delivery.start()
    await bench.firing("LinkDown", severity=Severity.CRITICAL)
    bench.delivery.notices_made(["noc"])
    async with asyncio.timeout(60):
        await told.wait()
    began_s = time.monotonic()
    await bench.delivery.stop()
    assert time.monotonic() - began_s < STOP_WITHIN_S
    assert bench.wa.texts == ["firing LinkDown"]
    assert await bench.notice_states() == {"delivered": 1}


async def test_a_request_that_hangs_does_not_keep_it_from_stopping(database: Database) -> None:
    """What does not end in a few seconds is left as of unknown outcome."""
    bench = Bench(database, PassingClock())
    left = asyncio.Event()
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def hang(_: Outgoing) -> "asyncio.Future[None] | None":
        left.set()
        return never

    bench.wa.before_answer = hang
    bench.wa.default = OutcomeClass.ACCEPTED
    await bench.firing("LinkDown")
    await bench.delivery.start()
    async with asyncio.timeout(60):
        await left.wait()
        await bench.delivery.stop()
    [message] = await bench.all_messages()
    assert message.state.value == "sending"
