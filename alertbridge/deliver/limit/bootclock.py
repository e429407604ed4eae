"""Stamps of one machine's monotonic clock, read by another: never older than they are, whatever happened between.

Wall clocks jump; a monotonic clock means nothing on another machine or after a boot. What stays true is the
difference between two stamps, and that a stamp was made before it was read. So stamps of a foreign clock are taken as
if the newest had been made when this process first saw it. That can only be too strict, and only for a while.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alertbridge.deliver.limit.limits import Stamp

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIME_NAMESPACE = Path("/proc/self/ns/time")


def boot_name(boot_id: Path = BOOT_ID, namespace: Path = TIME_NAMESPACE) -> str:
    """Whose monotonic clock this process reads, in at most 64 characters.

    Containers of a host share it, unless they have a time namespace of their own. Where the kernel does not tell,
    the name is new for each process, and every other process's stamps are foreign.
    """
    try:
        boot = boot_id.read_text(encoding="ascii").strip()[:36]
    except (OSError, UnicodeDecodeError):
        boot = ""
    if not boot:
        return f"process-{secrets.token_hex(16)}"
    try:
        inside = namespace.readlink().name.removeprefix("time:").strip("[]")[:20]
    except OSError:  # a kernel without time namespaces
        return boot
    return f"{boot}/{inside}"


@dataclass(frozen=True, slots=True)
class Row:
    """A bucket as it is stored: `stamps` in seconds of the clock of `boot`, oldest first."""

    generation: int
    boot: str
    stamps: tuple[Stamp, ...]


def _new_mark() -> int:
    return secrets.randbits(48)


@dataclass(slots=True)
class Reader:
    """Tells the stamps of rows in this process's clock. Remembers for each stamp the best that it ever knew.

    Memory is by `mark`, so that a stamp of a transaction that was rolled back is never taken for another.
    """

    boot: str
    new_mark: Callable[[], int] = _new_mark
    _known: dict[str, dict[int, float]] = field(default_factory=dict)

    def stamps(self, bucket: str, row: Row, now_s: float) -> tuple[Stamp, ...]:
        """The stamps of `row`, each at the latest moment at which it can have been made."""
        known = self._known.get(bucket, {})
        shift_s = self._shift_s(row, known, now_s)
        found: list[Stamp] = []
        latest_s = now_s
        for at_s, room, mark in reversed(row.stamps):
            latest_s = min(latest_s, at_s + shift_s, known.get(mark, now_s))  # none is younger than the next
            found.append(Stamp(latest_s, room, mark))
        found.reverse()
        self._known[bucket] = {stamp.mark: stamp.at_s for stamp in found}
        return tuple(found)

    def row(self, bucket: str, before: Row | None, stamps: Sequence[Stamp]) -> Row:
        """What to store: `stamps`, of this process's clock."""
        self._known[bucket] = {stamp.mark: stamp.at_s for stamp in stamps}
        return Row(before.generation + 1 if before else 1, self.boot, tuple(stamps))

    def _shift_s(self, row: Row, known: Mapping[int, float], now_s: float) -> float:
        """What to add to the stamps of `row`. A stamp in the future tells a clock that only seems to be ours."""
        if not row.stamps:
            return 0.0
        newest = row.stamps[-1]
        if row.boot == self.boot and newest.at_s <= now_s:
            return 0.0
        return known.get(newest.mark, now_s) - newest.at_s
