"""What Prometheus is asked for a report: one row for each question, in the words of the recording rules.

`$range` and `$step` are durations, `$seconds` the step in seconds, `$length` the period in seconds, `$users` and
`$users_s` the step of what is asked of every subscriber. `$slots` and `$within` are a second shorter than the period
and the step, since Prometheus 2 counts both ends of a range. Sums over time are of steps that were measured: a hole
adds nothing, and `..._coverage` says how much of the period was seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from string import Template
from typing import Final

from alertbridge.report.model import Part
from alertbridge.report.schedule import Kind

PRESENT: Final = "tikwatch_present"
"""The label of the value that says how many series an attention was looked for in."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How finely a period is looked at, in seconds."""

    slots: int
    users: int
    chart: int


STEPS: Final[Mapping[Kind, Steps]] = {
    Kind.DAILY: Steps(slots=300, users=300, chart=300),
    Kind.WEEKLY: Steps(slots=900, users=900, chart=1_800),
    Kind.MONTHLY: Steps(slots=1_800, users=3_600, chart=7_200),
}


class When(Enum):
    """For which moment a question is asked."""

    END = "end"  # of the period
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `by_hours` is asked instead for a week or a month, where the raw samples are too many."""

    name: str
    part: Part
    expression: str
    when: When = When.END
    by_hours: str = ""

    def text(self, kind: Kind, length_s: float, top: int) -> str:
        """The expression for a report of that kind on `length_s` seconds."""
        chosen = self.by_hours if self.by_hours and kind is not Kind.DAILY else self.expression
        return filled(chosen, kind, length_s, top)


def filled(expression: str, kind: Kind, length_s: float, top: int) -> str:
    """`expression` with the period in it."""
    steps = STEPS[kind]
    return Template(expression).substitute(
        range=f"{length_s:.0f}s",
        slots=f"{length_s - 1:.0f}s",
        within=f"{steps.slots - 1}s",
        length=f"{length_s:.0f}",
        step=f"{steps.slots}s",
        seconds=steps.slots,
        users=f"{steps.users}s",
        users_s=steps.users,
        chart=f"{steps.chart}s",
        top=top,
    )


QUESTIONS: Final = (
    Question(
        "availability",
        Part.AVAILABILITY,
        "avg_over_time(router:up:min[$range])",
        by_hours="avg_over_time(router:up:avg1h[$slots:1h])",
    ),
    Question(
        "availability_coverage",
        Part.AVAILABILITY,
        "count_over_time(router:up:min[$slots:$step]) * $seconds / $length",
    ),
    Question(
        "traffic",
        Part.TRAFFIC,
        "sum_over_time(avg_over_time(router:receive_bits:sum[$within])[$slots:$step]) * $seconds / 8",
    ),
    Question("traffic_peak", Part.TRAFFIC, "max_over_time(router:receive_bits:sum[$range])"),
    Question(
        "traffic_coverage",
        Part.TRAFFIC,
        "count_over_time(sum(router:receive_bits:sum)[$slots:$step]) * $seconds / $length",
    ),
    Question(
        "busiest",
        Part.SUBSCRIBERS,
        "topk($top, sum_over_time((router_user:receive_bits:rate5m + router_user:transmit_bits:rate5m)"
        "[$slots:$users]) * $users_s / 8)",
    ),
    Question(
        "bot_sent",
        Part.MESSAGES,
        "sum by (bot) (increase(whatsapp_bot_messages_sent_total[$range]))",
    ),
    Question(
        "bot_failed",
        Part.MESSAGES,
        "sum by (bot) (increase(whatsapp_bot_messages_failed_total[$range]))",
    ),
    Question("bot_connected", Part.MESSAGES, "max by (bot) (avg_over_time(whatsapp_bot_connected[$range]))"),
    Question(
        "database_up", Part.DATABASES, "min by (database) (avg_over_time(tikwatch_database_up[$range]))"
    ),
    Question("database_size", Part.DATABASES, "max by (database) (tikwatch_database_size_bytes)", When.NOW),
    Question(
        "database_sound",
        Part.DATABASES,
        "min by (database) (tikwatch_database_quick_check_success)",
        When.NOW,
    ),
    Question(
        "backup_age",
        Part.DATABASES,
        "time() - max by (database) (tikwatch_database_last_backup_timestamp_seconds)",
        When.NOW,
    ),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """Something over time."""

    name: str
    part: Part
    expression: str


CURVES: Final = (
    Curve("traffic", Part.TRAFFIC, "sum(avg_over_time(router:receive_bits:sum[$chart]))"),
    Curve(
        "traffic_by_router",
        Part.TRAFFIC,
        "avg_over_time(router:receive_bits:sum[$chart])"
        " and on (router) topk(4, avg_over_time(router:receive_bits:sum[$range] @ end()))",
    ),
    Curve("users", Part.SUBSCRIBERS, "sum(max_over_time(router:subscribers:current[$chart]))"),
)


class Measure(Enum):
    """How a value of an attention is read."""

    USED = "used"  # a ratio
    FREE = "free"  # a ratio
    FREE_BYTES = "free_bytes"
    LEFT = "left"  # seconds, perhaps below 0
    AGE = "age"  # seconds
    DEGREES = "degrees"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that a person should look at: series of `expression` beyond a threshold of the alerts.

    `threshold` names it as in thresholds.rules.yml; `otherwise` holds where the rules are not loaded. A threshold
    with `by_router` may differ between routers.
    """

    name: str
    expression: str
    measure: Measure
    labels: tuple[str, ...]
    otherwise: float
    threshold: str = ""
    by_router: bool = False
    below: bool = False

    @property
    def text(self) -> str:
        """One question for both: what is beyond, and in how many series that was looked for."""
        compared = f"({self.expression}) {'<' if self.below else '>'} {self._limit}"
        return f'label_replace(count({self.expression}), "{PRESENT}", "yes", "", "") or {compared}'

    @property
    def _limit(self) -> str:
        if not self.threshold:
            return f"{self.otherwise:g}"
        if self.by_router:
            usual = f"0 * group by (router) ({self.expression}) + {self.otherwise:g}"
            return f"on (router) group_left () (router:threshold:{self.threshold} or on (router) {usual})"
        return f"scalar(tikwatch:threshold:{self.threshold} or vector({self.otherwise:g}))"


