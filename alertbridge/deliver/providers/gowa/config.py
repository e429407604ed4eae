"""The `gowa` channel: a device of a GOWA server."""

from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_core import InitErrorDetails

from alertbridge.deliver.providers.section import NO_WEBHOOK, HttpSection, WebhookSecret
from runtime.sections import SecretSection, Surroundings, fault

DEFAULT_SECRET = "secret"  # noqa: S105  what everybody knows
"""What GOWA signs with when nobody chose anything else."""


class GowaWebhookSection(WebhookSecret):
    """The `WHATSAPP_WEBHOOK_SECRET` of the server."""

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        secret = given.get("secret")
        shown = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
        if shown == DEFAULT_SECRET:
            faults.append(
                fault("is GOWA's default, with which anybody can sign; set WHATSAPP_WEBHOOK_SECRET", "secret")
            )
        return given


class GowaSection(HttpSection, SecretSection):
    """A device of GOWA (go-whatsapp-web-multidevice)."""

    secret_required: ClassVar[bool] = False

    kind: Literal["gowa"] = Field(description="GOWA.")
    username: str = Field(default="", pattern=r"^[^:]*$", description="User of its HTTP Basic login.")
    password: SecretStr | None = Field(default=None, description="Password of that user.")
    password_file: str | None = Field(default=None, description="File that holds the password.")
    password_env: str | None = Field(
        default=None, description="Environment variable that holds the password."
    )
    device: str = Field(
        default="",
        pattern=r"^[!-~]*$",
        max_length=100,
        description="Id of the device; empty when it is the only one.",
    )
    webhook: GowaWebhookSection = Field(
        default=GowaWebhookSection(), description="The secret with which GOWA signs webhooks."
    )

    def remarks(self) -> tuple[str, ...]:
        found = super().remarks()
        if not self.webhook.configured:
            found = (*found, NO_WEBHOOK)
        if self.password is None:
            found = (*found, "password is not set: anybody who reaches the server can send with this number")
        return found
