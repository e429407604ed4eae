"""The `sending:` section: how patient delivering is, when it folds, and when it takes another way."""

from pydantic import Field

from alertbridge.alerts import Severity
from runtime.sections import Section


class FoldingSection(Section):
    """When several notices become one message."""

    gather_s: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="Seconds that the first notice of a quiet recipient waits for others.",
    )
    digest_over: int = Field(
        default=3, ge=1, le=1000, description="More waiting groups than this are folded into a digest."
    )
    crowd_over: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="More waiting notices than this are a storm: one digest, and longer pauses at once.",
    )
    critical_pauses_s: tuple[float, ...] = Field(
        default=(4.0, 20.0, 38.0),
        min_length=1,
        description="Pauses after each digest of a storm while something critical waits, in seconds.",
    )
    pauses_s: tuple[float, ...] = Field(
        default=(8.0, 20.0, 60.0, 120.0, 300.0),
        min_length=1,
        description="Pauses after each digest of a storm otherwise, in seconds.",
    )
    stale_after_s: float = Field(
        default=600.0,
        ge=30,
        le=86400,
        description="When the oldest waits longer than this, what waits is told as one summary.",
    )
    stale_over: int = Field(
        default=3, ge=1, le=1000, description="Fewer or as many are told one by one, late."
    )
    late_after_s: float = Field(
        default=120.0, ge=1, le=86400, description="A message says that it is late after so many seconds."
    )


class SendingSection(Section):
    """How messages are sent, proven and, if need be, told another way."""

    lead_s: float = Field(
        default=10.0,
        ge=0,
        le=30,
        description="Seconds before the deadline at which the fallback starts: so long it may take itself. What waits "
        "for its turn on a channel that is well takes it 4 s before.",
    )
    critical_ack_s: float = Field(
        default=30.0, ge=1, le=3600, description="Longest wait for the server's ack of something critical."
    )
    ack_s: float = Field(
        default=60.0, ge=1, le=3600, description="Longest wait for the server's ack otherwise."
    )
    unproven_after_s: float = Field(
        default=600.0,
        ge=10,
        le=86400,
        description="Without any other way, a message without ack is a dead letter after so many seconds.",
    )
    cycle_s: float = Field(
        default=300.0,
        ge=10,
        le=86400,
        description="When every way is down, each is tried again after so many seconds.",
    )
    dead_after_s: float = Field(
        default=86400.0,
        ge=600,
        le=2_592_000,
        description="What could not be told for so long is a dead letter.",
    )
    retry_first_s: float = Field(default=2.0, gt=0, le=60, description="First pause before trying again.")
    retry_longest_s: float = Field(
        default=60.0, gt=0, le=3600, description="Longest pause before trying again; pauses double up to it."
    )
    lease_s: float = Field(
        default=20.0,
        ge=2,
        le=600,
        description="For PostgreSQL: how long a replica may send without a sign of life.",
    )
    poll_s: float = Field(
        default=2.0, gt=0, le=60, description="How often the store is asked for work of other replicas."
    )
    emergency_pause_s: float = Field(
        default=600.0,
        ge=60,
        le=86400,
        description="While nothing can be stored, a critical alert is told directly, once in so many seconds.",
    )
    folding: FoldingSection = Field(
        default=FoldingSection(), description="When several notices become one message."
    )

    def proof_s(self, severity: Severity) -> float:
        """Seconds from sending until the server's ack must be there."""
        return self.critical_ack_s if severity is Severity.CRITICAL else self.ack_s
