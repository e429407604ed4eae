"""What a router's DHCP clients are called, by MAC address: the label `client` of sessions and stations.

Nothing here sends a command. The lease table is read by the collector `dhcp` where it runs, else by `CLIENT_NAMES`,
and whoever reads it lets `ClientNames` learn from the rows.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from exporter.collectors.table import LEASES, Collector, Record, Table

LEASE_FIELDS = ("mac-address", "active-mac-address", "host-name", "comment")
"""What a lease must tell for its client to have a name."""

CLIENT_FIELD = "@client"
NAME_LIMIT = 64
"""Characters of a name, at most: a client may call itself anything."""

PATIENCE_S = 2.0
"""Longest wait for a lease table that is due; after that the names of the reading before are told."""

CLIENT_NAMES = Collector(
    name="client_names",
    help="Names of DHCP clients, where the collector `dhcp` does not run.",
    ttl_s=60,
    tables=(Table(name=LEASES, path="/ip/dhcp-server/lease", rows=(), tells_clients=True),),
    on_by_default=False,
)
"""Reads the lease table for nothing but the names. It has no metrics, so no module can choose it."""


class LeaseReading(Protocol):
    """Who reads the lease table: a slot of the cache."""

    def begin(self) -> "asyncio.Task[object] | None":
        """The reading to wait for; None while what is there is fresh."""

    def holds(self, table: str) -> bool:
        """Whether a reading of `table` is there that may be served."""


class ClientNames:
    """Names by MAC address, as of the latest reading of one router's lease table."""

    def __init__(self, reading: Callable[[], LeaseReading], *, patience_s: float = PATIENCE_S) -> None:
        self._reading = reading
        self._patience_s = patience_s
        self._names: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"<ClientNames {len(self._names)}>"

    async def settle(self) -> None:
        """Have the lease table read if that is due, wait no longer than the patience, and forget what is too old."""
        reading = self._reading()
        if (task := reading.begin()) is not None:
            await asyncio.wait([task], timeout=self._patience_s)
        if not reading.holds(LEASES):
            self._names = {}

    def learn(self, leases: Sequence[Record]) -> None:
        """Take the names from all rows of the lease table. Where one client has several, that in use counts."""
        names: dict[str, str] = {}
        for lease in sorted(leases, key=lambda lease: "active-mac-address" not in lease):
            name = _cleaned(lease.get("comment", "")) or _cleaned(lease.get("host-name", ""))
            if name:
                for field in ("active-mac-address", "mac-address"):
                    names.setdefault(lease.get(field, "").upper(), name)
        names.pop("", None)
        self._names = names

    def put_on(self, records: Sequence[Record], field: str) -> None:
        """Give each record whose MAC address stands in `field` the name of that client, if there is one."""
        for record in records:
            if (name := self._names.get(record.get(field, "").upper())) is not None:
                record[CLIENT_FIELD] = name


def _cleaned(text: str) -> str:
    if not text.isprintable():
        text = "".join([character for character in text if character.isprintable()])
    return text.strip()[:NAME_LIMIT].rstrip()
