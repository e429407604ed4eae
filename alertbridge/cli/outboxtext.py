"""Messages, dead letters and whereabouts as text for a terminal, and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from alertbridge.cli.columns import aligned
from alertbridge.deliver.account import Whereabouts
from alertbridge.deliver.deadletters import DeadLetter
from alertbridge.deliver.outbox.rows import Attempt, Message
from alertbridge.serve.fate import fate_of
from alertbridge.serve.recent import Sent
from alertbridge.serve.telling import whereabouts as in_full

_TEXT_SHOWN = 60


def _moment(at_s: float | None, zone: str) -> str:
    return "-" if at_s is None else f"{datetime.fromtimestamp(at_s, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return line if len(line) <= _TEXT_SHOWN else f"{line[: _TEXT_SHOWN - 1]}…"


def messages(found: Sequence[Sent], zone: str, *, as_json: bool) -> str:
    """Recent messages, newest first."""
    if as_json:
        return "\n".join(
            json.dumps(asdict(one), ensure_ascii=False, default=lambda value: value.value) for one in found
        )
    if not found:
        return "no messages"
    rows = [
        (
            one.id,
            _moment(one.created_at_s, zone),
            one.recipient,
            one.channel + (" (other way)" if one.by_fallback else ""),
            one.fate.value,
            one.reason or "-",
            _first_line(one.text),
        )
        for one in found
    ]
    return aligned(("ID", "MADE", "TO", "CHANNEL", "FATE", "WHY", "TEXT"), rows)


def letters(found: Sequence[DeadLetter], zone: str, *, as_json: bool) -> str:
    """Dead letters, newest first."""
    if as_json:
        return "\n".join(json.dumps(asdict(one), ensure_ascii=False) for one in found)
    if not found:
        return "no dead letters"
    rows = [
        (
            one.id,
            _moment(one.created_at_s, zone),
            one.recipient or "-",
            one.channel or "-",
            one.severity,
            one.reason,
            _first_line(one.text),
        )
        for one in found
    ]
    return aligned(("ID", "MADE", "TO", "CHANNEL", "SEVERITY", "WHY", "TEXT"), rows)


def letter(one: DeadLetter, zone: str) -> str:
    """A dead letter that never became a message."""
    return "\n".join(
        [
            f"{one.id}: to {one.recipient or 'nobody'}, {one.severity}, dead: {one.reason}",
            f"made {_moment(one.created_at_s, zone)}; it never became a message",
            "",
            one.text,
        ]
    )


def message(parts: Sequence[Message], attempts: Sequence[Attempt], zone: str) -> str:
    """One text with everything that happened to it."""
    first = parts[0]
    lines = [
        f"{first.id}: to {first.recipient} ({first.address}) through {first.channel}",
        f"{first.kind.value}, {first.severity.value}, tells {first.extra.count} notices",
    ]
    for part in parts:
        fate = fate_of(part.state.value, part.reason, part.delivered_at_s, part.read_at_s)
        why = f" ({part.reason})" if part.reason else ""
        times = ", ".join(
            f"{word} {_moment(at_s, zone)}"
            for word, at_s in (
                ("made", part.created_at_s),
                ("sent", part.sent_at_s),
                ("acked", part.acked_at_s),
                ("delivered", part.delivered_at_s),
                ("read", part.read_at_s),
            )
            if at_s is not None
        )
        lines.append(f"part {part.part} of {part.parts}: {fate.value}{why}; {times}")
        lines += [f"  {entry}" for entry in part.extra.audit]
    if attempts:
        lines += ["", _attempts(attempts, zone)]
    return "\n".join([*lines, "", *(part.text for part in parts)])


def _attempts(attempts: Sequence[Attempt], zone: str) -> str:
    rows = [
        (
            _moment(one.started_at_s, zone),
            one.channel,
            one.outcome or "under way",
            one.reason or "-",
            "-" if one.ended_at_s is None else f"{max(0.0, one.ended_at_s - one.started_at_s):.1f} s",
            one.provider_id or "-",
        )
        for one in attempts
    ]
    return aligned(("ATTEMPT", "CHANNEL", "OUTCOME", "WHY", "TOOK", "PROVIDER'S ID"), rows)


def whereabouts(found: Sequence[Whereabouts], zone: str, *, as_json: bool) -> str:
    """Where episodes are."""
    if as_json:
        return "\n".join(in_full(one).model_dump_json() for one in found)
    return "\n\n".join(_one_whereabouts(one, zone) for one in found)


def _one_whereabouts(one: Whereabouts, zone: str) -> str:
    about = one.account
    why = f" ({about.reason})" if about.reason else ""
    since = _moment(about.starts_at_s, zone)
    lines = [f"#{about.episode_id} {about.fingerprint}, since {since}: {about.state.replace('_', ' ')}{why}"]
    rows = [
        (
            str(notice.id),
            notice.kind,
            notice.recipient or "nobody",
            notice.state,
            notice.reason or "-",
            _moment(notice.created_at_s, zone),
            _moment(notice.settled_at_s, zone),
            notice.message_id or "-",
        )
        for notice in one.notices
    ]
    if rows:
        lines.append(aligned(("NOTICE", "KIND", "TO", "STATE", "WHY", "MADE", "SETTLED", "MESSAGE"), rows))
    told = [
        (
            part.id,
            part.recipient,
            part.channel,
            fate_of(part.state.value, part.reason, part.delivered_at_s, part.read_at_s).value,
            part.reason or "-",
            _moment(part.sent_at_s, zone),
            _moment(part.acked_at_s, zone),
        )
        for part in one.messages
    ]
    if told:
        lines.append(aligned(("MESSAGE", "TO", "CHANNEL", "FATE", "WHY", "SENT", "ACKED"), told))
    if one.attempts:
        lines.append(_attempts(one.attempts, zone))
    return "\n".join(lines)
