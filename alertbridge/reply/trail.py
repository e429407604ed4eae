"""The audit as replies write it: each entry in a transaction of its own, on the disk before anything is done."""

from collections.abc import Mapping

from alertbridge.recover import audit
from alertbridge.reply.ports import Fact
from alertbridge.store.database import Database
from runtime.clock import Clock


class Trail:
    """See `ports.AuditTrail`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def append(
        self,
        *,
        who: str,
        what: str,
        why: str,
        before: Mapping[str, Fact] | None = None,
        after: Mapping[str, Fact] | None = None,
    ) -> None:
        """Adds an entry. Raises StoreError."""
        entry = audit.Entry(f"operator:{who}", what, why=why, before=before, after=after)
        async with self._database.write() as connection:
            await audit.lock(connection)
            await audit.append(connection, entry, self._clock.time())
