"""Logging section."""

from typing import Literal

from pydantic import Field

from runtime.sections import Section


class LogSection(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )
    format: Literal["console", "json"] = Field(
        default="console", description="`console`: one line of key=value pairs; `json`: one object per line."
    )
