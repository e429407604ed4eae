"""Subscribers: hotspot and PPPoE, who comes and goes, who uses most, and one of them alone."""

from typing import Final

from grafana.source import links, variables
from grafana.source.annotations import of_routers
from grafana.source.boards.subscribers_one import ONE, POOLS, PROOF
from grafana.source.colours import BEFORE, HOTSPOT, NORMAL_BAND, PPP, RECEIVED
from grafana.source.expressions import held_still, here, rate, total
from grafana.source.layout import Board, Row
from grafana.source.limits import above, plain, rising
from grafana.source.limits import number as threshold
from grafana.source.overrides import Look, before, coloured
from grafana.source.panels import Text, bars, graph, number
from grafana.source.queries import Query
from grafana.source.recurring import NETWORK
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit

_LOGINS: Final = "mikrotik_hotspot_logins_total", "mikrotik_ppp_logins_total"
_SIGMA: Final = threshold("subscribers_sigma")
_MEAN: Final = f"sum({here('router:subscribers:baseline_avg')})"
_SPREAD: Final = f"{_SIGMA} * sqrt(sum({here('router:subscribers:baseline_stddev')} ^ 2))"
_DOWNLOAD: Final = here("router_user:receive_bits:rate5m")
_UPLOAD: Final = here("router_user:transmit_bits:rate5m")
_LENGTHS: Final = (("10 min", 600), ("1 h", 3600), ("6 h", 21600), ("1 day", 86400), ("1 week", 604800))

_SUBSCRIBER: Final = links.to(
    "This subscriber", links.SUBSCRIBERS, router=links.label("router"), subscriber=links.label("user")
)
_ROW: Final = links.to(
    "This subscriber", links.SUBSCRIBERS, router=links.cell("Router"), subscriber=links.cell("Subscriber")
)

_ANSWER: Final = (
    number(
        "Hotspot users",
        Text("Hotspot sessions now.", "Pengguna hotspot yang sedang online."),
        Unit.COUNT,
        total("router:hotspot_active:sum"),
        limits=plain(HOTSPOT),
        spark=True,
    ),
    number(
        "PPP users",
        Text("PPPoE and other PPP sessions now.", "Pelanggan PPPoE yang sedang online."),
        Unit.COUNT,
        total("router:ppp_active:sum"),
        limits=plain(PPP),
        spark=True,
    ),
    number(
        "PPP lost, 2 min",
        Text(
            "Of the worst router: part of the sessions of two minutes ago that are gone. A line, a switch or a RADIUS "
            "server behind it has failed.",
            "Bagian sesi PPPoE yang putus dalam 2 menit pada router terburuk.",
        ),
        Unit.RATIO,
        f"max({here('router:ppp_active:drop_ratio2m')})",
        limits=rising(critical="ppp_drop"),
        decimals=0,
    ),
    number(
        "Lost, 10 min",
        "Of the worst router: part of the users of ten minutes ago that are gone.",
        Unit.RATIO,
        f"max({here('router:hotspot_active:drop_ratio10m')})",
        limits=rising(critical="hotspot_drop"),
        decimals=0,
    ),
    number(
        "Fullest pool",
        Text(
            "Addresses given out of the fullest pool. Full means that nobody more can log in.",
            "Pemakaian pool alamat paling penuh.",
        ),
        Unit.RATIO,
        f"max({here('router_pool:used:ratio')})",
        limits=rising("pool"),
        high=1,
    ),
    number(
        "Servers broken",
        "Hotspot and PPPoE servers that RouterOS calls invalid, as when their interface is gone.",
        Unit.COUNT,
        (
            f"sum({here('mikrotik_hotspot_server_valid')} == bool 0) + sum({here('mikrotik_pppoe_server_valid')} "
            f"== bool 0)"
        ),
        limits=above(1),
    ),
)

