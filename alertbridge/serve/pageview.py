"""Everything that the page shows, read from the store and the parts in one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from alertbridge.alerts import Severity
from alertbridge.deliver import account, deadletters
from alertbridge.deliver.render.humanise import duration, time_of
from alertbridge.parts import Parts
from alertbridge.serve import limits
from alertbridge.serve.fate import FILTERS, Fate
from alertbridge.serve.firing import Firing, firing
from alertbridge.serve.keys import CLOCK, DATABASE, PARTS
from alertbridge.serve.limits import Allowance
from alertbridge.serve.pagewords import TICKS, WORDS, choose_language, reason_told
from alertbridge.serve.recent import recent

KEPT = ("severity", "q", "page", "recipient", "fate", "before", "lang")
"""What of the query a link to the same page keeps."""
FIRING_SHOWN = 20
MESSAGES_SHOWN = 30
LETTERS_SHOWN = 20
ALLOWANCES_SHOWN = 8
LABELS_SHOWN = 6
_TOLD_ELSEWHERE = frozenset({"alertname", "severity"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a visitor asked for."""

    severity: Severity | None
    words: str
    page: int
    recipient: str
    fate: Fate | None
    before: str
    language: str
    accept_language: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as the page shows it. Times are Unix seconds."""

    name: str
    kind: str
    state: str
    reason: str
    detail: str
    since_s: float
    until_s: float | None
    failures: int
    last_ack_at_s: float | None
    own_number: str
    pairing_url: str
    limit: Allowance | None


async def view(app: web.Application, wanted: Wanted) -> dict[str, object]:
    """The values of the template, but for what is of the request alone. Raises StoreError."""
    parts, now_s = app[PARTS](), app[CLOCK].time()
    delivery = parts.config.delivery
    zone = ZoneInfo(delivery.timezone)
    language = choose_language(wanted.language, list(wanted.accept_language), delivery.language)
    async with app[DATABASE].read() as connection:
        found = await firing(
            connection,
            severity=wanted.severity,
            words=wanted.words,
            limit=FIRING_SHOWN,
            offset=(wanted.page - 1) * FIRING_SHOWN,
        )
        messages = await recent(
            connection,
            recipient=wanted.recipient,
            fate=wanted.fate,
            limit=MESSAGES_SHOWN,
            before=wanted.before,
        )
        letters = await deadletters.listed(connection, LETTERS_SHOWN + 1)
        by_channel = await limits.of_channels(connection, parts)
        allowances = await limits.of_recipients(connection, parts)
        day = await account.of_day(connection, datetime.fromtimestamp(now_s, zone).date(), zone)
    first = (wanted.page - 1) * FIRING_SHOWN + 1
    return {
        **_wording(language, zone, now_s),
        "counts": {severity.value: found.counts.get(severity, 0) for severity in Severity},
        "total": found.total,
        "firing": found.shown,
        "matching": found.matching,
        "number": wanted.page,
        "pages": -(-found.matching // FIRING_SHOWN),
        "first": first,
        "last": first + len(found.shown) - 1,
        "severity": wanted.severity.value if wanted.severity is not None else "",
        "words": wanted.words,
        "messages": messages.shown,
        "older": messages.older,
        "before": wanted.before,
        "recipient": wanted.recipient,
        "recipients": parts.book.names,
        "chosen_fate": wanted.fate,
        "fates": tuple(FILTERS),
        "letters": letters[:LETTERS_SHOWN],
        "letters_more": len(letters) > LETTERS_SHOWN,
        "dead_fate": Fate.DEAD,
        "channels": [_channel(parts, name, by_channel.get(name)) for name in parts.channels.names],
        "allowances": allowances[:ALLOWANCES_SHOWN],
        "allowances_more": max(0, len(allowances) - ALLOWANCES_SHOWN),
        "day": day,
    }


def _wording(language: str, zone: ZoneInfo, now_s: float) -> Mapping[str, object]:
    """What templates say things with, in a language."""
    return {
        "lang": language,
        "other_lang": "en" if language == "id" else "id",
        "text": WORDS[language],
        "ticks": TICKS,
        "now_s": now_s,
        "clock": lambda at_s: time_of(at_s, zone, language, now_s=now_s, with_zone=False),
        "iso": lambda at_s: datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds"),
        "duration": lambda seconds: duration(seconds, language),
        "reason": lambda word: reason_told(word, language),
        "summary": lambda one: _summary(one, language),
        "places": _places,
    }


def _summary(one: Firing, language: str) -> str:
    return one.annotations.get(f"summary_{language}") or one.annotations.get("summary", "")


def _places(one: Firing) -> list[str]:
    """The labels that tell where it is, as `name=value`."""
    told = [f"{name}={value}" for name, value in sorted(one.labels.items()) if name not in _TOLD_ELSEWHERE]
    return [label if len(label) <= 80 else f"{label[:79]}…" for label in told[:LABELS_SHOWN]]


def _channel(parts: Parts, name: str, limit: Allowance | None) -> ChannelView:
    standing, session = parts.channels.standing(name), parts.channels.session(name)
    section = next(one for one in parts.config.channels if one.name == name)
    is_ok = standing.state.value == "ok"
    pairing_url = (session.pairing_url if session is not None else "") or section.pairing_url
    return ChannelView(
        name=name,
        kind=str(getattr(section, "kind", "")),
        state=standing.state.value,
        reason="" if is_ok else standing.reason,
        detail=session.detail if session is not None and not is_ok else "",
        since_s=standing.since_s,
        until_s=standing.until_s,
        failures=standing.failures,
        last_ack_at_s=standing.last_ack_at_s,
        own_number=session.own_number if session is not None else "",
        pairing_url=pairing_url if not is_ok and pairing_url.startswith(("http://", "https://")) else "",
        limit=limit,
    )
