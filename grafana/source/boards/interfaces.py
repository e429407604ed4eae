"""Interfaces: traffic, use, errors, flaps, optics, and what is normal at this hour."""

from typing import Final

from grafana.source import links, variables, words
from grafana.source.annotations import of_routers
from grafana.source.boards.interfaces_faults import ERRORS, OPTICS
from grafana.source.colours import BEFORE, NORMAL_BAND, RECEIVED, WARNING
from grafana.source.expressions import grown, held_still, port, rate
from grafana.source.layout import Board, Row
from grafana.source.limits import above, falling, plain, rising
from grafana.source.limits import number as threshold
from grafana.source.overrides import Look, before, coloured, received, sent
from grafana.source.panels import Text, graph, number, timeline
from grafana.source.queries import Query
from grafana.source.recurring import NETWORK
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit

_BY: Final = "router, interface"
_EXPECTED: Final = port("router_interface:expected:bool")
_RUNNING: Final = port("mikrotik_interface_running")
_DOWN: Final = f"{_EXPECTED} == on ({_BY}) (max by ({_BY}) ({_RUNNING}) == bool 0)"
_TRAFFIC: Final = port("router_interface:traffic_bits:current")
_NAME: Final = "{{router}} {{interface}}"
_OF: Final = [links.interface_of(), links.router_of()]
_ENABLED: Final = port("mikrotik_interface_enabled")
_STATE: Final = f"max by ({_BY}) ({_ENABLED} + {_ENABLED} * {_RUNNING})"
_NAMED: Final = port("mikrotik_interface_info", 'type!~".*-in"')
_UNSTEADY: Final = f"topk(15, changes({_RUNNING}[$__range] @ end()))"
_LOSSES: Final = port("mikrotik_interface_link_downs_total")
_LOSERS: Final = f"topk(10, increase({_LOSSES}[$__range] @ end()))"
_FLAPS: Final = grown(port("mikrotik_interface_link_downs_total"), _BY, "15m")

_ANSWER: Final = (
    number(
        "Down",
        Text(
            "Interfaces that are enabled, ran within the last week and do not run now. Below, the red ones.",
            "Interface yang seharusnya aktif tetapi tidak berjalan.",
        ),
        Unit.COUNT,
        f"count({_DOWN}) or 0 * count({_EXPECTED})",
        limits=above(1),
    ),
    number(
        "Fullest link",
        "Use of the busiest direction of the busiest link, against its negotiated speed.",
        Unit.RATIO,
        f"max({port('router_interface:utilisation:max')})",
        limits=rising("utilisation"),
        spark=True,
        high=1,
    ),
    number(
        "Worst errors",
        "Share of broken packets on the worst interface, over five minutes.",
        Unit.RATIO,
        f"max({port('router_interface:errors:ratio_rate5m')})",
        limits=rising("interface_errors"),
        decimals=3,
    ),
    number(
        "Losses, 15 min",
        "How often the least steady link was lost within 15 minutes.",
        Unit.COUNT,
        f"max({_FLAPS})",
        limits=rising(warning="link_flaps"),
        decimals=0,
    ),
    number(
        "Weakest light",
        "Optical power received, of the weakest module. Clean the connector before you change it.",
        Unit.DBM,
        f"min({port('mikrotik_sfp_receive_power_dbm')})",
        limits=falling("optical_power"),
        decimals=1,
    ),
    number(
        "Received",
        "All interfaces chosen together.",
        Unit.BITS_PER_S,
        f"sum({port('router_interface:receive_bits:rate1m')})",
        limits=plain(RECEIVED),
        spark=True,
    ),
)