_DAY_S: Final = 86_400

ATTENTIONS: Final = (
    Attention(
        "pools", "router_pool:used:ratio", Measure.USED, ("router", "pool"), 0.85, "pool_warning", True
    ),
    Attention(
        "router_disks",
        "router:disk_free:ratio",
        Measure.FREE,
        ("router",),
        0.15,
        "disk_free_warning",
        True,
        below=True,
    ),
    Attention(
        "host_disks",
        "min by (instance, mount) (host_mount:disk_available:ratio)",
        Measure.FREE,
        ("instance", "mount"),
        0.15,
        "host_disk_free_warning",
        below=True,
    ),
    Attention(
        "database_disks",
        "min by (database) (tikwatch_database_disk_free_bytes)",
        Measure.FREE_BYTES,
        ("database",),
        1 << 30,
        "database_disk_bytes",
        below=True,
    ),
    Attention(
        "backups",
        "database:backup_age_seconds:max",
        Measure.AGE,
        ("database",),
        93_600,
        "backup_warning_seconds",
    ),
    Attention(
        "certificates",
        "router_certificate:left_seconds:min",
        Measure.LEFT,
        ("router", "certificate"),
        21 * _DAY_S,
        "certificate_warning_seconds",
        below=True,
    ),
    Attention(
        "licences",
        "router:license_left_seconds:min",
        Measure.LEFT,
        ("router",),
        14 * _DAY_S,
        "license_warning_seconds",
        below=True,
    ),
    Attention("licence_sessions", "router:license_sessions:ratio", Measure.USED, ("router",), 0.85),
    Attention(
        "temperatures",
        "max by (router) (mikrotik_health_temperature_celsius)",
        Measure.DEGREES,
        ("router",),
        65,
        "temperature_warning",
        True,
    ),
    Attention(
        "firmware",
        "max by (router) (mikrotik_system_firmware_upgrade_pending)",
        Measure.FLAG,
        ("router",),
        0,
    ),
    Attention("updates", "max by (router) (mikrotik_system_update_available)", Measure.FLAG, ("router",), 0),
)
