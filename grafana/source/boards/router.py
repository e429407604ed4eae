"""Router: one router from top to bottom."""

from typing import Final

from grafana.source import links, variables, words
from grafana.source.annotations import of_routers
from grafana.source.boards.router_services import INSIDE, RADIO, SERVICES, WATCHING
from grafana.source.colours import HOTSPOT, PPP
from grafana.source.expressions import held_still, here, rate, total
from grafana.source.layout import Board, Row
from grafana.source.limits import falling, plain, rising
from grafana.source.overrides import Look, before, coloured, received, sent
from grafana.source.panels import Text, graph, number
from grafana.source.queries import Query
from grafana.source.recurring import NETWORK, critical_alerts, firing_table
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import ROUTER_IS

_USED_DISK: Final = (
    f"1 - {here('mikrotik_system_disk_free_bytes')} / {here('mikrotik_system_disk_total_bytes')}"
)
_ENDED: Final = here("mikrotik_events_session_end_reasons_total")
_REFUSED: Final = here("mikrotik_events_logins_failed_total")
_LOG: Final = here("mikrotik_log_lines_total", 'severity=~"error|critical|warning"')
_CORES: Final = (
    f"{here('mikrotik_system_info')} * on (router) group_left () {here('mikrotik_system_cpu_cores')}"
)
_PORT: Final = links.to(
    "The interface", links.INTERFACES, router="${router}", interface=links.cell("Interface")
)
_SESSIONLESS: Final = 'mikrotik_interface_info{router=~"$router",type!~".*-in"}'

_ANSWER: Final = (
    number(
        "State",
        Text(
            "Whether the router answers the exporter. Down: see to power, cable, address; then its API and password.",
            "Apakah router menjawab. Bila Down: periksa listrik, kabel, alamat, lalu API dan kata sandi.",
        ),
        Unit.NONE,
        f"max({here('router:up:min')})",
        words=words.UP,
        width=3,
    ),
    critical_alerts(ROUTER_IS, title="Critical", width=3),
    number(
        "CPU",
        Text(
            "Load, mean of all cores; coloured as RouterCpuHigh decides.", "Beban CPU rata-rata semua core."
        ),
        Unit.RATIO,
        here("router:cpu_load:ratio"),
        limits=rising("cpu"),
        spark=True,
        high=1,
        width=3,
    ),
    number(
        "Memory",
        "RAM in use. RouterOS restarts when it runs out: look for connection tables and long lists.",
        Unit.RATIO,
        here("router:memory_used:ratio"),
        limits=rising("memory"),
        spark=True,
        high=1,
        width=3,
    ),
    number(
        "Hottest",
        "The warmest of the router's sensors. Empty where the board has none.",
        Unit.CELSIUS,
        here("router:temperature_celsius:max"),
        limits=rising("temperature"),
        spark=True,
        width=3,
    ),
    number(
        "Users",
        Text("Hotspot and PPP sessions of this router.", "Pengguna yang sedang online di router ini."),
        Unit.COUNT,
        here("router:subscribers:current"),
        limits=plain("text"),
        spark=True,
        width=3,
        links=[links.to("Subscribers", links.SUBSCRIBERS, router="${router}")],
    ),
    number(
        "Up for",
        "Time since it started. Orange while it counts as restarted.",
        Unit.SECONDS,
        f"max({here('mikrotik_system_uptime_seconds')})",
        limits=falling(warning="reboot_window_seconds"),
        width=3,
    ),
    number(
        "Up, 24 h",
        "Part of the last 24 hours in which it answered.",
        Unit.RATIO,
        here("router:up:avg24h"),
        limits=falling(warning="availability"),
        decimals=2,
        width=3,
    ),
)

_SYSTEM: Final = (
    graph(
        "CPU by core",
        "Load of each core, and the mean of all as a broken line. One core at its end while others rest points to a "
        "single flow, or to encryption that is not done by the hardware.",
        Unit.RATIO,
        Query(here("mikrotik_system_cpu_core_load_ratio"), "Core {{core}}"),
        Query(here("router:cpu_load:ratio"), "Mean"),
        looks=[Look("^Mean", colour="text", dashed=True)],
        limits=rising("cpu"),
        low=0,
        high=1,
    ),
    graph(
        "Memory, disk and connections",
        "Parts in use. The lines are those of memory; connections have the same kind of limit: a table that is full "
        "lets no new connection through.",
        Unit.RATIO,
        Query(here("router:memory_used:ratio"), "Memory"),
        Query(_USED_DISK, "Disk"),
        Query(here("router:connection_tracking:ratio"), "Connection table"),
        limits=rising("memory"),
        low=0,
        high=1,
    ),
)

