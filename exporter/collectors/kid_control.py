"""Kid control: devices and their traffic."""

from exporter.collectors.table import (
    Collector,
    Label,
    Subscribers,
    Table,
    Where,
    byte_rate,
    count,
    counter,
    duration,
    gauge,
    size,
    switch,
)

_TRUE = ("true", "yes")

KID_CONTROL = Collector(
    name="kid_control",
    help="Devices under kid control, their traffic and whether they are blocked.",
    ttl_s=60,
    tables=(
        Table(
            name="devices",
            path="/ip/kid-control/device",
            labels=(Label("device", "name"), Label("mac_address")),
            subscribers=Subscribers(key=("mac-address",), traffic=("bytes-down", "bytes-up"), who="name"),
            rows=(
                count("mikrotik_kid_control_devices", "Devices that are known."),
                count(
                    "mikrotik_kid_control_devices_blocked",
                    "Devices that are blocked now.",
                    where=Where("blocked", _TRUE),
                ),
                counter(
                    "mikrotik_kid_control_device_download_bytes_total",
                    "Bytes sent to the device.",
                    "bytes-down",
                    size,
                ),
                counter(
                    "mikrotik_kid_control_device_upload_bytes_total",
                    "Bytes received from the device.",
                    "bytes-up",
                    size,
                ),
                gauge(
                    "mikrotik_kid_control_device_download_bytes_per_second",
                    "Traffic to the device, as the router averages it.",
                    "rate-down",
                    byte_rate,
                ),
                gauge(
                    "mikrotik_kid_control_device_upload_bytes_per_second",
                    "Traffic from the device, as the router averages it.",
                    "rate-up",
                    byte_rate,
                ),
                gauge(
                    "mikrotik_kid_control_device_idle_seconds",
                    "Time since the device's last packet.",
                    "idle-time",
                    duration,
                ),
                switch("mikrotik_kid_control_device_blocked", "1 while the device is blocked.", "blocked"),
            ),
        ),
    ),
    on_by_default=False,
)
