"""Answers go to the chat that a question came from: every such chat is a recipient, named by what it is."""

from alertbridge.deliver.ports import Recipients
from alertbridge.deliver.route.addressbook import Recipient

_PREFIX = "reply:"
"""No recipient of a configuration can have a colon in its name."""


def answer_name(channel: str, chat: str) -> str:
    """The recipient that `chat` on `channel` is."""
    return f"{_PREFIX}{channel}:{chat}"


class AnswerBook:
    """The recipients of a configuration, and every chat that an answer goes to."""

    def __init__(self, book: Recipients, default_language: str) -> None:
        self._book = book
        self._language = default_language

    def get(self, name: str) -> Recipient | None:
        """See `deliver.ports.Recipients`. An answer has one way only: to where the question came from."""
        if not name.startswith(_PREFIX):
            return self._book.get(name)
        channel, _, chat = name.removeprefix(_PREFIX).partition(":")
        return Recipient(name, channel, chat, self._language) if channel and chat else None
