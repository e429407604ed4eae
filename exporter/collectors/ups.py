"""Uninterruptible power supplies that the router watches."""

from exporter.collectors.table import (
    Collector,
    Label,
    Table,
    duration,
    gauge,
    info,
    negated,
    ratio,
    switch,
)

_UPS = (Label("ups", "name"),)

_FLAGS = (
    ("on_line", "1 while there is power from the mains.", "on-line"),
    ("on_battery", "1 while the load hangs on the battery.", "on-battery"),
    ("battery_low", "1 if the battery is nearly empty.", "low-battery"),
    ("overload", "1 if the load is too high.", "overload"),
    ("replace_battery", "1 if the battery must be replaced.", "replace-battery"),
)

UPS = Collector(
    name="ups",
    help="Mains, battery, load and voltages of UPSes.",
    ttl_s=30,
    tables=(
        Table(
            name="ups",
            path="/system/ups",
            labels=_UPS,
            also=(".id",),
            rows=(
                switch("mikrotik_ups_enabled", "1 unless the UPS is disabled.", "disabled", negated),
                info("mikrotik_ups_info", "Model and port of a UPS.", Label("model"), Label("port")),
            ),
        ),
        Table(
            name="state",
            path="/system/ups",
            numbers="ups",
            each=True,
            labels=_UPS,
            rows=(
                *(switch(f"mikrotik_ups_{name}", text, field, absent=None) for name, text, field in _FLAGS),
                gauge(
                    "mikrotik_ups_battery_charge_ratio",
                    "Charge of the battery (0-1).",
                    "battery-charge",
                    ratio,
                ),
                gauge("mikrotik_ups_load_ratio", "Load against what the UPS can bear (0-1).", "load", ratio),
                gauge(
                    "mikrotik_ups_runtime_left_seconds",
                    "For how long the battery lasts.",
                    "runtime-left",
                    duration,
                ),
                gauge("mikrotik_ups_battery_voltage_volts", "Voltage of the battery.", "battery-voltage"),
                gauge("mikrotik_ups_line_voltage_volts", "Voltage of the mains.", "line-voltage"),
                gauge("mikrotik_ups_output_voltage_volts", "Voltage that the load gets.", "output-voltage"),
                gauge("mikrotik_ups_temperature_celsius", "Temperature of the UPS.", "temperature"),
                gauge("mikrotik_ups_frequency_hertz", "Frequency of the mains.", "frequency"),
            ),
        ),
    ),
    on_by_default=False,
)
