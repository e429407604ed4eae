"""The `console` channel: messages on the program's standard output."""

from typing import Literal

from pydantic import Field

from alertbridge.deliver.limit.config import FallbackLimitsSection
from alertbridge.deliver.providers.section import ChannelBase


class ConsoleSection(ChannelBase):
    """Shows messages instead of sending them."""

    kind: Literal["console"] = Field(description="Standard output, for trying out.")
    limits: FallbackLimitsSection = Field(
        default=FallbackLimitsSection(spacing_s=0, per_minute=1000), description="How much may be written."
    )

    def address(self, text: str) -> str:
        """Whatever stands there: nobody is written to."""
        return text.strip()

    def remarks(self) -> tuple[str, ...]:
        return (*super().remarks(), "messages of this channel are shown in the terminal and go to nobody")
