"""What Twilio answers and tells."""

from pydantic import Field

from alertbridge.deliver.providers.payload import Id, Loose


class Resource(Loose):
    """A message, an account, or an error."""

    sid: Id = ""
    status: str = ""
    code: int | None = None
    message: str = ""
    error_code: int | None = None


class Form(Loose):
    """A status callback, or what a person wrote."""

    sid: Id = Field(default="", alias="MessageSid")
    status: str = Field(default="", alias="MessageStatus")
    error_code: int | None = Field(default=None, alias="ErrorCode")
    sender: str = Field(default="", alias="From")
    wa_id: str = Field(default="", alias="WaId")
    body: str = Field(default="", alias="Body")
    quoted_id: Id = Field(default="", alias="OriginalRepliedMessageSid")
    button: str = Field(default="", alias="ButtonPayload")
    button_text: str = Field(default="", alias="ButtonText")
    forwarded: bool = Field(default=False, alias="Forwarded")
    frequently_forwarded: bool = Field(default=False, alias="FrequentlyForwarded")
