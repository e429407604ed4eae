"""The router's resolver: its cache, whom it answers, and its block lists."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Number,
    Record,
    Table,
    counter,
    gauge,
    switch,
)
from routeros.values import is_number, parse_size


def kibibytes(text: str) -> Number:
    """Bytes; a number without a unit counts KiB in this menu."""
    return int(text) * 1024 if is_number(text) else parse_size(text)


_DNS = Table(
    name="dns",
    path="/ip/dns",
    rows=(
        gauge(
            "mikrotik_dns_cache_size_bytes", "Memory the resolver's cache may use.", "cache-size", kibibytes
        ),
        gauge("mikrotik_dns_cache_used_bytes", "Memory the resolver's cache holds.", "cache-used", kibibytes),
        switch(
            "mikrotik_dns_remote_requests_allowed",
            "1 if the resolver answers others than the router itself.",
            "allow-remote-requests",
            absent=None,
        ),
    ),
)

_ADLIST = Table(
    name="adlist",
    path="/ip/dns/adlist",
    labels=(Label("list", "@list"),),
    also=("url", "file"),
    rows=(
        counter("mikrotik_dns_adlist_matches_total", "Queries that a block list caught.", "match-count"),
        gauge("mikrotik_dns_adlist_names", "Names on a block list.", "name-count"),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for row in replies.get("adlist", ()):
        row["@list"] = row.get("url") or row.get("file", "")


DNS = Collector(
    name="dns",
    help="Resolver cache and block lists.",
    ttl_s=60,
    tables=(_DNS, _ADLIST),
    derive=_derive,
    on_by_default=False,
)
