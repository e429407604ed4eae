"""What people are told of recovery, in Indonesian and English, in the transaction of what it tells."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.render.humanise import duration
from alertbridge.deliver.render.text import escape
from alertbridge.recover.config import RecoverySection, RuleSection, TextKind
from alertbridge.recover.model import Run
from alertbridge.recover.parameters import Unrendered, rendered_text
from alertbridge.recover.ports import People, Teller
from alertbridge.recover.reasons import reason_words
from alertbridge.store.schema import episodes
from runtime.clock import Clock

log = structlog.get_logger(__name__)

URGENT: frozenset[str] = frozenset(
    {"not_cured", "exhausted", "refused", "interrupted", "stays", "asked", "not_undone", "undo_lost"}
)
"""What a person must act upon; it goes to those of `escalate` as well, with the severity of the worst."""

TEXTS: Mapping[str, Mapping[str, str]] = {
    "acted": {
        "id": "🔧 {alert}: {action} dijalankan pada {target} (aturan {rule}, run {run}). Hasilnya menyusul.",
        "en": "🔧 {alert}: {action} is run on {target} (rule {rule}, run {run}). What comes of it follows.",
    },
    "cured": {
        "id": "✅ {alert} pulih: {target}, {tries}x {action} dalam {duration} (aturan {rule}, run {run}).",
        "en": "✅ {alert} is cured: {target}, {tries}x {action} in {duration} (rule {rule}, run {run}).",
    },
    "not_cured": {
        "id": "❓ {alert}: {action} dijalankan pada {target}, tetapi hasilnya tidak dapat dipastikan "
        "(aturan {rule}, run {run}). Mohon diperiksa.",
        "en": "❓ {alert}: {action} was run on {target}, and nobody can tell whether it helped "
        "(rule {rule}, run {run}). Please look.",
    },
    "exhausted": {
        "id": "🆘 {alert} belum pulih: {target}, {tries} percobaan gagal ({reason}). Aturan {rule} berhenti; "
        "perlu tindakan petugas (run {run}). {detail}",
        "en": "🆘 {alert} is not cured: {target}, {tries} tries did not help ({reason}). Rule {rule} stops; "
        "a person must act (run {run}). {detail}",
    },
    "refused": {
        "id": "🆘 {alert}: {target} tidak disentuh ({reason}). Perlu tindakan petugas (run {run}). {detail}",
        "en": "🆘 {alert}: {target} is left alone ({reason}). A person must act (run {run}). {detail}",
    },
    "interrupted": {
        "id": "❓ {alert}: {action} pada {target} terputus dan hasilnya tidak diketahui; tidak diulang "
        "(aturan {rule}, run {run}). Mohon diperiksa. {detail}",
        "en": "❓ {alert}: {action} on {target} was interrupted and its outcome is not known; it is not repeated "
        "(rule {rule}, run {run}). Please look. {detail}",
    },
    "asked": {
        "id": "🔐 {alert}: jalankan {action} pada {target}? Balas: ya {code} (berlaku {duration}). "
        "Untuk menolak: tidak {code}. Aturan {rule}, run {run}.",
        "en": "🔐 {alert}: run {action} on {target}? Reply: yes {code} (good for {duration}). "
        "To refuse: no {code}. Rule {rule}, run {run}.",
    },
    "too_often": {
        "id": "⚠️ {target} sudah {number}x dipulihkan oleh aturan {rule} dalam {duration}. Penyebabnya perlu dicari.",
        "en": "⚠️ {target} was cured {number} times by rule {rule} within {duration}. The cause needs looking for.",
    },
    "dry_run": {
        "id": "📝 {alert}: aturan {rule} akan menjalankan {action} pada {target} (uji coba, tidak ada yang dilakukan).",
        "en": "📝 {alert}: rule {rule} would run {action} on {target} (dry run, nothing is done).",
    },
    "stays": {
        "id": "⚠️ {alert} masih berlangsung. Aturan {rule} tidak bertindak sekarang ({reason}).",
        "en": "⚠️ {alert} stays. Rule {rule} does not act now ({reason}; {detail}).",
    },
    "stopped": {
        "id": "⏸️ {alert}: {action} pada {target} tidak dilanjutkan ({reason}; aturan {rule}, run {run}).",
        "en": "⏸️ {alert}: {action} on {target} is not gone on with ({reason}; rule {rule}, run {run}).",
    },
    "undone": {
        "id": "↩️ {alert}: {action} pada {target} sudah dibatalkan (run {run}).",
        "en": "↩️ {alert}: {action} on {target} was taken back (run {run}).",
    },
    "not_undone": {
        "id": "🆘 {alert}: {action} pada {target} tidak dibatalkan ({reason}); perubahannya masih ada (run {run}). "
        "{detail}",
        "en": "🆘 {alert}: {action} on {target} was not taken back ({reason}); what it changed stands (run {run}). "
        "{detail}",
    },
    "undo_lost": {
        "id": "❓ {alert}: pembatalan {action} pada {target} terputus dan hasilnya tidak diketahui; tidak diulang "
        "(run {run}). Mohon diperiksa. {detail}",
        "en": "❓ {alert}: taking back {action} on {target} was interrupted and its outcome is not known; it is not "
        "repeated (run {run}). Please look. {detail}",
    },
}

_KEPT: Sequence[tuple[re.Pattern[str], Mapping[str, str]]] = (
    (
        re.compile(r"until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"),
        {"id": "Berlaku sampai {}.", "en": "It lasts until {}."},
    ),
    (re.compile(r"(https?://\S+)$"), {"id": "Pasangkan lagi di {}", "en": "Pair it again at {}"}),
)
"""What must be told of an action's English detail in every language: when it is over, and where to pair again."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is told: texts become facts of these. `duration_s` and `number` mean what the kind says."""

    rule: str
    alert: str
    severity: Severity
    labels: Mapping[str, str]
    action: str
    target: str
    episode_id: int | None = None
    run: int = 0
    tries: int = 0
    duration_s: float = 0.0
    number: int = 0
    reason: str = ""
    detail: str = ""
    code: str = ""

    @classmethod
    def of(cls, run: Run, *, duration_s: float = 0.0, number: int = 0, code: str = "") -> "Matter":
        """A run as it is now."""
        return cls(
            rule=run.rule,
            alert=run.alert,
            severity=run.severity,
            labels=run.labels,
            action=run.now.action,
            target=run.now.target,
            episode_id=run.episode_id,
            run=run.id,
            tries=run.acted,
            duration_s=duration_s,
            number=number,
            reason=run.reason,
            detail=run.detail,
            code=code,
        )

    def text(self, kind: str, language: str, own: str = "") -> str:
        """The message. `own` is the operator's text for it; one that cannot be made of this run is left out."""
        facts: dict[str, object] = {
            "rule": escape(self.rule),
            "alert": escape(self.alert),
            "action": self.action,
            "target": escape(self.target),
            "run": self.run,
            "tries": self.tries,
            "duration": duration(self.duration_s, language),
            "number": self.number,
            "reason": escape(reason_words(self.reason, language)),
            "detail": escape(self.detail),
        }
        if own:
            try:
                text = rendered_text(own, {**facts, "labels": dict(self.labels)})
            except Unrendered as error:
                log.warning("recovery.own_text_failed", rule=self.rule, kind=kind, detail=str(error))
            else:
                return f"{text} {self.code}".strip() if kind == "asked" else text
        words = TEXTS[kind].get(language, TEXTS[kind]["en"])
        told = {**facts, "detail": escape(self._more(language)), "code": self.code}
        return " ".join(words.format(**told).split())

    def _more(self, language: str) -> str:
        """What actions say is English. Others read what they need to act, and the rest in the audit."""
        if language == "en":
            return self.detail
        found = ((pattern.search(self.detail), words) for pattern, words in _KEPT)
        return " ".join(words.get(language, words["en"]).format(seen[1]) for seen, words in found if seen)


