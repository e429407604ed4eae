"""Fleet: every router at a glance, and what is down."""

from typing import Final

from grafana.source import links, variables, words
from grafana.source.annotations import of_routers
from grafana.source.colours import HOTSPOT, PPP, RECEIVED, SENT
from grafana.source.expressions import FIRING, SERIOUS, held_still, here, last_began, total
from grafana.source.layout import Board, Row
from grafana.source.limits import above, falling, plain, rising
from grafana.source.overrides import Look, before, coloured, received, sent
from grafana.source.panels import Text, bars, graph, number, tiles, timeline
from grafana.source.queries import Query
from grafana.source.recurring import NETWORK, critical_alerts, firing_table, warnings
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import ROUTER_IS
from grafana.source.words import BREAKER, numbered, state_number

_UP: Final = here("router:up:min")
_IN: Final = here("router:receive_bits:sum")
_OUT: Final = here("router:transmit_bits:sum")
_CPU: Final = here("router:cpu_load:ratio")
_LAST: Final = f"topk by (router) (1, max by (router, alertname) ({last_began('1d', ROUTER_IS)}))"
_TO_ROUTER: Final = links.to("The router", links.ROUTER, router=links.cell("Router"))
_TO_USERS: Final = links.to("Its subscribers", links.SUBSCRIBERS, router=links.cell("Router"))
_TO_PORTS: Final = links.to("Its interfaces", links.INTERFACES, router=links.cell("Router"))
_BREAKER: Final = state_number("tikwatch_breaker_state", ROUTER_IS, "router", BREAKER)

_ANSWER: Final = (
    number(
        "Routers down",
        Text(
            "Routers that do not answer the exporter. More than none: see the map below, press the red one.",
            "Router yang tidak menjawab. Lihat peta di bawah, tekan yang merah.",
        ),
        Unit.COUNT,
        f"sum({_UP} == bool 0)",
        limits=above(1),
    ),
    critical_alerts(ROUTER_IS),
    warnings(ROUTER_IS),
    number(
        "Users online",
        Text(
            "Hotspot and PPP sessions of all routers. A sudden fall is a fault even while every router is up.",
            "Jumlah pengguna hotspot dan PPP yang sedang online.",
        ),
        Unit.COUNT,
        total("router:subscribers:current"),
        limits=plain("text"),
        spark=True,
        links=[links.to("Subscribers", links.SUBSCRIBERS)],
    ),
    number(
        "Download",
        "What all routers receive on ports with a cable. Traffic between two routers of the fleet counts twice.",
        Unit.BITS_PER_S,
        total("router:receive_bits:sum"),
        limits=plain(RECEIVED),
        spark=True,
    ),
    number(
        "Availability, 24 h",
        Text(
            "Mean over the routers of the part of the last 24 hours in which they answered.",
            "Rata-rata ketersediaan router dalam 24 jam terakhir.",
        ),
        Unit.RATIO,
        f"avg(router:up:avg24h{{{ROUTER_IS}}})",
        limits=falling(warning="availability"),
        decimals=2,
    ),
)

_MAP: Final = tiles(
    "Map",
    Text(
        "Every router; red ones do not answer. Press one to see it.",
        "Semua router; yang merah tidak menjawab. Tekan untuk melihat rinciannya.",
    ),
    Unit.NONE,
    [Query(f"sort_desc({_UP})", "{{router}}")],
    words=words.UP,
    links=[links.router_of()],
    height=5,
)

