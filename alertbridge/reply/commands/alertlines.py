"""Alerts as one line each."""

from zoneinfo import ZoneInfo

from alertbridge.alerts import AlertStatus
from alertbridge.deliver.model import Subject
from alertbridge.deliver.render.facts import AlertFacts
from alertbridge.deliver.render.humanise import time_of
from alertbridge.deliver.render.words import SYMBOLS
from alertbridge.reply.model import Episode
from alertbridge.reply.texts import Markup, say, short


def line(episode: Episode, language: str, zone: ZoneInfo, now_s: float) -> Markup:
    """Symbol, number, name, place, since when, and in whose hands."""
    handled = Markup("")
    if episode.acknowledged_by:
        handled = say(language, "handled", by=episode.acknowledged_by)
    return say(
        language,
        "alert_line",
        symbol=Markup(SYMBOLS[episode.severity]),
        id=episode.id,
        name=episode.name,
        place=Markup(f" {where}") if (where := place(episode, language, now_s)) else where,
        time=time_of(episode.starts_at_s, zone, language, now_s=now_s),
        handled=handled,
    )


def place(episode: Episode, language: str, now_s: float) -> Markup:
    """Where it is, as messages say it."""
    facts = AlertFacts.of(_subject(episode), language, now_s)
    return short(" ".join(facts.place))


def _subject(episode: Episode) -> Subject:
    return Subject(
        episode.id,
        episode.fingerprint,
        AlertStatus.FIRING if episode.is_open else AlertStatus.RESOLVED,
        episode.name,
        episode.severity,
        episode.labels,
        episode.annotations,
        episode.starts_at_s,
    )


def numbers(ids: list[int]) -> str:
    """``#481, #482``."""
    return ", ".join(f"#{one}" for one in ids)
