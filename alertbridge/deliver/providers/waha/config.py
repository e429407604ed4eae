"""The `waha` channel: a session of a WAHA server."""

from typing import Literal

from pydantic import Field

from alertbridge.deliver.providers.section import NO_WEBHOOK, KeySection, WebhookSecret


class WahaSection(KeySection):
    """A session of WAHA (github.com/devlikeapro/waha), any engine."""

    kind: Literal["waha"] = Field(description="WAHA.")
    session: str = Field(
        default="default", pattern=r"^[A-Za-z0-9_-]{1,54}$", description="Name of the session on the server."
    )
    images: bool = Field(
        default=True, description="Whether the server can send pictures; WAHA Core often cannot."
    )
    webhook: WebhookSecret = Field(
        default=WebhookSecret(),
        description="The `hmac.key` of the session's webhook, which proves what comes in.",
    )

    def remarks(self) -> tuple[str, ...]:
        return super().remarks() if self.webhook.configured else (*super().remarks(), NO_WEBHOOK)
