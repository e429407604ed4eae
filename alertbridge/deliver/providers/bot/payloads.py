"""What a bot posts to us, in our own shape and in the words that bots use."""

from pydantic import AliasChoices, Field

from alertbridge.deliver.providers.payload import Id, Loose, Moment


class Event(Loose):
    """One event: `message`, `status` (or `ack`), `session`.

    A message: id, from (number or JID), chat, lid, text, timestamp, quoted_id, button, is_group, from_me,
    forwarded, edited, history. A status: id, status, our_id, timestamp, error. A session: status, code.
    """

    event: str = ""
    event_id: Id = ""
    id: Id = ""
    our_id: Id = ""
    status: str = Field(default="", validation_alias=AliasChoices("status", "state"))
    error: str = ""
    code: int | None = None
    sender: str = Field(default="", validation_alias=AliasChoices("from", "sender"))
    chat: str = ""
    lid: str = ""
    text: str = ""
    at_s: Moment = Field(default=0.0, validation_alias=AliasChoices("timestamp", "at"))
    quoted_id: Id = ""
    button: str = ""
    is_group: bool = False
    from_me: bool = False
    forwarded: bool = False
    edited: bool = False
    history: bool = False
