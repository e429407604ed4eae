"""SQL of numbers and LIDs that a provider told together."""

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.reply.identity import Pair
from alertbridge.store.database import Database
from alertbridge.store.schema import contacts


async def pairs_of(connection: AsyncConnection, channel: str, event: MessageEvent) -> list[Pair]:
    """The known pairs with the number or the LID of `event`, on its channel."""
    named = [
        column == value
        for column, value in ((contacts.c.address, event.number), (contacts.c.lid, event.lid))
        if value
    ]
    if not named:
        return []
    rows = await connection.execute(
        select(contacts.c.address, contacts.c.lid).where(
            contacts.c.channel == channel, contacts.c.lid.is_not(None), or_(*named)
        )
    )
    return [Pair(row.address, row.lid) for row in rows]


async def learn(
    database: Database, connection: AsyncConnection, channel: str, pair: Pair, at_s: float
) -> None:
    """Keeps `pair`; a number that has a LID already keeps that one."""
    statement = database.insert(contacts).values(
        channel=channel, address=pair.number, lid=pair.lid, last_inbound_at=at_s
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel", "address"],
            set_={"lid": pair.lid, "last_inbound_at": at_s},
            where=contacts.c.lid.is_(None),
        )
    )
