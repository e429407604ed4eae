"""mktxp 2.1.0: the whole table."""

from exporter.parity.mktxp_device import INTERFACES, RADIOS, SYSTEM
from exporter.parity.mktxp_network import FIREWALL, LINKS, QUEUES, ROUTING, SERVICES
from exporter.parity.row import Peer

MKTXP = Peer(
    name="mktxp",
    version="2.1.0",
    address="https://github.com/akpw/mktxp",
    labels="`routerboard_name` is `router`; `routerboard_address` is `address` of `mikrotik_router_info`; `name` is "
    "named after what it names: `interface`, `queue`, `peer`, `probe` ...",
    rows=(*SYSTEM, *INTERFACES, *RADIOS, *SERVICES, *QUEUES, *FIREWALL, *LINKS, *ROUTING),
)
