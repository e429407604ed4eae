"""Who is online: hotspot guests and PPP sessions, as rows for the page. Pure."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exporter.collectors.ppp import join_interfaces
from exporter.live.rates import Rate
from exporter.live.reading import ACTIVE, GUESTS, INTERFACES
from exporter.live.subjects import PLACES, Counted, Kind
from routeros import Record
from routeros.values import parse_duration

ROWS_LIMIT = 1000
"""Rows that one page is sent; of more users it gets the busiest."""

Meter = Callable[[Kind, Record, Counted], Rate]


@dataclass(frozen=True, slots=True)
class User:
    """One session. Rates are bits per second, totals bytes of this session: download, upload."""

    service: str
    name: str
    address: str
    uptime_s: float | None
    rate: Rate
    total: Counted
    key: str
    """The subject that charts it; empty when it has no counters."""

    @property
    def text(self) -> str:
        """What a search looks at."""
        return f"{self.name}\n{self.address}\n{self.service}".casefold()

    @property
    def bits_per_s(self) -> float:
        return (self.rate[0] or 0.0) + (self.rate[1] or 0.0)


def users(tables: dict[str, list[Record]], meter: Meter) -> list[User]:
    """Everybody in those of the tables that could be read, the busiest first."""
    found = [*_guests(tables.get(GUESTS, []), meter)]
    found += _sessions(tables.get(ACTIVE, []), tables.get(INTERFACES, []), meter)
    found.sort(key=lambda user: (-user.bits_per_s, user.name))
    return found


def _guests(rows: Sequence[Record], meter: Meter) -> list[User]:
    found = []
    for row in rows:
        counted = PLACES[Kind.HOTSPOT].read(row)
        mac = row.get("mac-address", "")
        found.append(
            User(
                "hotspot",
                row.get("user", ""),
                row.get("address", ""),
                _seconds(row.get("uptime")),
                meter(Kind.HOTSPOT, row, counted),
                counted,
                f"{Kind.HOTSPOT}:{mac}" if mac else "",
            )
        )
    return found


def _sessions(active: Sequence[Record], interfaces: Sequence[Record], meter: Meter) -> list[User]:
    by_name = {row.get("name", ""): row for row in interfaces}
    active = [dict(row) for row in active]
    join_interfaces(active, list(interfaces), [])
    found = []
    for row in active:
        name = row.get("@interface", "")
        interface = by_name.get(name)
        counted = PLACES[Kind.PPP].read(interface) if interface is not None else (None, None)
        found.append(
            User(
                row.get("service", "ppp"),
                row.get("name", ""),
                row.get("address", ""),
                _seconds(row.get("uptime")),
                meter(Kind.PPP, interface, counted) if interface is not None else (None, None),
                counted,
                f"{Kind.PPP}:{name}" if interface is not None else "",
            )
        )
    return found


def _seconds(text: str | None) -> float | None:
    try:
        return parse_duration(text) if text else None
    except ValueError:
        return None


def matching(found: Sequence[User], words: str) -> list[User]:
    """Those that have every one of the words in name, address or service."""
    wanted = words.casefold().split()
    if not wanted:
        return list(found)
    return [user for user, text in ((one, one.text) for one in found) if all(word in text for word in wanted)]


def users_json(found: Sequence[User], words: str) -> str:
    """What the page is told: how many there are, how many match, and the rows of the busiest."""
    chosen = matching(found, words)
    rows = [
        [
            user.service,
            user.name,
            user.address,
            user.uptime_s,
            _whole(user.rate[0]),
            _whole(user.rate[1]),
            user.total[0],
            user.total[1],
            user.key,
        ]
        for user in chosen[:ROWS_LIMIT]
    ]
    told = {"online": len(found), "matching": len(chosen), "rows": rows}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
