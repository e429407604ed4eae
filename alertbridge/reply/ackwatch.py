"""Looks after what operators silenced: longer while it fires, and the end is told, which Alertmanager keeps to itself.

While a silence stands no end is notified either. So the bridge asks what fires, and an alert that is gone for long
enough comes in as resolved, as if Alertmanager had said so. One replica does that at a time.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

import structlog

from alertbridge.alertmanager import AlertmanagerRefused, Silence
from alertbridge.alerts import Alert, AlertStatus, Group
from alertbridge.reply import acks, episodes, silencebook
from alertbridge.reply.config import RepliesSection
from alertbridge.reply.model import Episode
from alertbridge.reply.ports import Taking
from alertbridge.reply.silencebook import Entry, Sort, Standing
from alertbridge.reply.sources import Silences, SourceAway
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from alertbridge.store.leadership import Leadership
from runtime.clock import Clock

log = structlog.get_logger(__name__)

UNSURE_S = 10.0
"""So long may a call be under way; a silence that is not known to stand by then is taken back."""
EXTEND_BELOW = 0.6
"""An acknowledgement with less than this part of its time left is made longer."""
KEPT_S = 30 * 86_400.0
EXPIRED = "expired"


class AckWatch:
    """One round after the other. `intake` takes the ends in."""

    def __init__(
        self, database: Database, silences: Silences, intake: Taking, clock: Clock, section: RepliesSection
    ) -> None:
        self._database = database
        self._silences = silences
        self._intake = intake
        self._clock = clock
        self._section = section
        self._gone_since_s: dict[int, float] = {}

    def __repr__(self) -> str:
        return f"<AckWatch gone={len(self._gone_since_s)}>"

    async def run(self, leadership: Leadership) -> None:
        """Looks again and again while this replica leads; ends only by being cancelled."""
        while True:
            try:
                if await leadership.held():
                    await self.look()
                else:
                    self._gone_since_s.clear()
            except StoreError as error:
                log.warning("reply.watch_put_off", detail=str(error))
            except Exception:  # the edge of a task that must not end
                log.exception("reply.watch_failed")
            await asyncio.sleep(self._section.look_s)

    async def look(self) -> None:
        """One round. Nothing is decided while Alertmanager does not answer. Raises StoreError."""
        now_s = self._clock.time()
        async with self._database.read() as connection:
            entries = await silencebook.watched(connection)
            known = await episodes.by_ids(connection, [entry.episode_id for entry in entries])
        if not entries:
            return
        try:
            firing = {alert.fingerprint for alert in await self._silences.firing()}
            async with self._silences.asked() as alertmanager:
                standing = await alertmanager.silences()
        except SourceAway:
            return
        by_id = {silence.id: silence for silence in standing}
        for entry in entries:
            if entry.standing is Standing.WANTED:
                await self._take_back(entry, standing, now_s)
            else:
                await self._look_at(entry, known.get(entry.episode_id), firing, by_id, now_s)
        self._gone_since_s = {
            entry.id: at_s for entry in entries if (at_s := self._gone_since_s.get(entry.id)) is not None
        }
        async with self._database.write() as connection:
            await silencebook.forget(connection, now_s - KEPT_S)

    async def _take_back(self, entry: Entry, standing: Collection[Silence], now_s: float) -> None:
        """Whoever asked for it was told that it does not stand."""
        if now_s - entry.made_at_s < UNSURE_S:
            return
        found = [one for one in standing if f"[{entry.token}]" in one.comment and one.state != EXPIRED]
        try:
            for silence in found:
                await acks.expire(self._silences, silence.id)
        except SourceAway:
            return
        await self._end(entry, "not_known_to_stand")

    async def _look_at(
        self,
        entry: Entry,
        episode: Episode | None,
        firing: Collection[str],
        by_id: Mapping[str, Silence],
        now_s: float,
    ) -> None:
        if episode is None or not episode.is_open:
            await self._end(entry, "over")
            return
        if entry.fingerprint not in firing:
            await self._note_gone(entry, episode, now_s)
            return
        self._gone_since_s.pop(entry.id, None)
        silence = by_id.get(entry.silence_id)
        if silence is not None and silence.state == EXPIRED:
            lapsed = silence.ends_at_s >= entry.ends_at_s - 1
            await self._end(entry, "lapsed" if lapsed else "lifted_elsewhere")
        elif entry.sort is Sort.ACK:
            if entry.ends_at_s - now_s < self._section.ack_s * EXTEND_BELOW:
                await self._extend(entry, now_s, entry.made_at_s if silence is None else silence.starts_at_s)
        elif entry.ends_at_s <= now_s:
            await self._end(entry, "lapsed")

    async def _extend(self, entry: Entry, now_s: float, began_at_s: float) -> None:
        longer = replace(entry, ends_at_s=now_s + self._section.ack_s)
        try:
            try:
                silence_id = await acks.ask_for(self._silences, longer, began_at_s, again=True)
            except SourceAway as away:
                if not isinstance(away.__cause__, AlertmanagerRefused):
                    raise
                silence_id = await acks.ask_for(self._silences, longer, now_s)  # it lost the one that stood
        except SourceAway:
            if entry.ends_at_s <= now_s:
                await self._end(entry, "lapsed")
            return
        async with self._database.write() as connection:
            await silencebook.stands(connection, entry, silence_id, longer.ends_at_s)
        log.info("reply.ack_extended", episode=entry.episode_id, silence=silence_id)

    async def _note_gone(self, entry: Entry, episode: Episode, now_s: float) -> None:
        """It is over once it is gone for long enough; its end is then when it was first missed."""
        monotonic_s = self._clock.monotonic()
        gone_s = monotonic_s - self._gone_since_s.setdefault(entry.id, monotonic_s)
        if gone_s < self._section.over_after_s:
            return
        await self._intake.take(_over(episode, now_s - gone_s))
        await self._end(entry, "over")
        log.info("reply.end_told", episode=episode.id, gone_s=round(gone_s, 1))

    async def _end(self, entry: Entry, reason: str) -> None:
        self._gone_since_s.pop(entry.id, None)
        async with self._database.write() as connection:
            await silencebook.end(connection, entry, reason, self._clock.time())
            if entry.sort is Sort.ACK and reason in ("lapsed", "lifted_elsewhere"):
                await episodes.unacknowledge(connection, entry.episode_id)
        log.info("reply.silence_ended", episode=entry.episode_id, sort=entry.sort.value, why=reason)


def _over(episode: Episode, ended_at_s: float) -> Group:
    """What Alertmanager would have said of the end."""
    alert = Alert(
        episode.fingerprint,
        AlertStatus.RESOLVED,
        episode.labels,
        episode.annotations,
        episode.starts_at_s,
        max(ended_at_s, episode.starts_at_s),
        episode.generator_url,
    )
    return Group(episode.group_key, episode.receiver, episode.external_url, (alert,))
