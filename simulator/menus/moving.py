"""Fields that move by themselves, as functions of a row and a moment."""

from ..formats import duration
from ..menu import Moving
from ..table import Row
from ..traffic import Flow, Moment


def _flow(row: Row) -> Flow:
    if row.flow is None:
        raise LookupError(f"{row!r} has no traffic")
    return row.flow


def rx_bytes(row: Row, moment: Moment) -> str | None:
    """Bytes received so far."""
    return str(row.flow.rx(moment)) if row.flow else None


def tx_bytes(row: Row, moment: Moment) -> str | None:
    """Bytes transmitted so far."""
    return str(row.flow.tx(moment)) if row.flow else None


def rx_packets(row: Row, moment: Moment) -> str | None:
    """Packets received so far."""
    flow = row.flow
    return str(flow.rx(moment) // flow.packet_bytes) if flow else None


def tx_packets(row: Row, moment: Moment) -> str | None:
    """Packets transmitted so far."""
    flow = row.flow
    return str(flow.tx(moment) // flow.packet_bytes) if flow else None


def rx_part(every: int, unit: int = 1) -> Moving:
    """One of `every` packets received, times `unit`: errors, drops, multicast."""

    def compute(row: Row, moment: Moment) -> str | None:
        flow = row.flow
        return str(flow.rx(moment) // (flow.packet_bytes * every) * unit) if flow else None

    return compute


def tx_part(every: int, unit: int = 1) -> Moving:
    """One of `every` packets transmitted, times `unit`."""

    def compute(row: Row, moment: Moment) -> str | None:
        flow = row.flow
        return str(flow.tx(moment) // (flow.packet_bytes * every) * unit) if flow else None

    return compute


def uptime(row: Row, moment: Moment) -> str | None:
    """Time since the row began."""
    return duration(moment.now_s - row.since_s)


def idle_time(row: Row, moment: Moment) -> str | None:
    """Seconds since the last packet: short, and different from row to row."""
    period = 7 + (row.flow.phase if row.flow else 0)
    return duration((moment.now_s - row.since_s) % period)


def bytes_pair(row: Row, moment: Moment) -> str | None:
    """Upload and download of a simple queue."""
    flow = _flow(row)
    return f"{flow.rx(moment)}/{flow.tx(moment)}"


def packets_pair(row: Row, moment: Moment) -> str | None:
    """Packets up and down."""
    flow = _flow(row)
    size = flow.packet_bytes
    return f"{flow.rx(moment) // size}/{flow.tx(moment) // size}"


def dropped_pair(row: Row, moment: Moment) -> str | None:
    """Packets dropped: one in 5,000 up, one in 800 down."""
    flow = _flow(row)
    size = flow.packet_bytes
    return f"{flow.rx(moment) // (size * 5000)}/{flow.tx(moment) // (size * 800)}"


def rate_pair(row: Row, moment: Moment) -> str | None:
    """Bits per second up and down."""
    rate = _flow(row).rate(moment)
    return f"{int(rate.rx_bytes_per_s * 8)}/{int(rate.tx_bytes_per_s * 8)}"


def packet_rate_pair(row: Row, moment: Moment) -> str | None:
    """Packets per second up and down."""
    flow = _flow(row)
    rate = flow.rate(moment)
    return f"{int(rate.rx_bytes_per_s / flow.packet_bytes)}/{int(rate.tx_bytes_per_s / flow.packet_bytes)}"


def queued_packets(row: Row, moment: Moment) -> int:
    """Packets that wait downwards: a few, when the queue is busy."""
    flow = _flow(row)
    return max(0, int(12 * (moment.slopes[flow.phase] - 1.0))) if flow.tx_mean else 0


def queued_packets_pair(row: Row, moment: Moment) -> str | None:
    """Packets that wait, up and down."""
    return f"0/{queued_packets(row, moment)}"


def queued_bytes_pair(row: Row, moment: Moment) -> str | None:
    """Bytes that wait, up and down."""
    return f"0/{queued_packets(row, moment) * _flow(row).packet_bytes}"
