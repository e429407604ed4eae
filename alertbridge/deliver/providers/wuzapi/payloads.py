"""What wuzapi answers and tells. Its forms hold the user's token; no model has a field for it."""

from pydantic import AliasChoices, Field

from alertbridge.deliver.providers.baileys import Content
from alertbridge.deliver.providers.payload import Id, Loose, Moment


class Data(Loose):
    """Of a send, and of a question for the state."""

    id: Id = Field(default="", alias="Id")
    connected: bool | None = Field(default=None, validation_alias=AliasChoices("Connected", "connected"))
    logged_in: bool | None = Field(default=None, validation_alias=AliasChoices("LoggedIn", "loggedIn"))
    jid: str = ""


class Envelope(Loose):
    """Around every answer."""

    success: bool = False
    data: Data = Data()
    error: str = ""


class Info(Loose):
    """Who wrote a message, in whatsmeow's words."""

    id: Id = Field(default="", alias="ID")
    chat: str = Field(default="", alias="Chat")
    sender: str = Field(default="", alias="Sender")
    sender_alt: str = Field(default="", alias="SenderAlt")
    is_from_me: bool = Field(default=False, alias="IsFromMe")
    is_group: bool = Field(default=False, alias="IsGroup")
    at_s: Moment = Field(default=0.0, alias="Timestamp")
    edit: str = Field(default="", alias="Edit")


class Happened(Loose):
    """A message, or a receipt."""

    info: Info = Field(default=Info(), alias="Info")
    message: Content = Field(default=Content(), alias="Message")
    is_edit: bool = Field(default=False, alias="IsEdit")
    message_ids: list[Id] = Field(default_factory=list, alias="MessageIDs")
    type: str = Field(default="", alias="Type")
    is_from_me: bool = Field(default=False, alias="IsFromMe")
    at_s: Moment = Field(default=0.0, alias="Timestamp")


class Event(Loose):
    """The form's `jsonData`."""

    type: str = ""
    state: str = ""
    event: Happened = Happened()