_TRAFFIC_ROW: Final = (
    graph(
        "Traffic",
        Text(
            "The ten busiest of the interfaces chosen: received above zero, sent below. Press one in the legend to see "
            "it alone.",
            "Sepuluh interface tersibuk: masuk di atas nol, keluar di bawah.",
        ),
        Unit.BITS_PER_S,
        Query(
            held_still(rate(port("mikrotik_interface_receive_bytes_total"), _BY, times=8), _BY, _TRAFFIC),
            f"{_NAME} in",
        ),
        Query(
            held_still(rate(port("mikrotik_interface_transmit_bytes_total"), _BY, times=8), _BY, _TRAFFIC),
            f"{_NAME} out",
        ),
        looks=[Look(" out$", down=True)],
        links=_OF,
        mirror=True,
        width=24,
        height=11,
    ),
    graph(
        "Use of links",
        "Of the busier direction, against the speed that was negotiated; the lines are those of InterfaceSaturated. "
        "Interfaces without a speed of their own, such as VLANs, are not here.",
        Unit.RATIO,
        Query(
            held_still(
                port("router_interface:utilisation:max"), _BY, port("router_interface:utilisation:max")
            ),
            _NAME,
        ),
        limits=rising("utilisation"),
        low=0,
        high=1,
        links=_OF,
    ),
    graph(
        "Against a week ago",
        "All interfaces chosen together, and the same hour of last week as a broken line.",
        Unit.BITS_PER_S,
        *(
            Query(
                f"sum({port(f'router_interface:{way}_bits:rate5m')}{ago})",
                f"{word}{' a week ago' if ago else ''}",
            )
            for way, word in (("receive", "Received"), ("transmit", "Sent"))
            for ago in ("", " offset 1w")
        ),
        looks=[received("^Received"), sent("^Sent"), before("week")],
        mirror=True,
    ),
    graph(
        "Against the normal",
        Text(
            "Both directions of all interfaces chosen together, within the band of what is normal at this hour: "
            "mean of "
            "the last weeks and three standard deviations. In the first week the band is that of the hour before.",
            "Trafik dibandingkan dengan rentang normal pada jam yang sama.",
        ),
        Unit.BITS_PER_S,
        Query(f"sum({_TRAFFIC})", "Now"),
        Query(
            f"sum({port('router_interface:traffic_bits:baseline_avg')}) + {threshold('traffic_spike_sigma')} * "
            f"sqrt(sum({port('router_interface:traffic_bits:baseline_stddev')} ^ 2))",
            "Most that is normal",
        ),
        Query(
            f"clamp_min(sum({port('router_interface:traffic_bits:baseline_avg')}) - "
            f"{threshold('traffic_spike_sigma')} * "
            f"sqrt(sum({port('router_interface:traffic_bits:baseline_stddev')} ^ 2)), 0)",
            "Least that is normal",
        ),
        looks=[
            coloured("^Now", RECEIVED),
            Look("^Most", colour=NORMAL_BAND, band_to="Least that is normal"),
            Look("^Least", colour=BEFORE, dashed=True),
        ],
        low=0,
    ),
    graph(
        "Deviation from the normal",
        "In standard deviations, the ten that deviate most now. Beyond the line, and by as many bits as the threshold "
        "says, InterfaceTrafficSpike fires.",
        Unit.COUNT,
        Query(
            f"{port('router_interface:traffic_bits:zscore')} and on ({_BY}) "
            f"topk(10, abs({port('router_interface:traffic_bits:zscore')} @ end()))",
            _NAME,
        ),
        limits=rising(warning="traffic_spike_sigma"),
        without="the normal is known after ten minutes",
        links=_OF,
        decimals=1,
    ),
)

