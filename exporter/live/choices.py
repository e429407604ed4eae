"""What there is to watch on a router: names of interfaces, queues and subscribers, read when somebody chooses."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from exporter.collectors.interface import SESSION_TYPES
from exporter.collectors.ppp import join_interfaces
from exporter.collectors.reader import Source
from exporter.live.reading import ACTIVE, GUESTS, INTERFACES, Answered, Question, Trouble, read
from exporter.live.subjects import NAME_LIMIT_CHARS, PLACES, Kind
from routeros import Record

FRESH_S = 15.0
FRESH_AFTER_FAILURE_S = 2.0
REST_RATIO = 10.0
"""A list that took long to read is kept ten times as long."""
DEADLINE_S = 15.0
QUEUES, TREES = PLACES[Kind.QUEUE].path, PLACES[Kind.TREE].path
QUESTIONS = (
    Question(INTERFACES, ("name", "type", "running", "disabled", "comment"), is_large=True),
    Question(ACTIVE, ("name", "service", "caller-id", "address"), is_large=True),
    Question(GUESTS, ("user", "mac-address", "address", "server"), is_large=True),
    Question(QUEUES, ("name", "target"), is_large=True),
    Question(TREES, ("name", "parent")),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be watched: its subject's key, what people call it, and a word more about it."""

    kind: Kind
    key: str
    label: str
    about: str = ""
    is_up: bool = True

    @property
    def text(self) -> str:
        """What a search looks at."""
        return f"{self.label}\n{self.about}".casefold()


class NothingRead(Exception):
    """No list of the router could be read."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


class Catalogue:
    """The choices of one router; one reading at a time, however many ask."""

    def __init__(self, source: Source, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._found: Sequence[Choice] | Trouble = ()
        self._fresh_until_s = 0.0
        self._task: asyncio.Task[None] | None = None
        self._asked_s = clock()

    def __repr__(self) -> str:
        return f"<Catalogue {self._found if isinstance(self._found, Trouble) else len(self._found)}>"

    @property
    def is_old(self) -> bool:
        """Nobody has asked for minutes."""
        return self._task is None and self._clock() - self._asked_s > 300.0

    async def choices(self) -> Sequence[Choice]:
        """Everything that can be watched. Raises NothingRead."""
        self._asked_s = self._clock()
        if self._task is None and self._asked_s >= self._fresh_until_s:
            self._task = asyncio.create_task(self._refresh())
        if self._task is not None:
            await asyncio.wait([self._task])
        if isinstance(self._found, Trouble):
            raise NothingRead(self._found)
        return self._found

    async def _refresh(self) -> None:
        began_s = self._clock()
        try:
            outcomes = await read(self._source, QUESTIONS, deadline_s=DEADLINE_S, clock=self._clock)
        finally:
            self._task = None
        tables = {path: one.records for path, one in outcomes.items() if isinstance(one, Answered)}
        now_s = self._clock()
        if tables:
            self._found = list(_choices(tables))
            self._fresh_until_s = now_s + max(FRESH_S, REST_RATIO * (now_s - began_s))
        else:
            self._found = next(one for one in outcomes.values() if isinstance(one, Trouble))
            self._fresh_until_s = now_s + FRESH_AFTER_FAILURE_S

    async def close(self) -> None:
        """End the reading that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


def matching(choices: Iterable[Choice], words: str, kind: Kind | None) -> Iterator[Choice]:
    """Those of `kind` that have every one of the words."""
    wanted = words.casefold().split()
    for choice in choices:
        if kind in (None, choice.kind) and all(word in choice.text for word in wanted):
            yield choice


def _choices(tables: dict[str, list[Record]]) -> Iterator[Choice]:
    interfaces = tables.get(INTERFACES, [])
    for row in interfaces:
        if row.get("type") not in SESSION_TYPES:
            yield from _choice(
                Kind.INTERFACE,
                row.get("name", ""),
                row.get("name", ""),
                " ".join(filter(None, (row.get("type"), row.get("comment")))),
                is_up=row.get("running") == "true" and row.get("disabled") != "true",
            )
    active = [dict(row) for row in tables.get(ACTIVE, [])]
    join_interfaces(active, list(interfaces), [])
    for row in active:
        about = " ".join(filter(None, (row.get("service"), row.get("address"))))
        yield from _choice(Kind.PPP, row["@interface"], row.get("name", ""), about)
    for row in tables.get(GUESTS, []):
        about = " ".join(filter(None, (row.get("address"), row.get("server"))))
        yield from _choice(Kind.HOTSPOT, row.get("mac-address", ""), row.get("user", ""), about)
    for row in tables.get(QUEUES, []):
        yield from _choice(Kind.QUEUE, row.get("name", ""), row.get("name", ""), row.get("target", ""))
    for row in tables.get(TREES, []):
        yield from _choice(Kind.TREE, row.get("name", ""), row.get("name", ""), row.get("parent", ""))


def _choice(kind: Kind, name: str, label: str, about: str, *, is_up: bool = True) -> Iterator[Choice]:
    """Nothing for a row without a name, or with one that a subject cannot have."""
    if name and len(name) <= NAME_LIMIT_CHARS and name.isprintable():
        yield Choice(kind, f"{kind}:{name}", label, about, is_up)
