"""Who is believed: the provider's typed number and LID, and nothing that a sender can choose."""

from typing import Any

import pytest
from pydantic import ValidationError

from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.reply.config import RepliesSection
from alertbridge.reply.identity import Pair, Refusal, Roster
from alertbridge.reply.model import Person, Role
from tests.fakes.replying import GROUP, OPERATOR, STRANGER

NOW_S = 1_700_000_000.0
LID, OTHER_LID, SET_LID = "100000000000001", "100000000000002", "100000000000003"
AYU = "62812000000013"
SECTION = {
    "operators": [
        {"name": "Budi", "role": "operator", "numbers": ["0812-0000-00012"]},
        {"name": "Ayu", "role": "admin", "numbers": f"+{AYU}", "lids": f"{SET_LID}@lid", "language": "en"},
        {"name": "Lid only", "lids": "100000000000009"},
    ],
    "groups": [GROUP],
}


def roster(**more: Any) -> Roster:
    return Roster(RepliesSection.model_validate({**SECTION, **more}), "id")


def event(**given: Any) -> MessageEvent:
    """A message of an operator, a second old."""
    known: dict[str, Any] = {
        "event_id": "a",
        "provider_id": "a",
        "chat": given.get("number") or OPERATOR,
        "number": OPERATOR,
        "lid": "",
        "text": "status",
        "at_s": NOW_S - 1,
    }
    return MessageEvent(**known | given)


BELIEVED = [
    pytest.param(event(), [], "Budi", id="number"),
    pytest.param(event(lid=LID), [], "Budi", id="number and a LID that is new"),
    pytest.param(event(lid=LID), [Pair(OPERATOR, LID)], "Budi", id="number and its LID"),
    pytest.param(
        event(number="", lid=LID, chat=f"{LID}@lid"), [Pair(OPERATOR, LID)], "Budi", id="learned LID"
    ),
    pytest.param(
        event(number="", lid=SET_LID, chat=f"{SET_LID}@lid"), [], "Ayu", id="LID of the configuration"
    ),
    pytest.param(
        event(number=AYU, lid=SET_LID), [Pair(AYU, LID)], "Ayu", id="the configuration beats learning"
    ),
    pytest.param(event(lid=LID, chat=f"{LID}@lid"), [], "Budi", id="chat by LID, number beside it"),
    pytest.param(event(chat=GROUP, is_group=True), [], "Budi", id="in a group"),
]


@pytest.mark.parametrize(("given", "learned", "name"), BELIEVED)
def test_the_providers_word_is_believed(given: MessageEvent, learned: list[Pair], name: str) -> None:
    """Number, learned LID and configured LID each name the person."""
    who = roster().who(given, learned)
    assert isinstance(who, Person)
    assert who.name == name


CONFLICT, UNKNOWN = Refusal.IDENTITY_CONFLICT, Refusal.UNKNOWN_SENDER
DOUBTED = [
    pytest.param(event(number=STRANGER), [], UNKNOWN, id="stranger"),
    pytest.param(event(number="", lid=LID, chat=f"{LID}@lid"), [], UNKNOWN, id="LID that nobody told"),
    pytest.param(
        event(number="", lid="", chat=OPERATOR), [], Refusal.NO_SENDER, id="only the chat names somebody"
    ),
    pytest.param(event(from_me=True), [], Refusal.FROM_ME, id="our own message"),
    pytest.param(
        event(number=STRANGER, lid=LID), [Pair(OPERATOR, LID)], CONFLICT, id="stranger with our LID"
    ),
    pytest.param(event(number=STRANGER, lid=SET_LID), [], CONFLICT, id="stranger with a configured LID"),
    pytest.param(event(number=OPERATOR, lid=SET_LID), [], CONFLICT, id="one's number, another's LID"),
    pytest.param(event(lid=OTHER_LID), [Pair(OPERATOR, LID)], CONFLICT, id="number that changed hands"),
    pytest.param(event(number=AYU, lid=LID), [], CONFLICT, id="LID that the configuration does not know"),
    pytest.param(
        event(number="", lid=LID, chat=f"{LID}@lid"),
        [Pair(OPERATOR, LID), Pair(AYU, LID)],
        CONFLICT,
        id="LID of two numbers",
    ),
    pytest.param(
        event(number="", lid=LID, chat=f"{LID}@lid"),
        [Pair(AYU, LID)],
        CONFLICT,
        id="learned LID of one whose LID is configured",
    ),
    pytest.param(
        event(number="", lid=LID, chat=f"{LID}@lid"),
        [Pair(STRANGER, LID)],
        UNKNOWN,
        id="stranger's learned LID",
    ),
    pytest.param(event(chat=STRANGER), [], CONFLICT, id="answer would go to another chat"),
    pytest.param(event(chat=f"{OTHER_LID}@lid", lid=LID), [], CONFLICT, id="answer would go to another LID"),
    pytest.param(event(chat=GROUP), [], CONFLICT, id="a group that is not said to be one"),
]


