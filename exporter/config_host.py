"""The `host:` section: whether the machine that the exporter runs on is measured."""

from typing import Literal

from pydantic import Field

from runtime.sections import Section


class HostSection(Section):
    """The machine that the exporter runs on."""

    enabled: bool | Literal["auto"] = Field(
        default="auto",
        description="`auto` measures it unless node_exporter runs here, which does it better.",
    )
    ttl_s: float = Field(
        default=15.0, ge=1, le=3600, description="Seconds for which a measurement is served again."
    )
    timeout_s: float = Field(default=5.0, gt=0, le=60, description="Seconds that a measurement may take.")
    ignore_mounts: tuple[str, ...] = Field(
        default=("/boot/*", "/snap/*", "/var/lib/docker/*", "/run/*"),
        description="Patterns of mount points that are left out. Network file systems always are.",
    )
    ignore_interfaces: tuple[str, ...] = Field(
        default=("veth*", "br-*", "docker*"), description="Patterns of network interfaces that are left out."
    )
