"""What is critical goes out even while nothing can be stored: directly, over the fallbacks, without a record.

Whoever sent the alert is still told to try again (503), since nothing of this is on the disk: it may be told twice,
never not at all.
"""

from collections.abc import Callable, Iterable, Sequence

import structlog

from alertbridge.alerts import Alert, AlertStatus, Severity
from alertbridge.deliver.deliveryconfig import SendingSection
from alertbridge.deliver.model import Kind, Notice, Subject
from alertbridge.deliver.outbox.rows import new_id
from alertbridge.deliver.ports import Providers, Recipients, Texts
from alertbridge.deliver.providers.base import OutcomeClass, Outgoing, Traits
from alertbridge.deliver.render.text import shorten
from alertbridge.deliver.route.addressbook import Recipient, Way
from runtime.clock import Clock

log = structlog.get_logger(__name__)

MOST_REMEMBERED = 10_000
SPACING_S = 10.0
"""To one recipient no more than one message in so many seconds."""

NOTE = {
    "id": "[Darurat: penyimpanan bermasalah, dikirim langsung]",
    "en": "[Emergency: the store is in trouble, sent directly]",
}
_TOOK = (OutcomeClass.ACCEPTED, OutcomeClass.QUEUED_REMOTE, OutcomeClass.UNKNOWN)


class Emergency:
    """Tells critical alerts from memory, each once in a while."""

    def __init__(
        self,
        clock: Clock,
        book: Recipients,
        providers: Providers,
        texts: Texts,
        section: SendingSection,
        recipients_of: Callable[[Alert], Iterable[str]],
    ) -> None:
        """`recipients_of` says who is told of an alert."""
        self._clock = clock
        self._book = book
        self._providers = providers
        self._texts = texts
        self._section = section
        self._recipients_of = recipients_of
        self._told_s: dict[tuple[str, str], float] = {}
        self._last_s: dict[str, float] = {}
        self._unrecorded: dict[int, None] = {}

    @property
    def unrecorded(self) -> tuple[int, ...]:
        """Notices of the store that were told while it could not be written."""
        return tuple(self._unrecorded)

    def recorded(self, ids: Iterable[int]) -> None:
        """The store knows of these now."""
        for one in ids:
            self._unrecorded.pop(one, None)

    async def tell(self, alerts: Sequence[Alert]) -> int:
        """Tells those of `alerts` that are critical, fire and were not told lately; how many messages left."""
        now_s = self._clock.time()
        return await self.tell_notices(
            [
                _notice(alert, name, now_s)
                for alert in alerts
                if alert.status is AlertStatus.FIRING and alert.severity is Severity.CRITICAL
                for name in dict.fromkeys(self._recipients_of(alert))
            ]
        )

    async def tell_notices(self, waiting: Iterable[Notice]) -> int:
        """Tells notices about alerts, each alert once in a while; how many messages left."""
        wanted: dict[str, list[Notice]] = {}
        for notice in waiting:
            if notice.subject is not None and self._is_new(notice.recipient, notice.subject.fingerprint):
                wanted.setdefault(notice.recipient, []).append(notice)
        left = 0
        for name, told in wanted.items():
            recipient = self._book.get(name)
            now_s = self._clock.monotonic()
            if recipient is None or now_s - self._last_s.get(name, -SPACING_S) < SPACING_S:
                continue
            self._last_s[name] = now_s
            if await self._send(recipient, told):
                left += 1
                for notice in told:
                    self._note(notice, now_s)
        return left

    def _note(self, notice: Notice, now_s: float) -> None:
        if notice.subject is not None:
            self._told_s[notice.recipient, notice.subject.fingerprint] = now_s
        if notice.id:
            self._unrecorded[notice.id] = None

    def _is_new(self, recipient: str, fingerprint: str) -> bool:
        now_s = self._clock.monotonic()
        if len(self._told_s) > MOST_REMEMBERED:
            pause_s = self._section.emergency_pause_s
            self._told_s = {key: at_s for key, at_s in self._told_s.items() if now_s - at_s < pause_s}
        told_s = self._told_s.get((recipient, fingerprint))
        return told_s is None or now_s - told_s >= self._section.emergency_pause_s

    async def _send(self, recipient: Recipient, told: Sequence[Notice]) -> bool:
        """Over the fallbacks in their order, over the first way when there is none or none works."""
        for way in (*recipient.fallbacks, recipient.ways[0]):
            provider = self._providers.get(way.channel)
            if provider is None:
                continue
            text = self._text(recipient, told, provider.traits)
            outcome = await provider.send(self._outgoing(way, text))
            log.warning(
                "emergency.sent",
                recipient=recipient.name,
                channel=way.channel,
                outcome=outcome.kind.value,
                reason=outcome.reason,
                alerts=len(told),
            )
            if outcome.kind in _TOOK:
                return True
        return False

    def _outgoing(self, way: Way, text: str) -> Outgoing:
        fields = {"severity": Severity.CRITICAL.value, "title": text.splitlines()[-1], "text": text}
        return Outgoing(id=new_id(), address=way.address, text=text, template_fields=fields)

    def _text(self, recipient: Recipient, told: Sequence[Notice], traits: Traits) -> str:
        now_s = self._clock.time()
        rich = traits.formats_whatsapp
        language = recipient.language
        if len(told) == 1:
            text = self._texts.alert(told[0], language=language, now_s=now_s, rich=rich)
        else:
            text = self._texts.digest(told, since_s=now_s, language=language, now_s=now_s, rich=rich)
        return shorten(f"{NOTE.get(language, NOTE['en'])}\n{text}", traits.text_limit, language)


def _notice(alert: Alert, recipient: str, now_s: float) -> Notice:
    subject = Subject(
        episode_id=0,
        fingerprint=alert.fingerprint,
        status=alert.status,
        name=alert.name,
        severity=alert.severity,
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at_s=alert.starts_at_s,
        generator_url=alert.generator_url,
    )
    return Notice(0, Kind.FIRING, recipient, alert.severity, now_s, now_s, subject=subject)
