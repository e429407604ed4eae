"""A file as a provider: what is on disk has arrived."""

import asyncio
import json
import os

from alertbridge.deliver.providers.base import Outcome, Outgoing, Traits
from alertbridge.deliver.providers.file.config import FileSection
from alertbridge.deliver.providers.local import Local
from alertbridge.deliver.providers.verdicts import accept, retry
from runtime.clock import Clock


class JsonLines(Local[FileSection]):
    """Appends a line a message: id, at (Unix seconds), to, text, quote, template fields, name of the picture."""

    def __init__(self, section: FileSection, clock: Clock) -> None:
        super().__init__(section, Traits(text_limit=65_000, acks_on_accept=True))
        self._clock = clock
        self._lock = asyncio.Lock()

    async def send(self, message: Outgoing) -> Outcome:
        """Writes it and has it on the disk before it counts as sent."""
        line = json.dumps(
            {
                "id": message.id,
                "at": self._clock.time(),
                "to": message.address,
                "text": message.text,
                "quote": message.quote_id,
                "template": dict(message.template_fields) if message.as_template else None,
                "image": message.image.file_name if message.image is not None else None,
            },
            ensure_ascii=False,
        )
        try:
            async with self._lock:
                await asyncio.to_thread(self._append, line)
        except (OSError, ValueError) as error:
            return retry("unwritable").outcome(type(error).__name__)
        return accept().outcome(provider_id=message.id)

    def _append(self, line: str) -> None:
        with self._section.path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
