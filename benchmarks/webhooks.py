"""Figure 3 of the bridge: 200 notifications a second, kept up, each on the disk before it is answered."""

import tempfile
import time
from pathlib import Path

from benchmarks.bridge import alert, notification, percentile, post_on_time, running
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most

PER_S = 200


def measure(effort: Effort) -> list[Line]:
    """One new alert in each notification, at an even pace."""
    lasts_s = effort.pick(60, 20, 2)
    with tempfile.TemporaryDirectory(prefix="tikwatch-webhooks-") as name, running(Path(name)) as bridge:
        at_s = time.time()
        plan = [
            (
                number / PER_S,
                notification(
                    [alert("QueueDrops", number, at_s=at_s + number / PER_S)], f"{{}}:{{n={number}}}"
                ),
            )
            for number in range(PER_S * lasts_s)
        ]
        cpu_s = bridge.program.cpu_s()
        posts = post_on_time(bridge.url, plan).posts
        cpu_s = bridge.program.cpu_s() - cpu_s
        answers_s = [post.answered_after_s for post in posts]
        took_s = (len(posts) - 1) / PER_S + answers_s[-1]
        taken = sum(post.status == 200 for post in posts)
        return [
            Line("notifications answered 200", taken / took_s, Unit.PER_SECOND, at_least(0.98 * PER_S)),
            Line(
                "from when it was due to its answer, 99th percentile",
                percentile(answers_s, 0.99),
                Unit.SECONDS,
                at_most(0.05),
            ),
            Line("from when it was due to its answer, median", percentile(answers_s, 0.5), Unit.SECONDS),
            Line(
                "of that until it was sent, 99th percentile",
                percentile([post.sent_after_s for post in posts], 0.99),
                Unit.SECONDS,
            ),
            Line("processor", cpu_s / took_s, Unit.CORES, at_most(2)),
            Line("processor time of a notification", cpu_s / len(posts), Unit.SECONDS),
            Line("memory at its peak", bridge.program.peak_rss_bytes(), Unit.MEGABYTES, at_most(200e6)),
        ]


FIGURE = Figure(10, "webhooks", "200 notifications a second", measure, long=True)
