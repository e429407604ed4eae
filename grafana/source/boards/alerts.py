"""Alerts and recovery: what fires, whether people hear of it in time, and what was mended by itself."""

from typing import Final

from grafana.source import links, variables, words
from grafana.source.annotations import of_services
from grafana.source.boards.alerts_recovery import PIPELINE, RECOVERY
from grafana.source.colours import CRITICAL, INFO, OK, SEVERITIES
from grafana.source.expressions import FIRING, SERIOUS, last_began
from grafana.source.layout import Board, Row
from grafana.source.limits import plain, rising
from grafana.source.overrides import coloured
from grafana.source.panels import Text, bars, graph, number, tiles, timeline
from grafana.source.queries import Query
from grafana.source.recurring import MESSAGING, critical_alerts, firing_table, warnings
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import CHANNEL_IS
from grafana.source.words import CHANNEL, numbered, state_number


def _way(metric: str) -> str:
    return f"{metric}{{{CHANNEL_IS}}}"


def _rate(metric: str, by: str = "channel") -> str:
    return f"60 * sum by ({by}) (rate({_way(metric)}[$__rate_interval]))"


_STATE: Final = state_number("alertbridge_channel_state", CHANNEL_IS, "channel", CHANNEL)
_FIRED: Final = f"ALERTS{{{FIRING},{SERIOUS}}}"
_THING: Final = "alertname, severity, router, interface"

_ANSWER: Final = (
    critical_alerts(),
    warnings(),
    tiles(
        "Channels",
        Text(
            "State of each way out. Paused and reconnecting mend themselves; stopped wants somebody.",
            "Status tiap saluran pengiriman.",
        ),
        Unit.NONE,
        [Query(_STATE, "{{channel}}")],
        words=numbered(CHANNEL),
        width=4,
        height=3,
    ),
    number(
        "Oldest unsent",
        Text(
            "Age of the oldest notice that was not told to anybody yet; 0 when all are told.",
            "Umur notifikasi tertua yang belum terkirim.",
        ),
        Unit.SECONDS,
        "max(alertbridge_outbox_oldest_age_seconds)",
        limits=rising("outbox", unit="seconds"),
    ),
    number(
        "Told within",
        "95 % of the critical alerts of the last half hour were told within this time, counted from the fault.",
        Unit.SECONDS,
        'max(severity:alert_send_latency_seconds:p95{severity="critical"} >= 0)',
        limits=rising(warning="send_latency_seconds"),
    ),
    number(
        "Watchdog",
        Text(
            "Whether Prometheus's sign of life reaches the bridge. If not, no alert does.",
            "Apakah sinyal hidup Prometheus sampai ke bridge.",
        ),
        Unit.NONE,
        "min(alertbridge_watchdog_up)",
        words={"1": ("Heard", OK), "0": ("Lost", CRITICAL)},
    ),
)

_HISTORY: Final = (
    graph(
        "Firing alerts",
        "How many fire, by severity.",
        Unit.COUNT,
        Query(f'count by (severity) (ALERTS{{{FIRING},severity=~"critical|warning|info"}})', "{{severity}}"),
        looks=[coloured(f"^{name}$", colour) for name, colour in SEVERITIES.items()],
        stack=True,
        low=0,
        steps=True,
        width=8,
    ),
    timeline(
        "What fired when",
        "The twenty alerts that fired longest in the range of time shown.",
        {"1": ("Fires", CRITICAL)},
        Query(
            f"max by ({_THING}) ({_FIRED}) and on ({_THING}) topk(20, sum by ({_THING}) "
            f"(count_over_time({_FIRED}[$__range] @ end())))",
            "{{alertname}} {{router}} {{interface}}",
        ),
        width=16,
        height=9,
    ),
    table(
        "Fired in this range of time",
        Text(
            "For how long each alert fired, and when it last began. What fires often and is not acted on wants "
            "another threshold.",
            "Berapa lama setiap alert aktif dalam rentang waktu ini.",
        ),
        [
            Label("alertname", "Alert", least=150),
            Label("severity", "Severity", words=words.SEVERITY),
            Label(
                "router", "Router", links=[links.to("The router", links.ROUTER, router=links.cell("Router"))]
            ),
            Label("interface", "Interface", least=110),
        ],
        [
            Column(
                "Fired for", f"15 * sum by ({_THING}) (count_over_time({_FIRED}[$__range:15s]))", Unit.SECONDS
            ),
            Column(
                "Last began",
                f"1000 * ({last_began('$__range')})",
                Unit.AGO,
            ),
        ],
        order=Order("Last began", falling=True),
        height=8,
    ),
)