_TABLE: Final = table(
    "All interfaces",
    Text(
        "State, speed and traffic of every interface chosen. A speed lower than it was means a bad cable. The 95th "
        "percentile is that of the last day, which is what transit is billed by.",
        "Semua interface yang dipilih.",
    ),
    [
        Label("router", "Router", links=[links.to("The router", links.ROUTER, router=links.cell("Router"))]),
        Label(
            "interface",
            "Interface",
            least=110,
            links=[
                links.to(
                    "The interface",
                    links.INTERFACES,
                    router=links.cell("Router"),
                    interface=links.cell("Interface"),
                )
            ],
        ),
        Label("comment", "Comment"),
        Label("type", "Type"),
    ],
    [
        Column("State", f"{_NAMED} * on ({_BY}) group_left () {_STATE}", Unit.NONE, words=words.LINK),
        Column("Speed", f"8 * {port('mikrotik_interface_speed_bytes_per_second')}", Unit.BITS_PER_S),
        Column(
            "In",
            f"{port('router_interface:receive_bits:rate1m')} and on ({_BY}) {_NAMED}",
            Unit.BITS_PER_S,
        ),
        Column(
            "Out",
            f"{port('router_interface:transmit_bits:rate1m')} and on ({_BY}) {_NAMED}",
            Unit.BITS_PER_S,
        ),
        Column(
            "Use",
            port("router_interface:utilisation:max"),
            Unit.RATIO,
            limits=rising("utilisation"),
            cell="bar",
            high=1,
        ),
        Column(
            "95 % in",
            f"{port('router_interface:receive_bits:p95_1d')} and on ({_BY}) {_NAMED}",
            Unit.BITS_PER_S,
        ),
        Column(
            "95 % out",
            f"{port('router_interface:transmit_bits:p95_1d')} and on ({_BY}) {_NAMED}",
            Unit.BITS_PER_S,
        ),
        Column(
            "Broken",
            f"{port('router_interface:errors:ratio_rate5m')} and on ({_BY}) {_NAMED}",
            Unit.RATIO,
            limits=rising("interface_errors"),
            decimals=2,
        ),
        Column(
            "Lost, 24 h",
            f"{grown(port('mikrotik_interface_link_downs_total'), _BY, '24h')} and on ({_BY}) {_NAMED}",
            Unit.COUNT,
            limits=above(1, WARNING),
            decimals=0,
        ),
    ],
    order=Order("In", falling=True),
    last=["comment", "type"],
    height=12,
)

_VOLUME: Final = table(
    "Volume in this range of time",
    "Bytes that went through, over the time chosen at the top. Choose a day or a month for daily and monthly use.",
    [Label("router", "Router"), Label("interface", "Interface", least=110)],
    [
        Column(
            "Received",
            f"{grown(port('mikrotik_interface_receive_bytes_total'), _BY)} and on ({_BY}) {_NAMED}",
            Unit.VOLUME,
            cell="bar",
            limits=plain(RECEIVED),
        ),
        Column(
            "Sent",
            f"{grown(port('mikrotik_interface_transmit_bytes_total'), _BY)} and on ({_BY}) {_NAMED}",
            Unit.VOLUME,
            cell="bar",
            limits=plain(RECEIVED),
        ),
    ],
    order=Order("Received", falling=True),
    width=12,
    height=9,
)

_STEADINESS: Final = (
    timeline(
        "Running",
        "When interfaces that should be up ran: the fifteen that changed most. Gaps mean that the router was not read.",
        words.UP,
        Query(f"max by ({_BY}) ({_RUNNING}) and on ({_BY}) {_EXPECTED} and on ({_BY}) {_UNSTEADY}", _NAME),
        links=_OF,
        width=12,
        height=9,
    ),
    graph(
        "Negotiated speed",
        "What each link agreed on. A step down is a cable, a plug, or a port that is set by hand.",
        Unit.BITS_PER_S,
        Query(f"8 * max by ({_BY}) ({port('mikrotik_interface_speed_bytes_per_second')})", _NAME),
        low=0,
        steps=True,
        links=_OF,
        calcs=("lastNotNull", "min"),
    ),
    graph(
        "Link losses",
        "How often links were lost: the ten that were lost most in the range of time shown.",
        Unit.COUNT,
        Query(f"sum by ({_BY}) (increase({_LOSSES}[$__rate_interval])) and on ({_BY}) {_LOSERS}", _NAME),
        bars=True,
        low=0,
        links=_OF,
        calcs=("max",),
    ),
    _VOLUME,
)

BOARD: Final = Board(
    uid=links.INTERFACES,
    title="Interfaces",
    folder=NETWORK,
    about="Traffic, use, errors, losses and optics of interfaces, against last week and against the normal.",
    tags=["network"],
    variables=[variables.datasource(), variables.routers(), variables.interfaces()],
    annotations=of_routers(),
    ways=[links.way("Fleet", links.FLEET), links.way("Router", links.ROUTER)],
    rows=[
        Row("", [*_ANSWER, *_TRAFFIC_ROW, _TABLE]),
        Row("Steadiness and volume", _STEADINESS),
        Row("Errors", ERRORS),
        Row("Optics and power", OPTICS),
    ],
)
