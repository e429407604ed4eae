"""From what somebody known wrote to what is answered. Audited before anything is done, and bounded in time."""

import asyncio
from dataclasses import replace

import structlog

from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.deliver.render.text import shorten
from alertbridge.reply import episodes
from alertbridge.reply.commands.base import Command, Means, wrong_use
from alertbridge.reply.commands.helping import in_language
from alertbridge.reply.commands.table import BY_NAME, GRAMMARS, NEED_NAMES
from alertbridge.reply.model import Answer, Order, Outcome, Person, Question
from alertbridge.reply.parsing import Misunderstood, parse
from alertbridge.reply.ports import AuditTrail
from alertbridge.reply.sources import Source, SourceAway
from alertbridge.reply.texts import Markup, say
from alertbridge.store.errors import StoreError

log = structlog.get_logger(__name__)

ANSWER_CHARS = 1_500
CAPTION_CHARS = 1_000
WRITTEN_CHARS = 200
SEVERAL_QUESTIONS = 2.0
"""A command may ask one thing after the other: so many times as long as one question may take."""


class Answering:
    """Answers. Holds nothing of its own."""

    def __init__(self, means: Means, trail: AuditTrail) -> None:
        self._means = means
        self._trail = trail

    def understood(self, event: MessageEvent) -> Order | Misunderstood:
        """What was written; in a group nothing is guessed."""
        return parse(event.text, GRAMMARS, strict=event.is_group)

    async def answer(self, person: Person, channel: str, event: MessageEvent, order: Order) -> Answer:
        """Carries `order` out. Raises StoreError when it could not be audited, and then did nothing."""
        command = BY_NAME[order.command]
        if (wrong := _wrong(command, order, person.language)) is not None:
            return wrong
        allowed = person.role.may(command.role)
        await self._trail.append(
            who=person.name,
            what=f"reply.{command.name}" if allowed else f"reply.{command.name}.forbidden",
            why=event.text.strip()[:WRITTEN_CHARS],
            before={"channel": channel, "chat": event.chat, "message": event.provider_id[:WRITTEN_CHARS]},
        )
        if not allowed:
            text = say(
                person.language,
                "forbidden",
                command=command.name,
                needed=command.role.value,
                role=person.role.value,
            )
            return Answer(text, Outcome.FORBIDDEN)
        quoted: tuple[int, ...] = ()
        if event.quoted_id:
            async with self._means.database.read() as connection:
                quoted = await episodes.told_by(connection, channel, event.quoted_id)
        question = Question(person, channel, event.chat, order, quoted, event.is_group)
        answer = await self._run(command, question)
        if answer.after is not None:
            await self._note(question, answer)
        return answer

    def misunderstood(self, found: Misunderstood, language: str) -> Answer:
        """What to say to what is no command."""
        if found.meant:
            text = say(language, "did_you_mean", word=found.word, meant=found.meant)
        else:
            text = say(language, "not_understood", word=found.word or "...")
        return Answer(text, Outcome.NOT_UNDERSTOOD)

    async def _run(self, command: Command, question: Question) -> Answer:
        section, language = self._means.section, question.language
        within_s = section.chart_s if command.is_slow else section.answer_s * SEVERAL_QUESTIONS
        try:
            async with asyncio.timeout(within_s):
                answer = await command.run(question, self._means)
        except SourceAway as away:
            return _away(away, command, language)
        except TimeoutError:
            log.warning("reply.too_slow", command=command.name, within_s=within_s)
            return Answer(say(language, "too_slow"), Outcome.TOO_SLOW)
        except StoreError:
            raise
        except Exception:  # the edge of one command: the person must hear that it failed
            log.exception("reply.failed", command=command.name)
            return Answer(say(language, "failed"), Outcome.FAILED)
        return _bounded(answer, language)

    async def _note(self, question: Question, answer: Answer) -> None:
        """It is done: that this cannot be written down must not make anybody do it again."""
        try:
            await self._trail.append(
                who=question.person.name,
                what=f"reply.{question.order.command}.{answer.outcome.value}",
                why="",
                after=answer.after,
            )
        except StoreError as error:
            log.warning("reply.outcome_not_audited", command=question.order.command, detail=str(error))


def _wrong(command: Command, order: Order, language: str) -> Answer | None:
    """What is missing or too much, as far as the words alone tell."""
    usage = Markup(in_language(command.usage.id, command.usage.en, language))
    if command.name in NEED_NAMES and not order.names:
        return wrong_use(language, "usage", usage=usage)
    if command.changes and order.surplus:
        return wrong_use(language, "surplus", words=" ".join(order.surplus), usage=usage)
    return None


def _away(away: SourceAway, command: Command, language: str) -> Answer:
    if not away.configured:
        return Answer(say(language, "not_configured", source=away.source.value), Outcome.UNAVAILABLE)
    if away.refused and away.source is Source.ALERTMANAGER:
        return Answer(say(language, "refused", source=away.source.value, why=away.refused), Outcome.REFUSED)
    name = "away_changed" if command.changes else "away"
    return Answer(say(language, name, source=away.source.value), Outcome.UNAVAILABLE)


def _bounded(answer: Answer, language: str) -> Answer:
    if answer.whole:
        return answer
    limit = ANSWER_CHARS if answer.image_png is None else CAPTION_CHARS
    text = shorten(answer.text, limit, language)
    return replace(answer, text=text)