_TILE: Final = tiles(
    "$router",
    Text(
        "One router: whether it answers, its load, traffic and users, the breaker that spares it when it fails, "
        "and when an alert of it last fired.",
        "Satu router: status, beban, trafik, pengguna, breaker, dan alert terakhir.",
    ),
    Unit.COUNT,
    [
        Query(_UP, "State"),
        Query(_CPU, "CPU"),
        Query(here("router:memory_used:ratio"), "Memory"),
        Query(_IN, "In"),
        Query(_OUT, "Out"),
        Query(here("router:subscribers:current"), "Users"),
        Query(_BREAKER, "Breaker"),
        Query(f"1000 * {_LAST}", "{{alertname}}"),
    ],
    looks=[
        Look("State", exact=True, words=words.UP),
        Look("CPU", exact=True, unit=Unit.RATIO, decimals=0, limits=rising("cpu")),
        Look("Memory", exact=True, unit=Unit.RATIO, decimals=0, limits=rising("memory")),
        Look("In", exact=True, unit=Unit.BITS_PER_S, colour=RECEIVED),
        Look("Out", exact=True, unit=Unit.BITS_PER_S, colour=SENT),
        Look("Breaker", exact=True, words=numbered(BREAKER)),
        Look("^(?!(State|CPU|Memory|In|Out|Users|Breaker)$)", unit=Unit.AGO),
    ],
    links=[links.to("The router", links.ROUTER, router="${router}")],
    width=4,
    height=10,
    upright=True,
    repeat="router",
    filled=False,
)

_ROUTERS: Final = table(
    "Routers",
    Text(
        "One row for each router. A breaker that is open means that the exporter rests from asking. The last alert is "
        "the newest of the last 24 hours; none leaves it empty.",
        "Satu baris untuk setiap router.",
    ),
    [Label("router", "Router", links=[_TO_ROUTER]), Label("alertname", "Last alert", least=100)],
    [
        Column("State", f"max by (router) ({_UP})", Unit.NONE, words=words.UP),
        Column(
            "Alerts",
            f"count by (router) (ALERTS{{{FIRING},{SERIOUS},{ROUTER_IS}}}) or 0 * {_UP}",
            Unit.COUNT,
            limits=above(1, "orange"),
        ),
        Column(
            "Up, 24 h",
            here("router:up:avg24h"),
            Unit.RATIO,
            limits=falling(warning="availability"),
            decimals=1,
        ),
        Column("CPU", _CPU, Unit.RATIO, limits=rising("cpu"), cell="bar", high=1),
        Column(
            "Memory",
            here("router:memory_used:ratio"),
            Unit.RATIO,
            limits=rising("memory"),
            cell="bar",
            high=1,
        ),
        Column("In", _IN, Unit.BITS_PER_S, links=[_TO_PORTS]),
        Column("Out", _OUT, Unit.BITS_PER_S, links=[_TO_PORTS]),
        Column("Users", here("router:subscribers:current"), Unit.COUNT, links=[_TO_USERS]),
        Column(
            "Hottest",
            here("router:temperature_celsius:max"),
            Unit.CELSIUS,
            limits=rising("temperature"),
        ),
        Column("Breaker", _BREAKER, Unit.NONE, words=numbered(BREAKER)),
        Column("It began", f"1000 * {_LAST}", Unit.AGO),
    ],
    order=Order("State"),
    last=["alertname"],
    height=9,
)

_OVER_TIME: Final = (
    timeline(
        "Up and down",
        "When each router answered. Gaps are times at which nobody asked, which is not the same as down.",
        words.UP,
        Query(_UP, "{{router}}"),
        links=[links.router_of()],
        height=7,
    ),
    graph(
        "Traffic",
        Text(
            "Received above zero, sent below, of the ten routers with most of it in the last hour.",
            "Trafik sepuluh router tersibuk: masuk di atas nol, keluar di bawah.",
        ),
        Unit.BITS_PER_S,
        Query(held_still(_IN, "router", _IN), "{{router}} in"),
        Query(held_still(_OUT, "router", _IN), "{{router}} out"),
        looks=[Look(" out$", down=True)],
        links=[links.router_of()],
        mirror=True,
    ),
    graph(
        "Users",
        "Sessions by kind, and the sum a week ago as a broken line. A gap between the two tells what is missing.",
        Unit.COUNT,
        Query(total("router:hotspot_active:sum"), "Hotspot"),
        Query(total("router:ppp_active:sum"), "PPP"),
        Query(total("router:subscribers:current", ago="1w"), "A week ago"),
        looks=[coloured("^Hotspot", HOTSPOT), coloured("^PPP", PPP), before("week")],
        stack=True,
        low=0,
    ),
    graph(
        "Traffic of the fleet against last week",
        "All routers together. What differs from last week at the same hour and is no holiday is worth a look.",
        Unit.BITS_PER_S,
        Query(total("router:receive_bits:sum"), "Received"),
        Query(total("router:transmit_bits:sum"), "Sent"),
        Query(total("router:receive_bits:sum", ago="1w"), "Received a week ago"),
        Query(total("router:transmit_bits:sum", ago="1w"), "Sent a week ago"),
        looks=[received("^Received"), sent("^Sent"), before("week")],
        mirror=True,
    ),
    graph(
        "CPU",
        Text(
            "Load of the ten busiest routers. The lines are the thresholds of RouterCpuHigh.",
            "Beban CPU sepuluh router tersibuk.",
        ),
        Unit.RATIO,
        Query(held_still(_CPU, "router", _CPU), "{{router}}"),
        limits=rising("cpu"),
        low=0,
        high=1,
        links=[links.router_of()],
    ),
)

