"""What other exporters tell, and what we tell in its place: tables, kept true by tests."""

from exporter.parity.karolbedkowski import KAROLBEDKOWSKI
from exporter.parity.mktxp import MKTXP
from exporter.parity.nshttpd import NSHTTPD
from exporter.parity.row import Peer
from exporter.parity.swoga import SWOGA

PEERS: tuple[Peer, ...] = (MKTXP, NSHTTPD, SWOGA, KAROLBEDKOWSKI)

__all__ = ["KAROLBEDKOWSKI", "MKTXP", "NSHTTPD", "PEERS", "SWOGA", "Peer"]
