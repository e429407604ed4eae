"""Counters of one router over all its connections, also those long closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from routeros.connection import Connection


@dataclass(slots=True)
class Totals:
    """Sums that only grow."""

    connects: int = 0
    connect_failures: int = 0
    login_failures: int = 0
    commands: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    rows_received: int = 0
    unknown_tags: int = 0
    unknown_replies: int = 0
    discarded_rows: int = 0

    def add(self, connection: Connection) -> None:
        """Keep what a connection counted."""
        stats, protocol = connection.stats(), connection.protocol
        self.commands += stats.commands_total
        self.bytes_received += stats.bytes_received_total
        self.bytes_sent += stats.bytes_sent_total
        self.rows_received += protocol.rows_total
        self.unknown_tags += protocol.unknown_tags_total
        self.unknown_replies += protocol.unknown_replies_total
        self.discarded_rows += protocol.discarded_rows_total

    def with_open(self, connections: Iterable[Connection]) -> Totals:
        """These sums and what open connections have counted so far."""
        sums = replace(self)
        for connection in connections:
            sums.add(connection)
        return sums
