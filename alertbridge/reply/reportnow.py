"""A report for who asks, as of now; see `ports.Reports`."""

from collections.abc import Callable, Sequence

from alertbridge.deliver.model import Body
from alertbridge.report.composing import Composer
from alertbridge.report.config import ReportEntry
from alertbridge.report.schedule import Kind
from runtime.clock import Clock

USUAL = ReportEntry(name="daily", recipients=("whoever asks",))


class ReportNow:
    """Like the first daily report of the configuration; with everything in it when there is none."""

    def __init__(
        self, composer: Composer, entries: Callable[[], Sequence[ReportEntry]], clock: Clock
    ) -> None:
        self._composer = composer
        self._entries = entries
        self._clock = clock

    async def now(self, language: str) -> Body:
        """Of the 24 hours until now, in `language`. Raises StoreError."""
        entry = next((one for one in self._entries() if one.what is Kind.DAILY), USUAL)
        gathered = await self._composer.gather(entry, self._clock.time())
        return await self._composer.body(entry, gathered, language)
