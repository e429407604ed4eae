"""Expressions that several dashboards share."""

from typing import Final

from grafana.source.variables import INTERFACE_IS, ROUTER_IS

FIRING: Final = 'alertstate="firing"'
SERIOUS: Final = 'severity=~"critical|warning"'
_WATCHDOG: Final = 'ALERTS{alertname="Watchdog",alertstate="firing"}'


def here(metric: str, more: str = "") -> str:
    """A metric of the routers chosen."""
    return f"{metric}{{{ROUTER_IS}{',' if more else ''}{more}}}"


def total(metric: str, more: str = "", *, ago: str = "") -> str:
    """The sum of a metric over the routers chosen; as it was a duration `ago`."""
    return f"sum({here(metric, more)}{' offset ' if ago else ''}{ago})"


def port(metric: str, more: str = "") -> str:
    """A metric of the interfaces chosen."""
    return f"{metric}{{{INTERFACE_IS}{',' if more else ''}{more}}}"


def firing_count(severity: str, selector: str = "") -> str:
    """How many alerts fire. 0 only while the watchdog proves that alerts are evaluated; else there is no value."""
    chosen = ",".join(part for part in (FIRING, f'severity="{severity}"', selector) if part)
    return f"count(ALERTS{{{chosen}}}) or 0 * count({_WATCHDOG})"


def firing_since(selector: str = "") -> str:
    """Since when each alert fires, in milliseconds; the watchdog is among them as long as alerts work."""
    chosen = ",".join(part for part in (FIRING, SERIOUS, selector) if part)
    return f"1000 * (ALERTS_FOR_STATE and ignoring (alertstate) (ALERTS{{{chosen}}} or {_WATCHDOG}))"


def last_began(within: str, selector: str = "") -> str:
    """When each alert that fired within that time last began, in seconds; short ones are not missed."""
    chosen = ",".join(part for part in (SERIOUS, selector) if part)
    return (
        f"max_over_time(ALERTS_FOR_STATE{{{chosen}}}[{within}])"
        f" and ignoring (alertstate) max_over_time(ALERTS{{{FIRING},{chosen}}}[{within}])"
    )


def held_still(expr: str, by: str, rank: str, count: int = 10) -> str:
    """The series that lead now, also where others led before; `rank`, a selector, is averaged over the last hour."""
    return f"{expr} and on ({by}) topk({count}, avg_over_time({rank}[1h] @ end()))"


def rate(selector: str, by: str, *, times: int = 1) -> str:
    """What a counter grows by per second, summed; `times` 8 makes bits of bytes, 60 makes it per minute."""
    factor = "" if times == 1 else f"{times} * "
    return f"{factor}sum by ({by}) (rate({selector}[$__rate_interval]))"


def grown(selector: str, by: str, within: str = "$__range") -> str:
    """By how much a counter grew in the range of time shown, or `within` another one."""
    return f"sum by ({by}) (increase({selector}[{within}]))"
