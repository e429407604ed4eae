"""top and user: who uses the network now."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from alertbridge.deliver.render.humanise import duration, rate, size
from alertbridge.prometheus import Value
from alertbridge.reply.commands.base import Means, not_found
from alertbridge.reply.commands.names import listed
from alertbridge.reply.commands.routers import router_meant
from alertbridge.reply.model import Answer, Outcome, Question
from alertbridge.reply.sources import quoted, quoted_pattern
from alertbridge.reply.texts import Markup, join, say

TOP = 10
SESSIONS_SHOWN = 3
Key = tuple[str, str]


async def top(question: Question, means: Means) -> Answer:
    """Of all routers, or of one. Raises SourceAway."""
    language, chosen = question.language, ""
    if question.order.names:
        router = await router_meant(means.metrics, " ".join(question.order.names), language)
        if isinstance(router, Answer):
            return router
        chosen = f"{{router={quoted(router)}}}"
    down, up = f"router_user:receive_bits:rate5m{chosen}", f"router_user:transmit_bits:rate5m{chosen}"
    busiest = f"topk({TOP}, {down} + {up})"
    totals, downs = await asyncio.gather(
        means.metrics.query(busiest), means.metrics.query(f"{down} and on (router, user) {busiest}")
    )
    if not totals:
        return Answer(say(language, "no_top"), Outcome.NOT_FOUND)
    received = {_key(value.labels): value.value for value in downs}
    ranked = sorted(totals, key=lambda value: -value.value)
    lines = [say(language, "top_head")]
    for rank, value in enumerate(ranked, 1):
        user_down = received.get(_key(value.labels), 0.0)
        lines.append(
            say(
                language,
                "top_line",
                rank=rank,
                user=value.labels.get("user", "-"),
                router=value.labels.get("router", "-"),
                down=rate(user_down, language),
                up=rate(max(0.0, value.value - user_down), language),
            )
        )
    return Answer(join(lines))


async def user(question: Question, means: Means) -> Answer:
    """The sessions of a subscriber, and what went through them today. Raises SourceAway."""
    name, language = " ".join(question.order.names), question.language
    is_it = f"user={quoted(name)}"
    today_s = max(60, int(means.clock.time() - _midnight_s(means)))
    info, uptime, down, up, today_down, today_up = await asyncio.gather(
        *map(
            means.metrics.query,
            (
                f'{{__name__=~"mikrotik_(ppp|hotspot)_session_info",{is_it}}}',
                f'{{__name__=~"mikrotik_(ppp|hotspot)_session_uptime_seconds",{is_it}}}',
                f"sum by (router) (router_user:receive_bits:rate5m{{{is_it}}})",
                f"sum by (router) (router_user:transmit_bits:rate5m{{{is_it}}})",
                _increase("transmit", is_it, today_s),
                _increase("receive", is_it, today_s),
            ),
        )
    )
    if not info and not uptime:
        return await _similar(question, means, name)
    since = {(_router(value), value.labels.get("mac_address", "")): value.value for value in uptime}
    sessions = info or uptime
    lines: list[Markup] = []
    for session in sessions[:SESSIONS_SHOWN]:
        lines += _session(session, since, language)
    if len(sessions) > SESSIONS_SHOWN:
        lines.append(say(language, "users_more", more=len(sessions) - SESSIONS_SHOWN))
    if down or up:
        lines.append(say(language, "user_rate", down=rate(_sum(down), language), up=rate(_sum(up), language)))
    if today_down or today_up:
        lines.append(
            say(
                language,
                "user_today",
                down=size(_sum(today_down), language),
                up=size(_sum(today_up), language),
            )
        )
    else:
        lines.append(say(language, "user_today_unknown"))
    return Answer(join(lines))


async def _similar(question: Question, means: Means, name: str) -> Answer:
    pattern = quoted_pattern(name)
    found = await means.metrics.query(
        f'topk(9, group by (user) ({{__name__=~"mikrotik_(ppp|hotspot)_session_uptime_seconds",user=~{pattern}}}))'
    )
    known = sorted(value.labels.get("user", "-") for value in found)
    if known:
        return not_found(question.language, "user_like", user=name, known=listed(known))
    return not_found(question.language, "user_offline", user=name)


def _session(session: Value, since: Mapping[Key, float], language: str) -> list[Markup]:
    labels = session.labels
    hotspot = "hotspot" in labels.get("__name__", "")
    lines = [say(language, "user_head", user=labels.get("user", "-"), router=_router(session))]
    lines.append(
        say(
            language,
            "user_session",
            service="hotspot" if hotspot else labels.get("service") or "PPP",
            address=labels.get("address") or "-",
            caller=labels.get("mac_address") or labels.get("caller_id") or "-",
        )
    )
    uptime_s = since.get((_router(session), labels.get("mac_address", "")))
    if uptime_s is not None:
        lines.append(say(language, "user_since", time=duration(uptime_s, language)))
    return lines


def _increase(direction: str, is_it: str, seconds: int) -> str:
    """The router transmits what a subscriber downloads."""
    series = f'{{__name__=~"mikrotik_(ppp|hotspot)_session_{direction}_bytes_total",{is_it}}}[{seconds}s]'
    return f"sum by (router) (increase({series}))"


def _midnight_s(means: Means) -> float:
    now = datetime.fromtimestamp(means.clock.time(), means.zone)
    return now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _sum(values: Sequence[Value]) -> float:
    return sum(value.value for value in values)


def _router(value: Value) -> str:
    return value.labels.get("router", "-")


def _key(labels: Mapping[str, str]) -> Key:
    return labels.get("router", ""), labels.get("user", "")
