"""What the JSON API of the bridge says. Times are RFC 3339 in UTC; what is not known is null."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alertbridge.alerts import Severity
from alertbridge.deliver.channel.standing import ChannelState
from alertbridge.deliver.providers.base import OutcomeClass, Receipt, SessionState
from alertbridge.serve.fate import Fate
from runtime.serving.bodies import Body

REASON_CHARS = 200


def moment(at_s: float) -> datetime:
    """A stored time."""
    return datetime.fromtimestamp(at_s, UTC)


def moment_or_none(at_s: float | None) -> datetime | None:
    """A stored time that may not have come."""
    return None if at_s is None else moment(at_s)


class ToldRecipient(Body):
    """How far telling one recipient is."""

    recipient: str
    """Its name; empty when nobody wanted to be told."""
    fate: Fate
    reason: str
    """Why, where that is not plain: a rule, a fault."""
    message_id: str
    by_fallback: bool
    at: datetime | None
    """When it got so far."""
    held_until: datetime | None
    """The end of the quiet hours that hold it."""


class FiringEpisode(Body):
    """An alert that fires."""

    episode: int
    """Its number, as in messages."""
    fingerprint: str
    name: str
    severity: Severity
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    flapping: bool
    acknowledged_by: str
    acknowledged_at: datetime | None
    told: list[ToldRecipient]


class FiringEpisodes(Body):
    """What fires, worst first and then oldest."""

    counts: dict[str, int]
    """Everything that fires, by severity."""
    matching: int
    """How many match what was asked for."""
    episodes: list[FiringEpisode]


class SentMessage(Body):
    """A message and its fate. A text in parts comes once, as its first part with the fate of the last."""

    id: str
    recipient: str
    channel: str
    kind: str
    """`single`, `group`, `digest`, `summary` or `plain`."""
    severity: Severity
    text: str
    fate: Fate
    reason: str
    by_fallback: bool
    repeated: bool
    """It was sent again since nobody knew what came of the first time."""
    parts: int
    notices: int
    """How many things it tells."""
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    acked_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None


class SentMessages(Body):
    """Messages, newest first."""

    messages: list[SentMessage]
    older: str
    """Give it as `before` to go on; empty at the end. A page may be shorter than `limit` before the end."""


class LimitLeft(Body):
    """What a rate limit lets through at once."""

    bucket: str
    about: str
    """Name of the channel or recipient."""
    left: int | None
    """Ordinary messages; null where only the spacing counts."""
    most: int | None
    critical_left: int | None
    """Critical messages, with the room that is kept for them."""
    per_s: float
    """Length of the window in seconds."""


class ChannelSession(Body):
    """What the provider last said of its session."""

    state: SessionState
    detail: str
    own_number: str
    pairing_url: str
    """Page where an operator pairs the number again."""
    until: datetime | None
    """End of a ban or time lock."""


class Channel(Body):
    """A channel as it stands."""

    name: str
    kind: str
    state: ChannelState
    reason: str
    since: datetime
    until: datetime | None
    """End of a pause."""
    failures: int
    """Failed attempts in a row."""
    last_sent_at: datetime | None
    last_ack_at: datetime | None
    session: ChannelSession | None
    limit: LimitLeft | None


class Channels(Body):
    """Every channel, and what each recipient may still get."""

    channels: list[Channel]
    recipients: list[LimitLeft]


class EpisodeNotice(Body):
    """One thing that one recipient was, or is, to be told."""

    id: int
    kind: str
    recipient: str
    state: str
    reason: str
    created_at: datetime
    settled_at: datetime | None
    message_id: str | None


class SendAttempt(Body):
    """One try to send a message."""

    message_id: str
    channel: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    reason: str
    provider_id: str


class EpisodeMessage(Body):
    """A part of a message that told an episode, or tried to."""

    id: str
    bundle: str
    part: int
    parts: int
    recipient: str
    channel: str
    state: str
    reason: str
    by_fallback: bool
    text: str
    created_at: datetime
    sent_at: datetime | None
    acked_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None


class Whereabouts(Body):
    """Where an episode is."""

    episode: int
    fingerprint: str
    starts_at: datetime
    state: str
    """`under_way`, `delivered`, `merged`, `expired`, `dead` or `suppressed`; of several notices, what is open or
    went wrong."""
    reason: str
    notices: list[EpisodeNotice]
    messages: list[EpisodeMessage]
    attempts: list[SendAttempt]


class Found(Body):
    """Every episode that a key names, newest first."""

    episodes: list[Whereabouts]


class DayAccount(Body):
    """received = delivered + merged + expired + dead + suppressed + under_way, of the notices made on a day."""

    day: str
    received: int
    delivered: int
    merged: int
    expired: int
    dead: int
    suppressed: int
    under_way: int
    reasons: dict[str, dict[str, int]]
    """Each state by reason."""
    rejected: int
    """Alerts that could not be read, and never became a notice."""
    closes: bool


class DeadLetter(Body):
    """What nobody could be told."""

    id: str
    recipient: str
    channel: str
    severity: Severity
    text: str
    reason: str
    created_at: datetime
    notices: int
    attempts: int


class DeadLetters(Body):
    """The newest dead letters."""

    dead_letters: list[DeadLetter]
    more: bool
    """There are older ones."""


class Given(BaseModel):
    """Base of what requests bring: described by the strings under its attributes, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Why(Given):
    """Why an operator acts; kept with what was done."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_CHARS)]
    """In a few words."""


class TestWanted(Given):
    """Who is to get a test message."""

    recipient: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """Name of a recipient."""
    channel: Annotated[str, StringConstraints(max_length=100)] = ""
    """Which of the recipient's ways; the first one when left out."""
    await_s: Annotated[float, Field(ge=0, le=30)] = 0.0
    """Seconds to wait for a proof that it arrived, where the provider can be asked for one."""


class Done(Body):
    """Something was done."""

    done: str
    by: str
    """Who is said to have done it."""


class TestSent(Body):
    """How the test message went."""

    recipient: str
    channel: str
    taken: bool
    """Whether the provider took it."""
    outcome: OutcomeClass
    reason: str
    detail: str
    proof: Receipt | None
    """What proves that it arrived; null without a proof so far."""
    took_s: float
