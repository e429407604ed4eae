"""The `evolution` channel: an instance of Evolution API."""

from typing import Literal

from pydantic import Field

from alertbridge.deliver.providers.section import NO_WEBHOOK, HeaderName, KeySection, WebhookSecret


class EvolutionWebhookSection(WebhookSecret):
    """How a webhook is recognised, since Evolution signs none: by a header of our own, or by its JWT."""

    proof: Literal["header", "jwt"] = Field(
        default="header",
        description="`header`: the secret in a header given under `webhook.headers`; `jwt`: it is the `jwt_key` there.",
    )
    header: HeaderName = Field(default="X-Secret", description="Header that holds the secret.")


class EvolutionSection(KeySection):
    """An instance of Evolution API v2 with Baileys."""

    kind: Literal["evolution"] = Field(description="Evolution API.")
    instance: str = Field(
        min_length=1, max_length=100, pattern=r"^[!-~]+$", description="Name of the instance; not its UUID."
    )
    webhook: EvolutionWebhookSection = Field(
        default=EvolutionWebhookSection(), description="What proves that a webhook comes from this server."
    )

    def remarks(self) -> tuple[str, ...]:
        return super().remarks() if self.webhook.configured else (*super().remarks(), NO_WEBHOOK)
