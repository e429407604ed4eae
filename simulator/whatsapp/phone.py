"""The phones behind all providers: chats, messages with their states, and who is online."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

MESSAGE_LIMIT = 50_000
ARRIVAL_LIMIT = 200_000
QUEUE_LIMIT = 5_000


class State(Enum):
    """How far a message is; the value is the word in JSON."""

    PENDING = "pending"
    SERVER_ACK = "server_ack"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class Direction(Enum):
    """Who wrote it, as seen by whoever sends alerts."""

    OUT = "out"
    IN = "in"


_RANK = {state: rank for rank, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a message."""

    data: bytes
    mimetype: str


@dataclass(slots=True)
class Message:
    """One bubble. `client_id` is the id that the sender chose, where its provider takes one."""

    id: str
    chat: str
    text: str
    via: str
    direction: Direction
    at_s: float
    monotonic_s: float
    sender: str = ""
    sender_name: str = ""
    client_id: str | None = None
    quoted_id: str | None = None
    template: str | None = None
    image: Image | None = None
    error: str | None = None
    states: dict[State, float] = field(default_factory=dict)
    seq: int = 0

    @property
    def state(self) -> State:
        """The furthest state that it has reached."""
        return max(self.states, key=_RANK.__getitem__)

    def as_json(self) -> dict[str, object]:
        """What ``GET /phone/messages`` lists: times in Unix seconds, `monotonic_s` for measuring distances."""
        return {
            "seq": self.seq,
            "id": self.id,
            "client_id": self.client_id,
            "to": self.chat,
            "from": self.sender,
            "name": self.sender_name,
            "direction": self.direction.value,
            "via": self.via,
            "text": self.text,
            "template": self.template,
            "quoted_id": self.quoted_id,
            "image": f"/phone/images/{self.seq}" if self.image is not None else None,
            "at": self.at_s,
            "monotonic_s": self.monotonic_s,
            "state": self.state.value,
            "states": {state.value: at_s for state, at_s in self.states.items()},
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request to send, taken or refused, as it came in; for counting breaches of limits."""

    via: str
    chat: str
    monotonic_s: float
    taken: bool


class Phone:
    """Every chat of every person; `wall` gives Unix seconds, `monotonic` seconds of a clock that never steps."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self.wall = wall
        self.monotonic = monotonic
        self.messages: dict[int, Message] = {}
        self.arrivals: deque[Arrival] = deque(maxlen=ARRIVAL_LIMIT)
        self.offline: set[str] = set()
        self.absent: set[str] = set()
        self.names: dict[str, str] = {}
        self._by_id: dict[tuple[str, str], Message] = {}
        self._readers: set[asyncio.Queue[dict[str, object]]] = set()
        self._changed = asyncio.Event()
        self._next_seq = 1

    def __repr__(self) -> str:
        return f"<Phone messages={len(self.messages)} offline={sorted(self.offline)}>"

    def arrived(self, via: str, chat: str, *, taken: bool) -> None:
        """Note that somebody asked for a message to be sent."""
        self.arrivals.append(Arrival(via, chat, self.monotonic(), taken))

    def add(self, message: Message) -> Message:
        """Show a message; with an id that its chat shows already, the one of before."""
        key = (message.chat, message.id)
        if key in self._by_id:
            return self._by_id[key]
        message.seq, self._next_seq = self._next_seq, self._next_seq + 1
        message.states.setdefault(State.PENDING, message.at_s)
        self.messages[message.seq] = self._by_id[key] = message
        while len(self.messages) > MESSAGE_LIMIT:
            self._forget(next(iter(self.messages)))
        self._tell({"message": message.as_json()})
        return message

    def find(self, chat: str, message_id: str) -> Message | None:
        """A message by its chat and id."""
        return self._by_id.get((chat, message_id))

    def move(self, message: Message, state: State, error: str | None = None) -> bool:
        """Bring a message further; False when it already is there or beyond."""
        if _RANK[state] <= _RANK[message.state]:
            return False
        message.states[state] = self.wall()
        message.error = error
        self._tell({"message": message.as_json()})
        return True

    def clear(self) -> None:
        """Forget every message and arrival."""
        self.messages.clear()
        self._by_id.clear()
        self.arrivals.clear()
        self._tell({"cleared": True})

    def _forget(self, seq: int) -> None:
        gone = self.messages.pop(seq)
        self._by_id.pop((gone.chat, gone.id), None)

    # -- people

    def set_person(self, number: str, *, online: bool | None, on_whatsapp: bool | None) -> None:
        """Switch a phone on or off; give a number to WhatsApp or take it away."""
        for wanted, those_without in ((online, self.offline), (on_whatsapp, self.absent)):
            if wanted is not None:
                (those_without.discard if wanted else those_without.add)(number)
        self.tell_change()

    def tell_change(self) -> None:
        """Whoever waits for a phone or a fault looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when `condition` holds; it is asked after every change."""
        while not condition():
            await self._changed.wait()

    # -- who watches

    def tell_panel(self, panel: list[dict[str, object]]) -> None:
        """The buttons beside the phone have changed."""
        self._tell({"panel": panel})

    def tell_end(self) -> None:
        """The phone is about to be put away."""
        self._tell({"end": True})

    @contextmanager
    def watched(self) -> Iterator[asyncio.Queue[dict[str, object]]]:
        """What happens from now on; a reader that is too slow is told that it is behind."""
        queue: asyncio.Queue[dict[str, object]] = asyncio.Queue(QUEUE_LIMIT)
        self._readers.add(queue)
        try:
            yield queue
        finally:
            self._readers.discard(queue)

    def _tell(self, event: dict[str, object]) -> None:
        for queue in self._readers:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait({"behind": True})
            queue.put_nowait(event)
