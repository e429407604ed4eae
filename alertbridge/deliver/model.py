"""What is delivered: notices (what somebody must be told) and messages (what is sent to tell it). Plain data.

A notice is made when an alert is accepted and never changes but for its state. When a lane has room, pending
notices become one message; the message's fate then settles the notices in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from alertbridge.alerts import AlertStatus, Severity


class Kind(Enum):
    """What a notice says."""

    FIRING = "firing"
    RESOLVED = "resolved"
    REPEAT = "repeat"  # still firing, after Alertmanager's repeat_interval
    FLAPPING = "flapping"
    CALM = "calm"  # flapping is over
    ESCALATION = "escalation"
    SYSTEM = "system"  # the bridge speaks of itself: a channel that stopped, a store that was replaced
    REPORT = "report"
    REPLY = "reply"  # an answer to an operator
    PROBE = "probe"  # to the own number: is the session alive?


class NoticeState(Enum):
    """Where a notice is. PENDING and COMPOSED are under way, the others are its end."""

    PENDING = "pending"
    COMPOSED = "composed"  # in a message that is not settled
    DELIVERED = "delivered"  # told by a message of its own (or of its group)
    MERGED = "merged"  # told within a digest, a summary or a flapping message
    EXPIRED = "expired"  # nothing to tell any more; `reason` says why
    DEAD = "dead"  # every way failed; it is in the dead letters
    SUPPRESSED = "suppressed"  # nobody wants it, by the rules; `reason` says which


class MessageKind(Enum):
    """How a message was put together."""

    SINGLE = "single"
    GROUP = "group"  # alerts that Alertmanager sent together
    DIGEST = "digest"  # over the limit: folded together
    SUMMARY = "summary"  # after a long outage: "while you were away"
    PLAIN = "plain"  # a finished text: reply, report, system, probe


class MessageState(Enum):
    """Where a message is. READY, SENDING, RETRY, SENT and UNKNOWN are under way."""

    READY = "ready"
    SENDING = "sending"  # written before the request leaves; found after a crash, the outcome is unknown
    RETRY = "retry"  # again at next_attempt_at
    UNKNOWN = "unknown"  # the request left and no answer came
    SENT = "sent"  # the provider took it; the server's ack is awaited
    ACKED = "acked"  # proof of delivery
    FAILED = "failed"  # this channel will not deliver it; the fallback is asked
    DEAD = "dead"  # nobody will; it waits for an operator
    DROPPED = "dropped"  # an operator, or a later message that says the same, ended it


@dataclass(frozen=True, slots=True)
class Subject:
    """The episode that a notice is about, as of now."""

    episode_id: int
    fingerprint: str
    status: AlertStatus
    name: str
    severity: Severity
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at_s: float
    ends_at_s: float | None = None
    group_key: str = ""
    generator_url: str = ""
    external_url: str = ""
    acknowledged_by: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What a notice says that is not about an alert: a finished text, perhaps with a picture."""

    text: str
    image_png: bytes | None = field(default=None, repr=False)
    quote_id: str = ""  # provider's id of the message that is answered


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that one recipient must be told. Times are Unix seconds."""

    id: int
    kind: Kind
    recipient: str
    severity: Severity
    created_at_s: float
    deadline_at_s: float
    subject: Subject | None = None
    body: Body | None = None
    language: str = ""
    template: str = ""
    group_key: str = ""
    not_before_s: float | None = None
