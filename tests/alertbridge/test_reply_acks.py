"""What is acknowledged stays silent while it fires; the end is told; what is not known to stand is taken back."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.intake import Intake
from alertbridge.alertmanager import Alertmanager, AlertmanagerSection
from alertbridge.alerts import AlertStatus
from alertbridge.reply.ackwatch import AckWatch
from alertbridge.reply.sources import Silences
from alertbridge.store.database import Database
from alertbridge.store.schema import notices
from alertbridge.store.schema_reply import reply_silences
from tests.fakes.accepting import FixedRoutes, Tally
from tests.fakes.clock import FakeClock
from tests.fakes.monitoring import seconds
from tests.fakes.replying import ADMIN, Desk, desk

ACK_S, OVER_S = 900.0, 90.0


@pytest.fixture
async def at(database: Database, clock: FakeClock) -> AsyncIterator[Desk]:
    async with desk(database, clock, ack_s=ACK_S, over_after_s=OVER_S) as made:
        yield made


async def ends(at: Desk) -> list[str]:
    """Why each silence that was asked for ended; empty while it has not."""
    async with at.database.read() as connection:
        rows = await connection.execute(select(reply_silences).order_by(reply_silences.c.id))
        return [row.reason for row in rows]


async def look(at: Desk, *, after_s: float = 0.0) -> None:
    """A round of the watch, some time later."""
    at.clock.advance(after_s)
    await at.replies.watch.look()


def fingerprint(at: Desk) -> str:
    (found,) = at.alertmanager.firing
    return found


async def test_it_is_made_longer_while_it_fires(at: Desk, clock: FakeClock) -> None:
    """Round after round for three hours: one silence, never less than half of its time left."""
    number = await at.firing()
    await at.write(f"ack {number}")
    for _ in range(3 * 60):
        await look(at, after_s=60)
        (silence,) = at.alertmanager.standing
        assert ACK_S / 2 < seconds(silence["endsAt"]) - clock.time() <= ACK_S
    assert len({one["startsAt"] for one in at.alertmanager.posts}) == 1, "Alertmanager would make another one"
    assert len(at.alertmanager.posts) < 40
    assert not at.intake.groups


async def test_its_end_is_told_once_it_is_gone_for_long_enough(at: Desk, clock: FakeClock) -> None:
    """A restart of Alertmanager empties its list for a moment: that is no end. The end is when it was first missed."""
    number = await at.firing()
    gone = fingerprint(at)
    labels = at.alertmanager.firing[gone]
    await at.write(f"ack {number}")
    del at.alertmanager.firing[gone]
    await look(at, after_s=60)
    await look(at, after_s=OVER_S - 1)
    at.alertmanager.firing[gone] = labels
    await look(at, after_s=15)
    assert not at.intake.groups
    del at.alertmanager.firing[gone]
    await look(at, after_s=15)
    missed_s = clock.time()
    await look(at, after_s=OVER_S)
    (group,) = at.intake.groups
    (alert,) = group.alerts
    assert (alert.fingerprint, alert.status, alert.ends_at_s) == (gone, AlertStatus.RESOLVED, missed_s)
    assert (group.key, group.receiver) == ("g:BotDown", "whatsapp")
    posts = len(at.alertmanager.posts)
    await look(at, after_s=600)
    assert len(at.intake.groups) == 1
    assert len(at.alertmanager.posts) == posts, "it is let lapse"
    assert await ends(at) == ["over"]


async def test_the_end_closes_the_episode_and_tells_those_who_knew(
    at: Desk, database: Database, clock: FakeClock
) -> None:
    """Through the real intake: the episode is closed and its recipients have a notice of the end."""
    number = await at.firing()
    await at.write(f"ack {number}")
    tally = Tally()
    intake = Intake(database, FixedRoutes("noc"), AcceptSection(), tally, clock)
    alertmanager = Alertmanager(AlertmanagerSection(urls=(at.alertmanager.url,)), at.session)
    watch = AckWatch(database, Silences(alertmanager, 1.0), intake, clock, at.section)
    at.alertmanager.firing.clear()
    await watch.look()
    clock.advance(OVER_S)
    await watch.look()
    await intake.close()
    row = await at.row(number)
    assert row.status == "closed"
    assert row.acknowledged_by == "Budi"
    async with database.read() as connection:
        made = await connection.execute(select(notices).where(notices.c.kind == "resolved"))
        (notice,) = made.all()
    assert (notice.recipient, notice.state, notice.episode_id) == ("noc", "pending", number)
    assert tally.received["resolved"] == 1


async def test_the_end_of_what_is_silenced_is_told_as_well(at: Desk) -> None:
    """A real silence hides ends too; it is not made longer."""
    number = await at.firing()
    await at.write(f"silence {number} 2h")
    await look(at, after_s=3600)
    assert len(at.alertmanager.posts) == 1
    at.alertmanager.firing.clear()
    await look(at)
    await look(at, after_s=OVER_S)
    assert len(at.intake.groups) == 1
    assert await ends(at) == ["over"]


async def test_nothing_is_decided_while_alertmanager_is_away(at: Desk) -> None:
    """Neither an end nor a lapse: who does not answer says nothing."""
    number = await at.firing()
    await at.write(f"ack {number}")
    at.alertmanager.status = 503
    for _ in range(20):
        await look(at, after_s=60)
    assert not at.intake.groups
    assert await ends(at) == [""]
    at.alertmanager.status = 200
    await look(at)
    assert len(at.alertmanager.standing) == 1
    assert (await at.row(number)).acknowledged_by == "Budi"


async def test_what_somebody_ended_elsewhere_is_let_go(at: Desk, clock: FakeClock) -> None:
    """An operator who expires the silence in Alertmanager's page takes the ack back."""
    number = await at.firing()
    await at.write(f"ack {number}")
    (silence,) = at.alertmanager.standing
    at.alertmanager.end(silence["id"], clock.time() + 10)
    await look(at, after_s=20)
    assert await ends(at) == ["lifted_elsewhere"]
    assert (await at.row(number)).acknowledged_by is None
    assert not at.alertmanager.standing


