"""Every question that is asked often finds its rows through an index, however many rows there are."""

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.dialects import postgresql

from alertbridge.store.config import RetentionSection
from alertbridge.store.database import Database
from alertbridge.store.retention import rules
from alertbridge.store.schema import attempts, episodes, inbound_events, messages, notices

LOOKUPS: dict[str, Select[tuple[object, ...]]] = {
    "open episode of a fingerprint": select(episodes).where(
        episodes.c.fingerprint == "f1", episodes.c.status == "open"
    ),
    "episodes of a fingerprint": select(episodes)
    .where(episodes.c.fingerprint == "f1")
    .order_by(episodes.c.opened_at.desc()),
    "episodes of a day": select(episodes).where(episodes.c.opened_at.between(1.0, 2.0)),
    "notices of an episode": select(notices).where(notices.c.episode_id == 1),
    "notices of a message": select(notices).where(notices.c.message_id == "B"),
    "pending notices of a recipient": select(notices).where(
        notices.c.state == "pending", notices.c.recipient == "oncall"
    ),
    "message": select(messages).where(messages.c.id == "M"),
    "parts of a text": select(messages).where(messages.c.bundle == "B"),
    "message by the provider's id": select(messages).where(messages.c.provider_id == "wamid.1"),
    "messages under way": select(messages).where(
        messages.c.state.in_(("ready", "retry", "unknown")), messages.c.recipient == "oncall"
    ),
    "attempts of a message": select(attempts).where(attempts.c.message_id == "M"),
    "webhook that came before": select(inbound_events).where(
        inbound_events.c.channel == "cloud", inbound_events.c.event_id == "wamid.1"
    ),
}


async def plan(database: Database, statement: object) -> str:
    """How the database would go about it, if it minded reading a whole table."""
    dialect = postgresql.dialect() if database.dialect == "postgresql" else database._writing.dialect
    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]
    async with database.write() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            rows = await connection.exec_driver_sql(f"EXPLAIN {sql}")
        else:
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("name", LOOKUPS)
async def test_a_lookup_uses_an_index(database: Database, name: str) -> None:
    """No table is read from end to end, and nothing is sorted that an index has in order."""
    told = await plan(database, LOOKUPS[name])
    assert "SCAN " not in told.replace("Index Scan", "").replace("Bitmap", "")
    assert "Seq Scan" not in told


async def test_retention_finds_old_rows_by_an_index(database: Database) -> None:
    """Each batch starts at the oldest row instead of reading the table."""
    for rule, _ in rules(RetentionSection()):
        told = await plan(database, rule.batch(1.0, 50))
        assert "Seq Scan" not in told
        assert f"SCAN {rule.table.name}\n" not in f"{told}\n"
