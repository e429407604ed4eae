"""Channels' standings as rows, so that every replica, and the next start, knows of a verdict."""

from collections.abc import Mapping

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.channel.announcements import Announcement
from alertbridge.deliver.channel.channels import Channels
from alertbridge.deliver.channel.standing import ChannelState, Phase, Standing, told
from alertbridge.store.database import Database
from alertbridge.store.schema import channels as table
from runtime.clock import Clock


class ChannelStore:
    """Keeps `Channels` and the table `channels` alike."""

    def __init__(self, database: Database, channels: Channels, clock: Clock) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock

    async def sync(self) -> None:
        """Writes what was seen here, and takes over what others wrote. Call it every second or two, and at once
        after a verdict. Raises StoreUnavailable; nothing is lost then, the next call writes it.
        """
        seen = {name: pending for name in self._channels.names if (pending := self._channels.pending(name))}
        if not seen:
            async with self._database.read() as connection:
                for name, stored in (await self._stored(connection)).items():
                    if not self._channels.pending(name):
                        self._channels.adopt(name, stored)
            return
        changed: dict[str, Standing] = {}
        async with self._database.write() as connection:
            for name, happenings in sorted(seen.items()):
                before = await self._locked(connection, name)
                changed[name] = self._channels.replayed(name, before, happenings)
                await self._write(connection, name, changed[name])
            stored_now = await self._stored(connection)
        for name, stored in stored_now.items():
            if name in seen:
                self._channels.adopt(name, changed[name], len(seen[name]))
            elif not self._channels.pending(name):
                self._channels.adopt(name, stored)

    async def claim(self, connection: AsyncConnection, announcement: Announcement) -> bool:
        """True for the one replica that may tell `announcement`: make the notices in the same transaction, and
        `sync` before and after it. False when it was told already, or is not true any more.
        """
        name = announcement.channel
        standing = await self._locked(connection, name)
        is_same = (standing.state, standing.since_s, standing.told_at_s) == (
            announcement.state,
            announcement.since_s,
            announcement.told_at_s,
        )
        if is_same:
            await self._write(connection, name, told(standing, self._clock.time()))
        return is_same

    async def _locked(self, connection: AsyncConnection, name: str) -> Standing:
        """The row of `name`, made when there is none, and ours until the transaction ends."""
        await connection.execute(
            self._database.insert(table)
            .values({"name": name, **_values(Standing(since_s=self._channels.standing(name).since_s))})
            .on_conflict_do_nothing(index_elements=["name"])
        )
        found = await connection.execute(select(table).where(table.c.name == name).with_for_update())
        return _standing(found.one())

    async def _stored(self, connection: AsyncConnection) -> Mapping[str, Standing]:
        found = await connection.execute(select(table).where(table.c.name.in_(self._channels.names)))
        return {row.name: _standing(row) for row in found}

    async def _write(self, connection: AsyncConnection, name: str, standing: Standing) -> None:
        await connection.execute(table.update().where(table.c.name == name).values(_values(standing)))


def _values(standing: Standing) -> dict[str, object]:
    """The columns. What RECONNECTING waits for is the first word of its reason."""
    reconnecting = standing.state is ChannelState.RECONNECTING
    return {
        "state": standing.state.value,
        "reason": f"{standing.phase.value}: {standing.reason}" if reconnecting else standing.reason,
        "since": standing.since_s,
        "until": standing.until_s,
        "told_at": standing.told_at_s,
        "failures": standing.failures,
        "last_sent_at": standing.last_sent_at_s,
        "last_ack_at": standing.last_ack_at_s,
        "last_probe_at": standing.last_probe_at_s,
    }


_PHASES: Mapping[ChannelState, Phase] = {
    phase.state: phase for phase in Phase if phase.state is not ChannelState.RECONNECTING
}


def _standing(row: Row[tuple[object, ...]]) -> Standing:
    phase, reason = _PHASES.get(ChannelState(row.state)), row.reason
    if phase is None:
        word, _, reason = row.reason.partition(": ")
        phase = Phase(word)
    return Standing(
        phase,
        reason,
        row.since,
        row.until,
        row.told_at,
        row.failures,
        row.last_sent_at,
        row.last_ack_at,
        row.last_probe_at,
    )
