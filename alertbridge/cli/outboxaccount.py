"""The account in the terminal: a line for each day that names every difference, or an object for each episode."""

import json
import sys
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.cli.opening import say
from alertbridge.deliver.account import DayAccount, day_bounds, of_day, of_episodes
from alertbridge.store.schema import episodes, notices


async def print_account(
    connection: AsyncConnection, zone_name: str, day: date | None, *, as_json: bool
) -> bool:
    """Prints the account of `day`, or of everything that is kept; whether every day that it printed closes."""
    zone = ZoneInfo(zone_name)
    if as_json:
        start_s, end_s = (0.0, 1e18) if day is None else day_bounds(day, zone)
        async for one in of_episodes(connection, start_s, end_s):
            sys.stdout.write(json.dumps(one.to_json(), ensure_ascii=False) + "\n")
        return True
    closes = True
    for each in [day] if day is not None else await _days(connection, zone):
        found = await of_day(connection, each, zone)
        if day is None and not found.received and not found.rejected:
            continue
        closes = closes and found.closes
        say(line(found))
    return closes


async def _days(connection: AsyncConnection, zone: ZoneInfo) -> list[date]:
    """Every day from the first to the last of which something is kept."""
    spans = [
        (await connection.execute(select(func.min(column), func.max(column)))).one()
        for column in (notices.c.created_at, episodes.c.opened_at)
    ]
    moments = [at for span in spans for at in span if at is not None]
    if not moments:
        return []
    first, last = (datetime.fromtimestamp(at, zone).date() for at in (min(moments), max(moments)))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def line(found: DayAccount) -> str:
    """``2026-01-31: received 40 = delivered 30 + merged 8 + dead 2 (timeout 2)``, each difference by its reason."""
    named = []
    for state, count in found.states.items():
        if not count and state != "delivered":
            continue
        reasons = {why: times for why, times in found.reasons.get(state, {}).items() if why != state}
        told = ", ".join(f"{why} {times}" for why, times in sorted(reasons.items(), key=lambda one: -one[1]))
        named.append(f"{state} {count}" + (f" ({told})" if told else ""))
    text = f"{found.day}: received {found.received} = {' + '.join(named)}"
    if found.rejected:
        text += f"; {found.rejected} alerts could not be read"
    if not found.closes:
        text += f"; DOES NOT CLOSE: {found.received - sum(found.states.values())} are missing"
    return text.replace("under_way", "under way")
