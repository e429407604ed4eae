"""Which alerts an order is about: by number, or by the message that it answers."""

from collections.abc import Sequence

from alertbridge.reply import episodes
from alertbridge.reply.commands.alertlines import numbers
from alertbridge.reply.commands.base import Means, not_found, wrong_use
from alertbridge.reply.model import Answer, Episode, Question

MOST_AT_ONCE = 20


async def chosen(
    question: Question, means: Means, *, usage: str, several: bool, firing: bool = True
) -> Sequence[Episode] | Answer:
    """Them, or an answer that says what is missing. `several` at once may be meant; `firing`: no others.

    Raises StoreError.
    """
    order, language = question.order, question.language
    by_number = bool(order.episodes)
    ids = (order.episodes or question.quoted)[:MOST_AT_ONCE]
    if not ids:
        return wrong_use(language, "which_alert", usage=usage)
    async with means.database.read() as connection:
        known = await episodes.by_ids(connection, ids)
    if by_number and (unknown := [one for one in ids if one not in known]):
        return not_found(language, "no_such_alert", id=unknown[0])
    found = [known[one] for one in ids if one in known]
    fit = [one for one in found if one.is_open] if firing else found
    if not fit:
        if not found:
            return wrong_use(language, "which_alert", usage=usage)
        return not_found(language, "alert_over", id=found[0].id, name=found[0].name)
    if by_number and firing and (over := [one for one in found if not one.is_open]):
        return not_found(language, "alert_over", id=over[0].id, name=over[0].name)
    if len(fit) == 1 or (several and (by_number or order.everything)):
        return fit
    if not several:
        return wrong_use(language, "which_alert", usage=usage)
    return wrong_use(language, "which_of_quoted", ids=numbers([one.id for one in fit]), command=order.command)
