"""Every profile, from a home router to a concentrator with ten thousand subscribers."""

from .boards import Board, Profile, Sensor

_SMALL_SENSORS = (
    Sensor("voltage", 24.1, "V", 0.2, 1),
    Sensor("temperature", 41, "C", 3),
)
_BIG_SENSORS = (
    Sensor("cpu-temperature", 47.5, "C", 4, 1),
    Sensor("board-temperature1", 38, "C", 2),
    Sensor("fan1-speed", 4300, "RPM", 120),
    Sensor("fan2-speed", 4260, "RPM", 120),
    Sensor("fan-state", "ok", ""),
    Sensor("psu1-state", "ok", ""),
    Sensor("psu2-state", "no-input", ""),
    Sensor("psu1-voltage", 12.1, "V", 0.1, 1),
    Sensor("power-consumption", 31.2, "W", 3, 1),
)
_V6_SENSORS = (
    Sensor("voltage", 24.3, "V", 0.2, 1),
    Sensor("temperature", 39, "C", 3),
    Sensor("cpu-temperature", 51, "C", 4),
)

_USUAL = frozenset({"routerboard", "health", "flash"})
_SWITCHED = _USUAL | {"switch"}

HAP = Board(
    "hAP ax^2", "C52iG-5HaxD2HaxD", "arm64", "ARM64", 4, 864, 1024, 128, ethers=5, sensors=_SMALL_SENSORS,
    hardware=_SWITCHED | {"wifi", "lte"},
)  # fmt: skip
RB5009 = Board(
    "RB5009UPr+S+IN",
    "RB5009UPr+S+",
    "arm64",
    "ARM64",
    4,
    1400,
    1024,
    1024,
    ethers=8,
    sfps=1,
    poe_ports=tuple(range(1, 9)),
    sensors=(*_SMALL_SENSORS, Sensor("cpu-temperature", 49, "C", 4)),
    hardware=_SWITCHED | {"poe", "wifi"},
    licence_level="5",
)
CCR2004 = Board(
    "CCR2004-16G-2S+", "CCR2004-16G-2S+", "arm64", "ARM64", 4, 1700, 4096, 128,
    ethers=16, sfps=2, sensors=_BIG_SENSORS, hardware=_SWITCHED,
)  # fmt: skip
CCR2116 = Board(
    "CCR2116-12G-4S+", "CCR2116-12G-4S+", "arm64", "ARM64", 16, 2000, 16384, 128,
    ethers=13, sfps=4, sensors=_BIG_SENSORS, hardware=_SWITCHED,
)  # fmt: skip
CRS354 = Board(
    "CRS354-48G-4S+2Q+RM", "CRS354-48G-4S+2Q+", "mipsbe", "MIPS 24Kc V7.4", 1, 650, 64, 16,
    ethers=49, sfps=4, sensors=_BIG_SENSORS, hardware=_SWITCHED,
)  # fmt: skip
CHR = Board(
    "CHR QEMU Standard PC (i440FX + PIIX, 1996)", "", "x86_64", "Intel(R) Xeon(R)", 2, 2400, 1024, 128,
    ethers=3, hardware=frozenset({"chr"}), licence_level="p1",
)  # fmt: skip
HAP_V6 = Board(
    "hAP ac", "RB962UiGS-5HacT2HnT", "mipsbe", "MIPS 74Kc V5.0", 1, 720, 128, 16,
    ethers=5, sensors=_V6_SENSORS, hardware=_SWITCHED | {"wlan"}, licence_level="4",
)  # fmt: skip
NRAY = Board(
    "nRAY 60G", "nRAYG-60ad", "arm64", "ARM64", 2, 716, 256, 16,
    ethers=1, sensors=_SMALL_SENSORS, hardware=_USUAL | {"w60g"}, licence_level="3",
)  # fmt: skip
RB951 = Board(
    "RB951G-2HnD", "951G-2HnD", "mipsbe", "MIPS 74Kc V4.12", 1, 600, 128, 128,
    ethers=5, sensors=_V6_SENSORS[:2], licence_level="4",
)  # fmt: skip

