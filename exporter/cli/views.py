"""What `print` can show: interfaces, hotspot, ppp, queues, system."""

from collections.abc import Iterable
from functools import partial

from exporter.cli.columns import (
    Column,
    Read,
    Replies,
    Section,
    View,
    count,
    limit,
    metric,
    named,
    said,
    share,
    span,
    speed,
    summed,
    text,
    total,
    used,
)
from exporter.cli.units import Unit
from exporter.collectors.health import HEALTH
from exporter.collectors.hotspot import HOTSPOT
from exporter.collectors.interface import INTERFACE
from exporter.collectors.ppp import PPP
from exporter.collectors.queue import QUEUE
from exporter.collectors.system import SYSTEM
from exporter.collectors.table import Record

_BITS = 8
"""Metrics count bytes; people who watch lines think in bits."""

_INTERFACE = named(INTERFACE, "interface")
_received = metric(_INTERFACE, "mikrotik_interface_receive_bytes_total")
_transmitted = metric(_INTERFACE, "mikrotik_interface_transmit_bytes_total")
_lost = summed(
    metric(_INTERFACE, "mikrotik_interface_receive_errors_total"),
    metric(_INTERFACE, "mikrotik_interface_transmit_errors_total"),
    metric(_INTERFACE, "mikrotik_interface_receive_drops_total"),
    metric(_INTERFACE, "mikrotik_interface_transmit_drops_total"),
    metric(_INTERFACE, "mikrotik_interface_transmit_queue_drops_total"),
)

_INTERFACES = Section(
    name="interfaces",
    table=_INTERFACE,
    key=("name",),
    traffic=("rx", "tx"),
    totals=("rx_total", "tx_total"),
    columns=(
        text("name", "name", said(_INTERFACE, "name")),
        text("type", "type", said(_INTERFACE, "type"), rank=4),
        Column("running", "running", Unit.FLAG, metric(_INTERFACE, "mikrotik_interface_running"), rank=2),
        speed("rx", "rx bit/s", _received),
        speed("tx", "tx bit/s", _transmitted),
        total("rx_total", "rx total", _received, rank=3),
        total("tx_total", "tx total", _transmitted, rank=3),
        count("lost", "err+drop", _lost, rank=1),
        count("downs", "downs", metric(_INTERFACE, "mikrotik_interface_link_downs_total"), rank=5),
        text("comment", "comment", said(_INTERFACE, "comment"), rank=6),
    ),
)

_GUEST = named(HOTSPOT, "active")
_guest_sent = metric(_GUEST, "mikrotik_hotspot_session_receive_bytes_total")
_guest_got = metric(_GUEST, "mikrotik_hotspot_session_transmit_bytes_total")

_GUESTS = Section(
    name="hotspot_sessions",
    table=_GUEST,
    key=("server", "user", "mac-address"),
    traffic=("down", "up"),
    totals=("down_total", "up_total"),
    columns=(
        text("server", "server", said(_GUEST, "server"), rank=4),
        text("user", "user", said(_GUEST, "user")),
        text("address", "address", said(_GUEST, "address"), rank=2),
        text("mac", "mac", said(_GUEST, "mac-address"), rank=7),
        span("uptime", "uptime", metric(_GUEST, "mikrotik_hotspot_session_uptime_seconds"), rank=1),
        span("idle", "idle", metric(_GUEST, "mikrotik_hotspot_session_idle_seconds"), rank=5),
        speed("down", "down bit/s", _guest_got),
        speed("up", "up bit/s", _guest_sent),
        total("down_total", "down total", _guest_got, rank=3),
        total("up_total", "up total", _guest_sent, rank=3),
        text("login_by", "login by", said(_GUEST, "login-by"), rank=6),
    ),
)

_CALLER = named(PPP, "active")
_caller_sent = metric(_CALLER, "mikrotik_ppp_session_receive_bytes_total")
_caller_got = metric(_CALLER, "mikrotik_ppp_session_transmit_bytes_total")

_CALLERS = Section(
    name="ppp_sessions",
    table=_CALLER,
    key=("name", "@twin"),
    clocked="interfaces",
    traffic=("down", "up"),
    totals=("down_total", "up_total"),
    columns=(
        text("user", "user", said(_CALLER, "name")),
        text("service", "service", said(_CALLER, "service"), rank=5),
        text("address", "address", said(_CALLER, "address"), rank=2),
        text("caller_id", "caller id", said(_CALLER, "caller-id"), rank=7),
        span("uptime", "uptime", metric(_CALLER, "mikrotik_ppp_session_uptime_seconds"), rank=1),
        speed("down", "down bit/s", _caller_got),
        speed("up", "up bit/s", _caller_sent),
        total("down_total", "down total", _caller_got, rank=3),
        total("up_total", "up total", _caller_sent, rank=3),
        text("profile", "profile", said(_CALLER, "@profile"), rank=6),
    ),
)

_SIMPLE = named(QUEUE, "simple")
_simple = partial(metric, _SIMPLE)
_queue_up = _simple("mikrotik_simple_queue_upload_bytes_total")
_queue_down = _simple("mikrotik_simple_queue_download_bytes_total")
_max_up = _simple("mikrotik_simple_queue_upload_max_limit_bytes_per_second", times=_BITS)
_max_down = _simple("mikrotik_simple_queue_download_max_limit_bytes_per_second", times=_BITS)
_queue_dropped = summed(
    _simple("mikrotik_simple_queue_upload_dropped_packets_total"),
    _simple("mikrotik_simple_queue_download_dropped_packets_total"),
)

