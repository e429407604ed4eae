"""The operator's own templates: read from a folder, checked before they are used."""

from collections.abc import Iterator
from pathlib import Path

from pydantic_core import InitErrorDetails


def template_faults(folder: Path, *place: str | int) -> Iterator[InitErrorDetails]:
    """What is wrong with the templates in `folder`, told at `place`."""
    yield from ()
