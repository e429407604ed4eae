"""The units that panels use, by what is measured. Metrics are in base units; Grafana scales them for people."""

from enum import StrEnum


class Unit(StrEnum):
    """Grafana's identifier of a unit."""

    COUNT = "short"
    NONE = "none"
    TEXT = "string"
    RATIO = "percentunit"  # 0 to 1
    BITS_PER_S = "bps"
    BYTES = "bytes"  # of memory and files: steps of 1024
    VOLUME = "decbytes"  # of traffic: steps of 1000
    PACKETS_PER_S = "pps"
    PER_S = "cps"
    PER_MIN = "cpm"
    SECONDS = "s"
    AGO = "dateTimeFromNow"  # of milliseconds since 1970
    MOMENT = "dateTimeAsIsoNoDateIfToday"  # the same
    CELSIUS = "celsius"
    VOLTS = "volt"
    AMPERES = "amp"
    WATTS = "watt"
    RPM = "rotrpm"
    DBM = "dBm"
    HERTZ = "hertz"
