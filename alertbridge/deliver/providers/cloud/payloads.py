"""What Meta answers and tells."""

import json
from typing import Annotated

from pydantic import Field

from alertbridge.deliver.providers.payload import Id, Loose, Moment, Objects


class ErrorData(Loose):
    """The part of an error that may be relied upon, beside its code."""

    details: str = ""


class MetaError(Loose):
    """An error, in an answer or in a webhook. Titles may change and are not looked at."""

    code: int | None = None
    message: str = ""
    data: ErrorData = Field(default=ErrorData(), alias="error_data")

    @property
    def text(self) -> str:
        return self.data.details or self.message


class SentMessage(Loose):
    """One message that was accepted."""

    id: Id = ""
    message_status: str = ""


class Answer(Loose):
    """The answer to anything: of a message, of an upload, an error."""

    error: MetaError | None = None
    messages: Annotated[list[SentMessage], Objects] = Field(default_factory=list)
    id: Id = ""

    @property
    def first(self) -> SentMessage:
        return self.messages[0] if self.messages else SentMessage()


class Entity(Loose):
    """One part of what must work to send."""

    entity_type: str = ""
    can_send_message: str = ""
    errors: Annotated[list["EntityError"], Objects] = Field(default_factory=list)


class EntityError(Loose):
    """Why a part does not, or only partly."""

    error_code: int | None = None
    error_description: str = ""
    possible_solution: str = ""


class HealthStatus(Loose):
    """The worst of its parts."""

    can_send_message: str = ""
    entities: Annotated[list[Entity], Objects] = Field(default_factory=list)


class Number(Loose):
    """The business number."""

    display_phone_number: str = ""
    status: str = ""
    quality_rating: str = ""
    health: HealthStatus = Field(default=HealthStatus(), alias="health_status")
    error: MetaError | None = None


class Metadata(Loose):
    """Which of the app's numbers a webhook is about."""

    phone_number_id: str = ""


class Text(Loose):
    body: str = ""


class Button(Loose):
    """A template's quick reply."""

    text: str = ""
    payload: str = ""


class Choice(Loose):
    id: Id = ""
    title: str = ""


class Interactive(Loose):
    """A tapped button of an interactive message."""

    button_reply: Choice = Choice()
    list_reply: Choice = Choice()


class Context(Loose):
    """The quoted message."""

    id: Id = ""
    forwarded: bool = False
    frequently_forwarded: bool = False


class Message(Loose):
    """What a person wrote."""

    id: Id = ""
    sender: str = Field(default="", alias="from")
    timestamp: Moment = 0.0
    type: str = ""
    text: Text = Text()
    image: "Caption" = Field(default_factory=lambda: Caption())
    button: Button = Button()
    interactive: Interactive = Interactive()
    context: Context = Context()
    group_id: str = ""


class Caption(Loose):
    caption: str = ""


class Status(Loose):
    """What became of a message of ours."""

    id: Id = ""
    status: str = ""
    timestamp: Moment = 0.0
    our_id: Id = Field(default="", alias="biz_opaque_callback_data")
    errors: Annotated[list[MetaError], Objects] = Field(default_factory=list)


class Value(Loose):
    """The content of a change."""

    metadata: Metadata = Metadata()
    messages: Annotated[list[Message], Objects] = Field(default_factory=list)
    statuses: Annotated[list[Status], Objects] = Field(default_factory=list)
    errors: Annotated[list[MetaError], Objects] = Field(default_factory=list)


class Change(Loose):
    field: str = ""
    value: Value = Value()


class Entry(Loose):
    id: Id = ""
    time: Moment = 0.0
    changes: Annotated[list[Change], Objects] = Field(default_factory=list)


class Webhook(Loose):
    """One POST; may batch several of everything."""

    object: str = ""
    entry: Annotated[list[Entry], Objects] = Field(default_factory=list)


def regain_minutes(header: str) -> float | None:
    """Minutes until calls are allowed again, by `X-Business-Use-Case-Usage`; None when it does not say."""
    try:
        usage = json.loads(header) if header else None
    except (ValueError, RecursionError):
        return None
    lists = usage.values() if isinstance(usage, dict) else ()
    minutes = [
        float(item["estimated_time_to_regain_access"])
        for items in lists
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict) and isinstance(item.get("estimated_time_to_regain_access"), int)
    ]
    return min(max(minutes), 24 * 60.0) if minutes and max(minutes) > 0 else None


Entity.model_rebuild()
Message.model_rebuild()
