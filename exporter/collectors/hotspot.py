"""Hotspot: servers, who is logged in and how, hosts, vouchers, and each session's traffic."""

from collections.abc import Iterable

from exporter.collectors.table import (
    CLIENT,
    Collector,
    Facts,
    Label,
    Record,
    Subscribers,
    Table,
    Where,
    arrivals,
    count,
    counter,
    duration,
    gauge,
    info,
    negated,
    switch,
)
from routeros.values import parse_duration

_SERVER = Label("server")
_PROFILE = Label("profile")
_TRUE = ("true", "yes")
_WAYS = ("cookie", "http-chap", "http-pap", "https", "mac", "mac-cookie", "trial")

_SERVERS = Table(
    name="servers",
    path="/ip/hotspot",
    labels=(Label("server", "name"),),
    rows=(
        switch("mikrotik_hotspot_server_enabled", "1 unless the server is disabled.", "disabled", negated),
        switch(
            "mikrotik_hotspot_server_valid",
            "0 if the server cannot work, as when its interface is gone.",
            "invalid",
            negated,
        ),
        gauge(
            "mikrotik_hotspot_server_proxy_running",
            "1 while the login page's proxy works.",
            "@proxy",
            source="/ip/hotspot proxy-status",
        ),
        info(
            "mikrotik_hotspot_server_info",
            "Interface, profile and address pool of a server.",
            Label("interface"),
            _PROFILE,
            Label("address_pool"),
        ),
    ),
    also=("proxy-status",),
)

_ACTIVE = Table(
    name="active",
    path="/ip/hotspot/active",
    labels=(_SERVER, Label("user"), Label("mac_address")),
    client_by="mac-address",
    subscribers=Subscribers(
        key=("server", "user", "mac-address"),
        traffic=("bytes-in", "bytes-out", "packets-in", "packets-out"),
        who="user",
        group=("server",),
    ),
    rows=(
        count("mikrotik_hotspot_active_sessions", "Sessions logged in.", _SERVER, over="servers"),
        count(
            "mikrotik_hotspot_active_sessions_by_login",
            "Sessions logged in, by how they did.",
            Label("login_by"),
            over="ways",
        ),
        count(
            "mikrotik_hotspot_active_sessions_radius",
            "Sessions that a RADIUS server let in.",
            _SERVER,
            where=Where("radius", _TRUE),
            over="servers",
        ),
        arrivals(
            "mikrotik_hotspot_logins_total",
            "Logins seen since the exporter started; a session that came and went between two readings is missed.",
            _SERVER,
            over="servers",
        ),
        counter(
            "mikrotik_hotspot_session_receive_bytes_total",
            "Bytes received from the client in this session (its upload).",
            "bytes-in",
        ),
        counter(
            "mikrotik_hotspot_session_transmit_bytes_total",
            "Bytes sent to the client in this session (its download).",
            "bytes-out",
        ),
        counter(
            "mikrotik_hotspot_session_receive_packets_total",
            "Packets received from the client in this session (its upload).",
            "packets-in",
        ),
        counter(
            "mikrotik_hotspot_session_transmit_packets_total",
            "Packets sent to the client in this session (its download).",
            "packets-out",
        ),
        gauge("mikrotik_hotspot_session_uptime_seconds", "Time since the login.", "uptime", duration),
        gauge(
            "mikrotik_hotspot_session_idle_seconds",
            "Time since the client's last packet.",
            "idle-time",
            duration,
        ),
        gauge(
            "mikrotik_hotspot_session_time_left_seconds",
            "Time until the session's limit; absent if it has none.",
            "session-time-left",
            duration,
        ),
        info(
            "mikrotik_hotspot_session_info",
            "Address and way of login of a session.",
            Label("address"),
            Label("login_by"),
            CLIENT,
        ),
    ),
)

_HOSTS = Table(
    name="hosts",
    path="/ip/hotspot/host",
    rows=(
        count("mikrotik_hotspot_hosts", "Devices seen behind the server.", _SERVER, over="servers"),
        count(
            "mikrotik_hotspot_hosts_authorized",
            "Devices seen that are logged in.",
            _SERVER,
            where=Where("authorized", _TRUE),
            over="servers",
        ),
        count(
            "mikrotik_hotspot_hosts_bypassed",
            "Devices seen that an ip-binding lets pass without a login.",
            _SERVER,
            where=Where("bypassed", _TRUE),
            over="servers",
        ),
    ),
)

_PROFILES = Table(name="profiles", path="/ip/hotspot/user/profile", also=("name",), rows=())

_USERS = Table(
    name="users",
    path="/ip/hotspot/user",
    also=(
        "limit-uptime",
        "uptime",
        "limit-bytes-in",
        "limit-bytes-out",
        "limit-bytes-total",
        "bytes-in",
        "bytes-out",
    ),
    rows=(
        count("mikrotik_hotspot_users", "Local users (vouchers).", _PROFILE, over="profiles"),
        count(
            "mikrotik_hotspot_users_disabled",
            "Local users that are disabled.",
            _PROFILE,
            where=Where("disabled", _TRUE),
            over="profiles",
        ),
        count(
            "mikrotik_hotspot_users_limit_reached",
            "Local users who have used up their time or volume.",
            _PROFILE,
            where=Where("@spent", _TRUE),
            over="profiles",
        ),
    ),
)

_VOLUME_LIMITS = (
    ("limit-bytes-in", ("bytes-in",)),
    ("limit-bytes-out", ("bytes-out",)),
    ("limit-bytes-total", ("bytes-in", "bytes-out")),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for record in replies.get("servers", ()):
        if status := record.get("proxy-status"):
            record["@proxy"] = str(int(status == "running"))
    if replies.get("servers"):
        replies["ways"] = [{"name": way} for way in _WAYS]
    for record in replies.get("users", ()):
        if _is_spent(record):
            record["@spent"] = "true"


def _is_spent(user: Record) -> bool:
    """Whether a limit of `user` is reached; a limit of 0 is none."""
    limit = user.get("limit-uptime")
    if limit and limit != "0s" and _seconds(user.get("uptime", "")) >= _seconds(limit) > 0:
        return True
    return any(0 < _number(user.get(limit)) <= _sum(user, used) for limit, used in _VOLUME_LIMITS)


def _seconds(text: str) -> float:
    try:
        return parse_duration(text) or 0.0
    except ValueError:
        return 0.0


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _sum(user: Record, fields: Iterable[str]) -> int:
    return sum(_number(user.get(name)) for name in fields)


HOTSPOT = Collector(
    name="hotspot",
    help="Servers, sessions by server and login method, hosts, users and vouchers, traffic per session.",
    ttl_s=30,
    tables=(_SERVERS, _ACTIVE, _HOSTS, _PROFILES, _USERS),
    derive=_derive,
)
