"""Alerts: what was mended by itself, and the way of alerts from Prometheus to the bridge."""

from typing import Final

from grafana.source import words
from grafana.source.colours import CRITICAL, INFO, OK, WARNING
from grafana.source.limits import above, plain
from grafana.source.overrides import coloured
from grafana.source.panels import Text, graph, number, tiles
from grafana.source.queries import Query
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit

_OUTCOMES: Final = (
    ("cured", OK),
    ("exhausted|failed|not_cured", CRITICAL),
    ("refused|cancelled|interrupted", WARNING),
)

RECOVERY: Final = (
    number(
        "Recovery",
        Text(
            "Whether recovery may act. An operator pauses it; it stays so until somebody says otherwise.",
            "Apakah pemulihan otomatis aktif atau dijeda.",
        ),
        Unit.NONE,
        "max(alertbridge_recovery_paused)",
        words=words.PAUSED,
        width=4,
        height=4,
    ),
    number(
        "Running now",
        "Recovery runs under way.",
        Unit.COUNT,
        "sum(alertbridge_recovery_running)",
        limits=plain(INFO),
        width=4,
        height=4,
    ),
    tiles(
        "Rules that gave up",
        Text(
            "Rules that used up their tries: a person must act now, and the rule waits until the alert ends.",
            "Aturan yang menyerah: perlu tindakan manusia.",
        ),
        Unit.NONE,
        [Query("max by (rule) (alertbridge_recovery_exhausted)", "{{rule}}")],
        words={"0": ("Ready", OK), "1": ("Gave up", CRITICAL)},
        width=16,
        height=4,
    ),
    graph(
        "Attempts",
        "Actions run, by rule.",
        Unit.COUNT,
        Query(
            "sum by (rule, action) (increase(alertbridge_recovery_attempts_total[$__rate_interval]))",
            "{{rule}}: {{action}}",
        ),
        bars=True,
        low=0,
        calcs=("max",),
        width=8,
    ),
    graph(
        "Outcome",
        "Runs that came to an end, by what came of them.",
        Unit.COUNT,
        Query(
            "sum by (rule, outcome) (increase(alertbridge_recovery_runs_total[$__rate_interval]))",
            "{{rule}}: {{outcome}}",
        ),
        looks=[coloured(f": ({outcome})$", colour) for outcome, colour in _OUTCOMES],
        bars=True,
        low=0,
        calcs=("max",),
        width=8,
    ),
    graph(
        "Time to recover",
        Text(
            "95th percentile of the last day, from the fault to the proof that it is mended, by rule.",
            "Waktu dari gangguan sampai terbukti pulih.",
        ),
        Unit.SECONDS,
        Query("rule:recovery_fault_to_verified_seconds:p95 >= 0", "{{rule}}"),
        low=0,
        width=8,
    ),
    table(
        "Rules, last 24 hours",
        "What each rule did.",
        [Label("rule", "Rule"), Label("outcome", "Outcome")],
        [Column("Runs", "rule:recovery_runs:increase1d > 0", Unit.COUNT, decimals=0)],
        order=Order("Runs", falling=True),
        width=12,
        height=7,
    ),
    graph(
        "Decisions",
        "Per hour: why a rule acted, or did not.",
        Unit.COUNT,
        Query(
            "3600 * sum by (rule, reason) (rate(alertbridge_recovery_decisions_total[$__rate_interval]))",
            "{{rule}}: {{reason}}",
        ),
        low=0,
        width=12,
        height=7,
    ),
)

_ALERTMANAGER: Final = "alertmanager_notifications"

PIPELINE: Final = (
    graph(
        "Alerts that came in",
        "Alerts per minute that the bridge took, by status; and what it could not read.",
        Unit.PER_MIN,
        Query(
            "60 * sum by (status) (rate(alertbridge_alerts_received_total[$__rate_interval]))", "{{status}}"
        ),
        Query("60 * sum(rate(alertbridge_alerts_rejected_total[$__rate_interval]))", "rejected"),
        looks=[coloured("^firing", WARNING), coloured("^resolved", OK), coloured("^rejected", CRITICAL)],
        low=0,
        width=8,
    ),
    graph(
        "Webhook",
        "Requests of Alertmanager, by the status that they were answered with. All but 200 come again.",
        Unit.PER_MIN,
        Query("60 * sum by (code) (rate(alertbridge_webhook_requests_total[$__rate_interval]))", "{{code}}"),
        looks=[coloured("^200", OK), coloured("^(4|5)", CRITICAL)],
        low=0,
        width=8,
    ),
    graph(
        "Time to accept",
        "95th percentile: to answer the webhook, and from the fault to its acceptance.",
        Unit.SECONDS,
        Query(
            (
                "histogram_quantile(0.95, sum by (le) "
                "(rate(alertbridge_request_duration_seconds_bucket[$__rate_interval]))) >= 0"
            ),
            "Answer",
        ),
        Query("bridge:alert_accept_latency_seconds:p95 >= 0", "From the fault"),
        low=0,
        width=8,
    ),
    graph(
        "Alertmanager",
        "Notifications per minute, and those that failed.",
        Unit.PER_MIN,
        Query(f'60 * sum(rate({_ALERTMANAGER}_total{{integration="webhook"}}[$__rate_interval]))', "Sent"),
        Query(
            f'60 * sum(rate({_ALERTMANAGER}_failed_total{{integration="webhook"}}[$__rate_interval]))',
            "Failed",
        ),
        looks=[coloured("^Sent", INFO), coloured("^Failed", CRITICAL)],
        low=0,
        width=8,
    ),
    graph(
        "Prometheus to Alertmanager",
        "Alerts per minute that were handed over, and errors.",
        Unit.PER_MIN,
        Query("60 * sum(rate(prometheus_notifications_sent_total[$__rate_interval]))", "Sent"),
        Query("60 * sum(rate(prometheus_notifications_errors_total[$__rate_interval]))", "Errors"),
        looks=[coloured("^Sent", INFO), coloured("^Errors", CRITICAL)],
        low=0,
        width=8,
    ),
    number(
        "Store",
        "Whether the bridge can write down what it must not lose.",
        Unit.NONE,
        "min(alertbridge_store_up)",
        words={"1": ("Writable", OK), "0": ("Down", CRITICAL)},
        width=4,
        height=9,
    ),
    number(
        "Rejected, 24 h",
        "Alerts that could not be read: a label that is no text, or a sender that is no Alertmanager.",
        Unit.COUNT,
        "sum(increase(alertbridge_alerts_rejected_total[24h]))",
        limits=above(1, WARNING),
        width=4,
        height=9,
        decimals=0,
    ),
)
