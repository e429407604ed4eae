"""The `accept:` section: what counts as a repeat, as flapping and as too much, and how soon people are told."""

from pydantic import Field, field_validator

from alertbridge.accept.episodes import EpisodeRules
from alertbridge.accept.flapping import FlappingRules
from alertbridge.accept.trimming import TextLimits
from alertbridge.alerts import Severity
from alertbridge.deliver.route.matchers import Matcher, parse_matcher
from runtime.sections import Section


class FlappingSection(Section):
    """When an alert counts as flapping."""

    changes: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Changes (firing or resolved) within the window that are still told one by one.",
    )
    window_s: float = Field(default=600.0, gt=0, le=86_400, description="The window, in seconds.")
    calm_s: float = Field(
        default=600.0, gt=0, le=86_400, description="Seconds without any change after which it is calm again."
    )

    @property
    def rules(self) -> FlappingRules:
        return FlappingRules(changes=self.changes, window_s=self.window_s, calm_s=self.calm_s)


class DeadlineSection(Section):
    """Seconds from acceptance within which people are told, after which the fallback tells them."""

    critical_s: float = Field(default=45.0, gt=0, le=86_400, description="For critical alerts.")
    warning_s: float = Field(default=600.0, gt=0, le=86_400, description="For warnings.")
    info_s: float = Field(default=3600.0, gt=0, le=604_800, description="For everything below a warning.")

    def of(self, severity: Severity) -> float:
        """The deadline of a notice of that severity, in seconds."""
        by_severity = {Severity.CRITICAL: self.critical_s, Severity.WARNING: self.warning_s}
        return by_severity.get(severity, self.info_s)


class LimitSection(Section):
    """How much is taken in. What is longer is cut, counted and said in the log; what is too much at once
    is refused with 503, so that Alertmanager sends it again."""

    body_bytes: int = Field(
        default=16 << 20,
        ge=64 << 10,
        le=256 << 20,
        description="Longest body from a peer that proved who it is; an alert takes about 480 bytes.",
    )
    stranger_body_bytes: int = Field(
        default=64 << 10,
        ge=1024,
        le=16 << 20,
        description="Longest body while nobody is asked who they are.",
    )
    body_s: float = Field(default=10.0, gt=0, le=600, description="Seconds for a body to arrive.")
    store_s: float = Field(default=20.0, gt=0, le=600, description="Seconds for a notification to be stored.")
    requests: int = Field(default=256, ge=1, le=100_000, description="Requests that are taken at once.")
    requests_bytes: int = Field(
        default=48 << 20, ge=1 << 20, le=4 << 30, description="Bytes of bodies that are held at once."
    )
    waiting_alerts: int = Field(
        default=50_000, ge=1, le=10_000_000, description="Alerts that may wait for being stored."
    )
    labels: int = Field(default=64, ge=4, le=1000, description="Labels, and annotations, of one alert.")
    name_chars: int = Field(default=200, ge=20, le=1000, description="Characters of a label's name.")
    label_chars: int = Field(default=2048, ge=64, le=65_536, description="Characters of a label's value.")
    annotation_chars: int = Field(
        default=8192, ge=64, le=262_144, description="Characters of an annotation's text."
    )

    @property
    def texts(self) -> TextLimits:
        return TextLimits(
            labels=self.labels,
            name_chars=self.name_chars,
            label_chars=self.label_chars,
            annotation_chars=self.annotation_chars,
        )


class WatchdogSection(Section):
    """Which alert is the dead man's switch: it must keep arriving, and is told to nobody."""

    matchers: tuple[str, ...] = Field(
        default=('alertname="Watchdog"',),
        description="Matchers in Alertmanager's syntax that all must hold; none at all: there is no watchdog.",
    )

    @field_validator("matchers")
    @classmethod
    def _can_be_read(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            parse_matcher(text)
        return texts

    def parsed(self) -> tuple[Matcher, ...]:
        """The matchers, ready to be asked."""
        return tuple(parse_matcher(text) for text in self.matchers)


class AcceptSection(Section):
    """How alerts are taken in."""

    repeat_after_s: float = Field(
        default=3600.0,
        gt=0,
        le=2_592_000,
        description="An alert that still fires and was last told so long ago is told again when Alertmanager "
        "names no reason for its notification (before 0.32).",
    )
    remind_after_s: float = Field(
        default=14_400.0,
        gt=0,
        le=2_592_000,
        description="The same when it names another reason than its repeat interval: a group that keeps "
        "changing never comes to repeat.",
    )
    copy_window_s: float = Field(
        default=120.0,
        ge=0,
        le=3600,
        description="A repeat so soon after the last notice is the copy of another Alertmanager.",
    )
    late_copy_s: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="For so long after a change another Alertmanager may still tell what was before it; "
        "best shorter than its group_interval.",
    )
    flapping: FlappingSection = Field(
        default=FlappingSection(), description="When an alert counts as flapping."
    )
    deadlines: DeadlineSection = Field(default=DeadlineSection(), description="How soon people are told.")
    limits: LimitSection = Field(default=LimitSection(), description="How much is taken in.")
    watchdog: WatchdogSection = Field(
        default=WatchdogSection(), description="Which alert is the dead man's switch."
    )

    @property
    def rules(self) -> EpisodeRules:
        return EpisodeRules(
            repeat_after_s=self.repeat_after_s,
            remind_after_s=self.remind_after_s,
            copy_window_s=self.copy_window_s,
            late_copy_s=self.late_copy_s,
        )
