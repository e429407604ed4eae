"""ack, unack, silence, unsilence: who has an alert in hand, and what nobody wants to hear of for a while."""

from alertbridge.deliver.render.humanise import duration, time_of
from alertbridge.reply.commands.alertlines import numbers, place
from alertbridge.reply.commands.base import Means, not_found, wrong_use
from alertbridge.reply.commands.chosen import chosen
from alertbridge.reply.model import Answer, Outcome, Question
from alertbridge.reply.silencebook import Sort
from alertbridge.reply.sources import SourceAway
from alertbridge.reply.texts import Markup, join, say

LEAST_S = 60.0


async def ack(question: Question, means: Means) -> Answer:
    """Raises SourceAway when nothing was done, StoreError."""
    found = await chosen(question, means, usage="ack 481", several=True)
    if isinstance(found, Answer):
        return found
    lines: list[Markup] = []
    done: list[int] = []
    for episode in found:
        try:
            await means.acks.acknowledge(episode, question.person)
        except SourceAway as away:
            if not done:
                raise
            lines.append(say(question.language, "away_changed", source=away.source.value))
            return Answer(join(lines), Outcome.UNAVAILABLE, after={"acknowledged": numbers(done)})
        done.append(episode.id)
        lines.append(
            say(
                question.language,
                "acked",
                id=episode.id,
                name=episode.name,
                place=place(episode, question.language, means.clock.time()),
                by=question.person.name,
            )
        )
    return Answer(join(lines), after={"acknowledged": numbers(done)})


async def unack(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    return await _lift(question, means, Sort.ACK, "unack 481", "unacked", "nothing_acked")


async def silence(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    language, seconds = question.language, question.order.duration_s
    usage = "silence 481 2h" if language == "en" else "silence 481 2 jam"
    if seconds is None or len(question.order.episodes) > 1:
        return wrong_use(language, "which_duration", usage=usage)
    if seconds > means.section.longest_silence_s:
        return wrong_use(language, "too_long", longest=duration(means.section.longest_silence_s, language))
    if seconds < LEAST_S:
        return wrong_use(language, "too_short", least=duration(LEAST_S, language))
    found = await chosen(question, means, usage=usage, several=False)
    if isinstance(found, Answer):
        return found
    (episode,) = found
    entry = await means.acks.silence(episode, question.person, seconds)
    now_s = means.clock.time()
    text = say(
        language,
        "silenced",
        id=episode.id,
        name=episode.name,
        place=place(episode, language, now_s),
        time=duration(seconds, language),
        until=time_of(entry.ends_at_s, means.zone, language, now_s=now_s),
    )
    return Answer(text, after={"silenced": f"#{episode.id}", "seconds": seconds})


async def unsilence(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    return await _lift(question, means, Sort.SILENCE, "unsilence 481", "unsilenced", "nothing_silenced")


async def _lift(question: Question, means: Means, sort: Sort, usage: str, done: str, nothing: str) -> Answer:
    found = await chosen(question, means, usage=usage, several=True, firing=False)
    if isinstance(found, Answer):
        return found
    lifted = await means.acks.lift([episode.id for episode in found], sort)
    if not lifted:
        return not_found(question.language, nothing)
    return Answer(say(question.language, done, ids=numbers(lifted)), after={done: numbers(lifted)})
