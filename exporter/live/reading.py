"""One reading of a router for all who watch it: as few commands as possible, side by side, within a deadline."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from exporter.collectors.interface import SESSION_TYPES
from exporter.collectors.reader import Source
from exporter.live.subjects import PLACES, Kind, Subject
from routeros import CommandUnsupported, Priority, Record, RouterError, failure_class

ACTIVE = "/ppp/active"
GUESTS = "/ip/hotspot/active"
INTERFACES = "/interface"
NAMES_LIMIT = 64
"""With more names than this, the whole table is read: a longer query costs the router more than it saves."""

_USER_FIELDS: Mapping[str, tuple[str, ...]] = {
    ACTIVE: ("name", "service", "caller-id", "address", "uptime"),
    GUESTS: ("user", "address", "uptime", "server"),
    INTERFACES: PLACES[Kind.PPP].fields,
}


@dataclass(frozen=True, slots=True)
class Question:
    """A print of one menu: fields and query words; no words ask for every row."""

    path: str
    fields: tuple[str, ...]
    queries: tuple[str, ...] = ()
    is_large: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something could not be read: a stable word, and a sentence without the router's name."""

    failure_class: str
    message: str

    @classmethod
    def of(cls, error: RouterError) -> "Trouble":
        return cls(failure_class(error), error.message)


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of one menu and when (monotonic seconds) they had come."""

    at_s: float
    records: list[Record] = field(repr=False)


Outcome = Answered | Trouble


def questions(subjects: Collection[Subject], *, users: bool) -> list[Question]:
    """One question for each menu that is needed for `subjects`, and for the table of users if that is wanted."""
    names: dict[str, dict[str, None]] = {}
    fields: dict[str, dict[str, None]] = {}
    for subject in subjects:
        place = subject.place
        names.setdefault(place.path, {})[subject.name] = None
        fields.setdefault(place.path, {}).update(dict.fromkeys((".id", *place.fields)))
    for path, wanted in _USER_FIELDS.items() if users else ():
        fields.setdefault(path, {}).update(dict.fromkeys((".id", *wanted)))
    keys = {place.path: place.key for place in PLACES.values()}
    found = []
    for path, wanted_fields in fields.items():
        terms = _terms(keys.get(path, ""), names.get(path, ()))
        if users and path == INTERFACES:
            terms = None if terms is None else [*(f"?type={kind}" for kind in SESSION_TYPES), *terms]
        elif users and path in _USER_FIELDS:
            terms = None
        found.append(Question(path, tuple(wanted_fields), _any_of(terms or ()), is_large=not terms or users))
    return found


def _terms(key: str, names: Collection[str]) -> list[str] | None:
    """A query word for each name; None when it is better to ask for all rows.

    A name beyond ASCII may be written in any character set on the router, so that it is found only by reading.
    """
    if len(names) > NAMES_LIMIT or not all(name.isascii() for name in names):
        return None
    return [f"?{key}={name}" for name in names]


def _any_of(terms: Iterable[str]) -> tuple[str, ...]:
    words: list[str] = []
    for number, term in enumerate(terms):
        words += [term] if number == 0 else [term, "?#|"]
    return tuple(words)


async def read(
    source: Source, asked: Iterable[Question], *, deadline_s: float, clock: Callable[[], float]
) -> dict[str, Outcome]:
    """What came of each question, by menu. Nothing is asked twice: the next reading is never far."""
    asked = list(asked)
    outcomes = await asyncio.gather(*[_ask(source, one, deadline_s, clock) for one in asked])
    return {question.path: outcome for question, outcome in zip(asked, outcomes, strict=True)}


async def _ask(source: Source, question: Question, deadline_s: float, clock: Callable[[], float]) -> Outcome:
    try:
        async with asyncio.timeout(deadline_s):
            reply = await source.call(
                f"{question.path}/print",
                proplist=question.fields,
                queries=question.queries,
                priority=Priority.HIGH,
                large=question.is_large,
            )
    except CommandUnsupported:
        return Answered(clock(), [])  # a router without the package has nobody there
    except RouterError as error:
        return Trouble.of(error)
    except TimeoutError:
        return Trouble("deadline", f"no answer within {deadline_s:g} s")
    return Answered(clock(), reply.records)
