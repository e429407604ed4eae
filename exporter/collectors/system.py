"""The router itself: resources, identity, board and firmware, licence, clock and updates."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    counter,
    duration,
    gauge,
    info,
    local_date,
    mega,
    ratio,
    size,
    switch,
)
from routeros.values import parse_date, parse_duration, parse_version

_RESOURCE = Table(
    name="resource",
    path="/system/resource",
    rows=(
        info(
            "mikrotik_system_info",
            "RouterOS version and board.",
            Label("version"),
            Label("board_name"),
            Label("architecture", "architecture-name"),
            Label("platform"),
            Label("cpu"),
        ),
        gauge("mikrotik_system_uptime_seconds", "Time since the router booted.", "uptime", duration),
        gauge("mikrotik_system_cpu_load_ratio", "CPU load, average of all cores (0-1).", "cpu-load", ratio),
        gauge("mikrotik_system_cpu_cores", "Number of CPU cores.", "cpu-count"),
        gauge("mikrotik_system_cpu_frequency_hertz", "CPU clock.", "cpu-frequency", mega),
        gauge("mikrotik_system_memory_free_bytes", "RAM that is free.", "free-memory", size),
        gauge("mikrotik_system_memory_total_bytes", "RAM installed.", "total-memory", size),
        gauge("mikrotik_system_disk_free_bytes", "System disk that is free.", "free-hdd-space", size),
        gauge("mikrotik_system_disk_total_bytes", "Size of the system disk.", "total-hdd-space", size),
        gauge("mikrotik_system_disk_bad_blocks_ratio", "Flash blocks found bad (0-1).", "bad-blocks", ratio),
        counter(
            "mikrotik_system_disk_written_sectors_total",
            "Flash sectors written over the life of the board.",
            "write-sect-total",
        ),
    ),
)

_CPU = Table(
    name="cpu",
    path="/system/resource/cpu",
    labels=(Label("core", "cpu"),),
    rows=(
        gauge("mikrotik_system_cpu_core_load_ratio", "Load of one core (0-1).", "load", ratio),
        gauge("mikrotik_system_cpu_core_irq_ratio", "Share of interrupts on one core (0-1).", "irq", ratio),
        gauge("mikrotik_system_cpu_core_disk_ratio", "Share of disk work on one core (0-1).", "disk", ratio),
    ),
)

_IDENTITY = Table(
    name="identity",
    path="/system/identity",
    rows=(info("mikrotik_system_identity_info", "Name the router gives itself.", Label("identity", "name")),),
)

_ROUTERBOARD = Table(
    name="routerboard",
    path="/system/routerboard",
    also=("routerboard",),
    rows=(
        info(
            "mikrotik_system_routerboard_info",
            "Board model, serial number and boot firmware.",
            Label("model"),
            Label("revision"),
            Label("serial_number"),
            Label("firmware_type"),
            Label("factory_firmware"),
            Label("current_firmware"),
            Label("upgrade_firmware"),
        ),
        gauge(
            "mikrotik_system_firmware_upgrade_pending",
            "1 if the boot firmware is older than the one RouterOS brings.",
            "@upgrade-pending",
            source="/system/routerboard upgrade-firmware",
        ),
    ),
)

_LICENSE = Table(
    name="license",
    path="/system/license",
    also=("nlevel", "level"),
    rows=(
        info("mikrotik_system_license_info", "Licence level.", Label("level", "@level")),
        gauge(
            "mikrotik_system_license_renewal_timestamp_seconds",
            "When a CHR licence is next renewed.",
            "next-renewal-at",
            local_date,
        ),
        gauge(
            "mikrotik_system_license_deadline_timestamp_seconds",
            "When a CHR licence that was not renewed stops upgrades.",
            "deadline-at",
            local_date,
        ),
    ),
)

_CLOCK = Table(
    name="clock",
    path="/system/clock",
    also=("date", "time", "gmt-offset"),
    rows=(
        gauge(
            "mikrotik_system_clock_offset_seconds",
            "The router's clock less the exporter's, good to about a second and the command's duration.",
            "@offset",
            source="/system/clock date, time",
        ),
        switch("mikrotik_system_clock_dst_active", "1 while summer time holds.", "dst-active", absent=None),
        info("mikrotik_system_clock_info", "Time zone.", Label("time_zone", "time-zone-name")),
    ),
)

_UPDATE = Table(
    name="update",
    path="/system/package/update",
    rows=(
        info(
            "mikrotik_system_update_info",
            "Versions as of the router's last check for updates.",
            Label("channel"),
            Label("installed_version"),
            Label("latest_version"),
        ),
        gauge(
            "mikrotik_system_update_available",
            "1 if the last check for updates found a newer version; absent if no check was made.",
            "@available",
            source="/system/package/update latest-version",
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    for record in replies.get("resource", ()):
        _note_resource(record, facts)
    for record in replies.get("identity", ()):
        facts.identity = record.get("name", facts.identity)
    for record in replies.get("clock", ()):
        _note_clock(record, facts)
    routerboards = replies.get("routerboard", [])
    for record in routerboards:
        current, upgrade = record.get("current-firmware"), record.get("upgrade-firmware")
        if current and upgrade:
            record["@upgrade-pending"] = str(int(current != upgrade))
    routerboards[:] = [record for record in routerboards if record.get("routerboard") != "false"]
    for record in replies.get("license", ()):
        record["@level"] = record.get("nlevel") or record.get("level") or ""
    for record in replies.get("update", ()):
        available = _is_newer(record.get("latest-version"), record.get("installed-version"))
        if available is not None:
            record["@available"] = str(int(available))


def _note_resource(record: Record, facts: Facts) -> None:
    facts.version = record.get("version", facts.version)
    facts.board = record.get("board-name", facts.board)
    major = facts.version.split(".", 1)[0]
    facts.major = int(major) if major.isdecimal() else facts.major
    try:
        uptime_s = parse_duration(record.get("uptime", ""))
    except ValueError:
        return  # the row that exports it counts and names the value
    if uptime_s is not None:
        if facts.uptime_s is not None and uptime_s < facts.uptime_s:
            facts.reboots_seen += 1
        facts.uptime_s = uptime_s
        facts.booted_at_s = facts.now_s - uptime_s


def _note_clock(record: Record, facts: Facts) -> None:
    try:
        facts.gmt_offset_s = _offset_s(record["gmt-offset"])
        router_now_s = parse_date(f"{record['date']} {record['time']}", gmt_offset_s=facts.gmt_offset_s)
    except (KeyError, ValueError):
        return  # without its zone no date of this router can be placed in time: nothing is exported
    if router_now_s is not None:
        record["@offset"] = str(round(router_now_s - facts.now_s, 3))


def _offset_s(text: str) -> float:
    """Seconds east of Greenwich of an offset such as ``+07:00`` or ``-03:30``. Raises ValueError."""
    sign = {"+": 1, "-": -1}.get(text[:1])
    if sign is None:
        raise ValueError(f"{text!r} is no offset from Greenwich")
    hours, minutes = text[1:].split(":")[:2]
    return sign * (int(hours) * 3600.0 + int(minutes) * 60.0)


def _is_newer(latest: str | None, installed: str | None) -> bool | None:
    if not latest or not installed:
        return None
    try:
        return parse_version(latest) > parse_version(installed)
    except ValueError:
        return latest != installed


SYSTEM = Collector(
    name="system",
    help="CPU, memory, disk, uptime, version, board and firmware, licence, clock, updates.",
    ttl_s=60,
    tables=(_RESOURCE, _CPU, _IDENTITY, _ROUTERBOARD, _LICENSE, _CLOCK, _UPDATE),
    derive=_derive,
)
