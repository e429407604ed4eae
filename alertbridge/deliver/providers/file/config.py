"""The `file` channel: messages as lines of JSON in a file."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_core import InitErrorDetails

from alertbridge.deliver.limit.config import FallbackLimitsSection
from alertbridge.deliver.providers.section import ChannelBase
from runtime.sections import Surroundings


class FileSection(ChannelBase):
    """Writes messages to a file instead of sending them."""

    kind: Literal["file"] = Field(description="A file, for trying out.")
    path: Path = Field(description="File to append to, one JSON object a message; made when it is not there.")

    limits: FallbackLimitsSection = Field(
        default=FallbackLimitsSection(spacing_s=0, per_minute=1000), description="How much may be written."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        path = given.get("path")
        return {**given, "path": around.folder / path} if isinstance(path, str) and path else given

    def address(self, text: str) -> str:
        """Whatever stands there: nobody is written to."""
        return text.strip()

    def remarks(self) -> tuple[str, ...]:
        return (*super().remarks(), "messages of this channel are written to a file and go to nobody")
