"""The dashboards, one module each."""

from typing import Final

from grafana.source.boards import fleet, router
from grafana.source.layout import Board

BOARDS: Final[tuple[Board, ...]] = (fleet.BOARD, router.BOARD)
