"""What our own store knows of a period: alerts, recoveries, messages."""

from collections import Counter
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.report.model import Ledger
from alertbridge.report.schedule import Period
from alertbridge.store.schema import episodes, messages
from alertbridge.store.schema_recovery import recovery_runs

CURED: Final = "cured"
"""recover.model.RunState.CURED, which this package does not import; a test compares them."""

_RUNS_READ = 20_000


async def read_ledger(connection: AsyncConnection, period: Period, top: int, kept_since_s: float) -> Ledger:
    """The ledger of `period`, with the `top` most frequent alerts. Raises StoreUnavailable."""
    began = episodes.c.opened_at.between(period.since_s, period.until_s)
    by_severity = select(episodes.c.severity, func.count()).group_by(episodes.c.severity)
    opened = await connection.execute(by_severity.where(began))
    still_open = await connection.execute(by_severity.where(episodes.c.status == "open"))
    names = await connection.execute(
        select(episodes.c.name, func.count())
        .where(began)
        .group_by(episodes.c.name)
        .order_by(func.count().desc(), episodes.c.name)
        .limit(top)
    )
    runs = await connection.execute(
        select(recovery_runs.c.state, recovery_runs.c.starts_at, recovery_runs.c.ended_at)
        .where(recovery_runs.c.ended_at.between(period.since_s, period.until_s))
        .order_by(recovery_runs.c.id)
        .limit(_RUNS_READ)
    )
    ended = runs.all()
    sent = await connection.execute(
        select(messages.c.state, func.count())
        .where(messages.c.created_at.between(period.since_s, period.until_s))
        .group_by(messages.c.state)
    )
    return Ledger(
        opened={Severity(severity): count for severity, count in opened},
        still_open={Severity(severity): count for severity, count in still_open},
        names=tuple((name, count) for name, count in names),
        recoveries=Counter(run.state for run in ended),
        times_to_recover_s=tuple(
            max(0.0, run.ended_at - run.starts_at)
            for run in ended
            if run.state == CURED and run.starts_at > 0  # one that an operator asked for answers no alert
        ),
        messages={row[0]: row[1] for row in sent},
        kept_since_s=kept_since_s,
    )
