"""Who may send through a lane: one owner at a time, by the database's own clock.

A SQLite file has one bridge (the store sees to that), so that there a claim only writes down who it was.
"""

from typing import cast

from sqlalchemy import ColumnElement, CursorResult, Float, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.lanes import Lane
from alertbridge.store.database import Database
from alertbridge.store.schema import lanes


def _now() -> ColumnElement[float]:
    """PostgreSQL's own time in this moment, also late in a transaction."""
    return sql_cast(func.extract("epoch", func.clock_timestamp()), Float(53))


async def claim(
    connection: AsyncConnection, database: Database, lane: Lane, owner: str, lease_s: float
) -> bool:
    """Takes `lane` for `owner`, or keeps it, for `lease_s` seconds from now. False while somebody else has it."""
    name = str(lane)
    if database.dialect == "sqlite":
        made = database.insert(lanes).values(recipient=name, owner=owner, lease_until=0.0)
        await connection.execute(
            made.on_conflict_do_update(index_elements=["recipient"], set_={"owner": owner})
        )
        return True
    await connection.execute(
        database.insert(lanes)
        .values(recipient=name, owner="", lease_until=0.0)
        .on_conflict_do_nothing(index_elements=["recipient"])
    )
    free = (lanes.c.owner == owner) | (lanes.c.lease_until < _now())
    found = await connection.execute(
        select(lanes.c.owner).where(lanes.c.recipient == name, free).with_for_update(skip_locked=True)
    )
    if found.first() is None:
        return False
    await connection.execute(
        lanes.update().where(lanes.c.recipient == name).values(owner=owner, lease_until=_now() + lease_s)
    )
    return True


async def renew(
    connection: AsyncConnection, database: Database, lane: Lane, owner: str, lease_s: float
) -> bool:
    """Keeps a lane that is held. False when the lease ran out and somebody else took it."""
    if database.dialect == "sqlite":
        return True
    result = await connection.execute(
        lanes.update()
        .where(lanes.c.recipient == str(lane), lanes.c.owner == owner)
        .values(lease_until=_now() + lease_s)
    )
    return cast("CursorResult[tuple[object, ...]]", result).rowcount == 1


async def release(connection: AsyncConnection, database: Database, lane: Lane, owner: str) -> None:
    """Lets others have a lane that is held."""
    if database.dialect == "sqlite":
        return
    await connection.execute(
        lanes.update()
        .where(lanes.c.recipient == str(lane), lanes.c.owner == owner)
        .values(owner="", lease_until=0.0)
    )
