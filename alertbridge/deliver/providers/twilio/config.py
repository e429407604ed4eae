"""The `twilio` channel: a sender of a Twilio account, by WhatsApp or by SMS."""

from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_core import InitErrorDetails

from alertbridge.deliver.limit.config import OfficialLimitsSection
from alertbridge.deliver.providers.section import HttpSection, Url
from alertbridge.numbers import Address, AddressRefused
from runtime.sections import SecretSection, Section, Surroundings, fault

TemplateField = Literal["severity", "title", "text"]


class ContentSection(Section):
    """A template that Meta has approved, by Twilio's id."""

    sid: str = Field(pattern=r"^HX[0-9a-fA-F]{32}$", description="ContentSid of the template.")
    variables: dict[str, TemplateField] = Field(
        default_factory=lambda: _usual_variables(), description="What its variables hold."
    )
    text_limit: int = Field(
        default=900, ge=50, le=1024, description="Characters that the variables may have together."
    )


def _usual_variables() -> dict[str, TemplateField]:
    return {"1": "severity", "2": "title", "3": "text"}


class ApiKeySection(SecretSection):
    """An API key, instead of the account's own token, to send with."""

    secret_name: ClassVar[str] = "secret"  # noqa: S105  the name of a key

    sid: str = Field(pattern=r"^SK[0-9a-fA-F]{32}$", description="Id of the key.")
    secret: SecretStr | None = Field(default=None, description="The key's secret.")
    secret_file: str | None = Field(default=None, description="File that holds the secret.")
    secret_env: str | None = Field(default=None, description="Environment variable that holds the secret.")


class TwilioSection(HttpSection, SecretSection):
    """A sender of Twilio."""

    secret_name: ClassVar[str] = "auth_token"  # noqa: S105  the name of a key

    kind: Literal["twilio"] = Field(description="Twilio.")
    url: Url = Field(default="https://api.twilio.com", description="Address of the API.")
    service: Literal["whatsapp", "sms"] = Field(default="whatsapp", description="By which way messages go.")
    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="Id of the account.")
    auth_token: SecretStr | None = Field(
        default=None, description="Token of the account; webhooks are signed with it too."
    )
    auth_token_file: str | None = Field(default=None, description="File that holds the token.")
    auth_token_env: str | None = Field(default=None, description="Environment variable that holds the token.")
    api_key: ApiKeySection | None = Field(default=None, description="Key to send with, instead of the token.")
    sender: str = Field(
        default="",
        pattern=r"^(\+[1-9][0-9]{4,14}|[A-Za-z0-9 ]{1,11})?$",
        description="The number that sends, such as `+62812…`; for SMS perhaps a name.",
    )
    messaging_service_sid: str = Field(
        default="", pattern=r"^(MG[0-9a-fA-F]{32})?$", description="Messaging service, instead of a sender."
    )
    content: ContentSection | None = Field(
        default=None, description="What is sent outside the 24 hours after a person last wrote on WhatsApp."
    )
    webhook_url: Url | None = Field(
        default=None,
        description="Public address of this channel's webhook, exactly as Twilio calls it.",
    )
    validity_s: int = Field(
        default=14_400,
        ge=60,
        le=36_000,
        description="Seconds after which an undelivered message is given up, so that none arrives tomorrow.",
    )
    limits: OfficialLimitsSection = Field(
        default=OfficialLimitsSection(), description="How much may be sent through the channel."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        if not given.get("sender") and not given.get("messaging_service_sid"):
            faults.append(fault("needs one of sender, messaging_service_sid"))
        if given.get("service") == "sms" and "content" in given:
            faults.append(fault("is for WhatsApp only", "content"))
        sender = given.get("sender")
        if "own_number" not in given and isinstance(sender, str) and sender.startswith("+"):
            given = {**given, "own_number": sender.removeprefix("+")}
        return given

    def parsed(self, text: str, *, allow_lid: bool = True) -> Address:
        """Only people. Raises AddressRefused."""
        address = super().parsed(text, allow_lid=False)
        if address.is_group:
            raise AddressRefused("is a group; Twilio can write only to people")
        return address

    def remarks(self) -> tuple[str, ...]:
        found = super().remarks()
        if self.webhook_url is None:
            found = (
                *found,
                "webhook_url is not set: statuses are asked for one by one, and replies are not heard",
            )
        if self.service == "whatsapp" and self.content is None:
            found = (*found, "content is not set: whoever has not written for 24 hours cannot be reached")
        return found
