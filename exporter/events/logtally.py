"""Lines of the log -> reasons of sessions' ends, and logins that failed. Pure. User names are never kept."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from exporter.collectors.ppp import SERVICES
from exporter.events.families import LOGINS_FAILED, SESSION_END_REASONS
from exporter.events.tallies import DEAD, Counts
from exporter.samples import Family
from routeros import Record

OTHER = "other"
REASONS = frozenset(
    {
        *("peer_request", "hung_up", "idle_timeout", "session_timeout", "keepalive_timeout", "admin_reset"),
        *("nas_request", "nas_error", "port_error", "user_request", "lost_service", "lost_carrier", "reset"),
        *("reboot", "admin_reboot", "host_request", "traffic_limit_reached", "uptime_limit_reached"),
        *("admin_disconnect", "user_logged_out", "disconnected", "logged_out"),
    }
)
"""Reasons told by name, so that their number has a bound."""
LOGIN_WAYS = (
    "api",
    "api-ssl",
    "rest-api",
    "winbox",
    "ssh",
    "telnet",
    "ftp",
    "web",
    "local",
    "romon",
    "mac-telnet",
)
_ALWAYS = (*LOGIN_WAYS[:6], *SERVICES, "hotspot")

_PPP_END = re.compile(r"<(?P<service>[a-z0-9]+)-.*>: terminat(?:ing|ed)\.*(?: - (?P<reason>.*))?$", re.DOTALL)
_HOTSPOT_END = re.compile(r".* \([0-9a-fA-F.:]+\): logged out(?:: (?P<reason>.*))?$", re.DOTALL)
_ROUTER_LOGIN = re.compile(r"login failure for user .* via (?P<service>[a-z-]+)\s*$", re.DOTALL)
_HOTSPOT_LOGIN = re.compile(r".* \([0-9a-fA-F.:]+\): (?:trying to log in .*)?login failed", re.DOTALL)
_PPP_LOGIN = re.compile(r".*authentication failed", re.DOTALL)


class LogTally:
    """Lines of the log. After a gap the lines since the last one that was seen are counted too."""

    fields = (".id", "topics", "message")

    def __init__(self) -> None:
        self._reasons: Counts = Counter({("hotspot", OTHER): 0, ("pppoe", OTHER): 0})
        self._failed: Counts = Counter({(service,): 0 for service in _ALWAYS})
        self._last_id: str | None = None

    def __repr__(self) -> str:
        return f"<LogTally {self._reasons.total()} ends {self._failed.total()} failed logins>"

    @property
    def wants_snapshot(self) -> bool:
        """See `Tally`. Before the first line there is nothing to go on from."""
        return self._last_id is not None

    def snapshot(self, rows: Sequence[Record]) -> None:
        """See `Tally`."""
        ids = [row.get(".id") for row in rows]
        if self._last_id not in ids:
            return  # the log was emptied, or more lines came than it keeps: which are new cannot be told
        for row in rows[ids.index(self._last_id) + 1 :]:
            self.row(row)

    def row(self, row: Record) -> None:
        """See `Tally`."""
        if DEAD in row:
            return
        self._last_id = row.get(".id", self._last_id)
        topics, message = row.get("topics", "").split(","), row.get("message", "")
        if (ended := _end_of(topics, message)) is not None:
            self._reasons[ended] += 1
        elif (service := _failed_login(topics, message)) is not None:
            self._failed[service,] += 1

    def counts(self) -> Mapping[Family, Counts]:
        """See `Tally`."""
        return {SESSION_END_REASONS: self._reasons, LOGINS_FAILED: self._failed}


def _end_of(topics: Sequence[str], message: str) -> tuple[str, str] | None:
    """Service and reason, if the line tells of a session's end."""
    if "hotspot" in topics and (found := _HOTSPOT_END.match(message)):
        return "hotspot", _reason(found["reason"])
    if found := _PPP_END.match(message):
        service = found["service"]
        return (service if service in SERVICES else OTHER), _reason(found["reason"])
    return None


def _reason(text: str | None) -> str:
    word = re.sub(r"[^a-z]+", "_", (text or "").lower()).strip("_")
    return word if word in REASONS else OTHER


def _failed_login(topics: Sequence[str], message: str) -> str | None:
    """By what somebody tried to log in, if the line tells of one who failed."""
    if found := _ROUTER_LOGIN.match(message):
        return found["service"] if found["service"] in LOGIN_WAYS else OTHER
    if "hotspot" in topics and _HOTSPOT_LOGIN.match(message):
        return "hotspot"
    ways = [service for service in SERVICES if service in topics]
    if ("ppp" in topics or ways) and _PPP_LOGIN.match(message):
        return ways[0] if ways else OTHER
    return None
