"""The collectors, in the order in which their metrics are served. A new one is a file and a line here."""

from exporter.collectors.address_list import ADDRESS_LIST
from exporter.collectors.arp import ARP
from exporter.collectors.bfd import BFD
from exporter.collectors.bgp import BGP
from exporter.collectors.bonding import BONDING
from exporter.collectors.bridge import BRIDGE
from exporter.collectors.capsman import CAPSMAN
from exporter.collectors.certificate import CERTIFICATE
from exporter.collectors.cloud import CLOUD
from exporter.collectors.connection_tracking import CONNECTION_TRACKING
from exporter.collectors.container import CONTAINER
from exporter.collectors.device_mode import DEVICE_MODE
from exporter.collectors.dhcp import DHCP
from exporter.collectors.disk import DISK
from exporter.collectors.dns import DNS
from exporter.collectors.ethernet import ETHERNET
from exporter.collectors.firewall import FIREWALL
from exporter.collectors.health import HEALTH
from exporter.collectors.hotspot import HOTSPOT
from exporter.collectors.interface import INTERFACE
from exporter.collectors.ipsec import IPSEC
from exporter.collectors.kid_control import KID_CONTROL
from exporter.collectors.log import LOG
from exporter.collectors.lte import LTE
from exporter.collectors.neighbor import NEIGHBOR
from exporter.collectors.netwatch import NETWATCH
from exporter.collectors.ntp import NTP
from exporter.collectors.ospf import OSPF
from exporter.collectors.pool import POOL
from exporter.collectors.ppp import PPP
from exporter.collectors.ppp_client import PPP_CLIENT
from exporter.collectors.queue import QUEUE
from exporter.collectors.radius import RADIUS
from exporter.collectors.route import ROUTE
from exporter.collectors.routing_stats import ROUTING_STATS
from exporter.collectors.scheduler import SCHEDULER
from exporter.collectors.switch import SWITCH
from exporter.collectors.system import SYSTEM
from exporter.collectors.table import Collector
from exporter.collectors.tunnel import TUNNEL
from exporter.collectors.ups import UPS
from exporter.collectors.user import USER
from exporter.collectors.vlan import VLAN
from exporter.collectors.w60g import W60G
from exporter.collectors.wifi import WIFI
from exporter.collectors.wireguard import WIREGUARD
from exporter.collectors.wireless import WIRELESS

ALL: tuple[Collector, ...] = (
    SYSTEM,
    HEALTH,
    INTERFACE,
    ETHERNET,
    HOTSPOT,
    PPP,
    QUEUE,
    DHCP,
    POOL,
    ARP,
    ROUTE,
    DNS,
    NEIGHBOR,
    FIREWALL,
    CONNECTION_TRACKING,
    ADDRESS_LIST,
    NETWATCH,
    RADIUS,
    USER,
    CERTIFICATE,
    SCHEDULER,
    LOG,
    CONTAINER,
    UPS,
    NTP,
    CLOUD,
    DEVICE_MODE,
    DISK,
    KID_CONTROL,
    WIRELESS,
    WIFI,
    CAPSMAN,
    W60G,
    LTE,
    PPP_CLIENT,
    WIREGUARD,
    TUNNEL,
    IPSEC,
    BGP,
    OSPF,
    BFD,
    ROUTING_STATS,
    BRIDGE,
    VLAN,
    BONDING,
    SWITCH,
)

BY_NAME = {collector.name: collector for collector in ALL}
