"""Grants a message in all of its buckets or in none. Pure but for the clock; `store` keeps the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alertbridge.deliver.limit.bootclock import Reader, Row
from alertbridge.deliver.limit.limits import Policy, Room, Stamp, left, pruned, wait_s
from runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Decision:
    """Seconds to wait, with no rows to write; or 0, and the rows that must be written with the message."""

    wait_s: float
    rows: Mapping[str, Row] = field(default_factory=dict)


class Limiter:
    """Decides on rows as they are stored. Never looks at the wall clock.

    The rows must be locked from their reading to the end of the transaction.
    """

    def __init__(self, clock: Clock, reader: Reader) -> None:
        self._clock = clock
        self._reader = reader

    def decide(self, policies: Mapping[str, Policy], rows: Mapping[str, Row], room: Room) -> Decision:
        """Whether a message of `room` may go under every one of `policies` (by bucket)."""
        now_s = self._clock.monotonic()
        stamps = self._read(policies, rows, now_s)
        waits_s = (wait_s(policy, stamps[bucket], room, now_s) for bucket, policy in policies.items())
        if (longest_s := max(waits_s, default=0.0)) > 0:
            return Decision(longest_s)
        stamp = Stamp(now_s, room, self._reader.new_mark())
        return Decision(
            0.0,
            {
                bucket: self._reader.row(
                    bucket, rows.get(bucket), (*pruned(policy, stamps[bucket], now_s), stamp)
                )
                for bucket, policy in policies.items()
            },
        )

    def left(
        self, policies: Mapping[str, Policy], rows: Mapping[str, Row], room: Room
    ) -> dict[str, int | None]:
        """How many more of `room` each bucket takes at once; None where only the spacing counts."""
        now_s = self._clock.monotonic()
        stamps = self._read(policies, rows, now_s)
        return {bucket: left(policy, stamps[bucket], room, now_s) for bucket, policy in policies.items()}

    def _read(
        self, policies: Mapping[str, Policy], rows: Mapping[str, Row], now_s: float
    ) -> dict[str, tuple[Stamp, ...]]:
        return {
            bucket: self._reader.stamps(bucket, rows[bucket], now_s) if bucket in rows else ()
            for bucket in policies
        }
