"""Queues: rates against limits, what is dropped, what waits."""

from typing import Final

from grafana.source import links, variables
from grafana.source.annotations import of_routers
from grafana.source.colours import RECEIVED, SENT
from grafana.source.expressions import held_still
from grafana.source.layout import Board, Row
from grafana.source.limits import above, plain, rising
from grafana.source.overrides import Look, received, sent
from grafana.source.panels import Text, bars, graph, number
from grafana.source.queries import Query
from grafana.source.recurring import NETWORK
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import QUEUE_IS

_BY: Final = "router, queue"
_OF: Final = [links.to("The queue", links.QUEUES, router=links.label("router"), queue=links.label("queue"))]
_ROW: Final = [links.to("The queue", links.QUEUES, router=links.cell("Router"), queue=links.cell("Queue"))]
_NAME: Final = "{{queue}} ({{router}})"


def _queue(metric: str) -> str:
    return f"{metric}{{{QUEUE_IS}}}"


def _rate(kind: str, what: str, *, times: int = 1) -> str:
    return f"{'' if times == 1 else f'{times} * '}rate({_queue(f'mikrotik_{kind}_{what}_total')}[$__rate_interval])"


_USE: Final = _queue("router_queue:utilisation:ratio")
_DROPS: Final = _queue("router_queue:dropped_packets:ratio_rate5m")
_DELAY: Final = _queue("router_queue:backlog_seconds:ratio")
_BUSY: Final = _queue("mikrotik_simple_queue_download_rate_bytes_per_second")

_ANSWER: Final = (
    number(
        "Full queues",
        Text(
            "Queues at more than 95 % of their limit. A customer who uses all of a plan is no fault; a site's link is.",
            "Antrian yang melebihi 95 % batasnya.",
        ),
        Unit.COUNT,
        f"sum({_USE} > bool 0.95)",
        limits=above(1, "orange"),
    ),
    number(
        "Fullest watched",
        "Use of the fullest queue among those that alerts watch: those with a large limit.",
        Unit.RATIO,
        f"max({_USE} and on (router, queue, direction) {_queue('router_queue:watched:bool')})",
        limits=rising(warning="queue_utilisation"),
    ),
    number(
        "Most drops",
        "Part of the packets that the worst watched queue drops, over five minutes.",
        Unit.RATIO,
        f"max({_DROPS})",
        limits=rising(warning="queue_drops"),
        decimals=1,
    ),
    number(
        "Longest wait",
        "How long what waits in a watched queue takes to drain. More than a second and calls break up.",
        Unit.SECONDS,
        f"max({_DELAY})",
        limits=rising(warning="queue_delay_seconds"),
    ),
    number(
        "With a limit",
        "Simple queues and queue trees that have a limit, each direction counted.",
        Unit.COUNT,
        f"count({_queue('router_queue:limit_bits:max')})",
        limits=plain("text"),
    ),
    number(
        "Download",
        "Download through all simple queues chosen.",
        Unit.BITS_PER_S,
        f"8 * sum({_queue('mikrotik_simple_queue_download_rate_bytes_per_second')})",
        limits=plain(RECEIVED),
        spark=True,
    ),
)

_TABLE: Final = table(
    "Queues against their limits",
    Text("The 50 fullest. Press one to see it alone.", "Lima puluh antrian paling penuh."),
    [
        Label("queue", "Queue", least=130, links=_ROW),
        Label("router", "Router"),
        Label("direction", "Direction"),
    ],
    [
        Column(
            "Use",
            f"topk(50, {_USE})",
            Unit.RATIO,
            limits=rising(warning="queue_utilisation"),
            cell="bar",
            high=1,
        ),
        Column(
            "Limit",
            f"{_queue('router_queue:limit_bits:max')} and on (router, queue, direction) topk(50, {_USE})",
            Unit.BITS_PER_S,
        ),
        Column(
            "Rate",
            f"{_USE} * {_queue('router_queue:limit_bits:max')} and on (router, queue, direction) "
            f"topk(50, {_USE})",
            Unit.BITS_PER_S,
        ),
        Column(
            "Drops",
            f"{_DROPS} and on (router, queue, direction) topk(50, {_USE})",
            Unit.RATIO,
            limits=rising(warning="queue_drops"),
            decimals=2,
        ),
    ],
    order=Order("Use", falling=True),
    last=["direction"],
    height=9,
)

