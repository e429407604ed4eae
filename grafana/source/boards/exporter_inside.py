"""Exporter internals: commands, cache, connections, series, the process."""

from typing import Final

from grafana.source import links, words
from grafana.source.colours import CRITICAL, INFO, OK, WARNING
from grafana.source.expressions import here
from grafana.source.limits import above, plain
from grafana.source.overrides import coloured, received, sent
from grafana.source.panels import bars, graph, number, timeline
from grafana.source.queries import Query
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import ROUTER_IS
from grafana.source.words import BREAKER, numbered, state_number

_RATE: Final = "[$__rate_interval]"
_CACHE: Final = (
    ("hits", "Fresh", OK),
    ("joined", "Joined", INFO),
    ("misses", "Read anew", WARNING),
    ("stale", "Stale", CRITICAL),
)
BREAKERS: Final = state_number("tikwatch_breaker_state", ROUTER_IS, "router", BREAKER)


_MENUS: Final = '{menu!="other"}'
_HITS: Final = f"sum by (collector) (rate(tikwatch_cache_hits_total{_RATE}))"
_MISSES: Final = f"sum by (collector) (rate(tikwatch_cache_misses_total{_RATE}))"

COMMANDS: Final = (
    graph(
        "Commands",
        "Per second, by what came of them.",
        Unit.PER_S,
        Query(f"sum by (outcome) (rate(tikwatch_commands_total{_RATE})) > 0", "{{outcome}}"),
        looks=[coloured("^ok$", OK), coloured("^(?!ok$|unsupported|cancelled)", CRITICAL)],
        low=0,
        width=8,
    ),
    graph(
        "Slowest menus",
        "95th percentile of a command's time, the ten slowest menus; without streams, which last.",
        Unit.SECONDS,
        Query(
            (
                f"topk(10, histogram_quantile(0.95, sum by (menu, le) "
                f"(rate(tikwatch_command_duration_seconds_bucket{_MENUS}{_RATE}))) >= 0)"
            ),
            "{{menu}}",
        ),
        low=0,
        width=8,
    ),
    graph(
        "Menus that fail",
        "Part of the commands that failed, by menu; without streams, which end by being cancelled.",
        Unit.RATIO,
        Query(f"topk(10, menu:commands:error_ratio_rate5m{_MENUS})", "{{menu}}"),
        low=0,
        high=1,
        width=8,
    ),
    graph(
        "Rows",
        "Rows that routers sent, the ten busiest menus.",
        Unit.PER_S,
        Query(f"topk(10, sum by (menu) (rate(tikwatch_rows_received_total{_RATE})))", "{{menu}}"),
        low=0,
        width=8,
    ),
    graph(
        "Cache",
        "Readings by how they were served. Stale means that a router could not be read.",
        Unit.PER_S,
        *(Query(f"sum(rate(tikwatch_cache_{name}_total{_RATE}))", word) for name, word, _ in _CACHE),
        looks=[coloured(f"^{word}$", colour) for _, word, colour in _CACHE],
        stack=True,
        low=0,
        width=8,
    ),
    graph(
        "Fresh answers by collector",
        "Part of the readings that the cache could serve.",
        Unit.RATIO,
        Query(
            f"bottomk(10, {_HITS} / ({_HITS} + {_MISSES} > 0))",
            "{{collector}}",
        ),
        low=0,
        high=1,
        width=8,
    ),
)

POOL: Final = (
    timeline(
        "Breakers",
        "Open means that the exporter rests from asking a router that keeps failing.",
        numbered(BREAKER),
        Query(BREAKERS, "{{router}}"),
        links=[links.router_of()],
        width=12,
        height=8,
    ),
    table(
        "Pool",
        "Connections and commands of each router now. Commands that wait want a larger pool, or a quicker router.",
        [
            Label(
                "router", "Router", links=[links.to("The router", links.ROUTER, router=links.cell("Router"))]
            )
        ],
        [
            Column("Connections", here("tikwatch_pool_connections"), Unit.COUNT),
            Column("Busy", here("tikwatch_pool_connections_busy"), Unit.COUNT),
            Column("In flight", here("tikwatch_pool_in_flight_commands"), Unit.COUNT),
            Column("At most", here("tikwatch_pool_in_flight_limit"), Unit.COUNT),
            Column(
                "Waiting",
                here("tikwatch_pool_waiting_commands"),
                Unit.COUNT,
                limits=above(10, WARNING),
            ),
        ],
        order=Order("Waiting", falling=True),
        width=12,
        height=8,
    ),
    graph(
        "Connections and commands that wait",
        "Of all routers chosen.",
        Unit.COUNT,
        Query(f"sum({here('tikwatch_pool_connections')})", "Connections"),
        Query(f"sum({here('tikwatch_pool_connections_busy')})", "Busy"),
        Query(f"sum({here('tikwatch_pool_waiting_commands')})", "Commands that wait"),
        looks=[coloured("^Connections", INFO), coloured("^Busy", OK), coloured("wait$", WARNING)],
        low=0,
        width=8,
    ),
    graph(
        "Connections that fail",
        "By reason; and logins that a router refused.",
        Unit.PER_MIN,
        Query(f"60 * sum by (reason) (rate(tikwatch_connect_failures_by_reason_total{_RATE}))", "{{reason}}"),
        Query(f"60 * sum(rate({here('tikwatch_login_failures_total')}{_RATE}))", "login refused"),
        low=0,
        width=8,
    ),
    graph(
        "Traffic to routers",
        "What watching costs: received from routers, and sent to them.",
        Unit.BITS_PER_S,
        Query(f"8 * sum(rate({here('tikwatch_router_receive_bytes_total')}{_RATE}))", "Received"),
        Query(f"8 * sum(rate({here('tikwatch_router_transmit_bytes_total')}{_RATE}))", "Sent"),
        looks=[received("^Received"), sent("^Sent")],
        mirror=True,
        width=8,
    ),
)