_TOP: Final = (
    bars(
        "Most traffic",
        "Received, mean of the last hour.",
        Unit.BITS_PER_S,
        Query(
            f"sort_desc(topk(10, avg_over_time(router:receive_bits:sum{{{ROUTER_IS}}}[1h])))", "{{router}}"
        ),
        limits=plain(RECEIVED),
        links=[links.router_of()],
        width=8,
    ),
    bars(
        "Most users",
        "Sessions now.",
        Unit.COUNT,
        Query(f"sort_desc(topk(10, router:subscribers:current{{{ROUTER_IS}}}))", "{{router}}"),
        limits=plain(HOTSPOT),
        links=[links.router_of()],
        width=8,
    ),
    bars(
        "Least available, 30 days",
        "Part of the last 30 days, or of as many as Prometheus keeps, in which a router answered.",
        Unit.RATIO,
        Query(f"sort(bottomk(10, router:up:avg30d{{{ROUTER_IS}}}))", "{{router}}"),
        limits=falling(warning="availability"),
        without="known from the next full hour on",
        links=[links.router_of()],
        high=1,
        width=8,
    ),
)

_INVENTORY: Final = table(
    "Inventory",
    "Board and version of every router. Many versions at once make faults hard to compare.",
    [
        Label("router", "Router", links=[_TO_ROUTER]),
        Label("board_name", "Board"),
        Label("version", "RouterOS"),
        Label("architecture", "Architecture"),
    ],
    [
        Column(
            "Up for",
            "max by (router, board_name, version, architecture) (mikrotik_system_info{" + ROUTER_IS + "}"
            " * on (router) group_left () max by (router) (mikrotik_system_uptime_seconds{"
            + ROUTER_IS
            + "}))",
            Unit.SECONDS,
        ),
        Column("New RouterOS", here("mikrotik_system_update_available"), Unit.NONE, words=words.PENDING),
        Column(
            "New firmware", here("mikrotik_system_firmware_upgrade_pending"), Unit.NONE, words=words.PENDING
        ),
        Column(
            "Certificate ends",
            f"1000 * min by (router) ({here('mikrotik_certificate_expiry_timestamp_seconds')})",
            Unit.AGO,
        ),
    ],
    order=Order("Router"),
)

BOARD: Final = Board(
    uid=links.FLEET,
    title="Fleet",
    folder=NETWORK,
    about="Every router at a glance: what is down, what fires, who is busy. Press a router to see it.",
    tags=["network"],
    variables=[variables.datasource(), variables.routers()],
    annotations=of_routers(),
    ways=[links.way("Alerts and recovery", links.ALERTS)],
    rows=[
        Row("", [*_ANSWER, _MAP, firing_table(ROUTER_IS, height=7), _ROUTERS]),
        Row("Tiles", [_TILE]),
        Row("Over time", _OVER_TIME),
        Row("Top routers", _TOP),
        Row("Inventory", [_INVENTORY], closed=True),
    ],
)
