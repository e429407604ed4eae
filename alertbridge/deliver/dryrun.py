"""What `tikwatch-alertbridge route` prints: who would be told of an alert, why, and in which words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from alertbridge.alerts import Alert, AlertStatus, Severity
from alertbridge.deliver.model import Kind, Notice, Subject
from alertbridge.deliver.render.rendering import Renderer
from alertbridge.deliver.route.addressbook import AddressBook
from alertbridge.deliver.route.config import RoutingConfig
from alertbridge.deliver.route.routing import Decision, Routes, Target

_SAMPLE_ID = 481
_FIRED_FOR_S = 180.0


@dataclass(frozen=True, slots=True)
class DryRun:
    """Who would get what. `texts` are by recipient."""

    alert: Alert
    decision: Decision
    texts: Mapping[str, str]
    table: str

    def __str__(self) -> str:
        return self.table


def parse_labels(text: str) -> dict[str, str]:
    r"""The labels of ``alertname=X,severity=critical``; a comma in a value is written ``\,``. Raises ValueError."""
    labels = {}
    for part in text.replace(r"\,", "\x00").split(","):
        name, equals, value = part.replace("\x00", ",").partition("=")
        if not equals or not name.strip():
            raise ValueError(f'"{part}" is no label; write alertname=RouterDown,severity=critical')
        labels[name.strip()] = value.strip().strip('"')
    return labels


def parse_moment(text: str, zone: str) -> float:
    """Unix seconds of ``2026-01-01T02:00`` on the clocks of `zone`, or of a moment with a zone of its own.

    Raises ValueError.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is no moment; write 2026-01-01T02:00') from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()


def dry_run(
    config: RoutingConfig,
    labels: Mapping[str, str],
    *,
    at_s: float,
    status: AlertStatus = AlertStatus.FIRING,
    annotations: Mapping[str, str] | None = None,
    receiver: str = "",
) -> DryRun:
    """What would become of an alert with `labels` at `at_s` (Unix seconds). Nothing is sent or stored.

    Raises OSError when the templates can be read no more.
    """
    resolved = status is AlertStatus.RESOLVED
    alert = Alert(
        fingerprint="0" * 16,
        status=status,
        labels=labels,
        annotations=annotations or {},
        starts_at_s=at_s - _FIRED_FOR_S,
        ends_at_s=at_s if resolved else None,
    )
    kind = Kind.RESOLVED if resolved else Kind.FIRING
    decision = Routes(config).decide(alert, kind, at_s, receiver=receiver)
    renderer = Renderer.of(config.delivery.timezone, config.delivery.templates)
    texts = {
        target.recipient: renderer.alert(
            _notice(alert, kind, target, at_s), language=target.language, now_s=target.not_before_s or at_s
        )
        for target in decision.targets
    }
    return DryRun(alert, decision, texts, "\n".join(_lines(config, alert, decision, texts, at_s)))


def _notice(alert: Alert, kind: Kind, target: Target, at_s: float) -> Notice:
    subject = Subject(
        episode_id=_SAMPLE_ID,
        fingerprint=alert.fingerprint,
        status=alert.status,
        name=alert.name,
        severity=alert.severity,
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at_s=alert.starts_at_s,
        ends_at_s=alert.ends_at_s,
    )
    return Notice(
        id=1,
        kind=kind,
        recipient=target.recipient,
        severity=alert.severity,
        created_at_s=at_s,
        deadline_at_s=at_s,
        subject=subject,
        language=target.language,
        template=target.template,
    )


def _lines(
    config: RoutingConfig, alert: Alert, decision: Decision, texts: Mapping[str, str], at_s: float
) -> list[str]:
    zone = ZoneInfo(config.delivery.timezone)
    moment = f"{datetime.fromtimestamp(at_s, zone):%a %Y-%m-%d %H:%M} {config.delivery.timezone}"
    lines = [f"{alert.name} ({alert.severity.value}), {alert.status.value}, {moment}"]
    word = alert.labels.get("severity")
    if word is None or word.strip().lower() not in {severity.value for severity in Severity}:
        named = f'"{word}"' if word else "left out"
        lines.append(f"severity is {named}: it counts as {alert.severity.value}")
    lines += ["", "Why:", *(f"  {reason}" for reason in decision.reasons)]
    if not decision.targets:
        return [*lines, "", f"Nobody is told ({decision.suppressed})."]
    book = AddressBook.of(config)
    rows = [("WHO", "CHANNEL", "ADDRESS", "THEN", "LANGUAGE", "TEMPLATE", "WHEN")]
    for target in decision.targets:
        recipient = book.get(target.recipient)
        held_s = target.not_before_s
        rows.append(
            (
                target.recipient,
                recipient.channel if recipient else "-",
                recipient.address if recipient else "-",
                ", ".join(way.channel for way in recipient.fallbacks) if recipient else "-",
                target.language,
                target.template or "built-in",
                "now" if held_s is None else f"{datetime.fromtimestamp(held_s, zone):%a %Y-%m-%d %H:%M}",
            )
        )
    lines += ["", *_aligned(rows)]
    for text, names in _by_text(texts).items():
        lines += ["", f"--- to {', '.join(names)}", text]
    return lines


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _by_text(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Who gets which text; those who get the same are named together."""
    grouped: dict[str, list[str]] = {}
    for name, text in texts.items():
        grouped.setdefault(text, []).append(name)
    return grouped
