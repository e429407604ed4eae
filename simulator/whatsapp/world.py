"""What all providers share: the phone, the way of a message through its states, webhooks, what people write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from .faults import FaultBoard
from .phone import Direction, Message, Phone, State
from .webhooks import Courier


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take (s); `read_s` None: read only when somebody opens the chat."""

    ack_s: float = 0.1
    delivered_s: float = 0.2
    read_s: float | None = None
    connect_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a person writes. `at_s` in the past is what history sync does; `lid` hides the number."""

    chat: str
    sender: str
    text: str
    id: str
    at_s: float
    name: str = ""
    quoted_id: str | None = None
    quoted_text: str = ""
    lid: str | None = None
    forwarded: bool = False
    edited: bool = False
    history: bool = False

    @property
    def group(self) -> bool:
        """Whether it was written in a group."""
        return self.chat != self.sender


class Gateway(Protocol):
    """A provider, as the world sees it."""

    @property
    def name(self) -> str:
        """As in its prefix."""

    @property
    def faults(self) -> FaultBoard:
        """What is wrong with it."""

    @property
    def hears(self) -> bool:
        """Whether people can write to it."""

    def tell_state(self, message: Message, state: State) -> None:
        """A message of it has come further."""

    def tell_inbound(self, inbound: Inbound, done: Callable[[bool], None]) -> bool:
        """Somebody wrote to it; False when it can tell nobody."""


class World:
    """The phone and everything that happens to it by itself."""

    def __init__(
        self,
        timing: Timing | None = None,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.timing = timing or Timing()
        self.phone = Phone(wall, monotonic)
        self.courier = Courier(wall)
        self.gateways: dict[str, Gateway] = {}
        self.closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids = 0

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Let something happen by itself."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End whatever happens by itself."""
        self.closing.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.courier.close()

    def new_id(self) -> str:
        """A message id as phones make them: 3EB0 and hexadecimal digits."""
        self._ids += 1
        seed = (int(self.phone.wall() * 1000) << 20) | self._ids
        return f"3EB0{seed & (1 << 72) - 1:018X}"

    # -- messages to people

    def start(self, gateway: Gateway, message: Message, *, error: str | None = None) -> None:
        """A message goes its way; with `error` it fails after it was taken."""
        self.spawn(self._live(gateway, message, error))

    async def _live(self, gateway: Gateway, message: Message, error: str | None) -> None:
        faults, timing = gateway.faults, self.timing
        if message.state is State.PENDING:
            if faults.use("no_ack", message.chat) is not None:
                return
            late = faults.use("late_ack", message.chat)
            await asyncio.sleep(timing.ack_s + (late["seconds"] if late is not None else 0.0))
        if error is None and (lost := faults.use("lost", message.chat)) is not None:
            error = f"{int(lost['code'])}"
        if error is not None:
            self.move(message, State.FAILED, error)
            return
        self.move(message, State.SERVER_ACK)
        await self.phone.until(lambda: self._reachable(gateway, message.chat))
        await asyncio.sleep(timing.delivered_s)
        self.move(message, State.DELIVERED)
        if timing.read_s is not None:
            await asyncio.sleep(timing.read_s)
            self.move(message, State.READ)

    def _reachable(self, gateway: Gateway, chat: str) -> bool:
        return chat not in self.phone.offline and gateway.faults.look("phone_off", chat) is None

    def move(self, message: Message, state: State, error: str | None = None) -> None:
        """Bring a message further, and let its provider tell."""
        if self.phone.move(message, state, error) and message.via in self.gateways:
            self.gateways[message.via].tell_state(message, state)

    def read(self, chat: str) -> int:
        """Somebody opens the chat: what was delivered is read; returns how many."""
        unread = [
            message
            for message in self.phone.messages.values()
            if message.chat == chat
            and message.direction is Direction.OUT
            and message.state is State.DELIVERED
        ]
        for message in unread:
            self.move(message, State.READ)
        return len(unread)

    # -- messages from people

    def write(self, via: str, inbound: Inbound) -> Message:
        """Somebody writes: a bubble, and a webhook by the provider `via`; failed when nobody takes it."""
        message = self.phone.add(
            Message(
                inbound.id,
                inbound.chat,
                inbound.text,
                via,
                Direction.IN,
                inbound.at_s,
                self.phone.monotonic(),
                sender=inbound.sender,
                sender_name=inbound.name,
                quoted_id=inbound.quoted_id,
            )
        )

        def done(taken: bool) -> None:
            if taken:
                self.phone.move(message, State.DELIVERED)
            else:
                self.phone.move(message, State.FAILED, "nobody took the webhook")

        if self.gateways[via].tell_inbound(inbound, done):
            self.phone.move(message, State.SERVER_ACK)
        else:
            self.phone.move(message, State.FAILED, f"{via} has no webhook to tell")
        return message
