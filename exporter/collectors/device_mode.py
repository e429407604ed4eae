"""Device mode: what a router is allowed to do at all."""

from exporter.collectors.table import Collector, Facts, Label, Record, Table, flag, gauge, info, switch

FEATURES = (
    *("bandwidth-test", "container", "email", "fetch", "hotspot", "install-any-version", "ipsec", "l2tp"),
    *("partitions", "pptp", "proxy", "romon", "routerboard", "scheduler", "smb", "sniffer", "socks"),
    *("traffic-gen", "zerotier"),
)

_MODE = Table(
    name="mode",
    path="/system/device-mode",
    also=FEATURES,
    rows=(
        info("mikrotik_device_mode_info", "Mode that the router is in.", Label("mode")),
        switch(
            "mikrotik_device_mode_flagged",
            "1 if RouterOS found signs of tampering and has locked itself down.",
            "flagged",
            absent=None,
        ),
    ),
)

_FEATURES = Table(
    name="features",
    path="/system/device-mode",
    made=True,
    labels=(Label("feature", "@feature"),),
    rows=(
        gauge(
            "mikrotik_device_mode_feature_allowed",
            "1 if the mode allows the feature.",
            "@allowed",
            flag,
            source="/system/device-mode, a field per feature",
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    if "mode" in replies:
        replies["features"] = [
            {"@feature": name, "@allowed": row[name]}
            for row in replies["mode"]
            for name in FEATURES
            if name in row
        ]


DEVICE_MODE = Collector(
    name="device_mode",
    help="Features that the device mode allows.",
    ttl_s=300,
    tables=(_MODE, _FEATURES),
    derive=_derive,
    on_by_default=False,
)