@pytest.mark.parametrize(("given", "learned", "why"), DOUBTED)
def test_whoever_is_in_doubt_is_nobody(given: MessageEvent, learned: list[Pair], why: Refusal) -> None:
    """A stranger, a forged pair and a number that changed hands are refused, each by its own reason."""
    assert roster().who(given, learned) is why


FRESHNESS = [
    pytest.param(event(), None, id="new"),
    pytest.param(event(at_s=NOW_S - 120), None, id="two minutes old"),
    pytest.param(event(at_s=NOW_S - 120.5), Refusal.TOO_OLD, id="older"),
    pytest.param(event(at_s=NOW_S + 30), None, id="a clock that is a little ahead"),
    pytest.param(event(at_s=NOW_S + 31), Refusal.FROM_FUTURE, id="from the future"),
    pytest.param(event(at_s=0.0), Refusal.NO_TIME, id="without a time"),
    pytest.param(event(history=True), Refusal.HISTORY, id="from a history sync"),
    pytest.param(event(edited=True), Refusal.EDITED, id="edited"),
    pytest.param(event(forwarded=True), Refusal.FORWARDED, id="forwarded"),
    pytest.param(event(text=" \n"), Refusal.EMPTY, id="a picture without words"),
    pytest.param(event(chat=GROUP, is_group=True), None, id="in a group on the list"),
    pytest.param(
        event(chat="120363000000000002@g.us", is_group=True), Refusal.OTHER_GROUP, id="in another group"
    ),
]


@pytest.mark.parametrize(("given", "why"), FRESHNESS)
def test_only_new_messages_are_commands(given: MessageEvent, why: Refusal | None) -> None:
    """Old, future, forwarded, edited and synchronised messages are refused with their reason."""
    assert roster().fresh("wa", given, NOW_S) is why


def test_a_channel_without_times_must_be_named() -> None:
    """Twilio tells none: its messages count once the operator says so, those of others do not."""
    named = roster(untimed="sms")
    assert named.fresh("sms", event(at_s=0.0), NOW_S) is None
    assert named.fresh("wa", event(at_s=0.0), NOW_S) is Refusal.NO_TIME


def test_pairs_are_learned_of_operators_only() -> None:
    """A stranger's pair is not kept, nor one that is known, nor half of one."""
    found = roster()
    assert found.learns(event(lid=LID), []) == Pair(OPERATOR, LID)
    assert found.learns(event(lid=LID), [Pair(OPERATOR, LID)]) is None
    assert found.learns(event(number=STRANGER, lid=LID), []) is None
    assert found.learns(event(), []) is None


def test_roles_include_the_lower_ones() -> None:
    """An admin may what an operator may, never the other way round."""
    assert Role.ADMIN.may(Role.VIEWER)
    assert Role.OPERATOR.may(Role.OPERATOR)
    assert not Role.OPERATOR.may(Role.ADMIN)
    assert not Role.VIEWER.may(Role.OPERATOR)


WRONG = [
    ({"operators": []}, "at least one"),
    ({"operators": [{"name": "a"}]}, "needs a number, or a LID"),
    ({"operators": [{"name": "a", "numbers": "12"}]}, "too short"),
    ({"operators": [{"name": "a", "lids": "a@lid"}]}, "not a LID"),
    ({"operators": [{"name": "a", "numbers": OPERATOR}] * 2}, "name of another"),
    (
        {"operators": [{"name": "a", "numbers": OPERATOR}, {"name": "b", "numbers": f"+{OPERATOR}"}]},
        "belongs to another",
    ),
    ({"operators": [{"name": "a", "numbers": OPERATOR}], "groups": OPERATOR}, "is not a group"),
    ({"operators": [{"name": "a", "numbers": OPERATOR, "role": "root"}]}, "viewer"),
]


@pytest.mark.parametrize(("given", "told"), WRONG)
def test_mistakes_are_told(given: dict[str, Any], told: str) -> None:
    """Nobody on the list, two people with one number, a group that is a person: each is said."""
    with pytest.raises(ValidationError, match=told):
        RepliesSection.model_validate(given)
