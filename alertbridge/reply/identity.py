"""Who wrote, and whether the message may be a command. No input, no output.

A person is the number and the LID that the provider names in its typed fields, never a name that the sender chose.
Where number and LID say different things, nobody is believed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.numbers import parse_number
from alertbridge.reply.config import RepliesSection, group_jid, lid_digits
from alertbridge.reply.model import Person, Role


class Refusal(Enum):
    """Why a message is no command. The first four get no answer at all, whoever wrote."""

    FROM_ME = "from_me"
    NO_SENDER = "no_sender"  # the provider names nobody
    UNKNOWN_SENDER = "unknown_sender"
    IDENTITY_CONFLICT = "identity_conflict"  # number and LID belong to different people
    OTHER_GROUP = "other_group"
    HISTORY = "history"
    DUPLICATE = "duplicate"
    NO_TIME = "no_time"
    TOO_OLD = "too_old"
    FROM_FUTURE = "from_future"
    EMPTY = "empty"
    FORWARDED = "forwarded"
    EDITED = "edited"


TOLD = frozenset({Refusal.FORWARDED, Refusal.EDITED})
"""Refusals that a known person hears of, since writing it again helps."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A number and a LID of which the provider said that they are one person."""

    number: str
    lid: str


@dataclass(frozen=True, slots=True)
class _Entry:
    person: Person
    lids: frozenset[str]


class Roster:
    """Who may write."""

    def __init__(self, section: RepliesSection, default_language: str) -> None:
        self._by_number: dict[str, _Entry] = {}
        self._by_lid: dict[str, _Entry] = {}
        self._groups = frozenset(map(group_jid, section.groups))
        self._max_age_s = section.max_age_s
        self._skew_s = section.skew_s
        self._untimed = frozenset(section.untimed)
        for one in section.operators:
            person = Person(one.name, Role(one.role), one.language or default_language)
            entry = _Entry(person, frozenset(map(lid_digits, one.lids)))
            self._by_lid |= dict.fromkeys(entry.lids, entry)
            self._by_number |= {parse_number(text, region=section.region): entry for text in one.numbers}

    def __repr__(self) -> str:
        return f"<Roster numbers={len(self._by_number)} lids={len(self._by_lid)}>"

    def who(self, event: MessageEvent, learned: Sequence[Pair]) -> Person | Refusal:
        """The person that wrote `event`. `learned` are the known pairs with its number or its LID."""
        if event.from_me:
            return Refusal.FROM_ME
        if not event.number and not event.lid:
            return Refusal.NO_SENDER
        found = self._of_number(event, learned) if event.number else self._of_lid(event.lid, learned)
        if isinstance(found, Refusal):
            return found
        if not event.is_group and not _is_own_chat(event):
            return Refusal.IDENTITY_CONFLICT
        return found.person

    def fresh(self, channel: str, event: MessageEvent, now_s: float) -> Refusal | None:
        """Why a message of somebody known is no command; None when it is one."""
        if event.is_group and event.chat not in self._groups:
            return Refusal.OTHER_GROUP
        if event.history:
            return Refusal.HISTORY
        if event.at_s <= 0:
            if channel not in self._untimed:
                return Refusal.NO_TIME
        elif now_s - event.at_s > self._max_age_s:
            return Refusal.TOO_OLD
        elif event.at_s - now_s > self._skew_s:
            return Refusal.FROM_FUTURE
        if not event.text.strip():
            return Refusal.EMPTY
        if event.edited:
            return Refusal.EDITED
        return Refusal.FORWARDED if event.forwarded else None

    def learns(self, event: MessageEvent, learned: Iterable[Pair]) -> Pair | None:
        """The pair that `event`, of somebody known, tells anew."""
        if not event.number or not event.lid or event.number not in self._by_number:
            return None
        pair = Pair(event.number, event.lid)
        return None if pair in learned else pair

    def _of_number(self, event: MessageEvent, learned: Sequence[Pair]) -> _Entry | Refusal:
        entry = self._by_number.get(event.number)
        if not event.lid:
            return entry or Refusal.UNKNOWN_SENDER
        claimed = self._claimed(event.lid, learned)
        if entry is None:
            return Refusal.IDENTITY_CONFLICT if claimed else Refusal.UNKNOWN_SENDER
        if any(other is not entry for other in claimed):
            return Refusal.IDENTITY_CONFLICT
        own = entry.lids or {pair.lid for pair in learned if pair.number == event.number}
        return entry if not own or event.lid in own else Refusal.IDENTITY_CONFLICT

    def _of_lid(self, lid: str, learned: Sequence[Pair]) -> _Entry | Refusal:
        claimed = self._claimed(lid, learned)
        if not claimed:
            return Refusal.UNKNOWN_SENDER
        if len(claimed) > 1 or (claimed[0].lids and lid not in claimed[0].lids):
            return Refusal.IDENTITY_CONFLICT
        return claimed[0]

    def _claimed(self, lid: str, learned: Sequence[Pair]) -> list[_Entry]:
        """Those on the list to whom the LID belongs, each once; what is configured is believed alone."""
        if lid in self._by_lid:
            return [self._by_lid[lid]]
        found: list[_Entry] = []
        for pair in learned:
            entry = self._by_number.get(pair.number)
            if pair.lid == lid and entry is not None and entry not in found:
                found.append(entry)
        return found


def _is_own_chat(event: MessageEvent) -> bool:
    """Whether a chat of two is that with the sender: the answer must not go to somebody else."""
    user, _, server = event.chat.partition("@")
    return user in (event.lid, event.number) if not server else (server == "lid" and user == event.lid)
