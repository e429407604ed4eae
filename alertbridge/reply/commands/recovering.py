"""actions, run, undo, yes, no, pause, resume: recovery by hand. Every limit of the rules holds for people, too, but
for taking back: that is above them."""

import re

from alertbridge.deliver.render.humanise import duration
from alertbridge.recover.reasons import reason_words
from alertbridge.reply import episodes
from alertbridge.reply.commands.base import Means, not_found, wrong_use
from alertbridge.reply.model import Answer, Outcome, Question, Role
from alertbridge.reply.ports import CodeAnswer, NoSuchOffer, Offer, RunRefused, UndoRefused
from alertbridge.reply.texts import Markup, Phrase, join, say, short

_LABEL = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)=(.+)")
SHOWN = 30
DOES_CHARS = 200
USAGE = Phrase("jalankan AKSI router=core-1", "run ACTION router=core-1")
UNDO_USAGE = Phrase("batalkan NOMOR-RUN", "undo RUN")
_OUTCOMES = {
    CodeAnswer.WRONG: "code_wrong",
    CodeAnswer.EXPIRED: "code_expired",
    CodeAnswer.USED: "code_used",
    CodeAnswer.FOR_ADMINS: "code_for_admins",
}


async def actions(question: Question, means: Means) -> Answer:
    """Raises SourceAway."""
    language = question.language
    offers = means.needed_recovery().offers()
    if not offers:
        return Answer(say(language, "no_actions"))
    lines = [say(language, "actions_head")]
    lines += [
        say(
            language,
            "action_line",
            name=offer.name,
            does=short(offer.does, DOES_CHARS),
            marks=_marks(offer, language),
        )
        for offer in offers[:SHOWN]
    ]
    if len(offers) > SHOWN:
        lines.append(say(language, "alerts_more", more=len(offers) - SHOWN))
    return Answer(join(lines))


async def run(question: Question, means: Means) -> Answer:
    """Answers with a code. Raises SourceAway, StoreError."""
    language, order, person = question.language, question.order, question.person
    recovery = means.needed_recovery()
    name, *rest = order.names
    labels = await _labels(question, means, rest)
    if labels is None:
        return wrong_use(language, "usage", usage=Markup(USAGE.en if language == "en" else USAGE.id))
    offer = next((one for one in recovery.offers() if one.name.casefold() == name.casefold()), None)
    if offer is None:
        return not_found(language, "no_such_action", name=name)
    if offer.asks and not person.role.may(Role.ADMIN):
        return Answer(say(language, "action_admin_only", name=offer.name), Outcome.FORBIDDEN)
    try:
        waiting = await recovery.request(offer.name, labels, by=person.name)
    except NoSuchOffer:
        return not_found(language, "no_such_action", name=name)
    except RunRefused as refused:
        why = reason_words(refused.reason, language)
        if refused.detail and language == "en":  # what actions say is English
            why = f"{why} ({refused.detail})"
        return Answer(
            say(language, "action_refused", name=offer.name, why=short(why, DOES_CHARS)), Outcome.REFUSED
        )
    text = say(
        language,
        "confirm",
        name=offer.name,
        does=join([short(offer.does, DOES_CHARS), Markup(_shown(labels))]),
        code=Markup(waiting.code),
        time=duration(waiting.valid_s, language),
    )
    return Answer(text, Outcome.ASKED, after={"run": waiting.run, "action": offer.name})


async def undo(question: Question, means: Means) -> Answer:
    """Answers with a code. Raises SourceAway, StoreError."""
    language, order = question.language, question.order
    recovery = means.needed_recovery()
    if len(order.episodes) != 1 or order.everything:
        return wrong_use(
            language, "usage", usage=Markup(UNDO_USAGE.en if language == "en" else UNDO_USAGE.id)
        )
    (number,) = order.episodes
    try:
        waiting = await recovery.undo(number, by=question.person.name)
    except UndoRefused as refused:
        text = say(language, f"undo_{refused.reason}", run=refused.run, other=refused.other)
        return Answer(text, Outcome.REFUSED)
    text = say(
        language,
        "confirm_undo",
        run=number,
        does=short(waiting.does, DOES_CHARS),
        code=Markup(waiting.code),
        time=duration(waiting.valid_s, language),
    )
    return Answer(text, Outcome.ASKED, after={"run": waiting.run, "undoes": number})


async def yes(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    return await _answered(question, means, yes=True)


async def no(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    return await _answered(question, means, yes=False)


async def pause(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    recovery = means.needed_recovery()
    if by := (await recovery.state()).paused_by:
        return Answer(say(question.language, "paused_already", by=by))
    await recovery.pause(by=question.person.name)
    return Answer(say(question.language, "paused"), after={"paused": True})


async def resume(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    recovery = means.needed_recovery()
    if not (await recovery.state()).paused_by:
        return Answer(say(question.language, "not_paused"))
    await recovery.resume(by=question.person.name)
    return Answer(say(question.language, "resumed"), after={"paused": False})


async def _answered(question: Question, means: Means, *, yes: bool) -> Answer:
    person = question.person
    found = await means.needed_recovery().answer(
        question.order.code, by=person.name, yes=yes, is_admin=person.role.may(Role.ADMIN)
    )
    if found is CodeAnswer.TAKEN:
        name = "approved" if yes else "rejected"
        return Answer(say(question.language, name), after={"approved": yes})
    outcome = Outcome.FORBIDDEN if found is CodeAnswer.FOR_ADMINS else Outcome.WRONG_CODE
    return Answer(say(question.language, _OUTCOMES[found]), outcome)


async def _labels(question: Question, means: Means, words: list[str]) -> dict[str, str] | None:
    """What the action is for: the labels of an alert, and those that are written; None for other words."""
    labels: dict[str, str] = {}
    ids = (question.order.episodes or question.quoted)[:1]
    if ids:
        async with means.database.read() as connection:
            found = await episodes.by_ids(connection, ids)
        labels |= {name: value for one in found.values() for name, value in one.labels.items()}
    for word in words:
        written = _LABEL.fullmatch(word)
        if written is None:
            return None
        labels[written[1]] = written[2]
    return labels


def _shown(labels: dict[str, str]) -> Markup:
    told = [
        f"{name}={value}" for name, value in sorted(labels.items()) if name not in ("alertname", "severity")
    ]
    return short(", ".join(told), DOES_CHARS)


def _marks(offer: Offer, language: str) -> Markup:
    admin = say(language, "action_admin") if offer.asks else ""
    dry = say(language, "action_dry") if offer.dry_run else ""
    return Markup(f"{admin}{dry}")
