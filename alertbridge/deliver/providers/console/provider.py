"""The terminal as a provider: what is shown has arrived."""

import sys
from typing import TextIO

from alertbridge.deliver.providers.base import Outcome, Outgoing, Traits
from alertbridge.deliver.providers.console.config import ConsoleSection
from alertbridge.deliver.providers.local import Local
from alertbridge.deliver.providers.verdicts import accept, retry


class Console(Local[ConsoleSection]):
    """Writes messages to `stream`, one below the other."""

    def __init__(self, section: ConsoleSection, *, stream: TextIO | None = None) -> None:
        super().__init__(section, Traits(text_limit=65_000, acks_on_accept=True, takes_our_id=True))
        self._stream = stream

    async def send(self, message: Outgoing) -> Outcome:
        """Shows it; control characters, which could steer the terminal, are left out."""
        stream = self._stream or sys.stdout
        text = "".join(c for c in message.text if c.isprintable() or c == "\n").replace("\n", "\n    ")
        picture = f" with {message.image.file_name}" if message.image is not None else ""
        try:
            stream.write(f"-- to {message.address}{picture}\n    {text}\n")
            stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return retry("unwritable").outcome(type(error).__name__)
        return accept().outcome(provider_id=message.id)
