"""Who does the periodic jobs: one of the replicas, by an advisory lock of PostgreSQL or a lease in SQLite.

async with Leadership(database, "reports", clock) as leadership:
    while True:
        if await leadership.held():
            await report()
        ...
"""

import itertools
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.store.database import Database
from alertbridge.store.errors import StoreUnavailable, errors_explained
from alertbridge.store.schema import leases
from runtime.clock import Clock

log = structlog.get_logger(__name__)

_numbers = itertools.count(1)
_TRY = text(
    "SELECT pg_try_advisory_lock("
    "hashtextextended('tikwatch alertbridge leader ' || current_schema() || ' ' || :name, 0))"
)
_END_WHEN_IDLE = text(
    "SELECT set_config('idle_session_timeout', :milliseconds, false)"
    " WHERE current_setting('server_version_num')::int >= 140000"
)
_ALIVE = text("SELECT 1")
_UNLOCK = text("SELECT pg_advisory_unlock_all()")


class Leadership:
    """A claim to be the only one that does a job. Ask `held` before each run of it.

    It is lost when its process or its connection ends, or when nobody asked for `lease_s` seconds (so a replica
    that was frozen does not keep it; one that thaws in the middle of a job finishes that job beside its heir).
    """

    def __init__(self, database: Database, name: str, clock: Clock, *, lease_s: float = 60.0) -> None:
        self.name = name
        self._database = database
        self._clock = clock
        self._lease_s = lease_s
        self._owner = f"{database.instance}:{next(_numbers)}"
        self._renew_after_s = 0.0
        self._leads = False
        self._session: AsyncConnection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()

    async def held(self) -> bool:
        """Whether this one leads now; takes the lead when nobody has it. False as well when the store is away."""
        led = self._leads
        try:
            with errors_explained():
                if self._database.dialect == "postgresql":
                    self._leads = await self._held_by_session()
                else:
                    self._leads = await self._held_by_lease()
        except StoreUnavailable as error:
            self._leads = False
            log.warning("store.leadership_unknown", name=self.name, reason=error.reason.value)
        if led != self._leads:
            log.info("store.leadership_changed", name=self.name, leads=self._leads)
        return self._leads

    async def release(self) -> None:
        """Gives the lead away at once."""
        self._leads = False
        if self._session is not None:
            # The server notices the end of a connection only later; the heir may ask at once.
            with suppress(StoreUnavailable), errors_explained():
                await self._session.execute(_UNLOCK)
        await self._end_session()
        if self._database.dialect == "sqlite" and self._renew_after_s:
            self._renew_after_s = 0.0
            try:
                async with self._database.write() as connection:
                    await connection.execute(
                        delete(leases).where(leases.c.name == self.name, leases.c.owner == self._owner)
                    )
            except StoreUnavailable as error:  # then it runs out by itself
                log.warning("store.leadership_not_released", name=self.name, reason=error.reason.value)

    async def _held_by_session(self) -> bool:
        """The lock lives as long as the server's session, so that a session that answers still has it."""
        try:
            if self._session is None:
                self._session = await self._database.session()
                await self._session.execute(_END_WHEN_IDLE, {"milliseconds": f"{self._lease_s * 1000:.0f}"})
            if self._leads:
                await self._session.execute(_ALIVE)
                return True
            return bool((await self._session.execute(_TRY, {"name": self.name})).scalar_one())
        except BaseException:
            await self._end_session()
            raise

    async def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.invalidate()  # the lock ends with the connection; it must not go back to the others
            await session.close()

    async def _held_by_lease(self) -> bool:
        """Only one process works on the file, so a lease of any other is left over from one that is gone."""
        if not self._database.is_owner:
            return False
        now_s = self._clock.monotonic()
        if self._leads and now_s < self._renew_after_s:
            return True
        async with self._database.write() as connection:
            found = (
                await connection.execute(
                    select(leases.c.owner, leases.c.until).where(leases.c.name == self.name)
                )
            ).first()
            if (
                found is not None
                and found.owner != self._owner
                and found.owner.startswith(f"{self._database.instance}:")
                and found.until > now_s
            ):
                return False
            lease = {"owner": self._owner, "until": now_s + self._lease_s}
            await connection.execute(
                self._database.insert(leases)
                .values(name=self.name, **lease)
                .on_conflict_do_update(index_elements=["name"], set_=lease)
            )
        self._renew_after_s = now_s + self._lease_s / 2
        return True
