"""Ways from one dashboard to another. They keep data source and time, and say what they are about."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

TAG: Final = "tikwatch"
FLEET, ROUTER, INTERFACES = "tikwatch-fleet", "tikwatch-router", "tikwatch-interfaces"
SUBSCRIBERS, QUEUES, SERVICES = "tikwatch-subscribers", "tikwatch-queues", "tikwatch-services"
ALERTS, EXPORTER = "tikwatch-alerts", "tikwatch-exporter"

_KEPT: Final = "var-datasource=${datasource}&${__url_time_range}"


def label(name: str) -> str:
    """The label of the series that was pressed."""
    return f"${{__field.labels.{name}}}"


def cell(column: str) -> str:
    """The cell of the row that was pressed, by its column's title."""
    return f'${{__data.fields["{column}"]}}'


def to(title: str, uid: str, **variables: str) -> build.DashboardLink:
    """A link on a series or a cell; `variables` are those of the dashboard it leads to."""
    chosen = "".join(f"var-{name}={value}&" for name, value in variables.items())
    return build.DashboardLink(title).type(model.DashboardLinkType.LINK).url(f"/d/{uid}?{chosen}{_KEPT}")


def router_of(series_label: str = "router") -> build.DashboardLink:
    """From a series of a router to the router."""
    return to("The router", ROUTER, router=label(series_label))


def interface_of() -> build.DashboardLink:
    """From a series of an interface to the interface."""
    return to("The interface", INTERFACES, router=label("router"), interface=label("interface"))


def across() -> build.DashboardLink:
    """The menu with every dashboard of this project; variables and time are taken along."""
    return (
        build.DashboardLink("Dashboards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
        .icon("external link")
    )


def way(title: str, uid: str) -> build.DashboardLink:
    """A button at the top that leads to one dashboard, with variables and time."""
    return (
        build.DashboardLink(title)
        .type(model.DashboardLinkType.LINK)
        .url(f"/d/{uid}")
        .icon("dashboard")
        .include_vars(True)
        .keep_time(True)
    )