_NOTHING = dict.fromkeys(
    (
        "vlans",
        "interfaces",
        "pppoe",
        "secrets",
        "hotspot_servers",
        "hotspot_active",
        "hotspot_hosts",
        "hotspot_users",
        "hotspot_cookies",
        "queues",
        "queue_tree",
        "leases",
        "arp",
        "log",
        "netwatch",
        "scripts",
        "certificates",
    ),
    0,
)
_V6_PACKAGES = frozenset({"system", "ppp", "hotspot", "dhcp", "security", "advanced-tools"})


def _counts(**counts: int) -> dict[str, int]:
    return {**_NOTHING, **counts}


_HOME = _counts(
    leases=14, arp=16, queues=3, queue_tree=2, log=20, netwatch=2, scripts=2, certificates=1, vlans=1
)

_ALL = (
    Profile(
        "home",
        "a home router: 5 ports, wifi, LTE, a few leases and queues",
        HAP,
        "7.16.2",
        _HOME,
        frozenset({"container"}),
    ),
    Profile(
        "hotspot",
        "a cafe or hotel: 2 hotspot servers, 120 guests, PoE",
        RB5009,
        "7.18.2",
        _counts(
            vlans=3,
            hotspot_servers=2,
            hotspot_active=120,
            hotspot_hosts=180,
            hotspot_users=400,
            hotspot_cookies=60,
            queues=100,
            queue_tree=4,
            leases=190,
            arp=200,
            log=100,
            netwatch=3,
            scripts=3,
            certificates=2,
        ),
    ),
    Profile(
        "isp",
        "a wireless provider: 40 interfaces, 200 PPPoE, 300 hotspot, 2,000 vouchers",
        CCR2004,
        "7.18.2",
        _counts(
            vlans=15,
            interfaces=40,
            pppoe=200,
            secrets=500,
            hotspot_servers=3,
            hotspot_active=300,
            hotspot_hosts=420,
            hotspot_users=2000,
            hotspot_cookies=150,
            queues=520,
            queue_tree=12,
            leases=120,
            arp=400,
            log=500,
            netwatch=8,
            scripts=6,
            certificates=2,
        ),
        frozenset({"ups"}),
    ),
    Profile(
        "large",
        "a concentrator: 5,000 PPPoE, 5,000 hotspot, 10,000 simple queues",
        CCR2116,
        "7.18.2",
        _counts(
            vlans=24,
            pppoe=5000,
            secrets=6000,
            hotspot_servers=8,
            hotspot_active=5000,
            hotspot_hosts=6500,
            hotspot_users=8000,
            hotspot_cookies=2000,
            queues=10000,
            queue_tree=40,
            leases=500,
            arp=1000,
            log=1000,
            netwatch=20,
            scripts=8,
            certificates=2,
        ),
    ),
    Profile(
        "switch",
        "an aggregation switch: 1,500 interfaces, 10,000 leases",
        CRS354,
        "7.16.2",
        _counts(vlans=24, interfaces=1500, leases=10000, arp=2000, log=200, netwatch=2, certificates=1),
    ),
    Profile(
        "chr",
        "a virtual machine: no health, no routerboard, licence with a renewal date",
        CHR,
        "7.18.2",
        _counts(vlans=2, queues=2, leases=4, arp=8, log=20, certificates=1),
    ),
    Profile("link", "one end of a 60 GHz link", NRAY, "7.16.2", _counts(arp=2, log=10)),
    Profile(
        "legacy",
        "RouterOS 6.49: health in one record, old dates, wireless, BGP",
        HAP_V6,
        "6.49.10",
        _counts(
            pppoe=20, secrets=40, hotspot_servers=1, hotspot_active=15, hotspot_hosts=25, hotspot_users=60,
            hotspot_cookies=8, queues=45, queue_tree=2, leases=20, arp=24, log=40, netwatch=2, scripts=2,
        ),
        _V6_PACKAGES | {"wireless", "routing"},
    ),
    Profile(
        "ancient",
        "RouterOS 6.40: login by challenge, few packages",
        RB951,
        "6.40.9",
        _counts(queues=2, leases=8, arp=10, log=20),
        frozenset({"system", "dhcp", "security"}),
    ),
)  # fmt: skip

PROFILES = {profile.name: profile for profile in _ALL}
ALIASES = {"wisp": "isp"}
"""Other names of profiles, and what is meant."""
