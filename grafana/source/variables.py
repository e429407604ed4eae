"""The variables at the top of dashboards."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

SOURCE: Final = model.DataSourceRef("prometheus", "${datasource}")
_ALL: Final = model.VariableOption(selected=True, text="All", value="$__all")

ROUTER_IS: Final = 'router=~"$router"'
INTERFACE_IS: Final = f'{ROUTER_IS},interface=~"$interface"'
QUEUE_IS: Final = f'{ROUTER_IS},queue=~"$queue"'
BOT_IS: Final = 'bot=~"$bot"'
DATABASE_IS: Final = 'database=~"$database"'
CHANNEL_IS: Final = 'channel=~"$channel"'


def datasource() -> build.DatasourceVariable:
    """Which Prometheus; the provisioned one unless another is chosen."""
    return (
        build.DatasourceVariable("datasource")
        .label("Data source")
        .type("prometheus")
        .current(model.VariableOption(selected=True, text="Prometheus", value="prometheus"))
    )


def _query(name: str, label: str, query: str, about: str) -> build.QueryVariable:
    return (
        build.QueryVariable(name)
        .label(label)
        .description(about)
        .datasource(SOURCE)
        .query(query)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )


def _several(name: str, label: str, query: str, about: str) -> build.QueryVariable:
    return _query(name, label, query, about).multi(True).include_all(True).all_value(".+").current(_ALL)


def routers() -> build.QueryVariable:
    """Any number of routers."""
    return _several("router", "Router", "label_values(mikrotik_up, router)", "Routers to look at.")


def one_router() -> build.QueryVariable:
    """Exactly one router."""
    return _query("router", "Router", "label_values(mikrotik_up, router)", "Router to look at.")


def interfaces() -> build.QueryVariable:
    """Interfaces of the routers chosen, without the sessions of subscribers."""
    query = f'label_values(mikrotik_interface_info{{{ROUTER_IS},type!~".*-in"}}, interface)'
    return _several("interface", "Interface", query, "Interfaces of these routers.")


def queues() -> build.QueryVariable:
    """Queues of the routers chosen that have a limit."""
    query = f"label_values(router_queue:limit_bits:max{{{ROUTER_IS}}}, queue)"
    return _several("queue", "Queue", query, "Queues of these routers that have a limit.")


def subscriber() -> build.QueryVariable:
    """One subscriber of the routers chosen."""
    query = f"label_values(router_user:receive_bits:rate5m{{{ROUTER_IS}}}, user)"
    return _query("subscriber", "Subscriber", query, "One subscriber; pick or type a name.")


def bots() -> build.QueryVariable:
    """WhatsApp bots."""
    return _several("bot", "Bot", "label_values(whatsapp_bot_up, bot)", "WhatsApp bots to look at.")


def databases() -> build.QueryVariable:
    """Databases."""
    query = "label_values(tikwatch_database_up, database)"
    return _several("database", "Database", query, "Databases to look at.")


def channels() -> build.QueryVariable:
    """Ways out of the bridge."""
    query = "label_values(alertbridge_channel_state, channel)"
    return _several("channel", "Channel", query, "Ways that messages go out by.")
