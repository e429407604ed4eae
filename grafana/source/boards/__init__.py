"""The dashboards, one module each."""

from typing import Final

from grafana.source.boards import alerts, exporter, fleet, interfaces, queues, router, services, subscribers
from grafana.source.layout import Board

BOARDS: Final[tuple[Board, ...]] = tuple(
    module.BOARD for module in (fleet, router, interfaces, subscribers, queues, services, alerts, exporter)
)
