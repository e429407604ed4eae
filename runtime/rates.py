"""How often each client asks: token buckets, a bounded number of them."""

import ipaddress
from collections import OrderedDict

MAX_CLIENTS = 10_000
"""Clients whose rate is remembered; the one that was quiet longest is forgotten first."""


class RateTable:
    """Token buckets by client, at most `size` of them. Pure: the time is handed in, in monotonic seconds."""

    def __init__(self, size: int = MAX_CLIENTS) -> None:
        self._size = size
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client: tokens, as of when

    def __repr__(self) -> str:
        return f"<RateTable clients={len(self._buckets)}/{self._size}>"

    def wait_s(self, client: str, requests_per_s: float, burst: int, now_s: float) -> float:
        """0 when `client` may ask now, which uses up one token; else the seconds until it may."""
        tokens, since_s = self._buckets.get(client, (float(burst), now_s))
        tokens = min(float(burst), tokens + max(0.0, now_s - since_s) * requests_per_s)
        granted = tokens >= 1
        self._buckets[client] = (tokens - 1 if granted else tokens, now_s)
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._size:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (1 - tokens) / requests_per_s


def client_of(address: str | None) -> str:
    """Whom a rate is counted for: an IPv4 address, or an IPv6 /64, since one host has all of that."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return str(ip)
