"""What flapped and does not any more: told once, with the state that it came to."""

from typing import Any

from sqlalchemy import Row

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.episodes import EpisodeStatus
from alertbridge.accept.flapping import calmed, forgettable
from alertbridge.accept.ledger import Ledger
from alertbridge.accept.notices import Notices
from alertbridge.accept.ports import Deciding
from alertbridge.accept.records import EpisodeRecord
from alertbridge.alerts import Alert, AlertStatus, Group
from alertbridge.deliver.model import Kind


async def end_flapping(ledger: Ledger, routes: Deciding, section: AcceptSection, now_s: float) -> Notices:
    """Tells what has calmed down and forgets old changes; returns the notices that it made."""
    rules = section.flapping.rules
    notices = Notices(routes, section.deadlines, now_s)
    known = await ledger.all_flaps()
    calm = {name: found for name, found in known.items() if calmed(found, now_s, rules)}
    old = [name for name, found in known.items() if forgettable(found, now_s, rules)]
    told = await ledger.told_of_flapping({name: found.since_s or now_s for name, found in calm.items()})
    records = [
        _record(row, told.get(row.fingerprint, set())) for row in await ledger.latest_with_labels(calm)
    ]
    for record in records:
        notices.tell(record, record.alert, record.group, Kind.CALM)
    await ledger.calm([record.id for record in records if record.id is not None], now_s)
    await ledger.add_notices(draft.row() for draft in notices.drafts)
    await ledger.forget_flaps([*calm, *old])
    return notices


def _record(row: Row[Any], told: set[str]) -> EpisodeRecord:
    firing = row.status == EpisodeStatus.OPEN.value
    alert = Alert(
        fingerprint=row.fingerprint,
        status=AlertStatus.FIRING if firing else AlertStatus.RESOLVED,
        labels=row.labels,
        annotations=row.annotations,
        starts_at_s=row.starts_at,
        ends_at_s=row.ends_at,
        generator_url=row.generator_url,
    )
    return EpisodeRecord(
        alert=alert,
        group=Group(row.group_key, row.receiver, row.external_url, ()),
        starts_at_s=row.starts_at,
        opened_at_s=row.opened_at,
        last_seen_at_s=row.last_seen_at,
        last_noticed_at_s=row.last_noticed_at,
        id=row.id,
        told=told,
    )
