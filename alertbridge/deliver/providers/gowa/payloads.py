"""What GOWA answers and tells."""

from typing import Annotated

from pydantic import Field

from alertbridge.deliver.providers.payload import Id, Loose, Moment


class Results(Loose):
    """Of a send, and of a question for the state."""

    message_id: Id = ""
    is_connected: bool | None = None
    is_logged_in: bool | None = None
    jid: str = ""


class Envelope(Loose):
    """Around every answer that comes from the application itself."""

    code: str = ""
    message: str = ""
    results: Results = Results()


class Payload(Loose):
    """A message or a receipt."""

    id: Id = ""
    ids: Annotated[list[Id], Field(max_length=10_000)] = Field(default_factory=list)
    chat_id: str = ""
    sender: str = Field(default="", alias="from")
    sender_lid: str = Field(default="", alias="from_lid")
    timestamp: Moment = 0.0
    is_from_me: bool = False
    body: str = ""
    replied_to_id: Id = ""
    receipt_type: str = ""
    forwarded: bool = False
    original_message_id: Id = ""


class Event(Loose):
    """The envelope of a webhook."""

    event: str = ""
    device_id: str = ""
    session_id: Id = ""
    payload: dict[str, object] = Field(default_factory=dict)