class Telling:
    """Puts messages before the people that a rule names."""

    def __init__(self, teller: Teller, people: People, section: RecoverySection, clock: Clock) -> None:
        self._teller = teller
        self._people = people
        self._section = section
        self._clock = clock

    async def tell(
        self,
        connection: AsyncConnection,
        kind: TextKind,
        matter: Matter,
        rule: RuleSection | None,
        *,
        only: Iterable[str] = (),
    ) -> Sequence[str]:
        """The recipients whose lanes have something new; `woken` them after the commit. `only` names them if given."""
        names = tuple(only) or self._names(kind, rule)
        own = rule.texts.get(kind, "") if rule is not None else ""
        urgent = kind in URGENT or kind == "too_often"
        severity = Severity.CRITICAL if urgent else Severity.WARNING
        told: list[str] = []
        for person in self._people.of(names, self._clock.time()):
            await self._teller.enqueue(
                Kind.SYSTEM,
                person.name,
                Body(matter.text(kind, person.language, own)),
                severity=severity,
                language=person.language,
                episode_id=await _kept(connection, matter.episode_id),
                connection=connection,
            )
            told.append(person.name)
        return told

    def woken(self, recipients: Iterable[str]) -> None:
        """What was told is committed."""
        if names := list(recipients):
            self._teller.notices_made(names)

    def _names(self, kind: TextKind, rule: RuleSection | None) -> tuple[str, ...]:
        usual = (rule.tell if rule is not None else ()) or self._section.tell
        if kind not in URGENT and kind != "too_often":
            return usual
        if rule is None or not rule.escalate.to:
            return usual
        return rule.escalate.to if kind == "too_often" else (*usual, *rule.escalate.to)


async def _kept(connection: AsyncConnection, episode_id: int | None) -> int | None:
    """The episode, unless retention took it."""
    if episode_id is None:
        return None
    found = await connection.execute(select(episodes.c.id).where(episodes.c.id == episode_id))
    return found.scalar()
