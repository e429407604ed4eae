"""Families that tell how watching goes: up, success, age, and the state of each router's pool and breaker."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from exporter.cache import Slot
from exporter.exposition import label_text, number_text
from exporter.samples import Family, Kind
from exporter.watch import Watched
from routeros import BreakerState, RouterStats

_COLLECTOR = ("collector",)

UP = Family(
    "mikrotik_up",
    Kind.GAUGE,
    "1 if the router answered when it was last asked, 0 if it did not (yet).",
)
_ROUTER_INFO = Family(
    "mikrotik_router_info",
    Kind.INFO,
    "Address and module of a router as configured.",
    labels=("address", "module"),
)


@dataclass(frozen=True, slots=True)
class PerCollector:
    """A family with one sample per collector; None gives no sample."""

    family: Family
    value: Callable[[Slot], float | None]


PER_COLLECTOR = (
    PerCollector(
        Family(
            "mikrotik_collector_success",
            Kind.GAUGE,
            "1 if the latest refresh of the collector gave all it should, 0 if part of it failed or none is done yet.",
            labels=_COLLECTOR,
        ),
        lambda slot: int(slot.last is not None and slot.last.succeeded),
    ),
    PerCollector(
        Family(
            "mikrotik_collector_supported",
            Kind.GAUGE,
            "0 if the router has none of the collector's menus; that is no failure, and is asked again each hour.",
            labels=_COLLECTOR,
        ),
        lambda slot: None if slot.last is None else int(slot.last.supported),
    ),
    PerCollector(
        Family(
            "mikrotik_collector_duration_seconds",
            Kind.GAUGE,
            "How long the latest refresh of the collector took.",
            labels=_COLLECTOR,
        ),
        lambda slot: slot.duration_s,
    ),
    PerCollector(
        Family(
            "mikrotik_collector_age_seconds",
            Kind.GAUGE,
            "Age of what is served for the collector, its oldest table; absent while nothing is.",
            labels=_COLLECTOR,
        ),
        lambda slot: slot.age_s,
    ),
    PerCollector(
        Family(
            "mikrotik_collector_subscribers_left_out",
            Kind.GAUGE,
            "Subscribers that have no series of their own, by the collector's mode and limit.",
            labels=_COLLECTOR,
        ),
        lambda slot: slot.left_out,
    ),
    PerCollector(
        Family(
            "mikrotik_collector_unparsable_values_total",
            Kind.COUNTER,
            "Values that could not be read as what they should be, and were left out.",
            labels=_COLLECTOR,
        ),
        lambda slot: slot.unparsable,
    ),
)

_FAILURES = Family(
    "mikrotik_collector_failures_total",
    Kind.COUNTER,
    "Tables of the collector that could not be read, by class of failure.",
    labels=("collector", "class"),
)


@dataclass(frozen=True, slots=True)
class PerRouter:
    """A family with one sample per router from its pool's numbers."""

    family: Family
    value: Callable[[RouterStats], float]


def _pool(name: str, kind: Kind, help_text: str, value: Callable[[RouterStats], float]) -> PerRouter:
    return PerRouter(Family(f"tikwatch_{name}", kind, help_text), value)


PER_ROUTER = (
    _pool("pool_connections", Kind.GAUGE, "Connections that are logged in.", lambda s: s.connections_open),
    _pool(
        "pool_connections_busy", Kind.GAUGE, "Connections with work in flight.", lambda s: s.connections_busy
    ),
    _pool("pool_waiting_commands", Kind.GAUGE, "Commands that wait for a place.", lambda s: s.waiting),
    _pool("pool_in_flight_commands", Kind.GAUGE, "Commands the router works on.", lambda s: s.in_flight),
    _pool("pool_in_flight_limit", Kind.GAUGE, "Commands the router may be given at once.", lambda s: s.limit),
    _pool("connects_total", Kind.COUNTER, "Connections opened.", lambda s: s.connects_total),
    _pool(
        "connect_failures_total",
        Kind.COUNTER,
        "Connections that could not be opened.",
        lambda s: s.connect_failures_total,
    ),
    _pool("login_failures_total", Kind.COUNTER, "Logins refused.", lambda s: s.login_failures_total),
    _pool("router_receive_bytes_total", Kind.COUNTER, "Bytes received.", lambda s: s.bytes_received_total),
    _pool("router_transmit_bytes_total", Kind.COUNTER, "Bytes sent.", lambda s: s.bytes_sent_total),
    _pool(
        "router_unknown_replies_total",
        Kind.COUNTER,
        "Replies dropped because nothing waited for them or their word is unknown.",
        lambda s: s.unknown_tags_total + s.unknown_replies_total,
    ),
)

_BREAKER = Family(
    "tikwatch_breaker_state",
    Kind.STATE_SET,
    "State of the circuit breaker: 1 for the one that holds.",
    labels=("state",),
)

PROBE_FAMILIES: tuple[Family, ...] = (UP, *(row.family for row in PER_COLLECTOR), _FAILURES)
"""What `/probe` tells of its router."""

FAMILIES: tuple[Family, ...] = (
    UP,
    _ROUTER_INFO,
    *(row.family for row in PER_COLLECTOR),
    _FAILURES,
    *(row.family for row in PER_ROUTER),
    _BREAKER,
)
"""What `/metrics` tells of every router."""


def blocks(asked: Iterable[tuple[Watched, Mapping[str, Slot]]], *, pools: bool) -> dict[str, list[bytes]]:
    """Blocks of the status families for the routers and slots of a scrape; `pools` adds pool and breaker."""
    found: dict[str, list[bytes]] = {family.name: [] for family in (FAMILIES if pools else PROBE_FAMILIES)}
    for watched, slots in asked:
        label = watched.label
        found[UP.name].append(_line(UP, label, int(watched.answers is True)))
        for name, slot in slots.items():
            labelled = f'{label},collector="{name}"'
            for row in PER_COLLECTOR:
                if (value := row.value(slot)) is not None:
                    found[row.family.name].append(_line(row.family, labelled, value))
            found[_FAILURES.name].extend(
                _line(_FAILURES, f'{labelled},class="{word}"', count) for word, count in slot.failures.items()
            )
        if pools:
            for family, line in _pool_lines(watched):
                found[family.name].append(line)
    return found


def _pool_lines(watched: Watched) -> Iterator[tuple[Family, bytes]]:
    label = watched.label
    section = watched.section
    about = label_text({"address": section.address, "module": section.module})
    yield _ROUTER_INFO, _line(_ROUTER_INFO, f"{label},{about}", 1)
    stats = watched.client.stats()
    for row in PER_ROUTER:
        yield row.family, _line(row.family, label, row.value(stats))
    current = watched.client.breaker.state
    for state in BreakerState:
        yield _BREAKER, _line(_BREAKER, f'{label},state="{state.value}"', int(state is current))


def _line(family: Family, labels: str, value: float) -> bytes:
    return f"{family.name}{{{labels}}} {number_text(value)}\n".encode()
