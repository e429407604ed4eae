"""Users, log, certificates, and the tools that look at the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from ..call import Call, Outcome, Stream, Trap
from ..commands import seconds
from ..formats import GMT_OFFSET_S, duration, fine_duration, log_time
from ..menu import Command, Menu
from ..table import Row
from ..traffic import Moment, seeded

if TYPE_CHECKING:
    from ..world import World


def _users(world: World) -> Iterable[Row]:
    since_boot = world.date(world.now_s - min(world.uptime_s, 5000.0))
    yield Row(
        "*1",
        {"when": since_boot, "name": "admin", "address": "192.168.88.10", "via": "winbox", "group": "full"},
    )
    for number, (user, peer, since_s) in enumerate(world.sessions(), start=2):
        yield Row(
            f"*{number:X}",
            {"when": world.date(since_s), "name": user, "address": peer, "via": "api", "group": "exporter"},
        )


def _log_time(row: Row, moment: Moment) -> str | None:
    """Log rows carry the world as their owner: v6 writes a time according to the day on which it is read."""
    world = cast("World", row.owner)
    return log_time(world.wall(row.since_s), moment.wall_s, GMT_OFFSET_S, world.version)


def _expires_after(row: Row, moment: Moment) -> str | None:
    return duration(row.since_s - moment.now_s)


def _expired(row: Row, moment: Moment) -> str | None:
    return "true" if row.since_s <= moment.now_s else "false"


def _tests(row: Row, moment: Moment) -> str | None:
    return str(int((moment.now_s - row.since_s) / 10))


def _failed_tests(row: Row, moment: Moment) -> str | None:
    every = 1 if row.values.get("status") == "down" else 900
    return str(int((moment.now_s - row.since_s) / 10 / every))


class _RoundTrip:
    """A time around 1.8 ms, for probes that get an answer."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def __call__(self, row: Row, moment: Moment) -> str | None:
        if row.values.get("type") != "icmp" or row.values.get("status") != "up":
            return None
        return fine_duration(0.0018 * self._factor * moment.slopes[int(row.id[1:], 16) % 16])


def _loss(row: Row, moment: Moment) -> str | None:
    if row.values.get("type") != "icmp":
        return None
    return "0" if row.values.get("status") == "up" else "100"


def ping(world: World, _menu: Menu, call: Call) -> Outcome:
    """A row a second, with running totals; without `=count=` it never ends.

    Addresses that end in .0 or .255, and all of 192.0.2.128/25, do not answer.
    """
    address = call.args.get("address")
    if not address:
        raise Trap("missing =address=", 1)
    random = seeded("ping", world.spec.name, address)
    count = int(call.args.get("count") or 0)
    times_s: list[float] = []
    dead = address.endswith((".0", ".255")) or (
        address.startswith("192.0.2.") and int(address.rpartition(".")[2] or 0) >= 128
    )

    def frame(number: int) -> Iterator[bytes] | None:
        if count and number >= count:
            return None
        pairs = [("seq", str(number)), ("host", address)]
        if dead:
            pairs.append(("status", "timeout"))
        else:
            times_s.append(random.uniform(0.0012, 0.004))
            pairs += [
                ("size", call.args.get("size", "56")),
                ("ttl", "60"),
                ("time", fine_duration(times_s[-1])),
            ]
        sent = number + 1
        lost = 100 * (sent - len(times_s)) // sent
        pairs += [("sent", str(sent)), ("received", str(len(times_s))), ("packet-loss", str(lost))]
        if times_s:
            pairs += [
                ("min-rtt", fine_duration(min(times_s))),
                ("avg-rtt", fine_duration(sum(times_s) / len(times_s))),
                ("max-rtt", fine_duration(max(times_s))),
            ]
        return iter((call.row(*pairs),))

    return Stream(frame, max(0.01, seconds(call, "interval", 1.0)))


TOOLS = (
    Menu("", "", commands_only=True, commands={"ping": Command(ping, "test")}),
    Menu("/tool", "", commands_only=True, commands={"ping": Command(ping, "test")}, since=(7,)),
    Menu("/user/active", "when name address via group radius=false", rows=_users, editable=False),
    Menu("/log", "time topics message buffer", moving={"time": _log_time}, editable=False),
    Menu(
        "/certificate",
        "name digest-algorithm key-type common-name subject-alt-name key-size days-valid trusted=false key-usage "
        "ca serial-number fingerprint akid skid issuer invalid-before invalid-after expires-after expired=false "
        "revoked=false authority=false private-key=false",
        moving={"expires-after": _expires_after, "expired": _expired},
    ),
    Menu(
        "/tool/netwatch",
        "name@7.11 host type@7.5=simple timeout=3s interval=10s port since status=unknown done-tests@7.5 "
        "failed-tests@7.5 sent-count@7.5 response-count@7.5 loss-count@7.5 loss-percent@7.5 rtt-avg@7.5 rtt-min@7.5 "
        "rtt-max@7.5 rtt-jitter@7.5 rtt-stdev@7.5 disabled=false comment",
        moving={
            "done-tests": _tests,
            "failed-tests": _failed_tests,
            "loss-percent": _loss,
            "rtt-avg": _RoundTrip(1.0),
            "rtt-min": _RoundTrip(0.8),
            "rtt-max": _RoundTrip(1.5),
            "rtt-jitter": _RoundTrip(0.3),
            "rtt-stdev": _RoundTrip(0.1),
        },
        package="advanced-tools",
    ),
)
