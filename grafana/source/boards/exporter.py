"""Exporter internals: what a scrape costs, connections, breakers, cache, series."""

from typing import Final

from grafana.source import links, variables, words
from grafana.source.annotations import of_routers
from grafana.source.boards.exporter_inside import BREAKERS, COMMANDS, POOL, PROCESS, SERIES
from grafana.source.colours import INFO, WARNING
from grafana.source.expressions import grown, here
from grafana.source.layout import Board, Row
from grafana.source.limits import above, plain, rising
from grafana.source.panels import Text, bars, graph, number
from grafana.source.queries import Query
from grafana.source.recurring import MONITORING
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import ROUTER_IS

_RATE: Final = "[$__rate_interval]"
_LATE: Final = (
    f'sum(rate(tikwatch_scrapes_late_total{{endpoint="probe"}}{_RATE}))'
    f' / (sum(rate(tikwatch_scrapes_total{{endpoint="probe"}}{_RATE})) > 0)'
)

_ANSWER: Final = (
    number(
        "Exporter",
        Text("Whether Prometheus gets an answer from the exporter.", "Apakah exporter menjawab Prometheus."),
        Unit.NONE,
        'min(up{job="tikwatch"})',
        words=words.UP,
    ),
    number(
        "Breakers open",
        "Routers that the exporter rests from asking, or tries again.",
        Unit.COUNT,
        f"sum(({BREAKERS}) > bool 0)",
        limits=above(1, WARNING),
    ),
    number(
        "Failing collectors",
        "Parts of routers that cannot be read; the table below names them.",
        Unit.COUNT,
        f"sum({here('mikrotik_collector_success')} == bool 0)",
        limits=above(1, WARNING),
    ),
    number(
        "Commands failing",
        "Of all commands to routers, over five minutes.",
        Unit.RATIO,
        "fleet:commands:error_ratio_rate5m",
        limits=above(0.05, WARNING),
        decimals=1,
    ),
    number(
        "Scrapes late",
        "Scrapes that reached their deadline before all was refreshed.",
        Unit.RATIO,
        _LATE,
        limits=rising(warning="scrapes_late"),
        decimals=1,
    ),
    number(
        "Series of routers",
        "Samples of the latest scrape of every router together.",
        Unit.COUNT,
        f"sum({here('router:scrape_samples:sum')})",
        limits=plain("text"),
        spark=True,
    ),
)

_SCRAPES: Final = (
    graph(
        "Time of a scrape",
        "95th percentile, by endpoint. It must stay well below the scrape timeout.",
        Unit.SECONDS,
        Query("fleet:scrape_duration_seconds:p95 >= 0", "/{{endpoint}}"),
        low=0,
        width=8,
    ),
    graph(
        "Slowest routers",
        "Time that Prometheus waits for each router.",
        Unit.SECONDS,
        Query(f'topk(10, scrape_duration_seconds{{job="mikrotik",{ROUTER_IS}}})', "{{router}}"),
        low=0,
        links=[links.router_of()],
        width=8,
    ),
    bars(
        "Cost by collector",
        "Mean time that a refresh of each collector takes, of the routers chosen.",
        Unit.SECONDS,
        Query(
            f"sort_desc(topk(12, avg by (collector) ({here('mikrotik_collector_duration_seconds')})))",
            "{{collector}}",
        ),
        limits=plain(INFO),
        width=8,
        height=9,
    ),
    table(
        "Collectors that fail, or that are old",
        Text(
            "Each part of each router: failing ones first. The log has the reason.",
            "Bagian router yang gagal dibaca berada paling atas.",
        ),
        [
            Label(
                "router", "Router", links=[links.to("The router", links.ROUTER, router=links.cell("Router"))]
            ),
            Label("collector", "Collector"),
        ],
        [
            Column("Works", here("mikrotik_collector_success"), Unit.NONE, words=words.WORKS),
            Column(
                "Age",
                here("mikrotik_collector_age_seconds"),
                Unit.SECONDS,
                limits=rising(warning="data_age_seconds"),
            ),
            Column("Takes", here("mikrotik_collector_duration_seconds"), Unit.SECONDS),
            Column(
                "Failures, 1 h",
                grown(here("mikrotik_collector_failures_total"), "router, collector", "1h"),
                Unit.COUNT,
                limits=above(1, WARNING),
                decimals=0,
            ),
            Column("Left out", f"{here('mikrotik_collector_subscribers_left_out')} > 0", Unit.COUNT),
        ],
        order=Order("Works"),
        width=24,
        height=9,
    ),
)

BOARD: Final = Board(
    uid=links.EXPORTER,
    title="Exporter internals",
    folder=MONITORING,
    about="What watching costs and where it fails: scrapes, commands, connections, breakers, cache, series.",
    tags=["monitoring"],
    variables=[variables.datasource(), variables.routers()],
    annotations=of_routers(),
    ways=[links.way("Fleet", links.FLEET), links.way("Router", links.ROUTER)],
    rows=[
        Row("", [*_ANSWER, *_SCRAPES]),
        Row("Connections and breakers", POOL),
        Row("Commands and cache", COMMANDS),
        Row("Series", SERIES),
        Row("Process", PROCESS),
    ],
)
