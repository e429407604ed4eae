"""traffic: a chart of a router or an interface, and its figures in words."""

import asyncio
import math

from alertbridge.deliver.render.humanise import duration, percent, rate, time_of
from alertbridge.prometheus import Series
from alertbridge.reply.commands.base import Means, wrong_use
from alertbridge.reply.commands.routers import interface_meant, router_meant
from alertbridge.reply.model import Answer, Outcome, Question
from alertbridge.reply.sources import quoted
from alertbridge.reply.texts import Markup, join, say
from alertbridge.report.lines import Line, Unit

USUAL_S = 86_400.0
LEAST_S, LONGEST_S = 600.0, 31 * 86_400.0
POINTS = 300
LEAST_STEP_S = 30.0
GAPS_BELOW = 0.95

_Points = tuple[tuple[float, float], ...]


async def run(question: Question, means: Means) -> Answer:
    """Raises SourceAway."""
    language, order = question.language, question.order
    length_s = USUAL_S if order.duration_s is None else order.duration_s
    if length_s > LONGEST_S:
        return wrong_use(language, "too_long_traffic", longest=duration(LONGEST_S, language))
    length_s = max(length_s, LEAST_S)
    router = await router_meant(means.metrics, order.names[0], language)
    if isinstance(router, Answer):
        return router
    place, received, transmitted = (
        router,
        f"router:receive_bits:sum{{router={quoted(router)}}}",
        f"router:transmit_bits:sum{{router={quoted(router)}}}",
    )
    if len(order.names) > 1:
        interface = await interface_meant(means.metrics, router, " ".join(order.names[1:]), language)
        if isinstance(interface, Answer):
            return interface
        of_it = f"router={quoted(router)},interface={quoted(interface)}"
        place = f"{router} {interface}"
        received = f"sum(router_interface:receive_bits:rate5m{{{of_it}}})"
        transmitted = f"sum(router_interface:transmit_bits:rate5m{{{of_it}}})"
    return await _answer(question, means, place, (received, transmitted), length_s)


async def _answer(
    question: Question, means: Means, place: str, expressions: tuple[str, str], length_s: float
) -> Answer:
    language, now_s = question.language, means.clock.time()
    step_s = max(LEAST_STEP_S, math.ceil(length_s / POINTS))
    found = await asyncio.gather(
        *(
            means.metrics.query_range(expression, start_s=now_s - length_s, end_s=now_s, step_s=step_s)
            for expression in expressions
        )
    )
    names = (str(say(language, "received")), str(say(language, "sent")))
    lines = [
        Line(name, points) for name, series in zip(names, found, strict=True) if (points := _points(series))
    ]
    time = duration(length_s, language)
    if not lines:
        return Answer(say(language, "no_traffic", place=place, time=time), Outcome.NOT_FOUND)
    told = [say(language, "traffic_head", place=place, time=time)]
    told += [_figures(one, question, means, now_s) for one in lines]
    present = max(len(one.points) for one in lines) / (length_s / step_s + 1)
    if present < GAPS_BELOW:
        told.append(say(language, "gaps", ratio=percent(present, language)))
    picture = await means.charts.lines(
        lines, title=f"{place}, {time}", unit=Unit.BITS_PER_SECOND, zone=means.zone, language=language
    )
    if picture is None:
        told.append(say(language, "no_chart"))
    return Answer(join(told), image_png=picture)


def _points(series: list[Series]) -> _Points:
    return series[0].points if series else ()


def _figures(one: Line, question: Question, means: Means, now_s: float) -> Markup:
    language = question.language
    values = sorted(value for _, value in one.points)
    at_s, peak = max(one.points, key=lambda point: point[1])
    return say(
        language,
        "traffic_line",
        direction=one.label,
        mean=rate(sum(values) / len(values), language),
        peak=rate(peak, language),
        at=time_of(at_s, means.zone, language, now_s=now_s),
        p95=rate(values[min(len(values) - 1, math.ceil(len(values) * 0.95) - 1)], language),
    )
