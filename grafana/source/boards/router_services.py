"""Router: sensors, services, radios, and how it is watched."""

from typing import Final

from grafana.source import links, words
from grafana.source.colours import CRITICAL, OK, WARNING
from grafana.source.expressions import grown, here, rate
from grafana.source.limits import Limits, above, falling, rising
from grafana.source.overrides import Look, coloured
from grafana.source.panels import Text, bars, graph, timeline
from grafana.source.queries import Query
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import ROUTER_IS
from grafana.source.words import BREAKER, numbered, state_number

_GOOD: Final = here("mikrotik_health_state", 'state=~"ok|idle"')

INSIDE: Final = (
    graph(
        "Temperature",
        "Every sensor. The lines are the thresholds of RouterTemperatureHigh.",
        Unit.CELSIUS,
        Query(here("mikrotik_health_temperature_celsius"), "{{sensor}}"),
        limits=rising("temperature"),
        without="the board has no such sensor",
        width=8,
    ),
    graph(
        "Voltage",
        "Supply voltages. Below the line the router may restart at any time: cable too long, or a tired power supply.",
        Unit.VOLTS,
        Query(here("mikrotik_health_voltage_volts"), "{{sensor}}"),
        limits=falling(critical="voltage_low"),
        without="the board has no such sensor",
        width=8,
    ),
    graph(
        "Fans",
        "Speed of each fan. One that stands still while others turn is broken.",
        Unit.RPM,
        Query(here("mikrotik_health_fan_speed_rpm"), "{{sensor}}"),
        without="the board has no such sensor",
        width=8,
    ),
    graph(
        "Power",
        "What the board draws.",
        Unit.WATTS,
        Query(here("mikrotik_health_power_watts"), "{{sensor}}"),
        without="the board has no such sensor",
        width=8,
    ),
    timeline(
        "Power supplies and fans",
        "What the router says of each: anything but good wants a spare part.",
        {"1": ("Good", OK), "0": ("Fault", CRITICAL)},
        Query(f"max by (sensor) ({_GOOD})", "{{sensor}}"),
        without="the board has no such sensor",
        width=16,
        height=9,
    ),
)

_RULES: Final = here("mikrotik_firewall_rule_packets_total")
_RADIUS: Final = (
    ("requests", "Requests"),
    ("accepts", "Accepted"),
    ("rejects", "Rejected"),
    ("timeouts", "Timed out"),
)

SERVICES: Final = (
    bars(
        "Address pools",
        Text("Addresses given out. A pool that is full lets nobody in.", "Pemakaian pool alamat."),
        Unit.RATIO,
        Query(f"sort_desc({here('router_pool:used:ratio')})", "{{pool}}"),
        limits=rising("pool"),
        without="no pools, or not read",
        high=1,
        width=8,
    ),
    graph(
        "DHCP leases",
        "Leases that a client holds, by server.",
        Unit.COUNT,
        Query(here("mikrotik_dhcp_leases_bound"), "{{server}}"),
        without="no server, or not read",
        low=0,
        width=8,
    ),
    graph(
        "RADIUS",
        "Requests to RADIUS servers. Timeouts mean that nobody can log in; look at the server, then at the way there.",
        Unit.PER_S,
        *(Query(rate(here(f"mikrotik_radius_{name}_total"), "router"), word) for name, word in _RADIUS),
        looks=[coloured("Accepted", OK), coloured("Rejected", WARNING), coloured("Timed", CRITICAL)],
        without="no RADIUS server, or not read",
        low=0,
        width=8,
    ),
    timeline(
        "Netwatch",
        "Hosts that the router tests by itself.",
        words.UP,
        Query(f"max by (probe, host) ({here('mikrotik_netwatch_up')})", "{{probe}} {{host}}"),
        without="no probes, or not read",
        width=12,
        height=7,
    ),
    graph(
        "Round trip and loss",
        "Mean round trips of netwatch probes. A rise without load means trouble on the way.",
        Unit.SECONDS,
        Query(here("mikrotik_netwatch_rtt_average_seconds"), "{{host}}"),
        without="no probes that measure it, or not read",
        low=0,
        width=12,
        height=7,
    ),
    table(
        "BGP peers",
        "Sessions with other networks. Empty where there are none, or where BGP is not read.",
        [Label("peer", "Peer"), Label("remote_address", "Address")],
        [
            Column("Session", here("mikrotik_bgp_established"), Unit.NONE, words=words.UP),
            Column("Prefixes", here("mikrotik_bgp_prefixes"), Unit.COUNT),
            Column("Up for", here("mikrotik_bgp_uptime_seconds"), Unit.SECONDS),
        ],
        order=Order("Session"),
        width=12,
        height=6,
    ),
    table(
        "OSPF neighbours",
        "How far each adjacency has come; all but full carry no routes. Empty where there are none, or where "
        "OSPF is not read.",
        [
            Label("ospf_instance", "Instance"),
            Label("router_id", "Neighbour"),
            Label("address", "Address"),
            Label("state", "State"),
        ],
        [
            Column(
                "Is",
                f"{here('mikrotik_ospf_neighbor_state')} == 1",
                Unit.NONE,
                words={"1": ("Now", OK)},
            ),
        ],
        width=12,
        height=6,
    ),
    graph(
        "Routes",
        "Routes in use by where they come from. A sudden fall means that a neighbour is gone.",
        Unit.COUNT,
        Query(here("mikrotik_routes_active_by_protocol"), "{{protocol}} {{ip_version}}"),
        low=0,
        width=8,
    ),
    graph(
        "Resolver cache",
        "Memory that the resolver's cache holds, and what it may use.",
        Unit.BYTES,
        Query(here("mikrotik_dns_cache_used_bytes"), "Used"),
        Query(here("mikrotik_dns_cache_size_bytes"), "Limit"),
        looks=[Look("Limit", colour=CRITICAL, dashed=True)],
        low=0,
        width=8,
    ),
    graph(
        "Firewall, busiest rules",
        "Packets that the ten busiest rules match.",
        Unit.PACKETS_PER_S,
        Query(
            f"topk(10, {rate(_RULES, 'table, chain, action, comment, rule')})",
            "{{table}} {{chain}} {{action}} {{comment}}",
        ),
        low=0,
        width=8,
    ),
)

