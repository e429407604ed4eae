"""The table of replies: silences that operators asked for.

Times are Unix seconds unless told otherwise. Nothing here refers to `episodes` by a foreign key, as in
`schema_recovery`.
"""

from sqlalchemy import Column, Float, Index, String, Table, Text, text

from alertbridge.store.schema import Id, Json
from alertbridge.store.schema_recovery import metadata

__all__ = ["metadata"]

IS_WATCHED = text("state IN ('wanted', 'standing')")
"""What `ix_reply_silences_watched` covers."""

reply_silences = Table(
    "reply_silences",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("episode_id", Id, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("kind", String(8), nullable=False),  # reply.silencebook.Sort: ack, silence
    Column("state", String(10), nullable=False),  # reply.silencebook.Standing
    Column("reason", String(40), nullable=False, server_default=""),  # why it ended
    Column("person", Text, nullable=False),
    Column("matchers", Json, nullable=False),  # {label: value}
    Column("token", String(32), nullable=False),  # stands in the comment, so that it can be found again
    Column("silence_id", Text, nullable=False, server_default=""),  # Alertmanager's
    Column("made_at", Float(53), nullable=False),
    Column("ends_at", Float(53), nullable=False),
    Column("ended_at", Float(53)),
    Index("ix_reply_silences_watched", "state", sqlite_where=IS_WATCHED, postgresql_where=IS_WATCHED),
    Index("ix_reply_silences_episode_id", "episode_id"),
    Index("ix_reply_silences_ended_at", "ended_at"),
    sqlite_autoincrement=True,
)