async def test_a_silence_that_alertmanager_lost_is_made_again(at: Desk) -> None:
    """Its file was lost with its disk; the alert still fires and somebody has it in hand."""
    number = await at.firing()
    await at.write(f"ack {number}")
    at.alertmanager.silences.clear()
    await look(at, after_s=ACK_S / 2)
    assert len(at.alertmanager.standing) == 1


async def test_an_end_that_came_by_itself_is_not_told_again(at: Desk) -> None:
    """The episode was closed by a notification: the watch only stops looking."""
    number = await at.firing()
    await at.write(f"ack {number}")
    await at.close(number)
    at.alertmanager.firing.clear()
    await look(at, after_s=OVER_S * 2)
    await look(at, after_s=OVER_S * 2)
    assert not at.intake.groups
    assert await ends(at) == ["over"]


@pytest.mark.parametrize("number", [ADMIN])
async def test_what_is_not_known_to_stand_is_taken_back(at: Desk, number: str) -> None:
    """Alertmanager took it and its answer was lost: the person was told that nothing is done, so nothing stands."""
    episode = await at.firing()
    at.alertmanager.stalls.add("post")
    assert "*belum* dilakukan" in await at.write(f"ack {episode}", number=number)
    assert len(at.alertmanager.standing) == 1
    await look(at, after_s=5)
    assert len(at.alertmanager.standing) == 1, "the call may still be under way"
    await look(at, after_s=6)
    assert not at.alertmanager.standing
    assert await ends(at) == ["not_known_to_stand"]
    assert (await at.row(episode)).acknowledged_by is None


async def test_old_silences_are_forgotten(at: Desk) -> None:
    """A month after their end."""
    first, second = await at.firing("A"), await at.firing("B")
    await at.write(f"ack {first}")
    await at.write(f"unack {first}")
    await at.write(f"ack {second}")
    assert await ends(at) == ["lifted", ""]
    at.clock.advance(31 * 86_400)
    await look(at)
    assert len(await ends(at)) == 1


async def test_one_replica_looks(at: Desk, database: Database, clock: FakeClock) -> None:
    """The watch begins and ends with the replies, and asks nobody while nothing is acknowledged."""
    await at.replies.start()
    await at.replies.start()
    await at.replies.stop()
    await look(at)
    assert not at.alertmanager.posts