_DELIVERY: Final = (
    graph(
        "Fault to message",
        Text(
            "Median and 95th percentile of the last half hour, from the fault to the message that the provider took. "
            "The line is that of BridgeSlow.",
            "Waktu dari gangguan sampai pesan terkirim.",
        ),
        Unit.SECONDS,
        Query("severity:alert_send_latency_seconds:p95 >= 0", "{{severity}} 95 %"),
        Query("severity:alert_send_latency_seconds:p50 >= 0", "{{severity}} median"),
        limits=rising(warning="send_latency_seconds"),
        low=0,
    ),
    graph(
        "Messages",
        "Per minute: taken by a provider, acknowledged, failed, tried again, told another way.",
        Unit.PER_MIN,
        Query(_rate("alertbridge_messages_sent_total"), "{{channel}} sent"),
        Query(_rate("alertbridge_messages_acknowledged_total"), "{{channel}} acknowledged"),
        Query(_rate("alertbridge_messages_failed_total"), "{{channel}} failed"),
        Query(_rate("alertbridge_messages_retried_total"), "{{channel}} again"),
        Query(_rate("alertbridge_messages_fell_back_total"), "{{channel}} by another way"),
        looks=[coloured(" sent$", INFO), coloured(" acknowledged$", OK), coloured(" failed$", CRITICAL)],
        low=0,
    ),
    timeline(
        "Channels over time",
        "State of each way out.",
        numbered(CHANNEL),
        Query(_STATE, "{{channel}}"),
        width=12,
        height=6,
    ),
    graph(
        "Failing by reason",
        "Attempts that failed, per minute.",
        Unit.PER_MIN,
        Query(_rate("alertbridge_messages_failed_total", "channel, reason"), "{{channel}}: {{reason}}"),
        without="no attempt has failed yet",
        low=0,
        height=6,
    ),
    graph(
        "Failing",
        "Part of the attempts that failed; the lines are those of BridgeDeliveryFailing.",
        Unit.RATIO,
        Query(_way("channel:messages_failed:ratio_rate5m"), "{{channel}}"),
        limits=rising("bot_failed"),
        without="no attempt has failed yet",
        low=0,
        high=1,
        width=8,
    ),
    graph(
        "Outbox",
        "Notices under way, by state. It empties by itself while a channel works.",
        Unit.COUNT,
        Query("alertbridge_outbox_notices", "{{state}}"),
        stack=True,
        low=0,
        width=8,
    ),
    graph(
        "Not acknowledged",
        "Age of the oldest message without an ack; the line is that of BridgeAcksMissing.",
        Unit.SECONDS,
        Query(_way("alertbridge_unacknowledged_age_seconds"), "{{channel}}"),
        limits=rising(warning="unacknowledged_seconds"),
        without="no channel waits for an ack",
        low=0,
        width=8,
    ),
    bars(
        "Rate limits",
        "Messages that each limit lets through at once now. 0 means that messages wait.",
        Unit.COUNT,
        Query("sort(alertbridge_limit_tokens)", "{{bucket}}"),
        limits=plain(INFO),
        width=8,
    ),
    graph(
        "Notices and what was held back",
        "Per hour: notices by kind, and changes that were told to nobody, by reason.",
        Unit.COUNT,
        Query("3600 * sum by (kind) (rate(alertbridge_notices_total[$__rate_interval]))", "{{kind}}"),
        Query(
            "3600 * sum by (reason) (rate(alertbridge_notices_suppressed_total[$__rate_interval]))",
            "not told: {{reason}}",
        ),
        low=0,
        width=8,
    ),
    graph(
        "Reached nobody",
        Text(
            "Notices that no way could tell: more than none, and somebody was not told.",
            "Notifikasi yang tidak sampai ke siapa pun.",
        ),
        Unit.COUNT,
        Query("sum by (reason) (increase(alertbridge_messages_dead_total[$__rate_interval]))", "{{reason}}"),
        without="every notice was told so far",
        bars=True,
        low=0,
        width=8,
        calcs=("max",),
        colour=CRITICAL,
    ),
)

BOARD: Final = Board(
    uid=links.ALERTS,
    title="Alerts and recovery",
    folder=MESSAGING,
    about="What fires, whether people hear of it in time, and what was mended by itself.",
    tags=["messaging"],
    variables=[variables.datasource(), variables.channels()],
    annotations=of_services(),
    ways=[links.way("Fleet", links.FLEET), links.way("WhatsApp bot and database", links.SERVICES)],
    rows=[
        Row("", [*_ANSWER, firing_table(height=9)]),
        Row("History", _HISTORY),
        Row("Delivery", _DELIVERY),
        Row("Recovery", RECOVERY),
        Row("The way from Prometheus to the bridge", PIPELINE),
    ],
)
