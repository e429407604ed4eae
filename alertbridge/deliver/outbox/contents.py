"""SQL of what notices say: their alerts, and texts that are finished."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import AlertStatus, Severity
from alertbridge.deliver.model import Body, Kind, Notice, Subject
from alertbridge.deliver.outbox.rows import chunks
from alertbridge.store.schema import episodes, notices
from alertbridge.store.slices import slices

SLICE = 100
"""A notice with all that its alert says takes ten times what its head does."""


async def load(connection: AsyncConnection, ids: Sequence[int]) -> list[Notice]:
    """The whole notices, in the order of their ids; who is gone is left out."""
    found: list[Notice] = []
    for chunk in chunks(sorted(ids)):
        rows = await connection.execute(
            select(notices, *(column.label(f"e_{column.name}") for column in episodes.c))
            .select_from(notices.outerjoin(episodes, episodes.c.id == notices.c.episode_id))
            .where(notices.c.id.in_(chunk))
            .order_by(notices.c.id)
        )
        found += [_notice(row) async for some in slices(rows, SLICE) for row in some]
    return found


def _notice(row: Row[Any]) -> Notice:
    """A finished text about an alert, such as what recovery did, is told as it is: then the alert is no subject."""
    own_words = row.body is not None
    return Notice(
        id=row.id,
        kind=Kind(row.kind),
        recipient=row.recipient,
        severity=Severity(row.severity),
        created_at_s=row.created_at,
        deadline_at_s=row.deadline_at,
        subject=None if own_words or row.e_id is None else _subject(row),
        body=read_body(row.body) if own_words else None,
        language=row.language,
        template=row.template,
        group_key=row.group_key,
        not_before_s=row.not_before_at,
    )


def _subject(row: Row[Any]) -> Subject:
    return Subject(
        episode_id=row.e_id,
        fingerprint=row.e_fingerprint,
        status=AlertStatus.FIRING if row.e_status == "open" else AlertStatus.RESOLVED,
        name=row.e_name,
        severity=Severity(row.e_severity),
        labels=row.e_labels,
        annotations=row.e_annotations,
        starts_at_s=row.e_starts_at,
        ends_at_s=row.e_ends_at,
        group_key=row.e_group_key,
        generator_url=row.e_generator_url,
        external_url=row.e_external_url,
        acknowledged_by=row.e_acknowledged_by or "",
    )


def read_body(stored: Mapping[str, object]) -> Body:
    """A finished text as it is stored: `text`, `image` (base64), `quote`."""
    image = stored.get("image")
    return Body(
        text=str(stored.get("text", "")),
        image_png=base64.b64decode(image) if isinstance(image, str) and image else None,
        quote_id=str(stored.get("quote", "")),
    )


def write_body(body: Body) -> dict[str, str]:
    """The other way round."""
    image = "" if body.image_png is None else base64.b64encode(body.image_png).decode("ascii")
    return {
        key: value
        for key, value in (("text", body.text), ("image", image), ("quote", body.quote_id))
        if value
    }