_SIMPLE_QUEUES = Section(
    name="simple_queues",
    table=_SIMPLE,
    key=("name",),
    traffic=("down", "up"),
    totals=("down_total", "up_total"),
    columns=(
        text("name", "name", said(_SIMPLE, "name")),
        text("target", "target", said(_SIMPLE, "target"), rank=3),
        limit("max_down", "max down", _max_down, rank=1),
        limit("max_up", "max up", _max_up, rank=1),
        speed("down", "down bit/s", _queue_down),
        speed("up", "up bit/s", _queue_up),
        total("down_total", "down total", _queue_down, rank=4),
        total("up_total", "up total", _queue_up, rank=4),
        count("drops", "drops", _queue_dropped, rank=2),
        text("comment", "comment", said(_SIMPLE, "comment"), rank=5),
    ),
)

_BRANCH = named(QUEUE, "tree")
_branch = partial(metric, _BRANCH)
_branch_bytes = _branch("mikrotik_queue_tree_bytes_total")

_QUEUE_TREE = Section(
    name="queue_tree",
    table=_BRANCH,
    key=("name",),
    traffic=("rate",),
    totals=("total",),
    columns=(
        text("name", "name", said(_BRANCH, "name")),
        text("parent", "parent", said(_BRANCH, "parent"), rank=1),
        text("mark", "mark", said(_BRANCH, "packet-mark"), rank=4),
        limit("max", "max", _branch("mikrotik_queue_tree_max_limit_bytes_per_second", times=_BITS), rank=1),
        speed("rate", "bit/s", _branch_bytes),
        total("total", "total", _branch_bytes, rank=3),
        count("drops", "drops", _branch("mikrotik_queue_tree_dropped_packets_total"), rank=2),
        text("comment", "comment", said(_BRANCH, "comment"), rank=5),
    ),
)

_RESOURCE = named(SYSTEM, "resource")
_SENSOR = named(HEALTH, "health")
_resource = partial(metric, _RESOURCE)
_celsius = metric(_SENSOR, "mikrotik_health_temperature_celsius")
_volts = metric(_SENSOR, "mikrotik_health_voltage_volts")
_memory = used(
    _resource("mikrotik_system_memory_free_bytes"), _resource("mikrotik_system_memory_total_bytes")
)
_disk = used(_resource("mikrotik_system_disk_free_bytes"), _resource("mikrotik_system_disk_total_bytes"))


def _numbers(read: Read, records: Iterable[Record]) -> list[float]:
    return [value for record in records if isinstance(value := read(record), int | float)]


def _boards(replies: Replies) -> list[Record]:
    """One row per router: its resources, and beside them its name for itself and what its sensors say."""
    sensors = replies.get("health", [])
    beside = {f"@{key}": value for record in replies.get("identity", ()) for key, value in record.items()}
    if temperatures := _numbers(_celsius, sensors):
        beside["@hottest"] = str(max(temperatures))
    if voltages := _numbers(_volts, sensors):
        beside["@voltage"] = str(voltages[0])
    return [{**record, **beside} for record in replies.get("resource", ())]


def _beside(field: str) -> Read:
    return lambda record: record.get(f"@{field}") or None


def _beside_number(field: str) -> Read:
    return lambda record: float(value) if (value := record.get(f"@{field}")) else None


_BOARDS = Section(
    name="system",
    table=_RESOURCE,
    key=(),
    rows=_boards,
    one_per_router=True,
    columns=(
        text("identity", "identity", _beside("name"), rank=5),
        text("version", "version", said(_RESOURCE, "version"), rank=1),
        text("board", "board", said(_RESOURCE, "board-name"), rank=6),
        span("uptime", "uptime", _resource("mikrotik_system_uptime_seconds")),
        share("cpu", "CPU", _resource("mikrotik_system_cpu_load_ratio")),
        share("memory", "memory", _memory),
        share("disk", "disk", _disk, rank=2),
        Column("temperature", "°C", Unit.TEMPERATURE, _beside_number("hottest"), rank=3),
        Column("voltage", "V", Unit.VOLTAGE, _beside_number("voltage"), rank=4),
    ),
)

ALL: tuple[View, ...] = (
    View(
        "interfaces", "each interface: traffic, errors, state", ((INTERFACE, ("interface",)),), (_INTERFACES,)
    ),
    View("hotspot", "who is logged in at the hotspot", ((HOTSPOT, ("active",)),), (_GUESTS,)),
    View(
        "ppp",
        "PPPoE and other PPP sessions",
        ((PPP, ("active", "interfaces", "pppoe", "secrets")),),
        (_CALLERS,),
    ),
    View(
        "queues",
        "simple queues and the queue tree",
        ((QUEUE, ("simple", "tree")),),
        (_SIMPLE_QUEUES, _QUEUE_TREE),
    ),
    View(
        "system",
        "the routers themselves: version, uptime, load, sensors",
        ((SYSTEM, ("resource", "identity")), (HEALTH, ("health",))),
        (_BOARDS,),
    ),
)

BY_NAME = {view.name: view for view in ALL}
