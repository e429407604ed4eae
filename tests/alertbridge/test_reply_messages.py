"""Messages as they come in: strangers get nothing, replays do nothing, and what is done is audited before."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from alertbridge.deliver.route.addressbook import AddressBook, Recipient
from alertbridge.reply.answerbook import AnswerBook, answer_name
from alertbridge.reply.quotas import Quotas, Room
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreUnavailable, Unavailable
from alertbridge.store.schema import contacts
from tests.fakes.clock import FakeClock
from tests.fakes.replying import ADMIN, GROUP, OPERATOR, STRANGER, Desk, desk

LID = "100000000000001"


@pytest.fixture
async def at(sqlite_section: StoreSection, clock: FakeClock) -> AsyncIterator[Desk]:
    database = await Database.open(sqlite_section, clock)
    async with desk(database, clock) as made:
        yield made
    await database.close()


async def test_a_stranger_gets_nothing_at_all(at: Desk) -> None:
    """No answer, no audit, no question to anybody; only a count."""
    number = await at.firing()
    for text in ("help", f"ack {number}", "yes K7QX22", "x" * 5_000):
        assert await at.write(text, number=STRANGER) == ""
    assert at.trail.entries == []
    assert (at.alertmanager.posts, at.prometheus.asked) == ([], [])
    assert set(at.counts.replies) == {("", "unknown_sender")}
    async with at.database.read() as connection:
        assert (await connection.execute(contacts.select())).all() == []


SPOOFED = [
    pytest.param({"from_me": True}, "from_me", id="from us"),
    pytest.param({"number": "", "lid": ""}, "no_sender", id="nobody"),
    pytest.param({"number": STRANGER, "chat": OPERATOR}, "unknown_sender", id="chat of an operator"),
    pytest.param({"chat": STRANGER}, "identity_conflict", id="answer elsewhere"),
    pytest.param({"history": True}, "history", id="history"),
    pytest.param({"at_s": 0.0}, "no_time", id="no time"),
    pytest.param({"at_s": 1_699_999_879.0}, "too_old", id="two minutes and a second old"),
    pytest.param({"at_s": 1_700_000_100.0}, "from_future", id="from the future"),
    pytest.param({"chat": "120363000000000009@g.us", "is_group": True}, "other_group", id="other group"),
]


@pytest.mark.parametrize(("given", "why"), SPOOFED)
async def test_what_is_not_beyond_doubt_does_nothing(at: Desk, given: dict[str, Any], why: str) -> None:
    """Spoofed, old, future and synchronised commands are counted by their reason and answered by nobody."""
    number = await at.firing()
    event = at.event(f"ack {number}", **given)
    await at.replies.message("wa", event)
    assert at.counts.replies == [("", why)]
    assert (at.ear.told, at.trail.entries, at.alertmanager.posts) == ([], [], [])


@pytest.mark.parametrize(("mark", "told"), [("forwarded", "forwarded message"), ("edited", "edited message")])
async def test_forwarded_and_edited_commands_are_told(at: Desk, mark: str, told: str) -> None:
    """A known person hears why nothing is done, but not of talk that is forwarded."""
    number = await at.firing()
    marked: dict[str, Any] = {mark: True}
    assert told in await at.write(f"ack {number}", **marked)
    assert await at.write("lunch?", **marked) == ""
    assert at.counts.replies == [("", mark), ("", mark)]
    assert at.trail.entries == at.alertmanager.posts == []


async def test_a_lid_is_learned_and_then_enough(database: Database, clock: FakeClock) -> None:
    """The provider tells number and LID once; from then on the LID alone is the person, on that channel only."""
    async with desk(database, clock) as at:
        await learns(at)


async def learns(at: Desk) -> None:
    chat = f"{LID}@lid"
    assert await at.write("help", number="", lid=LID, chat=chat) == ""
    assert "Budi" in await at.write("help", lid=LID)
    assert "Budi" in await at.write("help", number="", lid=LID, chat=chat)
    assert at.ear.told[-1].recipient == f"reply:wa:{chat}"
    await at.replies.message("other", at.event("help", number="", lid=LID, chat=chat))
    assert at.counts.replies[-1] == ("", "unknown_sender")
    assert await at.write("help", number=STRANGER, lid=LID) == ""
    assert at.counts.replies[-1] == ("", "identity_conflict")
    assert await at.write("help", lid="100000000000002") == ""
    assert at.counts.replies[-1] == ("", "identity_conflict")


async def test_the_same_message_counts_once(at: Desk) -> None:
    """However often, and under whatever id of a webhook, it comes."""
    number = await at.firing()
    event = at.event(f"ack {number}")
    for _ in range(3):
        await at.replies.message("wa", event)
    assert len(at.alertmanager.posts) == len(at.ear.told) == 1
    assert at.counts.replies == [("ack", "done"), ("", "duplicate"), ("", "duplicate")]


async def test_in_a_group(at: Desk) -> None:
    """Operators are answered where they wrote; others and talk get nothing; misspelt words are not guessed."""
    where: dict[str, Any] = {"chat": GROUP, "is_group": True}
    assert "State of the network" in await at.write("status", **where)
    assert at.ear.told[-1].recipient == f"reply:wa:{GROUP}"
    for text in ("statsu", "ya siap", "nanti saya cek", "yes please"):
        assert await at.write(text, **where) == ""
    assert await at.write("status", number=STRANGER, **where) == ""
    assert [outcome for _, outcome in at.counts.replies[1:]] == ["talk"] * 4 + ["unknown_sender"]


async def test_what_is_not_understood_is_said(at: Desk) -> None:
    """With the word that was perhaps meant; nothing is audited, since nothing was asked."""
    assert "help" in await at.write("halo")
    assert "*silence*" in await at.write("silense 1 2h")
    assert at.trail.entries == []


async def test_too_many_messages(at: Desk, clock: FakeClock) -> None:
    """Said once, then silence until there is room again; others are not held back."""
    for _ in range(at.section.per_minute):
        assert await at.write("help")
    assert "Too many" in await at.write("help")
    assert await at.write("help") == ""
    assert await at.write("help", number=ADMIN)
    clock.advance(61)
    assert "Commands" in await at.write("help")


def test_quotas_slide() -> None:
    """Room comes back message by message, a minute after each."""
    quotas = Quotas(2)
    assert [quotas.take("a", at_s) for at_s in (0, 30, 40, 50)] == [
        Room.FREE,
        Room.FREE,
        Room.JUST_FULL,
        Room.FULL,
    ]
    assert [quotas.take("a", at_s) for at_s in (60, 61, 90, 101)] == [
        Room.FREE,
        Room.FULL,
        Room.FREE,
        Room.JUST_FULL,
    ]


async def test_audited_before_it_acts(at: Desk) -> None:
    """A store that cannot be written stops everything: the provider sends it again, and it counts then."""
    number = await at.firing()
    at.trail.fault = StoreUnavailable(Unavailable.DISK_FULL, "no room")
    event = at.event(f"ack {number}")
    with pytest.raises(StoreUnavailable):
        await at.replies.message("wa", event)
    assert (at.alertmanager.posts, at.ear.told) == ([], [])
    at.trail.fault = None
    await at.replies.message("wa", event)
    assert len(at.alertmanager.posts) == 1
    first = at.trail.entries[0]
    assert (first["who"], first["what"], first["why"]) == ("Budi", "reply.ack", f"ack {number}")
    assert first["before"] == {"channel": "wa", "chat": OPERATOR, "message": event.provider_id}


async def test_the_answer_quotes_the_question(at: Desk) -> None:
    """In the chat and the language of who asked."""
    event = at.event("help", number=ADMIN)
    await at.replies.message("wa", event)
    (told,) = at.ear.told
    assert (told.body.quote_id, told.recipient, told.language) == (
        event.provider_id,
        f"reply:wa:{ADMIN}",
        "id",
    )


async def test_messages_of_one_person_are_answered_in_order(at: Desk) -> None:
    """Also when they come together: the second waits for the first."""
    number = await at.firing()
    await asyncio.gather(
        *(at.replies.message("wa", at.event(text)) for text in (f"ack {number}", f"unack {number}", "help"))
    )
    texts = [told.body.text for told in at.ear.told]
    assert "in Budi's hands" in texts[0]
    assert "Let go" in texts[1]
    assert not at.alertmanager.standing


def test_every_chat_is_a_recipient() -> None:
    """An answer goes to the chat of the question and nowhere else; names of the configuration stay what they are."""
    book = AnswerBook(AddressBook([Recipient("noc", "wa", OPERATOR, "id")]), "en")
    found = book.get(answer_name("main wa", f"{LID}@lid"))
    assert found == Recipient(f"reply:main wa:{LID}@lid", "main wa", f"{LID}@lid", "en")
    assert book.get("noc") == Recipient("noc", "wa", OPERATOR, "id")
    assert book.get("nobody") is None
    assert book.get("reply:wa:") is None
