"""status: the network in a few lines, or one router. What does not answer is named, the rest is told all the same."""

import asyncio
from collections.abc import Mapping, Sequence

from alertbridge.alerts import Severity
from alertbridge.deliver.render.humanise import duration, number, percent, rate
from alertbridge.deliver.render.words import words
from alertbridge.prometheus import Value
from alertbridge.reply import episodes
from alertbridge.reply.commands.alertlines import line
from alertbridge.reply.commands.base import Means
from alertbridge.reply.commands.names import listed
from alertbridge.reply.commands.routers import router_meant
from alertbridge.reply.model import Answer, Outcome, Question
from alertbridge.reply.sources import Source, SourceAway, quoted
from alertbridge.reply.texts import Markup, join, say

ALERTS_SHOWN = 5
FLEET = (
    "router:up:min",
    "sum(router:subscribers:current)",
    "sum(router:receive_bits:sum)",
    "sum(router:transmit_bits:sum)",
)
OF_ROUTER = (
    "router:up:min",
    "router:up:avg24h",
    "router:cpu_load:ratio",
    "router:memory_used:ratio",
    "router:temperature_celsius:max",
    "router:subscribers:current",
    "router:receive_bits:sum",
    "router:transmit_bits:sum",
    "mikrotik_system_uptime_seconds",
)


async def run(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    if question.order.names:
        return await _of_router(question, means)
    language = question.language
    lines = [say(language, "status_head")]
    outcome = Outcome.DONE
    try:
        up, subscribers, received, transmitted = await asyncio.gather(*map(means.metrics.query, FLEET))
    except SourceAway as away:
        outcome = Outcome.UNAVAILABLE
        lines.append(_away(away, language))
    else:
        lines += _routers(up, language)
        lines.append(_traffic(language, received, transmitted))
        if subscribers:
            lines.append(say(language, "subscribers", count=round(subscribers[0].value)))
    async with means.database.read() as connection:
        counts = await episodes.counts(connection)
    lines.append(_alerts(language, counts))
    if channels := means.channels():
        states = ", ".join(f"{name} {state}" for name, state in sorted(channels.items()))
        lines.append(say(language, "channels", states=states))
    if means.recovery is not None:
        state = await means.recovery.state()
        told = "recovery_paused" if state.paused_by else "recovery_on"
        lines.append(say(language, told, by=state.paused_by, running=state.running))
    return Answer(join(lines), outcome)


async def _of_router(question: Question, means: Means) -> Answer:
    language = question.language
    router = await router_meant(means.metrics, " ".join(question.order.names), language)
    if isinstance(router, Answer):
        return router
    names = "|".join(OF_ROUTER)
    values = await means.metrics.query(f'{{__name__=~"{names}",router={quoted(router)}}}')
    known = {value.labels.get("__name__", ""): value.value for value in values}
    now_s = means.clock.time()
    async with means.database.read() as connection:
        firing = [one for one in await episodes.open_now(connection) if one.labels.get("router") == router]
    up = known.get("router:up:min")
    state = "unknown" if up is None else "up" if up else "down"
    lines = [say(language, "router_head", router=router, state=say(language, state))]
    if (uptime_s := known.get("mikrotik_system_uptime_seconds")) is not None and up:
        lines.append(say(language, "router_uptime", time=duration(uptime_s, language)))
    if (available := known.get("router:up:avg24h")) is not None:
        lines.append(say(language, "router_available", ratio=percent(available, language)))
    cpu, memory = known.get("router:cpu_load:ratio"), known.get("router:memory_used:ratio")
    if cpu is not None or memory is not None:
        lines.append(say(language, "router_load", cpu=_share(cpu, language), memory=_share(memory, language)))
    if (degrees := known.get("router:temperature_celsius:max")) is not None:
        lines.append(say(language, "router_temperature", degrees=number(degrees, language)))
    received, transmitted = known.get("router:receive_bits:sum"), known.get("router:transmit_bits:sum")
    if received is not None and transmitted is not None:
        lines.append(
            say(language, "throughput", down=rate(received, language), up=rate(transmitted, language))
        )
    if (subscribers := known.get("router:subscribers:current")) is not None:
        lines.append(say(language, "subscribers", count=round(subscribers)))
    shown = [line(one, language, means.zone, now_s) for one in firing[:ALERTS_SHOWN]]
    if len(firing) > ALERTS_SHOWN:
        shown.append(say(language, "alerts_more", more=len(firing) - ALERTS_SHOWN))
    return Answer(join([*lines, *(shown or [say(language, "no_alerts")])]))


def _share(ratio: float | None, language: str) -> str:
    return Markup("-") if ratio is None else percent(ratio, language)


def _away(away: SourceAway, language: str) -> Markup:
    if not away.configured:
        return say(language, "not_configured", source=away.source.value)
    return say(language, "away_line", source=Source.PROMETHEUS.value)


def _routers(up: Sequence[Value], language: str) -> list[Markup]:
    if not up:
        return [say(language, "no_routers")]
    down = sorted(value.labels.get("router", "-") for value in up if not value.value)
    lines = [say(language, "routers_up", up=len(up) - len(down), total=len(up))]
    if down:
        lines.append(say(language, "routers_down", names=listed(down)))
    return lines


def _traffic(language: str, received: Sequence[Value], transmitted: Sequence[Value]) -> Markup:
    if not received or not transmitted:
        return Markup("")
    return say(
        language,
        "throughput",
        down=rate(received[0].value, language),
        up=rate(transmitted[0].value, language),
    )


def _alerts(language: str, counts: Mapping[Severity, int]) -> Markup:
    named = words(language).counted_severities
    told = [f"{counts[one]} {named[one][counts[one] != 1]}" for one in Severity if counts.get(one)]
    return say(language, "alerts_count", counts=", ".join(told)) if told else say(language, "no_alerts")
