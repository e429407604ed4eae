"""A provider that answers by script and remembers what left."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from alertbridge.deliver.providers.base import (
    Handshake,
    InboundEvent,
    InboundRequest,
    Outcome,
    OutcomeClass,
    Outgoing,
    Receipt,
    Session,
    SessionState,
    Traits,
)
from runtime.clock import Clock

ACCEPTED = OutcomeClass.ACCEPTED


@dataclass(frozen=True, slots=True)
class Leaving:
    """A request that reached the provider, at Unix time `at_s`."""

    at_s: float
    message: Outgoing
    outcome: Outcome

    @property
    def text(self) -> str:
        return self.message.text


@dataclass
class ScriptedProvider:
    """`script` holds the next outcomes, `default` what comes after them. `arrived` is what a phone would show.

    `before_answer` is awaited after the message arrived and before the answer: where a kill hurts most.
    """

    clock: Clock
    traits: Traits = field(default_factory=lambda: Traits(text_limit=4096, tells_acks=True))
    kind: str = "scripted"
    default: OutcomeClass = ACCEPTED
    script: deque[Outcome] = field(default_factory=deque)
    sent: list[Leaving] = field(default_factory=list)
    arrived: list[Outgoing] = field(default_factory=list)
    statuses: dict[str, Receipt] = field(default_factory=dict)
    before_answer: Callable[[Outgoing], "asyncio.Future[None] | None"] | None = None
    on_accepted: Callable[[str, Outgoing], None] | None = None

    def will(self, *outcomes: OutcomeClass | Outcome) -> None:
        """The next outcomes."""
        self.script.extend(
            outcome if isinstance(outcome, Outcome) else Outcome(outcome, outcome.value)
            for outcome in outcomes
        )

    @property
    def texts(self) -> list[str]:
        """What arrived, in order."""
        return [message.text for message in self.arrived]

    async def send(self, message: Outgoing) -> Outcome:
        outcome = self.script.popleft() if self.script else Outcome(self.default, self.default.value)
        provider_id = f"P{len(self.sent)}-{message.id[:8]}"
        took = outcome.kind in (ACCEPTED, OutcomeClass.QUEUED_REMOTE)
        if took:
            outcome = Outcome(outcome.kind, "", provider_id=outcome.provider_id or provider_id)
        self.sent.append(Leaving(self.clock.time(), message, outcome))
        known = self.traits.takes_our_id and any(message.id == earlier.id for earlier in self.arrived)
        if (took or outcome.kind is OutcomeClass.UNKNOWN) and not known:
            self.arrived.append(message)
        if self.before_answer is not None and (waiting := self.before_answer(message)) is not None:
            await waiting
        if took and self.on_accepted is not None:
            self.on_accepted(outcome.provider_id, message)
        return outcome

    async def session(self) -> Session:
        return Session(SessionState.WORKING)

    async def status_of(self, provider_id: str) -> Receipt | None:
        return self.statuses.get(provider_id)

    async def reconnect(self) -> Outcome:
        return Outcome(OutcomeClass.PERMANENT)

    async def restart(self) -> Outcome:
        return Outcome(OutcomeClass.PERMANENT)

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        return ()

    async def close(self) -> None:
        """Nothing is open."""
