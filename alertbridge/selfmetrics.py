"""The bridge's own metrics, served on `/metrics`.

A table says what there is; the methods below are the protocols of the parts that count. Every counter starts at 0
for each of its label values that is known ahead, so that a first failure is seen as a step.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from alertbridge.accept.payload import Fault
from alertbridge.alerts import AlertStatus, Severity
from alertbridge.deliver.model import Kind, NoticeState
from alertbridge.recover.model import Reason, RunState

REQUEST_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LATENCY_BUCKETS_S: Final = (1, 2, 5, 10, 15, 30, 45, 60, 120, 300, 900, 3600, 14_400)
DURATION_BUCKETS_S: Final = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 900)
DUPLICATES: Final = ("copy", "late", "repeat", "unopened")
CODES: Final = (200, 400, 401, 403, 413, 429, 500, 503)
RUN_ENDS: Final = (
    RunState.CURED,
    RunState.NOT_CURED,
    RunState.FAILED,
    RunState.EXHAUSTED,
    RunState.REFUSED,
    RunState.CANCELLED,
    RunState.INTERRUPTED,
    RunState.UNDONE,
    RunState.NOT_UNDONE,
    RunState.UNDO_LOST,
)
UNDER_WAY: Final = (NoticeState.PENDING.value, NoticeState.COMPOSED.value)
TASKS: Final = ("calm", "channel", "dispatch", "emergency", "lane", "lease", "retention", "sentinel", "store")
CHANNEL_STATES: Final = ("ok", "reconnecting", "paused", "stopped")


@dataclass(frozen=True, slots=True)
class _Row:
    """One metric: its name without the prefix and, for counters, without `_total`."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


COUNTERS: Final = (
    _Row(
        "webhook_requests",
        "Requests to the alerts webhook, by the status they were answered with.",
        ("code",),
    ),
    _Row("alerts_received", "Alerts of notifications that were read and stored.", ("status",)),
    _Row("alerts_rejected", "Alerts of notifications that could not be read.", ("reason",)),
    _Row("alerts_deduplicated", "Alerts that told nothing new.", ("reason",)),
    _Row("alert_values_cut", "Labels and annotations that were longer or more than the limits."),
    _Row("notices", "Notices made: what one recipient must be told.", ("kind",)),
    _Row(
        "notices_suppressed",
        "Changes that are told to nobody, or only within a flapping message.",
        ("reason",),
    ),
    _Row("messages_sent", "Messages that a provider took.", ("channel", "severity")),
    _Row("messages_failed", "Attempts to send that failed.", ("channel", "reason")),
    _Row("messages_retried", "Attempts to send that were tried again.", ("channel",)),
    _Row(
        "messages_fell_back",
        "Messages told by another way, since the channel did not prove them.",
        ("channel",),
    ),
    _Row("messages_acknowledged", "Messages of which the server's ack came.", ("channel",)),
    _Row("messages_dead", "Notices that no way could tell.", ("reason",)),
    _Row("replies", "Messages from people, by command and what came of it.", ("command", "outcome")),
    _Row("reports", "Reports, by kind and what came of them.", ("kind", "outcome")),
    _Row("recovery_attempts", "Actions that were run.", ("rule", "action")),
    _Row("recovery_runs", "Recovery runs that came to an end.", ("rule", "outcome")),
    _Row("recovery_decisions", "Decisions about an alert, also those not to act.", ("rule", "reason")),
    _Row("request_faults", "Requests that met a fault of the bridge."),
    _Row("task_faults", "Faults of the bridge in its own tasks, outside of requests.", ("task",)),
    _Row("config_reloads", "Times the configuration was read again and taken."),
    _Row("config_reload_failures", "Times a new configuration was refused."),
)
GAUGES: Final = (
    _Row("outbox_notices", "Notices under way.", ("state",)),
    _Row("outbox_oldest_age_seconds", "Age of the oldest notice under way; 0 without any."),
    _Row("unacknowledged_age_seconds", "Age of the oldest message sent and not acknowledged.", ("channel",)),
    _Row("channel_state", "State of a channel: 1 for the one that holds.", ("channel", "state")),
    _Row("channel_last_ack_timestamp_seconds", "When a channel last proved a delivery.", ("channel",)),
    _Row("limit_tokens", "Messages that a rate limit lets through at once now.", ("bucket",)),
    _Row("store_up", "Whether the store could be written when it was last tried."),
    _Row("watchdog_up", "Whether the watchdog alert keeps arriving."),
    _Row("watchdog_last_timestamp_seconds", "When the watchdog alert last arrived."),
    _Row("recovery_exhausted", "Whether a rule used up its tries and a person must act.", ("rule",)),
    _Row("recovery_running", "Recovery runs under way."),
    _Row("recovery_paused", "Whether recovery was paused by an operator."),
    _Row("config_last_reload_successful", "Whether the last try to read the configuration again succeeded."),
    _Row("config_last_reload_success_timestamp_seconds", "When the configuration in force was read."),
)
HISTOGRAMS: Final = (
    _Row("request_duration_seconds", "Time to answer the alerts webhook.", (), REQUEST_BUCKETS_S),
    _Row("alert_accept_latency_seconds", "From an alert's start to its acceptance.", (), LATENCY_BUCKETS_S),
    _Row(
        "alert_send_latency_seconds",
        "From an alert's start to its sending.",
        ("severity",),
        LATENCY_BUCKETS_S,
    ),
    _Row("recovery_duration_seconds", "From the decision to act to its end.", ("rule",), DURATION_BUCKETS_S),
    _Row(
        "recovery_fault_to_verified_seconds",
        "From an alert's start to the proof that it was mended.",
        ("rule",),
        DURATION_BUCKETS_S,
    ),
)


