"""What WAHA answers and tells, by every engine."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from alertbridge.deliver.providers.baileys import Content, Key, Stubs
from alertbridge.deliver.providers.payload import Id, Loose, Moment


def _bare_id(value: object) -> object:
    """The id that the receipts have too, whatever an engine wraps around it.

    WEBJS gives an object; serialised it is ``true_<chat>_<id>``, in groups with ``_<participant>`` behind it.
    """
    if isinstance(value, dict):
        value = value.get("id") or value.get("_serialized") or ""
    if isinstance(value, str) and value.startswith(("true_", "false_")):
        parts = value.split("_")
        return parts[2] if len(parts) > 2 else parts[-1]
    return value


MessageId = Annotated[Id, BeforeValidator(_bare_id)]


class Info(Loose):
    """Who and what, in the words of GOWS."""

    sender_alt: str = Field(default="", alias="SenderAlt")
    sender: str = Field(default="", alias="Sender")


class Update(Loose):
    """A change of a message, in Baileys' words."""

    stubs: Stubs = Field(default_factory=list, alias="messageStubParameters")


class Raw(Loose):
    """What the engine itself said."""

    key: Key = Key()
    info: Info = Field(default=Info(), alias="Info")
    message: Content = Content()
    is_forwarded: bool = Field(default=False, alias="isForwarded")
    stubs: Stubs = Field(default_factory=list, alias="messageStubParameters")
    update: Update = Update()


class Sent(Loose):
    """The answer to a send; its shape depends on the engine."""

    id: MessageId = ""
    key: Key = Key()

    @property
    def message_id(self) -> str:
        return self.key.id or self.id


class Fault(Loose):
    """Why a request failed. `exception` comes with an echo of the request, which is left where it is."""

    class Thrown(Loose):
        message: str = ""

    status: str = ""
    error: str = ""
    message: str = ""
    exception: Thrown = Thrown()

    @property
    def text(self) -> str:
        return self.exception.message or self.message or self.error


class Me(Loose):
    """The number of the session."""

    id: Id = ""


class SessionInfo(Loose):
    """A session; as an answer, and as the payload of `session.status`."""

    name: str = ""
    status: str = ""
    me: Me = Me()


class ReplyTo(Loose):
    """The quoted message."""

    id: MessageId = ""


class Payload(Loose):
    """A message or its ack."""

    id: MessageId = ""
    timestamp: Moment = 0.0
    sender: str = Field(default="", alias="from")
    participant: str = ""
    from_me: bool = Field(default=False, alias="fromMe")
    body: str = ""
    reply_to: ReplyTo = Field(default=ReplyTo(), alias="replyTo")
    ack: int | None = None
    ack_name: str = Field(default="", alias="ackName")
    raw: Raw = Field(default=Raw(), alias="_data")


class Event(Loose):
    """The envelope of a webhook; old versions lack `id` and `timestamp`."""

    id: Id = ""
    timestamp: Moment = 0.0
    event: str = ""
    session: str = ""
    payload: dict[str, object] = Field(default_factory=dict)
