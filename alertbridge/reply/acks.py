"""Acknowledging and silencing: silences in Alertmanager with exactly an alert's labels.

Alertmanager knows no acknowledgement. It is a short silence here, which `ackwatch` makes longer while the alert fires.
"""

from collections.abc import Sequence

import structlog

from alertbridge.alertmanager import Matcher, UnknownSilence
from alertbridge.reply import episodes, silencebook
from alertbridge.reply.model import Episode, Person
from alertbridge.reply.silencebook import Entry, Sort
from alertbridge.reply.sources import Silences, SourceAway
from alertbridge.store.database import Database
from runtime.clock import Clock

log = structlog.get_logger(__name__)


class Acks:
    """Makes silences and takes them back."""

    def __init__(self, database: Database, silences: Silences, clock: Clock, ack_s: float) -> None:
        self._database = database
        self._silences = silences
        self._clock = clock
        self._ack_s = ack_s

    async def acknowledge(self, episode: Episode, person: Person) -> Entry:
        """`person` has it in hand: it is silent while it fires. Raises SourceAway, StoreError.

        Who acknowledges what somebody else has takes it over.
        """
        async with self._database.read() as connection:
            standing = await silencebook.watched(connection, [episode.id], Sort.ACK)
        entry = await self._stand(episode, person, Sort.ACK, self._ack_s)
        for before in standing:
            await self._lift(before, "taken_over")
        async with self._database.write() as connection:
            await episodes.acknowledge(connection, episode.id, person.name, self._clock.time())
        return entry

    async def silence(self, episode: Episode, person: Person, seconds: float) -> Entry:
        """It is silent for `seconds`, whatever happens. Raises SourceAway, StoreError."""
        return await self._stand(episode, person, Sort.SILENCE, seconds)

    async def lift(self, episode_ids: Sequence[int], sort: Sort) -> list[int]:
        """Takes back what stands of these episodes, which are returned. Raises SourceAway, StoreError."""
        async with self._database.read() as connection:
            standing = await silencebook.watched(connection, episode_ids, sort)
        for entry in standing:
            await self._lift(entry, "lifted")
        if sort is Sort.ACK:
            async with self._database.write() as connection:
                for entry in standing:
                    await episodes.unacknowledge(connection, entry.episode_id)
        return list(dict.fromkeys(entry.episode_id for entry in standing))

    async def _stand(self, episode: Episode, person: Person, sort: Sort, seconds: float) -> Entry:
        """Written down first: what is not known to stand is found by its comment and taken back later."""
        now_s = self._clock.time()
        async with self._database.write() as connection:
            entry = await silencebook.add(
                self._database,
                connection,
                episode,
                sort,
                person.author,
                now_s=now_s,
                ends_at_s=now_s + seconds,
            )
        try:
            silence_id = await ask_for(self._silences, entry, now_s)
        except SourceAway as away:
            if away.refused or not away.configured:
                async with self._database.write() as connection:
                    await silencebook.end(connection, entry, "refused", now_s)
            raise
        async with self._database.write() as connection:
            await silencebook.stands(connection, entry, silence_id, entry.ends_at_s)
        log.info(
            "reply.silenced",
            episode=episode.id,
            sort=sort.value,
            by=person.name,
            silence=silence_id,
            seconds=seconds,
        )
        return entry

    async def _lift(self, entry: Entry, reason: str) -> None:
        if entry.silence_id:
            await expire(self._silences, entry.silence_id)
            async with self._database.write() as connection:
                await silencebook.end(connection, entry, reason, self._clock.time())
        log.info("reply.lifted", episode=entry.episode_id, sort=entry.sort.value, why=reason)


async def ask_for(silences: Silences, entry: Entry, starts_at_s: float, *, again: bool = False) -> str:
    """Has Alertmanager make it, or make it longer when `again`; the silence's id. Raises SourceAway.

    Alertmanager changes a silence only when it is told the same beginning, and makes another one otherwise.
    """
    matchers = [Matcher(name, value) for name, value in sorted(entry.matchers.items())]
    async with silences.asked() as alertmanager:
        return await alertmanager.add_silence(
            matchers,
            starts_at_s=starts_at_s,
            ends_at_s=entry.ends_at_s,
            created_by=entry.person,
            comment=entry.comment,
            silence_id=entry.silence_id if again else "",
        )


async def expire(silences: Silences, silence_id: str) -> None:
    """Ends it; one that has ended is none the worse for it. Raises SourceAway."""
    async with silences.asked() as alertmanager:
        try:
            await alertmanager.expire_silence(silence_id)
        except UnknownSilence:
            log.info("reply.silence_gone", silence=silence_id)
