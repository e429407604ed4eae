"""Panels that stand on more than one dashboard."""

from grafana.source import links, words
from grafana.source.colours import CRITICAL, WARNING
from grafana.source.expressions import firing_count, firing_since
from grafana.source.limits import above
from grafana.source.panels import Sized, Text, number
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit

NETWORK, MESSAGING, MONITORING = "network", "messaging", "monitoring"
"""Folders."""


def critical_alerts(selector: str = "", *, title: str = "Critical alerts", width: int = 4) -> Sized:
    """How many critical alerts fire."""
    return number(
        title,
        Text(
            "Critical alerts that fire now. More than none wants somebody now; press to see which.",
            "Alert kritis yang sedang aktif. Bila lebih dari nol, tangani sekarang.",
        ),
        Unit.COUNT,
        firing_count("critical", selector),
        limits=above(1, CRITICAL),
        links=[links.to("Alerts", links.ALERTS)],
        width=width,
    )


def warnings(selector: str = "", *, width: int = 4) -> Sized:
    """How many warnings fire."""
    return number(
        "Warnings",
        Text("Warnings that fire now. They can wait for working hours.", "Peringatan yang sedang aktif."),
        Unit.COUNT,
        firing_count("warning", selector),
        limits=above(1, WARNING),
        links=[links.to("Alerts", links.ALERTS)],
        width=width,
    )


def firing_table(selector: str = "", *, height: int = 8, width: int = 24) -> Sized:
    """What fires, newest first."""
    return table(
        "Firing now",
        Text(
            "Alerts that fire, the newest first. The Watchdog is always among them: without it no alert works, and an "
            "empty table then means nothing. What to do stands in the runbook that the message links to.",
            "Alert yang sedang aktif. Watchdog selalu ada; jika hilang, sistem alert tidak bekerja.",
        ),
        [
            Label("alertname", "Alert", least=150),
            Label("severity", "Severity", words=words.SEVERITY),
            Label(
                "router", "Router", links=[links.to("The router", links.ROUTER, router=links.cell("Router"))]
            ),
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
            Label("component", "Component"),
            Label("bot", "Bot"),
            Label("database", "Database"),
            Label("channel", "Channel"),
            Label("queue", "Queue"),
        ],
        [Column("Since", firing_since(selector), Unit.AGO)],
        order=Order("Since", falling=True),
        width=width,
        height=height,
    )