_RATES: Final = (
    graph(
        "Rates of the busiest",
        Text(
            "The ten queues with most download in the last hour: download above zero, upload below.",
            "Sepuluh antrian tersibuk: unduhan di atas nol, unggahan di bawah.",
        ),
        Unit.BITS_PER_S,
        Query(held_still(_rate("simple_queue", "download_bytes", times=8), _BY, _BUSY), f"{_NAME} down"),
        Query(held_still(_rate("simple_queue", "upload_bytes", times=8), _BY, _BUSY), f"{_NAME} up"),
        looks=[Look(" up$", down=True)],
        links=_OF,
        mirror=True,
        width=12,
        height=11,
    ),
    graph(
        "Use of the fullest",
        "Rate against limit; the line is that of QueueSaturated.",
        Unit.RATIO,
        Query(held_still(_USE, "router, queue, direction", _USE), f"{_NAME} {{{{direction}}}}"),
        limits=rising(warning="queue_utilisation"),
        low=0,
        links=_OF,
        height=11,
    ),
    _TABLE,
    graph(
        "One queue against its limit",
        "Of the queues chosen at the top, the fastest: its rate and its limit as a broken line. Choose one queue.",
        Unit.BITS_PER_S,
        Query(f"8 * max({_queue('mikrotik_simple_queue_download_rate_bytes_per_second')})", "Download"),
        Query(f"8 * max({_queue('mikrotik_simple_queue_upload_rate_bytes_per_second')})", "Upload"),
        Query(
            f"max({_queue('router_queue:limit_bits:max')} and on (router, queue) topk(1, {_BUSY}))", "Limit"
        ),
        looks=[
            received("^Download"),
            Look("^Upload", colour=SENT),
            Look("^Limit", colour="red", dashed=True),
        ],
        low=0,
        width=24,
    ),
)

_TROUBLE: Final = (
    graph(
        "Drops of watched queues",
        Text(
            (
                "Part of the packets dropped; the line is that of QueueDropping. Some drops are how a queue slows "
                "down TCP."
            ),
            "Bagian paket yang dibuang oleh antrian yang dipantau.",
        ),
        Unit.RATIO,
        Query(f"topk(10, {_DROPS})", f"{_NAME} {{{{direction}}}}"),
        limits=rising(warning="queue_drops"),
        low=0,
        links=_OF,
        width=8,
    ),
    graph(
        "Time to drain",
        "How long what waits takes to drain at the present rate; the line is that of QueueBacklog.",
        Unit.SECONDS,
        Query(f"topk(10, {_DELAY})", f"{_NAME} {{{{direction}}}}"),
        limits=rising(warning="queue_delay_seconds"),
        low=0,
        links=_OF,
        width=8,
    ),
    graph(
        "Packets dropped",
        "All queues chosen, by direction.",
        Unit.PACKETS_PER_S,
        Query(f"sum({_rate('simple_queue', 'download_dropped_packets')})", "Download"),
        Query(f"sum({_rate('simple_queue', 'upload_dropped_packets')})", "Upload"),
        looks=[received("^Download"), sent("^Upload")],
        mirror=True,
        width=8,
    ),
    bars(
        "Longest backlogs",
        "Bytes that wait, of the ten queues with most.",
        Unit.BYTES,
        Query(f"sort_desc(topk(10, {_queue('mikrotik_simple_queue_download_queued_bytes')}))", _NAME),
        limits=plain(RECEIVED),
        links=_OF,
        width=12,
    ),
    graph(
        "Backlog",
        "Bytes that wait in all queues chosen.",
        Unit.BYTES,
        Query(f"sum({_queue('mikrotik_simple_queue_download_queued_bytes')})", "Download"),
        Query(f"sum({_queue('mikrotik_simple_queue_upload_queued_bytes')})", "Upload"),
        Query(f"sum({_queue('mikrotik_queue_tree_queued_bytes')})", "Trees"),
        looks=[received("^Download"), Look("^Upload", colour=SENT)],
        low=0,
        width=12,
    ),
)

_TREES: Final = (
    graph(
        "Queue trees",
        "Traffic of each tree's queues: what shaping lets through, by packet mark.",
        Unit.BITS_PER_S,
        Query(f"topk(15, {_rate('queue_tree', 'bytes', times=8)})", _NAME),
        low=0,
        links=_OF,
    ),
    graph(
        "Drops in trees",
        "Packets dropped.",
        Unit.PACKETS_PER_S,
        Query(f"topk(15, {_rate('queue_tree', 'dropped_packets')})", _NAME),
        low=0,
        links=_OF,
    ),
)

BOARD: Final = Board(
    uid=links.QUEUES,
    title="Queues",
    folder=NETWORK,
    about="Simple queues and queue trees: rates against limits, drops, what waits. Queues of types that tell "
    "no counts, "
    "such as fq_codel and CAKE, show what RouterOS tells of them.",
    tags=["network"],
    variables=[variables.datasource(), variables.routers(), variables.queues()],
    annotations=of_routers(),
    ways=[links.way("Fleet", links.FLEET), links.way("Router", links.ROUTER)],
    rows=[
        Row("", [*_ANSWER, *_RATES]),
        Row("Drops and waiting", _TROUBLE),
        Row("Queue trees", _TREES),
    ],
)
