"""Ethernet ports: link speed, hardware errors, SFP modules and their light, power over ethernet."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Number,
    Record,
    Table,
    Where,
    byte_rate,
    counter,
    flag,
    gauge,
    info,
    milli,
    nano,
    state,
    switch,
)
from routeros.values import parse_float

_PORT = (Label("interface", "name"),)
_POWER_DBM = (-60, 20)


def dbm(text: str) -> Number:
    """Optical power; a value no receiver knows (old builds give thousandths) is refused."""
    value = parse_float(text)
    low, high = _POWER_DBM
    if value is not None and not low <= value <= high:
        raise ValueError(f"{text!r} is outside {low} to {high} dBm")
    return value


def _fault(name: str, what: str, field: str) -> tuple[str, str, str]:
    return f"mikrotik_ethernet_{name}_total", f"{what}, counted by the port's chip.", field


_ETHERNET = Table(
    name="ethernet",
    path="/interface/ethernet",
    labels=_PORT,
    also=(".id",),
    rows=(
        counter(*_fault("receive_fcs_errors", "Frames received with a wrong checksum", "rx-fcs-error")),
        counter(*_fault("receive_align_errors", "Frames received out of alignment", "rx-align-error")),
        counter(*_fault("receive_fragments", "Frames received short and broken", "rx-fragment")),
        counter(*_fault("receive_jabbers", "Frames received long and broken", "rx-jabber")),
        counter(*_fault("receive_overflows", "Frames lost for want of buffer", "rx-overflow")),
        counter(*_fault("receive_too_short", "Frames received too short", "rx-too-short")),
        counter(*_fault("receive_too_long", "Frames received too long", "rx-too-long")),
        counter(*_fault("receive_pauses", "Pause frames received", "rx-pause")),
        counter(*_fault("transmit_pauses", "Pause frames sent", "tx-pause")),
        counter(*_fault("transmit_collisions", "Collisions while sending", "tx-collision")),
        counter(*_fault("transmit_late_collisions", "Late collisions while sending", "tx-late-collision")),
        counter(*_fault("transmit_underruns", "Frames that could not be fed in time", "tx-underrun")),
        counter(*_fault("hardware_receive_bytes", "Bytes received, switched ones included", "rx-bytes")),
        counter(*_fault("hardware_transmit_bytes", "Bytes sent, switched ones included", "tx-bytes")),
    ),
)

_HAS_MODULE = Where("sfp-module-present", ("true", "yes"))

_MONITOR = Table(
    name="link",
    path="/interface/ethernet",
    numbers="ethernet",
    labels=_PORT,
    rows=(
        gauge(
            "mikrotik_interface_link_up",
            "1 if the port has link, 0 if not; absent where the router does not know.",
            "@link",
            source="/interface/ethernet/monitor status",
        ),
        gauge(
            "mikrotik_interface_speed_bytes_per_second",
            "Speed the link negotiated; absent without link.",
            "rate",
            byte_rate,
        ),
        gauge(
            "mikrotik_interface_full_duplex",
            "1 if the link is full duplex, 0 if half; absent without link.",
            "full-duplex",
            flag,
        ),
        switch(
            "mikrotik_sfp_module_present",
            "1 if the cage holds a module.",
            "sfp-module-present",
            absent=None,
        ),
        switch("mikrotik_sfp_receive_loss", "1 while no light comes in.", "sfp-rx-loss", absent=None),
        switch(
            "mikrotik_sfp_transmit_fault", "1 while the laser reports a fault.", "sfp-tx-fault", absent=None
        ),
        gauge("mikrotik_sfp_temperature_celsius", "Temperature of the module.", "sfp-temperature"),
        gauge("mikrotik_sfp_supply_voltage_volts", "Voltage that feeds the module.", "sfp-supply-voltage"),
        gauge(
            "mikrotik_sfp_transmit_bias_current_amperes",
            "Current through the laser.",
            "sfp-tx-bias-current",
            milli,
        ),
        gauge("mikrotik_sfp_transmit_power_dbm", "Optical power sent.", "sfp-tx-power", dbm),
        gauge("mikrotik_sfp_receive_power_dbm", "Optical power received.", "sfp-rx-power", dbm),
        gauge("mikrotik_sfp_wavelength_metres", "Wavelength of the laser.", "sfp-wavelength", nano),
        info(
            "mikrotik_sfp_info",
            "What the module says of itself.",
            Label("type", "sfp-type"),
            Label("connector", "sfp-connector-type"),
            Label("vendor", "sfp-vendor-name"),
            Label("part_number", "sfp-vendor-part-number"),
            Label("serial_number", "sfp-vendor-serial"),
            where=_HAS_MODULE,
        ),
    ),
)

_POE = Table(
    name="poe",
    path="/interface/ethernet/poe",
    labels=_PORT,
    also=(".id",),
    rows=(
        info(
            "mikrotik_poe_out_info",
            "Setting and priority of a port that can feed power.",
            Label("mode", "poe-out"),
            Label("priority", "poe-priority"),
        ),
    ),
)

_POE_MONITOR = Table(
    name="poe_power",
    path="/interface/ethernet/poe",
    numbers="poe",
    labels=_PORT,
    rows=(
        state(
            "mikrotik_poe_out_status",
            "What the port does with power: 1 for the state that holds.",
            "poe-out-status",
            (
                "powered-on",
                "waiting-for-load",
                "disabled",
                "overload",
                "short-circuit",
                "voltage-too-low",
                "current-too-low",
            ),
        ),
        gauge("mikrotik_poe_out_voltage_volts", "Voltage fed; absent unless powered.", "poe-out-voltage"),
        gauge(
            "mikrotik_poe_out_current_amperes",
            "Current fed; absent unless powered.",
            "poe-out-current",
            milli,
        ),
        gauge("mikrotik_poe_out_power_watts", "Power fed; absent unless powered.", "poe-out-power"),
    ),
)

_LINK = {"link-ok": "1", "no-link": "0"}


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for record in replies.get("link", ()):
        if (link := _LINK.get(record.get("status", ""))) is not None:
            record["@link"] = link


ETHERNET = Collector(
    name="ethernet",
    help="Link speed and duplex, hardware errors, SFP optics, power over ethernet.",
    ttl_s=30,
    tables=(_ETHERNET, _MONITOR, _POE, _POE_MONITOR),
    derive=_derive,
    policies=("read", "test"),
)