_INTERFACES: Final = (
    graph(
        "Traffic by interface",
        Text(
            "The ten busiest interfaces of the last hour: received above zero, sent below. Press one in the legend.",
            "Sepuluh interface tersibuk: masuk di atas nol, keluar di bawah.",
        ),
        Unit.BITS_PER_S,
        *(
            Query(
                held_still(
                    rate(here(f"mikrotik_interface_{way}_bytes_total"), "router, interface", times=8),
                    "router, interface",
                    here("router_interface:traffic_bits:current"),
                ),
                f"{{{{interface}}}} {word}",
            )
            for way, word in (("receive", "in"), ("transmit", "out"))
        ),
        looks=[Look(" out$", down=True)],
        links=[links.interface_of()],
        mirror=True,
        width=12,
        height=10,
    ),
    table(
        "Interfaces at a glance",
        Text(
            "Interfaces that are no sessions of subscribers. Press one for its history.",
            "Interface router, tanpa sesi pelanggan.",
        ),
        [Label("interface", "Interface", least=110, links=[_PORT])],
        [
            Column(
                "State",
                f"({_SESSIONLESS} * on (interface, router) group_left () (max by (router, interface)"
                f" ({here('mikrotik_interface_enabled')} + {here('mikrotik_interface_enabled')} * "
                f"{here('mikrotik_interface_running')})))",
                Unit.NONE,
                words=words.LINK,
            ),
            Column("Speed", f"8 * {here('mikrotik_interface_speed_bytes_per_second')}", Unit.BITS_PER_S),
            Column(
                "In",
                f"{here('router_interface:receive_bits:rate1m')} and on (router, interface) {_SESSIONLESS}",
                Unit.BITS_PER_S,
            ),
            Column(
                "Out",
                f"{here('router_interface:transmit_bits:rate1m')} and on (router, interface) {_SESSIONLESS}",
                Unit.BITS_PER_S,
            ),
            Column(
                "Use",
                here("router_interface:utilisation:max"),
                Unit.RATIO,
                limits=rising("utilisation"),
                cell="bar",
                high=1,
            ),
        ],
        order=Order("In", falling=True),
        width=12,
        height=10,
    ),
)

_USERS: Final = (
    graph(
        "Users",
        "Sessions by kind, and their sum a week ago as a broken line.",
        Unit.COUNT,
        Query(here("router:hotspot_active:sum"), "Hotspot"),
        Query(here("router:ppp_active:sum"), "PPP"),
        Query(total("router:subscribers:current", ago="1w"), "A week ago"),
        looks=[coloured("^Hotspot", HOTSPOT), coloured("^PPP", PPP), before("week")],
        stack=True,
        low=0,
        links=[links.to("Subscribers", links.SUBSCRIBERS, router="${router}")],
    ),
    graph(
        "Traffic against last week",
        "All ports with a cable together. A difference that no holiday explains is worth a look.",
        Unit.BITS_PER_S,
        Query(here("router:receive_bits:sum"), "Received"),
        Query(here("router:transmit_bits:sum"), "Sent"),
        Query(total("router:receive_bits:sum", ago="1w"), "Received a week ago"),
        Query(total("router:transmit_bits:sum", ago="1w"), "Sent a week ago"),
        looks=[received("^Received"), sent("^Sent"), before("week")],
        mirror=True,
    ),
)

