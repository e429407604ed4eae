"""What a provider is to the rest: it takes a message and returns one of nine outcomes, and never raises for them.

Everything that is particular to a provider (addresses, limits, what proves a delivery, how its webhooks are
signed) stays in its folder; what others need to know of it is in `Traits`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class OutcomeClass(Enum):
    """What became of an attempt, by what the sender must do next."""

    ACCEPTED = "accepted"  # the provider took it: await the ack (or, see Traits.acks_on_accept, it is one)
    QUEUED_REMOTE = "queued_remote"  # as ACCEPTED; never send it again
    RETRY = "retry"  # same channel, later
    UNKNOWN = "unknown"  # the request left and nobody knows: it may be out
    RECONNECT = "reconnect"  # the session is down: hold, mend, fall back when the hold is over
    SWITCH = "switch"  # same channel, but as a template
    PAUSE = "pause"  # whole channel off until `retry_after_s`; a human is told
    CONFIG = "config"  # whole channel off until somebody mends it: keys, billing, logged out, banned
    PERMANENT = "permanent"  # this message will never go to this recipient


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. `reason` is a short stable word for metrics ([a-z0-9_]); `detail` is for people
    and holds no secret. `provider_id` is the provider's id of the message. `logged_out` says that only pairing
    again helps; `may_be_out`, of a RETRY, that the message may have arrived all the same."""

    kind: OutcomeClass
    reason: str = ""
    detail: str = ""
    provider_id: str = ""
    retry_after_s: float | None = None
    logged_out: bool = False
    may_be_out: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes with a message."""

    png: bytes = field(repr=False)
    file_name: str = "chart.png"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as a provider gets it: no longer than `Traits.text_limit`, address as `numbers.parse_address`
    gives it (a provider takes every form that a person writes, and makes its own of it).

    `id` is our own (32 characters, upper-case hex): a repeat has the same. `as_template` asks for the approved
    template, with `template_fields` (severity, title, text) for its parameters. A text that is longer than
    `Traits.caption_limit` goes without its picture.
    """

    id: str
    address: str
    text: str
    image: Image | None = None
    quote_id: str = ""
    as_template: bool = False
    template_fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traits:
    """What the rest must know of a provider.

    `acks_on_accept`: its success answer already is the server's ack (GOWA, wuzapi). `tells_acks`: a webhook or
    `status_of` tells the ack later; a channel with neither (SMS by Apprise, a gateway whose webhooks are not
    configured) is believed. `tells_read`, `tells_delivered`: what else it tells. `takes_our_id`: a repeat with
    the same id arrives once. `own_address`: where a probe goes, empty when it cannot be known. `mends_tell`: how
    many mends tell a broken session from one that was logged out, where the session does not say it itself.
    """

    text_limit: int
    acks_on_accept: bool = False
    tells_acks: bool = False
    takes_our_id: bool = False
    has_templates: bool = False
    sends_images: bool = False
    caption_limit: int = 1024
    formats_whatsapp: bool = True  # *bold* and its kin mean something there; else plain text
    tells_delivered: bool = False
    tells_read: bool = False
    own_address: str = ""
    mends_tell: int | None = None


class SessionState(Enum):
    """What a provider says of its session when asked."""

    WORKING = "working"
    STARTING = "starting"
    DISCONNECTED = "disconnected"  # reconnecting may help
    NEEDS_PAIRING = "needs_pairing"  # a human must scan a code
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    TIMELOCKED = "timelocked"
    MISCONFIGURED = "misconfigured"  # keys or names are refused
    UNREACHABLE = "unreachable"  # the gateway itself does not answer
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Session:
    """A provider's session. `detail` is for people; `own_number` in digits where it tells; `pairing_url` is where
    an operator pairs again."""

    state: SessionState
    detail: str = ""
    own_number: str = ""
    pairing_url: str = ""
    until_s: float | None = None  # end of a ban or time lock, Unix seconds


# -- what comes in through a provider's webhook


class Receipt(Enum):
    """What became of a message of ours later; each implies those before it, except FAILED."""

    ACKED = "acked"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """A message's fate. `our_id` where the provider echoes it. `outcome` says what a failure means.

    The same event has the same `event_id` however often it comes, here and in the other events.
    """

    event_id: str
    provider_id: str
    receipt: Receipt
    our_id: str = ""
    at_s: float | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """What somebody wrote to us. `number` (digits) and `lid` come from the provider's typed fields only, empty
    when it gives none; `chat` is where an answer goes, fit for `Outgoing.address`. `at_s` is 0.0 when the provider
    told no time. `edited`, `forwarded` and `history` (old messages after a reconnect) mark what is no command."""

    event_id: str
    provider_id: str
    chat: str
    number: str
    lid: str
    text: str
    at_s: float
    is_group: bool = False
    from_me: bool = False
    quoted_id: str = ""
    button: str = ""
    forwarded: bool = False
    edited: bool = False
    history: bool = False


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """The provider tells that its session changed."""

    event_id: str
    session: Session


InboundEvent = StatusEvent | MessageEvent | SessionEvent


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """A webhook as it arrived: the raw body, since signatures are over it. `url` is the public one, as signed."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    url: str = ""


class WebhookRefused(Exception):
    """A webhook is not what it claims: wrong or missing signature, wrong token. The message holds no secret."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """What must be answered to a provider that checks the webhook's address, instead of events."""

    text: str


class Provider(Protocol):
    """One configured way out."""

    @property
    def kind(self) -> str:
        """The word in the configuration: waha, cloud, ..."""
        ...

    @property
    def traits(self) -> Traits: ...

    async def send(self, message: Outgoing) -> Outcome:
        """Tries once, within the channel's time-out. Raises nothing but CancelledError."""
        ...

    async def session(self) -> Session:
        """Asks for the state of the session, harmlessly. Raises nothing but CancelledError."""
        ...

    async def status_of(self, provider_id: str) -> Receipt | None:
        """What became of a message, where the provider can be asked; None when it cannot or does not know."""
        ...

    async def reconnect(self) -> Outcome:
        """Mends a dropped session, where that is a thing. PERMANENT when there is nothing to mend."""
        ...

    async def restart(self) -> Outcome:
        """Restarts the session (or the bot's process), where that is a thing."""
        ...

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """What a webhook says, once its signature holds. Raises WebhookRefused, or ValueError for a body that is
        not the provider's."""
        ...

    async def close(self) -> None: ...
