"""Sensors: temperature, voltage, current, power, fans and power supplies, whatever a board has."""

import re

from exporter.collectors.table import Collector, Facts, Label, Number, Record, Table, Where, gauge, state
from routeros.values import parse_float

_KIND = "@kind"
_STATE = "state"

_V6_KINDS = (  # RouterOS 6 gives one record whose keys are sensors among settings; the name tells the unit
    (re.compile(r"-state$"), _STATE),
    (re.compile(r"temperature\d*$"), "C"),
    (re.compile(r"voltage$"), "V"),
    (re.compile(r"current$"), "A"),
    (re.compile(r"-(consumption|power)$"), "W"),
    (re.compile(r"^fan\d*-speed$"), "RPM"),
)
_TEMPERATURE_C = (-60, 200)
_VOLTAGE_V = (0, 500)
_CURRENT_A = (0, 50)


def celsius(text: str) -> Number:
    """A temperature; some v6 builds give tenths, which fall outside what a board survives and are refused."""
    return _within(text, *_TEMPERATURE_C)


def volts(text: str) -> Number:
    """A voltage up to what a supply is fed with."""
    return _within(text, *_VOLTAGE_V)


def amperes(text: str) -> Number:
    """A current; some v6 builds give milliamperes, which are more than any board draws and are refused."""
    return _within(text, *_CURRENT_A)


def _within(text: str, low: float, high: float) -> Number:
    value = parse_float(text)
    if value is not None and not low <= value <= high:
        raise ValueError(f"{text!r} is outside {low} to {high}")
    return value


_HEALTH = Table(
    name="health",
    path="/system/health",
    proplist=False,  # in v6 the fields are the board's sensors, not known ahead
    labels=(Label("sensor", "name"),),
    rows=(
        gauge(
            "mikrotik_health_temperature_celsius",
            "Temperature a sensor reads.",
            "value",
            celsius,
            where=Where(_KIND, ("C",)),
        ),
        gauge(
            "mikrotik_health_voltage_volts",
            "Voltage a sensor reads.",
            "value",
            volts,
            where=Where(_KIND, ("V",)),
        ),
        gauge(
            "mikrotik_health_current_amperes",
            "Current a sensor reads.",
            "value",
            amperes,
            where=Where(_KIND, ("A",)),
        ),
        gauge("mikrotik_health_power_watts", "Power a sensor reads.", "value", where=Where(_KIND, ("W",))),
        gauge("mikrotik_health_fan_speed_rpm", "Speed of a fan.", "value", where=Where(_KIND, ("RPM",))),
        state(
            "mikrotik_health_state",
            "State of a power supply or fan: 1 for the one that holds.",
            "value",
            ("ok", "fail", "not-present", "idle", "no-input"),
            where=Where(_KIND, (_STATE,)),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    records = replies.get("health")
    if records is None:
        return
    if records and "name" not in records[0]:
        records[:] = [row for record in records for row in _v6_rows(record)]
    for record in records:
        if _KIND not in record:
            name = record.get("name", "")
            record[_KIND] = _STATE if name.endswith("-state") else record.get("type", "")


def _v6_rows(record: Record) -> list[Record]:
    rows = []
    for name, value in record.items():
        kind = next((kind for pattern, kind in _V6_KINDS if pattern.search(name)), None)
        if kind and value:
            rows.append({"name": name, "value": value, _KIND: kind})
    return rows


HEALTH = Collector(
    name="health",
    help="Every sensor of the board, one series each.",
    ttl_s=60,
    tables=(_HEALTH,),
    derive=_derive,
)
