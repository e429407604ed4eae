"""Subscribers: one of them alone, pools and accounts, servers and RADIUS."""

from typing import Final

from grafana.source import words
from grafana.source.colours import CRITICAL, OK, RECEIVED, SENT, WARNING
from grafana.source.expressions import here, rate
from grafana.source.limits import rising
from grafana.source.overrides import coloured, received, sent
from grafana.source.panels import Text, bars, graph, tiles
from grafana.source.queries import Query
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit

_WHO: Final = 'user="$subscriber"'
_HOTSPOT, _PPP = "mikrotik_hotspot_session", "mikrotik_ppp_session"


def _session(name: str) -> str:
    """A metric of the subscriber's sessions, whatever their kind."""
    return f"{here(f'{_HOTSPOT}_{name}', _WHO)} or {here(f'{_PPP}_{name}', _WHO)}"


def _bits(way: str) -> str:
    kinds = (
        f"rate({here(f'{kind}_{way}_bytes_total', _WHO)}[$__rate_interval])" for kind in (_HOTSPOT, _PPP)
    )
    return f"8 * sum({' or '.join(kinds)})"


def _volume(way: str) -> str:
    kinds = (f"increase({here(f'{kind}_{way}_bytes_total', _WHO)}[$__range])" for kind in (_HOTSPOT, _PPP))
    return f"sum({' or '.join(kinds)})"


ONE: Final = (
    graph(
        "Traffic of $subscriber",
        Text(
            "Download above zero, upload below. Gaps are times without a session, or without a series of its own where "
            "the exporter shows the busiest only.",
            "Unduhan di atas nol, unggahan di bawah. Celah berarti tidak ada sesi.",
        ),
        Unit.BITS_PER_S,
        Query(_bits("transmit"), "Download"),
        Query(_bits("receive"), "Upload"),
        looks=[received("^Download"), sent("^Upload")],
        mirror=True,
        width=12,
        height=9,
    ),
    graph(
        "Session of $subscriber",
        "Age of the session: each fall to zero is a new login. Many of them are a bad line.",
        Unit.SECONDS,
        Query(f"max by (router) ({_session('uptime_seconds')})", "{{router}}"),
        low=0,
        width=8,
        height=9,
    ),
    tiles(
        "Volume",
        "What $subscriber moved in the range of time shown.",
        Unit.VOLUME,
        [Query(_volume("transmit"), "Downloaded"), Query(_volume("receive"), "Uploaded")],
        looks=[coloured("^Down", RECEIVED), coloured("^Up", SENT)],
        width=4,
        height=9,
        upright=True,
        filled=False,
    ),
    table(
        "Sessions of $subscriber",
        "Where the subscriber is logged in now, and as what.",
        [
            Label("router", "Router"),
            Label("server", "Server"),
            Label("service", "Service"),
            Label("address", "Address"),
            Label("mac_address", "MAC address"),
            Label("caller_id", "Caller"),
            Label("login_by", "Login"),
            Label("profile", "Profile"),
            Label("client", "Client"),
        ],
        [
            Column(
                "Logged in for",
                f"{here(f'{_HOTSPOT}_info', _WHO)} * on (router, server, user, mac_address) group_left () "
                f"{here(f'{_HOTSPOT}_uptime_seconds', _WHO)} or {here(f'{_PPP}_info', _WHO)} * on (router, user, "
                f"interface) "
                f"group_left () {here(f'{_PPP}_uptime_seconds', _WHO)}",
                Unit.SECONDS,
            )
        ],
        height=5,
    ),
)