_QUEUES: Final = (
    graph(
        "Fullest queues",
        "Use of the ten fullest queues against their limits. A plan that is used up is no fault; the link of a whole "
        "site is one.",
        Unit.RATIO,
        Query(
            held_still(
                here("router_queue:utilisation:ratio"),
                "router, queue, direction",
                here("router_queue:utilisation:ratio"),
            ),
            "{{queue}} {{direction}}",
        ),
        limits=rising(warning="queue_utilisation"),
        low=0,
        links=[links.to("The queue", links.QUEUES, router="${router}", queue=links.label("queue"))],
    ),
    graph(
        "Events",
        Text(
            "What happened, also between scrapes, per minute: sessions ended by reason, logins refused, links lost. "
            "Only where the exporter follows events.",
            "Kejadian per menit: sesi berakhir, login ditolak, link putus.",
        ),
        Unit.PER_MIN,
        Query(f"topk(5, {rate(_ENDED, 'service, reason', times=60)})", "{{service}} ended: {{reason}}"),
        Query(rate(_REFUSED, "router", times=60), "Logins refused"),
        Query(rate(here("mikrotik_events_link_downs_total"), "router", times=60), "Links lost"),
        Query(rate(_LOG, "severity", times=60), "Log: {{severity}}"),
        low=0,
    ),
)

_INVENTORY: Final = (
    table(
        "System",
        "Board, version and licence.",
        [
            Label("board_name", "Board"),
            Label("version", "RouterOS"),
            Label("architecture", "Architecture"),
            Label("cpu", "Processor"),
        ],
        [Column("Cores", _CORES, Unit.COUNT)],
        width=12,
        height=4,
    ),
    table(
        "Firmware",
        "Boot firmware, and what the router would upgrade to. It takes a restart to take effect.",
        [
            Label("model", "Model"),
            Label("serial_number", "Serial"),
            Label("current_firmware", "Firmware"),
            Label("upgrade_firmware", "Newest"),
        ],
        [
            Column(
                "Pending",
                f"{here('mikrotik_system_routerboard_info')} * on (router) group_left () "
                f"{here('mikrotik_system_firmware_upgrade_pending')}",
                Unit.NONE,
                words=words.PENDING,
            )
        ],
        width=12,
        height=4,
    ),
    table(
        "Certificates",
        Text(
            "When each certificate of the router runs out; coloured as RouterCertificateExpiring decides.",
            "Masa berlaku sertifikat di router.",
        ),
        [Label("certificate", "Certificate")],
        [
            Column(
                "Left",
                here("router_certificate:left_seconds:min"),
                Unit.SECONDS,
                limits=falling("certificate", unit="seconds"),
            ),
            Column("Trusted", here("mikrotik_certificate_trusted"), Unit.NONE, words=words.GOOD),
        ],
        order=Order("Left"),
        width=12,
        height=5,
    ),
    table(
        "Licence and updates",
        "Licence level, how many sessions it allows are in use, and whether there is a newer RouterOS.",
        [Label("router", "Router")],
        [
            Column(
                "Level sessions used",
                here("router:license_sessions:ratio"),
                Unit.RATIO,
                limits=rising(warning="license_sessions"),
            ),
            Column(
                "Licence ends in",
                here("router:license_left_seconds:min"),
                Unit.SECONDS,
                limits=falling("license", unit="seconds"),
            ),
            Column("New RouterOS", here("mikrotik_system_update_available"), Unit.NONE, words=words.PENDING),
            Column(
                "Clock off by",
                here("mikrotik_system_clock_offset_seconds"),
                Unit.SECONDS,
                limits=rising(warning="clock_offset_seconds"),
            ),
        ],
        width=12,
        height=5,
    ),
)

BOARD: Final = Board(
    uid=links.ROUTER,
    title="Router",
    folder=NETWORK,
    about="One router from top to bottom: state and alerts, load, interfaces, users, queues, services, inventory.",
    tags=["network"],
    variables=[variables.datasource(), variables.one_router()],
    annotations=of_routers(),
    ways=[
        links.way("Fleet", links.FLEET),
        links.way("Interfaces", links.INTERFACES),
        links.way("Subscribers", links.SUBSCRIBERS),
        links.way("Queues", links.QUEUES),
    ],
    rows=[
        Row("", [*_ANSWER, firing_table(ROUTER_IS, height=6)]),
        Row("System", _SYSTEM),
        Row("Interfaces", _INTERFACES),
        Row("Users and traffic", _USERS),
        Row("Queues and events", _QUEUES),
        Row("Health", INSIDE),
        Row("Services and routing", SERVICES, closed=True),
        Row("Radio and uplinks", RADIO, closed=True),
        Row("Inventory", _INVENTORY),
        Row("How it is watched", WATCHING, closed=True),
    ],
)
