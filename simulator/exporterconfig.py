"""The exporter configuration that watches a network; its keys are those of the smallest file that works."""

from collections.abc import Iterable

import yaml

from .device import Device

LISTEN = "127.0.0.1:9436"


def exporter_config(devices: Iterable[Device]) -> str:
    """YAML with every router of the network, ready for `tikwatch-exporter serve --config FILE`."""
    routers = []
    for device in devices:
        router: dict[str, object] = {
            "name": device.name,
            "address": device.spec.host,
            "port": device.port,
            "username": device.spec.username,
            "password": device.spec.password,
        }
        if device.spec.tls is not None:
            router["tls"] = {"ca_file": device.spec.tls.cert_file}
        routers.append(router)
    return yaml.safe_dump(
        {"web": {"listen": LISTEN}, "routers": routers}, sort_keys=False, allow_unicode=True
    )
