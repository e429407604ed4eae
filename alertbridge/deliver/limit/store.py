"""Rate limits as rows, so that a restart or a second replica does not forget what was sent."""

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.limit.bootclock import Reader, Row, boot_name
from alertbridge.deliver.limit.limiter import Limiter
from alertbridge.deliver.limit.limits import Policy, Room, Stamp
from alertbridge.store.database import Database
from alertbridge.store.schema import limits
from runtime.clock import Clock


class LimitStore:
    """Reserves in the transaction that writes the message: both are committed, or neither."""

    def __init__(self, database: Database, clock: Clock, *, boot: str | None = None) -> None:
        """`boot` names the machine's run whose monotonic clock `clock` tells; this process's own by default."""
        self._database = database
        self._limiter = Limiter(clock, Reader(boot or boot_name()))

    async def reserve(self, connection: AsyncConnection, buckets: Mapping[str, Policy], room: Room) -> float:
        """0.0 when the message may go now: it is counted in every bucket, with this transaction.

        Otherwise the seconds to wait before asking again, and nothing is counted.
        """
        await self._make(connection, buckets)
        decision = self._limiter.decide(buckets, await self._rows(connection, buckets, lock=True), room)
        for bucket, row in decision.rows.items():
            await connection.execute(
                limits.update()
                .where(limits.c.bucket == bucket)
                .values(
                    generation=row.generation,
                    boot=row.boot,
                    stamps=[[stamp.at_s, stamp.room.value, stamp.mark] for stamp in row.stamps],
                )
            )
        return decision.wait_s

    async def left(
        self, connection: AsyncConnection, buckets: Mapping[str, Policy], room: Room = Room.NORMAL
    ) -> dict[str, int | None]:
        """How many more of `room` each bucket takes at once; None where only the spacing counts. Locks nothing."""
        return self._limiter.left(buckets, await self._rows(connection, buckets, lock=False), room)

    async def _make(self, connection: AsyncConnection, buckets: Collection[str]) -> None:
        """A row for each bucket, since a row that is not there cannot be locked; always in the same order."""
        for bucket in sorted(buckets):
            await connection.execute(
                self._database.insert(limits)
                .values(bucket=bucket, generation=0, boot="", stamps=[])
                .on_conflict_do_nothing(index_elements=["bucket"])
            )

    async def _rows(
        self, connection: AsyncConnection, buckets: Collection[str], *, lock: bool
    ) -> dict[str, Row]:
        wanted = select(limits).where(limits.c.bucket.in_(sorted(buckets))).order_by(limits.c.bucket)
        if lock:
            wanted = wanted.with_for_update()  # SQLite has one writer at a time and leaves it out
        return {
            row.bucket: Row(
                row.generation,
                row.boot,
                tuple(Stamp(at_s, Room(room), mark) for at_s, room, mark in row.stamps),
            )
            for row in await connection.execute(wanted)
        }