_ONLINE: Final = (
    graph(
        "Online",
        Text(
            "Sessions by kind; the broken line is their sum a week ago.",
            "Jumlah sesi; garis putus-putus adalah minggu lalu.",
        ),
        Unit.COUNT,
        Query(total("router:hotspot_active:sum"), "Hotspot"),
        Query(total("router:ppp_active:sum"), "PPP"),
        Query(total("router:subscribers:current", ago="1w"), "A week ago"),
        looks=[coloured("^Hotspot", HOTSPOT), coloured("^PPP", PPP), before("week")],
        stack=True,
        low=0,
    ),
    graph(
        "Against the normal",
        "Sessions within the band of what is normal at this hour: mean of the last weeks and three standard "
        "deviations. "
        "Below it SubscribersBelowNormal fires. In the first week the band is that of the hour before.",
        Unit.COUNT,
        Query(total("router:subscribers:current"), "Now"),
        Query(f"{_MEAN} + {_SPREAD}", "Most that is normal"),
        Query(f"clamp_min({_MEAN} - {_SPREAD}, 0)", "Least that is normal"),
        looks=[
            coloured("^Now", RECEIVED),
            Look("^Most", colour=NORMAL_BAND, band_to="Least that is normal"),
            Look("^Least", colour=BEFORE, dashed=True),
        ],
        low=0,
    ),
    graph(
        "Who comes",
        "Logins per minute. None for an hour that usually has some means that the login page is broken.",
        Unit.PER_MIN,
        Query(f"60 * sum(rate({here(_LOGINS[0])}[$__rate_interval]))", "Hotspot"),
        Query(f"60 * sum(rate({here(_LOGINS[1])}[$__rate_interval]))", "PPP"),
        looks=[coloured("^Hotspot", HOTSPOT), coloured("^PPP", PPP)],
        low=0,
    ),
    graph(
        "Who goes, and why",
        "Sessions that ended per minute, by the reason that the log gave. Only where the exporter follows events.",
        Unit.PER_MIN,
        Query(
            f"topk(10, {rate(here('mikrotik_events_session_end_reasons_total'), 'service, reason', times=60)})",
            "{{service}}: {{reason}}",
        ),
        low=0,
    ),
    graph(
        "Sessions lost at once",
        "Part of the sessions that are gone, by router: PPP within two minutes, hotspot within ten. The line "
        "is that of "
        "PppMassDisconnect.",
        Unit.RATIO,
        Query(here("router:ppp_active:drop_ratio2m"), "{{router}} PPP"),
        Query(here("router:hotspot_active:drop_ratio10m"), "{{router}} hotspot"),
        limits=rising(critical="ppp_drop"),
        low=0,
        links=[links.router_of()],
    ),
    graph(
        "Refused",
        "Logins refused per minute, by service: wrong passwords, used-up vouchers, or somebody who tries.",
        Unit.PER_MIN,
        Query(rate(here("mikrotik_events_logins_failed_total"), "service", times=60), "{{service}}"),
        low=0,
    ),
)

_TOP: Final = (
    graph(
        "Top downloads",
        Text(
            "The ten subscribers with most download in the last hour; the set holds still. Press one in the legend.",
            "Sepuluh pelanggan dengan unduhan terbesar dalam satu jam terakhir.",
        ),
        Unit.BITS_PER_S,
        Query(held_still(_DOWNLOAD, "router, user", _DOWNLOAD), "{{user}} ({{router}})"),
        low=0,
        links=[_SUBSCRIBER],
    ),
    table(
        "Top by traffic",
        "Download and upload of the subscribers with most of both, over five minutes.",
        [Label("user", "Subscriber", least=110, links=[_ROW]), Label("router", "Router")],
        [
            Column("Download", f"topk(25, {_DOWNLOAD})", Unit.BITS_PER_S, cell="bar", limits=plain(RECEIVED)),
            Column("Upload", f"{_UPLOAD} and on (router, user) topk(25, {_DOWNLOAD})", Unit.BITS_PER_S),
        ],
        order=Order("Download", falling=True),
        width=12,
        height=9,
    ),
    bars(
        "By login",
        "Hotspot sessions, by how they logged in.",
        Unit.COUNT,
        Query(
            f"sort_desc(sum by (login_by) ({here('mikrotik_hotspot_active_sessions_by_login')}))",
            "{{login_by}}",
        ),
        limits=plain(HOTSPOT),
        width=8,
    ),
    bars(
        "By PPP profile",
        "PPP sessions, by the profile of the account: your plans.",
        Unit.COUNT,
        Query(
            f"sort_desc(sum by (profile) ({here('mikrotik_ppp_active_sessions_by_profile')}) > 0)",
            "{{profile}}",
        ),
        limits=plain(PPP),
        width=8,
    ),
    bars(
        "Session lengths",
        Text(
            "How many sessions are no older than that; short ones only mean trouble with lines or the login.",
            "Jumlah sesi menurut lamanya.",
        ),
        Unit.COUNT,
        Query(
            " or ".join(
                f"label_replace(sum({here('mikrotik_hotspot_session_uptime_seconds')} < bool {limit}) + "
                f'sum({here("mikrotik_ppp_session_uptime_seconds")} < bool {limit}), "length", "under {name}", "", "")'
                for name, limit in _LENGTHS
            ),
            "{{length}}",
        ),
        limits=plain(RECEIVED),
        width=8,
    ),
)

BOARD: Final = Board(
    uid=links.SUBSCRIBERS,
    title="Subscribers",
    folder=NETWORK,
    about="Hotspot and PPPoE: who is online, comes and goes, uses most; pools, accounts, and one subscriber alone.",
    tags=["network"],
    variables=[variables.datasource(), variables.routers(), variables.subscriber()],
    annotations=of_routers(),
    ways=[links.way("Fleet", links.FLEET), links.way("Router", links.ROUTER)],
    rows=[
        Row("", [*_ANSWER, *_ONLINE]),
        Row("Top", _TOP),
        Row("One subscriber: $subscriber", ONE),
        Row("Pools and accounts", POOLS),
        Row("Servers and RADIUS", PROOF),
    ],
)
