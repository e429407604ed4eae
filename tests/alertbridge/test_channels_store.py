"""Standings as rows, on both databases: replicas and restarts know of a verdict, and it is told once."""

import pytest
from sqlalchemy import select

from alertbridge.deliver.channel.actions import ActionKind, ChannelRules
from alertbridge.deliver.channel.announcements import Announcement
from alertbridge.deliver.channel.channels import Channels
from alertbridge.deliver.channel.standing import ChannelState, Phase
from alertbridge.deliver.channel.store import ChannelStore
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Session, SessionState
from alertbridge.store.database import Database
from alertbridge.store.schema import channels as table
from tests.fakes.clock import FakeClock

SENT = Outcome(OutcomeClass.ACCEPTED, provider_id="1")
LOGGED_OUT = Outcome(OutcomeClass.CONFIG, "unauthorised", logged_out=True)


class Bridge:
    """One replica."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.channels = Channels([ChannelRules("wa"), ChannelRules("sms")], clock, dice=lambda: 0.0)
        self.store = ChannelStore(database, self.channels, clock)

    def state(self) -> ChannelState:
        return self.channels.standing("wa").state

    def announcements(self) -> list[Announcement]:
        """What would be told now; the session is asked for first."""
        found = []
        for _ in range(2):
            for action in self.channels.due():
                if action.kind is ActionKind.SESSION:
                    self.channels.report(action.channel, Session(SessionState.UNKNOWN))
                elif action.announcement is not None:
                    found.append(action.announcement)
        return found


@pytest.fixture
def bridges(database: Database, clock: FakeClock) -> tuple[Bridge, Bridge]:
    """Two replicas of one store."""
    return Bridge(database, clock), Bridge(database, clock)


async def test_a_verdict_stops_every_replica(bridges: tuple[Bridge, Bridge]) -> None:
    """One sees it, the other has it after its next look; the other channel goes on."""
    one, other = bridges
    one.channels.record("wa", LOGGED_OUT)
    await one.store.sync()
    await other.store.sync()
    assert other.state() is ChannelState.STOPPED
    assert other.channels.standing("wa").reason == "logged_out"
    assert other.channels.allows("sms", Room.NORMAL) == (True, "")


async def test_a_verdict_outlives_a_restart(
    bridges: tuple[Bridge, Bridge], database: Database, clock: FakeClock
) -> None:
    """A new process does not try a banned number again."""
    bridges[0].channels.record("wa", LOGGED_OUT)
    await bridges[0].store.sync()
    clock.advance(3600.0)
    again = Bridge(database, clock)
    await again.store.sync()
    assert not again.channels.allows("wa", Room.CRITICAL)[0]


async def test_a_pause_goes_on_after_a_restart(
    bridges: tuple[Bridge, Bridge], database: Database, clock: FakeClock
) -> None:
    """For what is left of it."""
    bridges[0].channels.record("wa", Outcome(OutcomeClass.PAUSE, "463", retry_after_s=600.0))
    await bridges[0].store.sync()
    clock.advance(500.0)
    again = Bridge(database, clock)
    await again.store.sync()
    clock.advance(99.0)
    again.channels.due()
    assert again.state() is ChannelState.PAUSED
    clock.advance(1.0)
    again.channels.due()
    assert again.state() is ChannelState.OK


async def test_two_that_write_at_once_lose_nothing(bridges: tuple[Bridge, Bridge], clock: FakeClock) -> None:
    """One's ack does not undo the other's verdict, and both are in the row."""
    one, other = bridges
    await one.store.sync()
    one.channels.record("wa", LOGGED_OUT)
    clock.advance(1.0)
    other.channels.record("wa", SENT)
    other.channels.record_ack("wa")
    await one.store.sync()
    await other.store.sync()
    standing = other.channels.standing("wa")
    assert (standing.state, standing.last_ack_at_s) == (ChannelState.STOPPED, clock.time())
    assert other.channels.pending("wa") == ()


async def test_a_verdict_is_told_once_over_all_replicas(
    bridges: tuple[Bridge, Bridge], database: Database, clock: FakeClock
) -> None:
    """Two replicas and one that starts later want to; one of them may. The next verdict is another matter."""
    one, other = bridges
    one.channels.record("wa", LOGGED_OUT)
    await one.store.sync()
    await other.store.sync()
    wanted = [(bridge, bridge.announcements()[0]) for bridge in bridges]
    claims = []
    for bridge, announcement in wanted:
        async with database.write() as connection:
            claims.append(await bridge.store.claim(connection, announcement))
        await bridge.store.sync()
    assert claims == [True, False]
    late = Bridge(database, clock)
    await late.store.sync()
    clock.advance(60.0)
    assert [bridge.announcements() for bridge in (one, other, late)] == [[], [], []]
    clock.advance(10.0)
    late.channels.resume("wa")
    late.channels.record_ack("wa")
    clock.advance(1.0)
    late.channels.record("wa", Outcome(OutcomeClass.CONFIG, "banned"))
    await late.store.sync()
    assert [announcement.reason for announcement in late.announcements()] == ["banned"]


async def test_an_announcement_whose_notices_fail_is_made_again(
    bridges: tuple[Bridge, Bridge], database: Database
) -> None:
    """The claim ends with its transaction."""
    one, other = bridges
    one.channels.record("wa", LOGGED_OUT)
    await one.store.sync()
    (announcement,) = one.announcements()

    async def fail() -> None:
        async with database.write() as connection:
            assert await one.store.claim(connection, announcement)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    await other.store.sync()
    async with database.write() as connection:
        assert await other.store.claim(connection, other.announcements()[0])


@pytest.mark.parametrize("phase", [Phase.FAILING, Phase.DROPPED, Phase.SILENT])
async def test_what_reconnecting_waits_for_is_kept(
    bridges: tuple[Bridge, Bridge], database: Database, clock: FakeClock, phase: Phase
) -> None:
    """The row says `reconnecting`, and its reason begins with the phase."""
    one, other = bridges
    if phase is Phase.DROPPED:
        one.channels.record("wa", Outcome(OutcomeClass.RECONNECT, "closed"))
    elif phase is Phase.FAILING:
        for _ in range(5):
            one.channels.record("wa", Outcome(OutcomeClass.RETRY, "refused"))
    else:
        one.channels.record("wa", SENT)
        clock.advance(151.0)
        one.channels.due()
    await one.store.sync()
    await other.store.sync()
    assert other.channels.standing("wa").phase is phase
    async with database.read() as connection:
        row = (await connection.execute(select(table).where(table.c.name == "wa"))).one()
    assert row.state == "reconnecting"
    assert row.reason.startswith(f"{phase.value}: ")