POOLS: Final = (
    bars(
        "Address pools",
        Text("Addresses given out; coloured as the alerts on pools decide.", "Pemakaian pool alamat."),
        Unit.RATIO,
        Query(f"sort_desc({here('router_pool:used:ratio')})", "{{router}} {{pool}}"),
        limits=rising("pool"),
        high=1,
        width=8,
    ),
    table(
        "Pools",
        "A pool that will be empty within a day at the pace of the last six hours is orange.",
        [Label("router", "Router"), Label("pool", "Pool")],
        [
            Column("Used", here("router_pool:used:ratio"), Unit.RATIO, limits=rising("pool")),
            Column("Free", here("mikrotik_ip_pool_available_addresses"), Unit.COUNT),
            Column(
                "Free in a day",
                f"clamp_min({here('router_pool:available:predict_linear6h')}, 0)",
                Unit.COUNT,
                decimals=0,
            ),
        ],
        order=Order("Used", falling=True),
        width=16,
        height=9,
    ),
    table(
        "Accounts",
        "Vouchers and PPP accounts by profile. Vouchers that are used up can be cleared away.",
        [Label("router", "Router"), Label("profile", "Profile")],
        [
            Column("Vouchers", f"{here('mikrotik_hotspot_users')} > 0", Unit.COUNT),
            Column(
                "Used up",
                f"{here('mikrotik_hotspot_users_limit_reached')} and {here('mikrotik_hotspot_users')} > 0",
                Unit.COUNT,
            ),
            Column("PPP accounts", f"{here('mikrotik_ppp_secrets')} > 0", Unit.COUNT),
            Column(
                "Online",
                f"{here('mikrotik_ppp_secrets_online')} and {here('mikrotik_ppp_secrets')} > 0",
                Unit.COUNT,
            ),
        ],
        order=Order("Router"),
        width=12,
        height=9,
    ),
    graph(
        "Accounts online",
        "Part of the PPP accounts, not disabled, that have a session.",
        Unit.RATIO,
        Query(here("mikrotik_ppp_secrets_online_ratio"), "{{router}}"),
        low=0,
        high=1,
    ),
    bars(
        "Licence",
        Text(
            "Sessions against what the licence level allows: 200 on level 4, 500 on level 5.",
            "Jumlah sesi dibandingkan batas lisensi.",
        ),
        Unit.RATIO,
        Query(f"sort_desc({here('router:license_sessions:ratio')})", "{{router}}"),
        limits=rising(warning="license_sessions"),
        high=1,
        width=12,
    ),
    graph(
        "Billing against router",
        Text(
            "Accounts that differ between the billing database and the router, by how. Any is worth a look.",
            "Akun yang berbeda antara billing dan router.",
        ),
        Unit.COUNT,
        Query(here("billing_router_drift"), "{{router}} {{kind}}"),
        low=0,
    ),
)

_RADIUS: Final = (
    ("accepts", "Accepted", OK),
    ("rejects", "Rejected", WARNING),
    ("timeouts", "Timed out", CRITICAL),
    ("resends", "Sent again", WARNING),
)

PROOF: Final = (
    table(
        "Hotspot servers",
        "Each server with its users. One that cannot work has lost its interface.",
        [Label("router", "Router"), Label("server", "Server")],
        [
            Column("State", here("mikrotik_hotspot_server_valid"), Unit.NONE, words=words.WORKS),
            Column("Users", here("mikrotik_hotspot_active_sessions"), Unit.COUNT),
            Column("Devices", here("mikrotik_hotspot_hosts"), Unit.COUNT),
        ],
        order=Order("State"),
        width=12,
        height=7,
    ),
    table(
        "PPPoE servers",
        "Each server with the sessions that came in on its interface.",
        [Label("router", "Router"), Label("service", "Service"), Label("interface", "Interface", least=110)],
        [
            Column("State", here("mikrotik_pppoe_server_valid"), Unit.NONE, words=words.WORKS),
            Column("Sessions", here("mikrotik_pppoe_sessions"), Unit.COUNT),
        ],
        order=Order("State"),
        width=12,
        height=7,
    ),
    graph(
        "RADIUS",
        "Answers of RADIUS servers. Timeouts mean that nobody can log in.",
        Unit.PER_S,
        *(
            Query(f"sum(rate({here(f'mikrotik_radius_{name}_total')}[$__rate_interval]))", word)
            for name, word, _ in _RADIUS
        ),
        looks=[coloured(word, colour) for _, word, colour in _RADIUS],
        low=0,
        width=8,
    ),
    graph(
        "RADIUS round trip",
        "Time until the answer to the last request.",
        Unit.SECONDS,
        Query(here("mikrotik_radius_last_request_rtt_seconds"), "{{router}} {{address}}"),
        low=0,
        width=8,
    ),
    graph(
        "RADIUS unanswered",
        "Part of the requests that nobody answered; the line is that of RadiusFailing.",
        Unit.RATIO,
        Query(
            f"{rate(here('mikrotik_radius_timeouts_total'), 'router, address')} / "
            f"({rate(here('mikrotik_radius_requests_total'), 'router, address')} > 0)",
            "{{router}} {{address}}",
        ),
        limits=rising(warning="radius_timeouts"),
        low=0,
        width=8,
    ),
)
