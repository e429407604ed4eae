"""Figure 2 of the bridge: 10,000 alerts in five minutes. Told early, told seldom, and every one is to be found."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bridge import Running, alert, notification, percentile, post_on_time, running
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most

ALERTS_A_POST = 50
WORST = "UplinkDown"


def measure(effort: Effort) -> list[Line]:
    """The storm with a critical alert in its second post."""
    alerts = effort.pick(10_000, 2_000, 200)
    lasts_s = float(effort.pick(300, 60, 6))
    with tempfile.TemporaryDirectory(prefix="tikwatch-storm-") as name, running(Path(name)) as bridge:
        run = post_on_time(bridge.url, _plan(alerts, lasts_s))
        began_s, latencies = run.began_s, [post.answered_after_s for post in run.posts]
        ended_s = time.time()
        _settle(bridge, ended_s)
        messages = bridge.received()
        found = _episodes(Path(name) / "bridge.db")
        memory = bridge.program.peak_rss_bytes()
        worst = [m for m in messages if WORST in m["text"]]
        return [
            Line("first message after", messages[0]["at"] - began_s, Unit.SECONDS, at_most(10)),
            Line("the worst alert is named after", worst[0]["at"] - began_s, Unit.SECONDS, at_most(10)),
            Line("messages to the recipient", len(messages), Unit.COUNT, at_most(10)),
            Line(
                "alerts that can be found, of each that was sent", found / alerts, Unit.RATIO, at_least(1.0)
            ),
            Line(
                "from when a notification was due to its answer, 99th percentile",
                percentile(latencies, 0.99),
                Unit.SECONDS,
                at_most(0.05),
            ),
            Line(
                "from when a notification was due to its answer, median",
                percentile(latencies, 0.5),
                Unit.SECONDS,
            ),
            Line("memory at its peak", memory, Unit.MEGABYTES, at_most(200e6)),
        ]


def _plan(alerts: int, lasts_s: float) -> Iterator[tuple[float, bytes]]:
    """Posts at an even pace."""
    posts = alerts // ALERTS_A_POST
    begin_s = time.time()
    for number in range(posts):
        after_s = number * lasts_s / posts
        first = number * ALERTS_A_POST
        found = [alert("InterfaceDown", first + n, at_s=begin_s + after_s) for n in range(ALERTS_A_POST)]
        if number == 1:
            found[7] = alert(WORST, first + 7, severity="critical", at_s=begin_s + after_s)
        yield after_s, notification(found, f"{{}}:{{n={number}}}")


def _settle(bridge: Running, ended_s: float) -> None:
    """Waits until nothing more was said for a while."""
    while True:
        messages = bridge.received()
        last_s = max([ended_s, *[m["at"] for m in messages]])
        if time.time() - last_s > 45 or time.time() - ended_s > 420:
            return
        time.sleep(1)


def _episodes(store: Path) -> int:
    import sqlite3

    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        found = connection.execute(
            "SELECT count(*) FROM episodes WHERE EXISTS (SELECT 1 FROM notices WHERE episode_id = episodes.id)"
        )
        return int(found.fetchone()[0])


FIGURE = Figure(9, "storm", "a storm of 10,000 alerts in five minutes", measure, long=True)
