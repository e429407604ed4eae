"""Looking after channels goes on, whatever one of them or the store does."""

import asyncio
from collections.abc import Callable

import pytest

from alertbridge.deliver.channel.actions import ChannelRules
from alertbridge.deliver.channel.caretaker import Caretaker
from alertbridge.deliver.channel.channels import Channels
from alertbridge.deliver.channel.standing import Phase
from alertbridge.deliver.channel.store import ChannelStore
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Session, SessionState
from alertbridge.deliver.route.addressbook import AddressBook, Recipient, Way
from alertbridge.store.database import Database
from tests.fakes.delivery_bench import Bench, JumpingClock
from tests.fakes.scripted_provider import ScriptedProvider

DOWN = Session(SessionState.DISCONNECTED)


class Faulty(ScriptedProvider):
    """Its session is down, and the program has a fault where it is asked for it, or where it is mended."""

    asked = mended = 0
    faulty_session = faulty_mend = False

    async def session(self) -> Session:
        self.asked += 1
        if self.faulty_session:
            raise LookupError("a fault of the program")
        return DOWN

    async def reconnect(self) -> Outcome:
        self.mended += 1
        if self.faulty_mend:
            raise LookupError("a fault of the program")
        return Outcome(OutcomeClass.ACCEPTED)


class Care:
    """A caretaker of the channels `wa` (faulty) and `sms` (well)."""

    def __init__(self, database: Database, clock: JumpingClock, *, reached_through: str = "wa") -> None:
        self.clock = clock
        self.wa, self.sms = Faulty(clock), ScriptedProvider(clock)
        self.channels = Channels([ChannelRules("wa"), ChannelRules("sms")], clock, dice=lambda: 0.0)
        self.told: list[str] = []
        self.fails_to_tell = False
        self.caretaker = Caretaker(
            database=database,
            clock=clock,
            channels=self.channels,
            store=ChannelStore(database, self.channels, clock),
            providers={"wa": self.wa, "sms": self.sms},
            limits=LimitStore(database, clock, boot="care"),
            buckets=lambda channel, address: {},
            book=AddressBook([Recipient("noc", reached_through, "62812000000001", "en", (Way("sms", "1"),))]),
            delivery=Bench(database, clock).delivery,
            told=self._tell,
            default_language="en",
        )

    def _tell(self, channel: str, state: str) -> None:
        if self.fails_to_tell:
            raise LookupError("a fault of the program")
        self.told.append(channel)

    async def rounds(self, count: int) -> None:
        """So many rounds, a second apart, each action brought to its end."""
        for _ in range(count):
            await self.caretaker.look()
            await _until(lambda: not self.caretaker.is_busy)
            self.clock.advance(1.0)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.005)


@pytest.fixture
def care(database: Database) -> Care:
    return Care(database, JumpingClock())


async def test_a_faulty_provider_is_asked_again_later(care: Care) -> None:
    """Its session is not forgotten as being asked for, nor asked for without a pause."""
    care.wa.faulty_session = True
    await care.rounds(70)
    assert 2 <= care.wa.asked <= 4
    assert care.channels.standing("sms").phase is Phase.HEALTHY


async def test_a_mend_that_fails_here_counts_as_one(care: Care) -> None:
    """It may have reached the gateway: the pauses between mends grow all the same."""
    care.wa.faulty_mend = True
    await care.rounds(60)
    assert 1 <= care.wa.mended <= 5


async def test_a_channel_that_reaches_nobody_is_left_to_recovery(database: Database) -> None:
    """Its session is asked for, and whether it is mended is for the rules to say."""
    care = Care(database, JumpingClock(), reached_through="sms")
    await care.rounds(60)
    assert care.wa.asked >= 1
    assert care.wa.mended == 0


async def test_the_round_goes_on_after_a_fault(care: Care) -> None:
    """A fault anywhere in a round costs that round alone."""
    care.fails_to_tell = True
    care.caretaker.start()
    await asyncio.sleep(0)
    care.fails_to_tell = False
    await _until(lambda: "sms" in care.told)
    await care.caretaker.stop()
