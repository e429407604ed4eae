"""The `bot` channel: how a bot's own endpoint is asked, and where in its answers the facts stand."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, SecretStr
from pydantic_core import InitErrorDetails

from alertbridge.deliver.providers.bot.presets import PRESETS, merged
from alertbridge.deliver.providers.bot.templating import check_template
from alertbridge.deliver.providers.section import (
    WHATSAPP_TEXT_LIMIT,
    HeaderName,
    HttpSection,
    WebhookSecret,
)
from runtime.sections import SecretSection, Section, Surroundings

Template = Annotated[str, AfterValidator(check_template)]


def _checked_path(text: str) -> str:
    if any(not c.isprintable() or c.isspace() for c in text):
        raise ValueError("must be names and numbers joined by dots, such as data.messages.0.id")
    return text


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Place = Annotated[str, AfterValidator(_checked_path)]
Places = Annotated[tuple[Place, ...], BeforeValidator(_listed)]
PathTemplate = Annotated[str, Field(pattern=r"^/"), AfterValidator(check_template)]
Method = Literal["GET", "POST", "PUT", "PATCH"]
StateWord = Literal[
    "working",
    "starting",
    "disconnected",
    "needs_pairing",
    "logged_out",
    "banned",
    "timelocked",
    "misconfigured",
]
ClassWord = Literal[
    "accepted", "queued_remote", "retry", "unknown", "reconnect", "pause", "config", "permanent"
]


def _checked_body(value: JsonValue) -> JsonValue:
    """Every text in it is a template."""
    if isinstance(value, str):
        check_template(value)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _checked_body(item)
    return value


def _usual_body() -> JsonValue:
    return {"to": "{{ to }}", "text": "{{ text }}"}


class SendSection(Section):
    """How a message is handed over."""

    method: Method = Field(default="POST", description="Method of the request.")
    path: PathTemplate = Field(default="/send", description="Path below `url`; a template.")
    headers: dict[HeaderName, Template] = Field(
        default_factory=dict, description="Further headers; values are templates."
    )
    body: Annotated[JsonValue, AfterValidator(_checked_body)] = Field(
        default_factory=_usual_body,
        description=(
            "JSON of any shape; each text in it is a template that knows `to`, `digits`, `jid`, `text`, `id`, "
            "`quote_id`, `severity`, `title`, `is_group` and `image` (PNG as base64)."
        ),
    )
    id_at: Places = Field(
        default=(),
        description="Where the answer holds the message's id, such as `data.id`; the first that does.",
    )
    queued_at: Place = Field(
        default="", description="Where a 429 says that the message was taken all the same, such as `queued`."
    )
    error_at: Place = Field(default="", description="Where an answer says what is wrong.")
    ok_at: Place = Field(
        default="",
        description="Where a 200 says whether it is meant: false there is a refusal, such as `success`.",
    )
    statuses: dict[Annotated[int, Field(ge=100, le=599)], ClassWord] = Field(
        default_factory=dict,
        description="What HTTP statuses mean, where they mean something else than usual.",
    )


class StatusSection(Section):
    """How the bot is asked what became of a message."""

    path: PathTemplate = Field(description="Path below `url`; a template that knows `id`.")
    state_at: Place = Field(default="status", description="Where the answer holds the state.")


class HealthSection(Section):
    """How the bot is asked for its session. A 503 is an answer too."""

    path: PathTemplate = Field(description="Path below `url`.")
    state_at: Place = Field(default="", description="Where the answer holds a word for the state.")
    states: dict[str, StateWord] = Field(default_factory=dict, description="What the bot's words mean.")
    connected_at: Place = Field(default="", description="Where the answer says whether it is connected.")
    own_jid_at: Place = Field(
        default="", description="Where the answer holds the number that sends, or its JID."
    )
    code_at: Place = Field(
        default="", description="Where the answer holds Baileys' code of the last disconnect."
    )
    locked_until_at: Place = Field(
        default="", description="Where the answer says until when WhatsApp has locked it."
    )


class ActionSection(Section):
    """How the bot is told to do something."""

    method: Method = Field(default="POST", description="Method of the request.")
    path: PathTemplate = Field(description="Path below `url`.")


class BotWebhookSection(WebhookSecret):
    """How what the bot posts is recognised: a header holds the secret, bare or behind `Bearer`."""

    header: HeaderName = Field(default="Authorization", description="Header that holds the secret.")


class BotSection(HttpSection, SecretSection):
    """A bot with an HTTP endpoint of its own."""

    secret_name: ClassVar[str] = "token"  # noqa: S105  the name of a key
    secret_required: ClassVar[bool] = False

    kind: Literal["bot"] = Field(description="A bot of one's own.")
    preset: Literal["contract", "rickicode", "none"] = Field(
        default="contract", description="What the keys below are when they are not given."
    )
    token: SecretStr | None = Field(default=None, description="Token that the bot asks for.")
    token_file: str | None = Field(default=None, description="File that holds the token.")
    token_env: str | None = Field(default=None, description="Environment variable that holds the token.")
    token_header: HeaderName = Field(default="Authorization", description="Header that shows the token.")
    token_prefix: str = Field(
        default="Bearer ", pattern=r"^[ -~]*$", description="What stands before the token in that header."
    )
    to_form: Literal["digits", "e164", "jid", "web_jid"] = Field(
        default="digits",
        description="How `to` is written: `62812…`, `+62812…`, `62812…@s.whatsapp.net`, `62812…@c.us`.",
    )
    text_limit: int = Field(
        default=WHATSAPP_TEXT_LIMIT, ge=100, le=WHATSAPP_TEXT_LIMIT, description="Most characters of a text."
    )
    takes_our_id: bool = Field(
        default=False,
        description="Whether the bot sends one message only, however often it gets the same id.",
    )
    acks_on_accept: bool = Field(
        default=False,
        description="Whether its success answer comes only after WhatsApp's server took the message.",
    )
    send: SendSection = Field(default=SendSection(), description="How a message is handed over.")
    send_image: SendSection | None = Field(
        default=None,
        description="How a message with a picture is handed over; without it the text goes alone.",
    )
    status: StatusSection | None = Field(default=None, description="How a message's fate is asked for.")
    health: HealthSection | None = Field(default=None, description="How the session is asked for.")
    reconnect: ActionSection | None = Field(default=None, description="How the bot connects again.")
    restart: ActionSection | None = Field(default=None, description="How the bot's process is restarted.")
    qr_path: str = Field(
        default="", pattern=r"^(/[!-~]*)?$", description="Path of the page where the number is paired."
    )
    webhook: BotWebhookSection = Field(
        default=BotWebhookSection(), description="What proves that a webhook comes from the bot."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        preset = given.get("preset", "contract")
        return merged(PRESETS[preset], given) if isinstance(preset, str) and preset in PRESETS else given

    @property
    def proves(self) -> bool:
        """Whether anything tells what became of a message."""
        return self.webhook.configured or self.status is not None

    def remarks(self) -> tuple[str, ...]:
        found = super().remarks()
        if not self.webhook.configured:
            found = (
                *found,
                "webhook.secret is not set: every webhook of this channel is refused; replies are not heard",
            )
        if not self.proves and not self.acks_on_accept:
            found = (
                *found,
                "neither webhook.secret nor status is set: nothing proves that a message arrived",
            )
        return found
