"""The tables. Times are Unix seconds; states and kinds are the values of the enums named beside them.

Alembic's migrations (`migrations/`) make these tables; a test holds the two against each other.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""None is SQL's NULL. PostgreSQL does not keep the order of keys, and refuses U+0000 here as in every text."""

Id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts up by itself only what is declared INTEGER."""

IS_OPEN = text("status = 'open'")
"""What `uq_episodes_open_fingerprint` covers; an upsert names it as `index_where`."""

episodes = Table(
    "episodes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),  # what operators write: "ack 481"
    Column("fingerprint", String(64), nullable=False),
    Column("status", String(10), nullable=False),  # accept.episodes.EpisodeStatus: open, closed
    Column("name", Text, nullable=False),
    Column("severity", String(10), nullable=False),  # alerts.Severity
    Column("labels", Json, nullable=False),
    Column("annotations", Json, nullable=False),
    Column("generator_url", Text, nullable=False, server_default=""),
    Column("external_url", Text, nullable=False, server_default=""),
    Column("receiver", Text, nullable=False, server_default=""),
    Column("group_key", Text, nullable=False, server_default=""),
    Column("starts_at", Float(53), nullable=False),  # as Alertmanager told it first
    Column("ends_at", Float(53)),
    Column("opened_at", Float(53), nullable=False),  # when the bridge accepted it
    Column("closed_at", Float(53)),
    Column("last_seen_at", Float(53), nullable=False),
    Column("last_noticed_at", Float(53)),  # when a notice was last made of it; a repeat counts from here
    Column("repeats", Integer, nullable=False, server_default="0"),
    Column("flapping", Boolean, nullable=False, server_default=text("false")),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Float(53)),
    Index(
        "uq_episodes_open_fingerprint",
        "fingerprint",
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    ),
    Index("ix_episodes_fingerprint_opened_at", "fingerprint", "opened_at"),
    Index("ix_episodes_opened_at", "opened_at"),
    Index("ix_episodes_closed_at", "closed_at"),
    sqlite_autoincrement=True,  # the number of an episode that was deleted is never given again
)

flaps = Table(
    "flaps",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("changes", Json, nullable=False),  # list of the times of the last changes, oldest first
    Column("flapping_since", Float(53)),
    Column("told_status", String(10)),  # what was last told: firing or resolved
    Column("changed_at", Float(53), nullable=False),  # the last of `changes`; retention goes by it
    Index("ix_flaps_changed_at", "changed_at"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("episode_id", Id, ForeignKey("episodes.id", ondelete="CASCADE")),  # NULL: not about an alert
    Column("kind", String(16), nullable=False),  # deliver.model.Kind
    Column("state", String(12), nullable=False),  # deliver.model.NoticeState
    Column("reason", String(40), nullable=False, server_default=""),  # why it is in that state
    Column("recipient", Text, nullable=False),  # name in the configuration; empty when nobody wants it
    Column("severity", String(10), nullable=False),
    Column("language", String(8), nullable=False, server_default=""),
    Column("template", Text, nullable=False, server_default=""),
    Column("group_key", Text, nullable=False, server_default=""),
    Column("body", Json),  # what is said when there is no episode: {"text": ..., "image": ..., "quote": ...}
    Column("created_at", Float(53), nullable=False),
    Column("not_before_at", Float(53)),  # quiet hours
    Column("deadline_at", Float(53), nullable=False),  # told by then, or the fallback tells it
    Column("settled_at", Float(53)),
    Column("message_id", String(40)),  # the first message that told it (bundle id)
    Index("ix_notices_state_recipient", "state", "recipient"),
    Index("ix_notices_episode_id", "episode_id"),
    Index("ix_notices_message_id", "message_id"),
    Index("ix_notices_created_at", "created_at"),
    Index("ix_notices_settled_at", "settled_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(40), primary_key=True),  # our own id, given to providers that take one
    Column("bundle", String(40), nullable=False),  # the same for the parts of one text
    Column("part", Integer, nullable=False, server_default="1"),
    Column("parts", Integer, nullable=False, server_default="1"),
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),  # name of the channel in the configuration
    Column("address", Text, nullable=False),  # as the channel wants it
    Column("kind", String(16), nullable=False),  # deliver.model.MessageKind
    Column("room", String(12), nullable=False),  # deliver.limits.Room: whose reserved room it uses
    Column("severity", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("extra", Json),  # image, quoted message, template parameters
    Column("state", String(12), nullable=False),  # deliver.model.MessageState
    Column("reason", String(60), nullable=False, server_default=""),
    Column("is_fallback", Boolean, nullable=False, server_default=text("false")),
    Column("repeated", Boolean, nullable=False, server_default=text("false")),  # sent again, outcome unknown
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", Float(53), nullable=False),
    Column("accepted_at", Float(53), nullable=False),  # of the oldest notice in it
    Column("deadline_at", Float(53), nullable=False),
    Column("next_attempt_at", Float(53)),
    Column("sent_at", Float(53)),
    Column("acked_at", Float(53)),  # the server's ack: proof of delivery
    Column("delivered_at", Float(53)),
    Column("read_at", Float(53)),
    Column("provider_id", Text),
    Index("ix_messages_state_recipient", "state", "recipient"),
    Index("ix_messages_provider_id", "provider_id"),
    Index("ix_messages_bundle", "bundle"),
    Index("ix_messages_created_at", "created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("message_id", String(40), ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("started_at", Float(53), nullable=False),
    Column("ended_at", Float(53)),
    Column("outcome", String(16), nullable=False, server_default=""),  # providers.base.OutcomeClass
    Column("reason", Text, nullable=False, server_default=""),
    Column("provider_id", Text),
    Index("ix_attempts_message_id", "message_id"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("recipient", Text, primary_key=True),
    Column("owner", String(64), nullable=False, server_default=""),
    Column("lease_until", Float(53), nullable=False, server_default="0"),
)
"""A recipient's messages go out in order: whoever holds its lane sends to it."""

limits = Table(
    "limits",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("boot", String(64), nullable=False),  # the boot of the machine whose clock `stamps` were read from
    Column("stamps", Json, nullable=False),  # [[monotonic seconds, room], ...], oldest first
)

channels = Table(
    "channels",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),  # deliver.channels.ChannelState
    Column("reason", Text, nullable=False, server_default=""),
    Column("since", Float(53), nullable=False),
    Column("until", Float(53)),
    Column("told_at", Float(53)),  # when a human was told of the state
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("last_sent_at", Float(53)),
    Column("last_ack_at", Float(53)),
    Column("last_probe_at", Float(53)),
)

contacts = Table(
    "contacts",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("address", Text, primary_key=True),  # digits of the number
    Column("lid", Text),  # learned from the provider's typed fields only
    Column("last_inbound_at", Float(53)),  # opens Cloud API's 24-hour window
)

inbound_events = Table(
    "inbound_events",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("at", Float(53), nullable=False),
    Index("ix_inbound_events_at", "at"),
)
"""Webhooks that were taken already; Meta repeats for up to 7 days."""

rejects = Table(
    "rejects",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", Float(53), nullable=False),
    Column("path", Text, nullable=False),  # where in the payload
    Column("reason", Text, nullable=False),
    Index("ix_rejects_at", "at"),
)
"""Alerts that could not be taken, so that the account can name them."""

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", Float(53), nullable=False),  # monotonic seconds of the process that `owner` is of
)
"""Who does a periodic job under SQLite; PostgreSQL has advisory locks for that."""
