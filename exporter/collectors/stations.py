"""What the three generations of wireless share: stations' traffic, signal by interface, and channels."""

from collections.abc import Iterable, Sequence

from exporter.collectors.table import Label, Number, Record, Row, Table, counter, gauge
from routeros.values import parse_pair, parse_signal

TRAFFIC = ("@transmit-bytes", "@receive-bytes", "@transmit-packets", "@receive-packets")
"""Counters that `note_traffic` fills in."""

SIGNAL_FIELDS = ("@worst-signal", "@average-signal")


def dbm(text: str) -> Number:
    """Signal level, perhaps with the rate it was measured at (``-62@6Mbps``)."""
    return parse_signal(text)


def traffic_rows(prefix: str, path: str) -> tuple[Row, ...]:
    """Bytes and packets of a station, as the router sent and received them."""
    return tuple(
        counter(
            f"{prefix}_{direction}_{unit}_total",
            f"{unit.capitalize()} {what} the station since it registered.",
            f"@{direction}-{unit}",
            source=f"{path} {unit}",
        )
        for unit in ("bytes", "packets")
        for direction, what in (("transmit", "sent to"), ("receive", "received from"))
    )


def signal_table(prefix: str, path: str, field: str) -> Table:
    """Worst and average signal of the stations of each interface: what to watch without a series per station."""
    return Table(
        name="signal",
        path=path,
        made=True,
        labels=(Label("interface"),),
        rows=(
            gauge(
                f"{prefix}_worst_signal_dbm",
                "Weakest signal received from a station of the interface; absent without stations.",
                SIGNAL_FIELDS[0],
                source=f"{path} {field}",
            ),
            gauge(
                f"{prefix}_average_signal_dbm",
                "Mean of the signals received from the stations of the interface; absent without stations.",
                SIGNAL_FIELDS[1],
                source=f"{path} {field}",
            ),
        ),
    )


def note_traffic(records: Iterable[Record]) -> None:
    """Take the pairs ``sent,received`` apart."""
    for record in records:
        for unit in ("bytes", "packets"):
            if text := record.get(unit):
                try:
                    sent, received = parse_pair(text, ",")
                except ValueError:
                    sent = received = text  # the row that exports it counts and names the value
                record[f"@transmit-{unit}"], record[f"@receive-{unit}"] = sent, received


def signal_by_interface(records: Sequence[Record], field: str) -> list[Record]:
    """Rows of a `signal_table`; a station whose signal is not known does not count."""
    found: dict[str, list[float]] = {}
    for record in records:
        try:
            level = parse_signal(record.get(field, ""))
        except ValueError:
            continue  # the row that exports it counts and names the value
        if level is not None:
            found.setdefault(record.get("interface", ""), []).append(level)
    return [
        {
            "interface": interface,
            SIGNAL_FIELDS[0]: f"{min(levels):g}",
            SIGNAL_FIELDS[1]: f"{sum(levels) / len(levels):.6g}",
        }
        for interface, levels in found.items()
    ]


def note_frequency(records: Iterable[Record]) -> None:
    """The centre of the control channel in MHz, which a channel such as ``5180/20-Ce/ac(17dBm)`` begins with."""
    for record in records:
        megahertz = record.get("channel", "").split("/", 1)[0].split("+", 1)[0]
        if megahertz.isdecimal():
            record["@frequency"] = megahertz