SERIES: Final = (
    graph(
        "Series by router",
        "Samples of a scrape. Subscribers are most of it: see the collector's mode and limit.",
        Unit.COUNT,
        Query(f"topk(10, {here('router:scrape_samples:sum')})", "{{router}}"),
        low=0,
        links=[links.router_of()],
        width=8,
    ),
    bars(
        "Series by job",
        "Samples that each job brings.",
        Unit.COUNT,
        Query("sort_desc(job:scrape_samples_scraped:sum)", "{{job}}"),
        limits=plain(INFO),
        width=8,
    ),
    graph(
        "Prometheus",
        "Series in memory, and what is appended per second.",
        Unit.COUNT,
        Query("sum(prometheus_tsdb_head_series)", "Series in memory"),
        Query(f"sum(rate(prometheus_tsdb_head_samples_appended_total{_RATE}))", "Samples per second"),
        low=0,
        width=8,
    ),
    table(
        "Subscribers without series of their own",
        "By the collector's mode and limit; they are in the sums.",
        [Label("router", "Router"), Label("collector", "Collector")],
        [Column("Left out", here("mikrotik_collector_subscribers_left_out"), Unit.COUNT)],
        order=Order("Left out", falling=True),
        width=12,
        height=7,
    ),
    graph(
        "Values that could not be read",
        "What a router sent in a form that is not known; worth a report.",
        Unit.PER_MIN,
        Query(
            f"60 * sum by (router) (rate({here('mikrotik_collector_unparsable_values_total')}{_RATE}))",
            "{{router}}",
        ),
        low=0,
        width=12,
        height=7,
    ),
)

PROCESS: Final = (
    graph(
        "Memory",
        "RAM of exporter and bridge.",
        Unit.BYTES,
        Query('process_resident_memory_bytes{job=~"tikwatch|alertbridge"}', "{{job}}"),
        low=0,
        width=8,
    ),
    graph(
        "CPU",
        "Processors in use: 100 % is one of them.",
        Unit.RATIO,
        Query(f'rate(process_cpu_seconds_total{{job=~"tikwatch|alertbridge"}}{_RATE})', "{{job}}"),
        low=0,
        width=8,
    ),
    graph(
        "Probes",
        "How long each measurement of what is no router took.",
        Unit.SECONDS,
        Query("tikwatch_probe_duration_seconds", "{{kind}} {{probe}}"),
        low=0,
        width=8,
    ),
    timeline(
        "Event streams",
        "Whether every change of a router that is asked for is followed: the worst of its streams. A stream that ends "
        "too often is switched off.",
        words.UP,
        Query(f"min by (router) ({here('mikrotik_events_stream_up')})", "{{router}}"),
        without="no router has events",
        width=12,
        height=9,
    ),
    graph(
        "Live page",
        "Viewers of the live page, and readings for it.",
        Unit.COUNT,
        Query("sum(tikwatch_live_viewers)", "Viewers"),
        Query(f"60 * sum(rate(tikwatch_live_reads_total{_RATE}))", "Readings per minute"),
        low=0,
        width=6,
    ),
    number(
        "Configured",
        "When the exporter took its configuration in force.",
        Unit.AGO,
        "1000 * max(tikwatch_config_loaded_timestamp_seconds)",
        limits=plain("text"),
        width=3,
        height=9,
    ),
    number(
        "Up for",
        "Since the exporter started.",
        Unit.SECONDS,
        'time() - max(process_start_time_seconds{job="tikwatch"})',
        limits=plain("text"),
        width=3,
        height=9,
    ),
)
