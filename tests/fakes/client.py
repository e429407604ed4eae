"""A router object that does as a test says, in the place of `routeros.Router`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from routeros import (
    Breaker,
    BreakerSettings,
    ConnectionTest,
    Priority,
    Record,
    Reply,
    RouterError,
    RouterStats,
)

QUIET = RouterStats(
    connections_open=1,
    connections_busy=0,
    connections_opening=0,
    in_flight=0,
    waiting=0,
    limit=4.0,
    connects_total=1,
    connect_failures_total=0,
    login_failures_total=0,
    commands_total=0,
    bytes_received_total=0,
    bytes_sent_total=0,
    rows_received_total=0,
    unknown_tags_total=0,
    unknown_replies_total=0,
    discarded_rows_total=0,
)


class FakeClient:
    """Answers with `replies` by command, nothing elsewhere, or fails with `error`, or with `errors` by command."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.breaker = Breaker(BreakerSettings(), router=name, clock=clock, dice=lambda: 0.5)
        self.replies: dict[str, list[Record]] = {
            "/system/resource/print": [
                {"version": "7.16.2 (stable)", "uptime": "1d2h", "board-name": "hAP ax3"}
            ],
            "/system/identity/print": [{"name": f"{name}-identity"}],
        }
        self.error: RouterError | None = None
        self.errors: dict[str, RouterError] = {}
        self.test_result: ConnectionTest | RouterError = ConnectionTest("office", 0.01, None, 0.02, 0.03)
        self.test_deadline_s: float | None = None
        self.numbers = QUIET
        self.resets = 0

    def stats(self) -> RouterStats:
        return self.numbers

    async def call(
        self,
        command: str,
        *,
        args: Mapping[str, str] = {},
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        priority: Priority = Priority.NORMAL,
        idempotent: bool = False,
        large: bool = False,
    ) -> Reply:
        error = self.error or self.errors.get(command)
        if error is not None:
            raise error
        return Reply([dict(record) for record in self.replies.get(command, [])])

    async def test(self, *, deadline_s: float | None = None) -> ConnectionTest:
        self.test_deadline_s = deadline_s
        if isinstance(self.test_result, RouterError):
            raise self.test_result
        return self.test_result

    async def reset(self) -> None:
        self.resets += 1
        self.numbers = replace(self.numbers, connections_open=0)
        self.breaker.reset()

    async def close(self) -> None:
        self.numbers = replace(self.numbers, connections_open=0)
