"""The `wuzapi` channel: a user of a wuzapi server."""

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from alertbridge.deliver.providers.section import NO_WEBHOOK, HttpSection, WebhookSecret
from runtime.sections import SecretSection


class WuzapiSection(HttpSection, SecretSection):
    """A user of wuzapi (github.com/asternic/wuzapi)."""

    secret_name: ClassVar[str] = "token"  # noqa: S105  the name of a key

    kind: Literal["wuzapi"] = Field(description="wuzapi.")
    token: SecretStr | None = Field(default=None, description="Token of the user.")
    token_file: str | None = Field(default=None, description="File that holds the token.")
    token_env: str | None = Field(default=None, description="Environment variable that holds the token.")
    webhook: WebhookSecret = Field(
        default=WebhookSecret(),
        description="What stands behind `?secret=` in the webhook's address, since wuzapi signs nothing.",
    )

    def remarks(self) -> tuple[str, ...]:
        return super().remarks() if self.webhook.configured else (*super().remarks(), NO_WEBHOOK)