_HANDSHAKE: Final = here("mikrotik_wireguard_peer_last_handshake_timestamp_seconds")
_PEER: Final = "mikrotik_wireguard_peer"
_SIGNAL: Final = Limits(CRITICAL, (-85, WARNING), (-75, OK))

RADIO: Final = (
    graph(
        "Wi-Fi stations",
        "Stations registered, by interface; both drivers.",
        Unit.COUNT,
        Query(here("mikrotik_wifi_stations"), "{{interface}}"),
        Query(here("mikrotik_wireless_stations"), "{{interface}} (legacy)"),
        without="no Wi-Fi, or not read",
        low=0,
        width=8,
    ),
    graph(
        "Weakest station",
        "Signal of the weakest station of each interface: orange below -75 dBm, red below -85.",
        Unit.DBM,
        Query(here("mikrotik_wifi_stations_worst_signal_dbm"), "{{interface}}"),
        Query(here("mikrotik_wireless_stations_worst_signal_dbm"), "{{interface}} (legacy)"),
        limits=_SIGNAL,
        without="no station, or not read",
        width=8,
    ),
    graph(
        "LTE signal",
        "Power of the reference signal. Below -110 dBm little gets through.",
        Unit.DBM,
        Query(here("mikrotik_lte_rsrp_dbm"), "{{interface}}"),
        limits=Limits(CRITICAL, (-110, WARNING), (-100, OK)),
        without="no modem, or not read",
        width=8,
    ),
    timeline(
        "PPP uplinks and tunnels",
        "Whether clients and tunnels of this router are up.",
        words.UP,
        Query(f"max by (interface) ({here('mikrotik_ppp_client_running')})", "{{interface}}"),
        Query(f"max by (interface) ({here('mikrotik_tunnel_running')})", "{{interface}}"),
        without="none, or not read",
        width=12,
        height=7,
    ),
    table(
        "WireGuard peers",
        "When each peer last shook hands: within three minutes while it is in use.",
        [Label("interface", "Interface", least=110), Label("peer", "Peer")],
        [
            Column("Last handshake", f"1000 * {_HANDSHAKE}", Unit.AGO),
            Column(
                "In", rate(here(f"{_PEER}_receive_bytes_total"), "interface, peer", times=8), Unit.BITS_PER_S
            ),
            Column(
                "Out",
                rate(here(f"{_PEER}_transmit_bytes_total"), "interface, peer", times=8),
                Unit.BITS_PER_S,
            ),
        ],
        order=Order("Last handshake", falling=True),
        width=12,
        height=7,
    ),
)

WATCHING: Final = (
    timeline(
        "Breaker",
        "Open means that the exporter rests from asking, since the router kept failing.",
        numbered(BREAKER),
        Query(state_number("tikwatch_breaker_state", ROUTER_IS, "router", BREAKER), "{{router}}"),
        width=24,
        height=4,
    ),
    table(
        "Collectors",
        "Parts of the router that are read. A broken one is named in the log with its reason; what it served last is "
        "shown until it is too old.",
        [
            Label(
                "collector", "Collector", links=[links.to("The exporter", links.EXPORTER, router="${router}")]
            )
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
                grown(here("mikrotik_collector_failures_total"), "collector", "1h"),
                Unit.COUNT,
                limits=above(1, WARNING),
                decimals=0,
            ),
        ],
        order=Order("Works"),
        height=10,
    ),
)
