"""The `cloud` channel: a business number on Meta's WhatsApp Cloud API."""

from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_core import InitErrorDetails

from alertbridge.deliver.limit.config import OfficialLimitsSection
from alertbridge.deliver.providers.section import NO_WEBHOOK, HttpSection, Url, WebhookSecret
from alertbridge.numbers import Address, AddressRefused
from runtime.sections import SecretSection, Section, Surroundings, fault

TemplateField = Literal["severity", "title", "text"]


class TemplateSection(Section):
    """An approved template, which may be sent at any time."""

    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$", description="Name of the template, as approved.")
    language: str = Field(
        default="id", pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$", description="Language code of the template."
    )
    parameters: tuple[TemplateField, ...] = Field(
        default=("severity", "title", "text"),
        max_length=10,
        description="What stands in `{{1}}`, `{{2}}` and so on of its body.",
    )
    text_limit: int = Field(
        default=900,
        ge=50,
        le=1024,
        description="Characters that the parameters may have together: 1024 less the fixed part of the body.",
    )


class HandshakeSection(SecretSection):
    """The word by which Meta checks the webhook's address."""

    secret_name: ClassVar[str] = "token"  # noqa: S105  the name of a key
    secret_required: ClassVar[bool] = False

    token: SecretStr | None = Field(default=None, min_length=1, description="The verify token given to Meta.")
    token_file: str | None = Field(default=None, description="File that holds the token.")
    token_env: str | None = Field(default=None, description="Environment variable that holds the token.")


class CloudSection(HttpSection, SecretSection):
    """A number of WhatsApp Business, by Meta's own API."""

    secret_name: ClassVar[str] = "token"  # noqa: S105  the name of a key

    kind: Literal["cloud"] = Field(description="WhatsApp Business Cloud API.")
    url: Url = Field(default="https://graph.facebook.com", description="Address of the Graph API.")
    version: str = Field(
        default="v23.0", pattern=r"^v[0-9]{1,3}\.[0-9]$", description="Version of the Graph API."
    )
    phone_number_id: str = Field(
        pattern=r"^[0-9]{5,25}$", description="Id of the number in Meta's records; not the number itself."
    )
    token: SecretStr | None = Field(default=None, description="Token of a system user.")
    token_file: str | None = Field(default=None, description="File that holds the token.")
    token_env: str | None = Field(default=None, description="Environment variable that holds the token.")
    template: TemplateSection | None = Field(
        default=None, description="What is sent outside the 24 hours after a person last wrote."
    )
    plain_template: TemplateSection | None = Field(
        default=None, description="What is sent when `template` is missing, paused or does not fit."
    )
    webhook: WebhookSecret = Field(
        default=WebhookSecret(), description="The app secret, with which Meta signs webhooks."
    )
    handshake: HandshakeSection = Field(
        default=HandshakeSection(), description="How Meta checks the address of the webhook."
    )
    limits: OfficialLimitsSection = Field(
        default=OfficialLimitsSection(), description="How much may be sent through the channel."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        if "plain_template" in given and "template" not in given:
            faults.append(fault("stands in for `template`, which there is none of", "plain_template"))
        return given

    def parsed(self, text: str, *, allow_lid: bool = True) -> Address:
        """Only people: Meta's groups are others than those that everybody has. Raises AddressRefused."""
        address = super().parsed(text, allow_lid=False)
        if address.is_group:
            raise AddressRefused("is a group; the Cloud API cannot write to ordinary groups")
        return address

    def remarks(self) -> tuple[str, ...]:
        found = super().remarks()
        if not self.webhook.configured:
            found = (*found, NO_WEBHOOK)
        if self.handshake.token is None:
            found = (*found, "handshake.token is not set: Meta cannot check the webhook's address")
        if self.template is None:
            found = (*found, "template is not set: whoever has not written for 24 hours cannot be reached")
        return found
