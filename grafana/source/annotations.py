"""What is marked on every graph: alerts, restarts, upgrades, and what recovery did."""

from typing import Final

from grafana_foundation_sdk.models import dashboard as model

from grafana.source.colours import CRITICAL, INFO, WARNING
from grafana.source.variables import ROUTER_IS, SOURCE

RECOVERY_COLOUR: Final = "purple"


class Marks(model.AnnotationQuery):
    """Marks from a query of Prometheus, with the words that stand at each."""

    def __init__(
        self, name: str, expr: str, colour: str, title: str, text: str, *, enable: bool = True
    ) -> None:
        super().__init__(name=name, datasource=SOURCE, enable=enable, icon_color=colour, expr=expr)
        self.title = title
        self.text = text

    def to_json(self) -> dict[str, object]:
        """For Grafana."""
        return {
            **super().to_json(),
            "titleFormat": self.title,
            "textFormat": self.text,
            "tagKeys": "severity",
        }


def firing(selector: str = "") -> Marks:
    """Where alerts that need somebody began to fire. All the time that they do would cover what they are about."""
    chosen = f'alertstate="firing",severity=~"critical|warning"{"," if selector else ""}{selector}'
    by = "alertname, router, interface, severity"
    expr = f"max by ({by}) (ALERTS{{{chosen}}}) unless on ({by}) ALERTS{{{chosen}}} offset $__rate_interval"
    return Marks("Alerts", expr, CRITICAL, "{{alertname}}", "{{severity}} {{router}} {{interface}}")


def of_routers() -> tuple[Marks, ...]:
    """For dashboards with the variable `router`."""
    uptime, info = f"mikrotik_system_uptime_seconds{{{ROUTER_IS}}}", f"mikrotik_system_info{{{ROUTER_IS}}}"
    upgraded = (
        f"count by (router, version) ({info}) unless on (router, version) {info} offset 5m"
        f" and on (router) count by (router) ({info} offset 5m)"
    )
    return (
        firing(ROUTER_IS),
        Marks(
            "Restarts",
            f"max by (router) (resets({uptime}[$__rate_interval])) > 0",
            WARNING,
            "{{router}} restarted",
            "The router's uptime began anew.",
        ),
        Marks("Upgrades", upgraded, INFO, "{{router}} runs {{version}}", "Another RouterOS version."),
        recovery(),
    )


def recovery() -> Marks:
    """What the bridge did by itself. A rule's first attempt is a new series, which has no increase."""
    attempts = "alertbridge_recovery_attempts_total"
    return Marks(
        "Recovery",
        f"sum by (rule, action) (increase({attempts}[$__rate_interval]) > 0 or {attempts} unless {attempts} offset 1m)",
        RECOVERY_COLOUR,
        "Recovery: {{rule}}",
        "The bridge ran {{action}}.",
    )


def of_services() -> tuple[Marks, ...]:
    """For dashboards of what is no router."""
    return (firing(), recovery())