class SelfMetrics:
    """Counts what the bridge does; offers the protocols of the parts that count."""

    def __init__(self, *, process: bool = True) -> None:
        self.registry = CollectorRegistry()
        if process:
            ProcessCollector(registry=self.registry)
        Info("alertbridge_build", "Version of the bridge.", registry=self.registry).info(
            {"version": version("tikwatch")}
        )
        self._counters = {
            r.name: Counter(f"alertbridge_{r.name}", r.text, r.labels, registry=self.registry)
            for r in COUNTERS
        }
        self._gauges = {
            r.name: Gauge(f"alertbridge_{r.name}", r.text, r.labels, registry=self.registry) for r in GAUGES
        }
        self._histograms = {
            r.name: Histogram(
                f"alertbridge_{r.name}", r.text, r.labels, buckets=r.buckets, registry=self.registry
            )
            for r in HISTOGRAMS
        }
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for name, values in (
            ("webhook_requests", map(str, CODES)),
            ("alerts_received", (status.value for status in AlertStatus)),
            ("alerts_rejected", (fault.value for fault in Fault)),
            ("alerts_deduplicated", DUPLICATES),
            ("notices", (kind.value for kind in Kind)),
            ("task_faults", TASKS),
        ):
            for value in values:
                self._counters[name].labels(value)
        for kind in ("daily", "weekly", "monthly"):
            for outcome in ("sent", "late", "skipped"):
                self._counters["reports"].labels(kind, outcome)
        for severity in Severity:
            self._histograms["alert_send_latency_seconds"].labels(severity.value)
        for name in ("config_last_reload_successful", "store_up", "watchdog_up"):
            self._gauges[name].set(1)
        self._gauges["config_last_reload_success_timestamp_seconds"].set_to_current_time()

    def know(self, *, channels: Iterable[str], rules: Mapping[str, Iterable[str]]) -> None:
        """Begins the series of what the configuration names; `rules` have the names of their actions."""
        for channel in channels:
            for name in ("messages_retried", "messages_fell_back", "messages_acknowledged"):
                self._counters[name].labels(channel)
            for severity in Severity:
                self._counters["messages_sent"].labels(channel, severity.value)
        for rule, actions in rules.items():
            for action in actions:
                self._counters["recovery_attempts"].labels(rule, action)
            for reason in Reason:
                self._counters["recovery_decisions"].labels(rule, reason.value)
            for state in RUN_ENDS:
                self._counters["recovery_runs"].labels(rule, state.value)
            self._gauges["recovery_exhausted"].labels(rule)
            self._histograms["recovery_duration_seconds"].labels(rule)
            self._histograms["recovery_fault_to_verified_seconds"].labels(rule)

    # -- accept.counts.AcceptCounts

    def webhook_answered(self, code: int, duration_s: float) -> None:
        self._counters["webhook_requests"].labels(str(code)).inc()
        self._histograms["request_duration_seconds"].observe(duration_s)

    def alerts_received(self, status: AlertStatus, count: int) -> None:
        self._counters["alerts_received"].labels(status.value).inc(count)

    def alerts_rejected(self, reason: str, count: int) -> None:
        self._counters["alerts_rejected"].labels(reason).inc(count)

    def alerts_deduplicated(self, reason: str, count: int) -> None:
        self._counters["alerts_deduplicated"].labels(reason).inc(count)

    def values_cut(self, count: int) -> None:
        self._counters["alert_values_cut"].inc(count)

    def alert_accepted(self, latency_s: float) -> None:
        self._histograms["alert_accept_latency_seconds"].observe(max(0.0, latency_s))

    def notices_made(self, kind: Kind, count: int) -> None:
        self._counters["notices"].labels(kind.value).inc(count)

    def notices_suppressed(self, reason: str, count: int) -> None:
        self._counters["notices_suppressed"].labels(reason).inc(count)

    def watchdog_arrived(self, at_s: float) -> None:
        self._gauges["watchdog_last_timestamp_seconds"].set(at_s)

    # -- deliver.ports.Counters

    def sent(self, channel: str, severity: Severity, latency_s: float | None) -> None:
        self._counters["messages_sent"].labels(channel, severity.value).inc()
        if latency_s is not None:
            self._histograms["alert_send_latency_seconds"].labels(severity.value).observe(max(0.0, latency_s))

    def failed(self, channel: str, reason: str) -> None:
        self._counters["messages_failed"].labels(channel, reason).inc()

    def retried(self, channel: str) -> None:
        self._counters["messages_retried"].labels(channel).inc()

    def fell_back(self, channel: str) -> None:
        self._counters["messages_fell_back"].labels(channel).inc()

    def dead(self, reason: str, count: int) -> None:
        self._counters["messages_dead"].labels(reason).inc(count)

    def acknowledged(self, channel: str) -> None:
        self._counters["messages_acknowledged"].labels(channel).inc()
        self._gauges["channel_last_ack_timestamp_seconds"].labels(channel).set_to_current_time()

    def outbox(self, notices: Mapping[str, int], oldest_age_s: float) -> None:
        for state in UNDER_WAY:
            self._gauges["outbox_notices"].labels(state).set(notices.get(state, 0))
        self._gauges["outbox_oldest_age_seconds"].set(oldest_age_s)

    def unacknowledged(self, age_s: Mapping[str, float]) -> None:
        for channel, age in age_s.items():
            self._gauges["unacknowledged_age_seconds"].labels(channel).set(age)

    def task_fault(self, task: str) -> None:
        self._counters["task_faults"].labels(task).inc()

    # -- channels, limits, store

    def channel(self, name: str, state: str) -> None:
        """The state of a channel."""
        for one in CHANNEL_STATES:
            self._gauges["channel_state"].labels(name, one).set(one == state)

    def tokens(self, bucket: str, left: float) -> None:
        """What a rate limit lets through at once."""
        self._gauges["limit_tokens"].labels(bucket).set(left)

    def store(self, *, up: bool) -> None:
        """Whether the store can be written."""
        self._gauges["store_up"].set(up)

    # -- runtime.serving

    def taken(self) -> None:
        """See `runtime.serving.reloads.Listener`."""
        self._counters["config_reloads"].inc()
        self._gauges["config_last_reload_successful"].set(1)
        self._gauges["config_last_reload_success_timestamp_seconds"].set_to_current_time()

    def refused(self) -> None:
        """See `runtime.serving.reloads.Listener`."""
        self._counters["config_reload_failures"].inc()
        self._gauges["config_last_reload_successful"].set(0)

    def request_fault(self) -> None:
        """A handler failed."""
        self._counters["request_faults"].inc()

    # -- recovery, replies, reports

    def decided(self, rule: str, reason: str) -> None:
        """A rule was held against an alert."""
        self._counters["recovery_decisions"].labels(rule, reason).inc()

    def attempted(self, rule: str, action: str) -> None:
        """An action was run."""
        self._counters["recovery_attempts"].labels(rule, action).inc()

    def run_ended(
        self, rule: str, outcome: str, duration_s: float, fault_to_verified_s: float | None
    ) -> None:
        """A run came to its end; `fault_to_verified_s` where it helped."""
        self._counters["recovery_runs"].labels(rule, outcome).inc()
        self._histograms["recovery_duration_seconds"].labels(rule).observe(duration_s)
        if fault_to_verified_s is not None:
            self._histograms["recovery_fault_to_verified_seconds"].labels(rule).observe(fault_to_verified_s)

    def exhausted(self, rule: str, *, is_exhausted: bool) -> None:
        """Whether a rule gave up."""
        self._gauges["recovery_exhausted"].labels(rule).set(is_exhausted)

    def recovering(self, running: int, *, paused: bool) -> None:
        """Runs under way, and whether an operator stopped the engine."""
        self._gauges["recovery_running"].set(running)
        self._gauges["recovery_paused"].set(paused)

    def replied(self, command: str, outcome: str) -> None:
        """A person wrote."""
        self._counters["replies"].labels(command, outcome).inc()

    def reported(self, kind: str, outcome: str) -> None:
        """A report was due."""
        self._counters["reports"].labels(kind, outcome).inc()

    def watchdog(self, *, up: bool) -> None:
        """Whether the watchdog alert keeps arriving."""
        self._gauges["watchdog_up"].set(up)
