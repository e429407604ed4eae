"""alerts: what fires, the most urgent first."""

from alertbridge.reply import episodes
from alertbridge.reply.commands.alertlines import line
from alertbridge.reply.commands.base import Means
from alertbridge.reply.model import Answer, Episode, Question
from alertbridge.reply.texts import join, say

SHOWN = 12


async def run(question: Question, means: Means) -> Answer:
    """Words that follow narrow it down: each must stand in the name or in a label. Raises StoreError."""
    language, wanted = question.language, [word.casefold() for word in question.order.names]
    async with means.database.read() as connection:
        firing = await episodes.open_now(connection)
    found = [one for one in firing if all(_has(one, word) for word in wanted)]
    if not found:
        name = "no_alerts_like" if wanted else "no_alerts"
        return Answer(say(language, name, words=" ".join(question.order.names)))
    now_s = means.clock.time()
    lines = [say(language, "alerts_head", count=len(found))]
    lines += [line(one, language, means.zone, now_s) for one in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(say(language, "alerts_more", more=len(found) - SHOWN))
    return Answer(join([*lines, say(language, "alerts_foot")]))


def _has(episode: Episode, word: str) -> bool:
    return word in episode.name.casefold() or any(
        word in value.casefold() for value in episode.labels.values()
    )
