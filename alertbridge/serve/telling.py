"""What the parts know, in the bodies of the API."""

from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver import account, deadletters
from alertbridge.deliver.outbox.rows import Attempt, Message
from alertbridge.deliver.providers.base import Session
from alertbridge.deliver.trial import Trial
from alertbridge.parts import Parts
from alertbridge.serve import limits, models
from alertbridge.serve.firing import Firing, FiringPage, Told
from alertbridge.serve.limits import Allowance
from alertbridge.serve.models import moment, moment_or_none
from alertbridge.serve.recent import Sent, SentPage


def firing(page: FiringPage) -> models.FiringEpisodes:
    """What fires."""
    return models.FiringEpisodes(
        counts={severity.value: page.counts.get(severity, 0) for severity in Severity},
        matching=page.matching,
        episodes=[_firing(one) for one in page.shown],
    )


def _firing(one: Firing) -> models.FiringEpisode:
    return models.FiringEpisode(
        episode=one.id,
        fingerprint=one.fingerprint,
        name=one.name,
        severity=one.severity,
        labels=dict(one.labels),
        annotations=dict(one.annotations),
        starts_at=moment(one.starts_at_s),
        flapping=one.flapping,
        acknowledged_by=one.acknowledged_by,
        acknowledged_at=moment_or_none(one.acknowledged_at_s),
        told=[_told(told) for told in one.told],
    )


def _told(one: Told) -> models.ToldRecipient:
    return models.ToldRecipient(
        recipient=one.recipient,
        fate=one.fate,
        reason=one.reason,
        message_id=one.message_id,
        by_fallback=one.by_fallback,
        at=moment_or_none(one.at_s),
        held_until=moment_or_none(one.until_s),
    )


def sent(page: SentPage) -> models.SentMessages:
    """Recent messages."""
    return models.SentMessages(messages=[_sent(one) for one in page.shown], older=page.older)


def _sent(one: Sent) -> models.SentMessage:
    return models.SentMessage(
        id=one.id,
        recipient=one.recipient,
        channel=one.channel,
        kind=one.kind,
        severity=one.severity,
        text=one.text,
        fate=one.fate,
        reason=one.reason,
        by_fallback=one.by_fallback,
        repeated=one.repeated,
        parts=one.parts,
        notices=one.notices,
        attempts=one.attempts,
        created_at=moment(one.created_at_s),
        sent_at=moment_or_none(one.sent_at_s),
        acked_at=moment_or_none(one.acked_at_s),
        delivered_at=moment_or_none(one.delivered_at_s),
        read_at=moment_or_none(one.read_at_s),
    )


async def channels(connection: AsyncConnection, parts: Parts) -> models.Channels:
    """Every channel as this process sees it."""
    left = await limits.of_channels(connection, parts)
    kinds = {section.name: str(getattr(section, "kind", "")) for section in parts.config.channels}
    found = []
    for name in parts.channels.names:
        standing = parts.channels.standing(name)
        found.append(
            models.Channel(
                name=name,
                kind=kinds[name],
                state=standing.state,
                reason=standing.reason,
                since=moment(standing.since_s),
                until=moment_or_none(standing.until_s),
                failures=standing.failures,
                last_sent_at=moment_or_none(standing.last_sent_at_s),
                last_ack_at=moment_or_none(standing.last_ack_at_s),
                session=_session(parts.channels.session(name)),
                limit=_limit(left[name]) if name in left else None,
            )
        )
    recipients = await limits.of_recipients(connection, parts)
    return models.Channels(channels=found, recipients=[_limit(one) for one in recipients])


def _session(session: Session | None) -> models.ChannelSession | None:
    if session is None:
        return None
    return models.ChannelSession(
        state=session.state,
        detail=session.detail,
        own_number=session.own_number,
        pairing_url=session.pairing_url,
        until=moment_or_none(session.until_s),
    )


def _limit(one: Allowance) -> models.LimitLeft:
    return models.LimitLeft(
        bucket=one.bucket,
        about=one.about,
        left=one.left,
        most=one.most,
        critical_left=one.critical_left,
        per_s=one.per_s,
    )


def whereabouts(one: account.Whereabouts) -> models.Whereabouts:
    """Where an episode is."""
    about = one.account
    return models.Whereabouts(
        episode=about.episode_id,
        fingerprint=about.fingerprint,
        starts_at=moment(about.starts_at_s),
        state=about.state,
        reason=about.reason,
        notices=[
            models.EpisodeNotice(
                id=notice.id,
                kind=notice.kind,
                recipient=notice.recipient,
                state=notice.state,
                reason=notice.reason,
                created_at=moment(notice.created_at_s),
                settled_at=moment_or_none(notice.settled_at_s),
                message_id=notice.message_id,
            )
            for notice in one.notices
        ],
        messages=[_part(message) for message in one.messages],
        attempts=[_attempt(attempt) for attempt in one.attempts],
    )


def _part(message: Message) -> models.EpisodeMessage:
    return models.EpisodeMessage(
        id=message.id,
        bundle=message.bundle,
        part=message.part,
        parts=message.parts,
        recipient=message.recipient,
        channel=message.channel,
        state=message.state.value,
        reason=message.reason,
        by_fallback=message.way > 0,
        text=message.text,
        created_at=moment(message.created_at_s),
        sent_at=moment_or_none(message.sent_at_s),
        acked_at=moment_or_none(message.acked_at_s),
        delivered_at=moment_or_none(message.delivered_at_s),
        read_at=moment_or_none(message.read_at_s),
    )


def _attempt(attempt: Attempt) -> models.SendAttempt:
    return models.SendAttempt(
        message_id=attempt.message_id,
        channel=attempt.channel,
        started_at=moment(attempt.started_at_s),
        ended_at=moment_or_none(attempt.ended_at_s),
        outcome=attempt.outcome,
        reason=attempt.reason,
        provider_id=attempt.provider_id,
    )


def day(found: account.DayAccount) -> models.DayAccount:
    """The account of a day."""
    return models.DayAccount(
        day=found.day.isoformat(),
        received=found.received,
        **found.states,
        reasons=found.reasons,
        rejected=found.rejected,
        closes=found.closes,
    )


def dead(letter: deadletters.DeadLetter) -> models.DeadLetter:
    """A dead letter."""
    return models.DeadLetter(
        id=letter.id,
        recipient=letter.recipient,
        channel=letter.channel,
        severity=Severity(letter.severity),
        text=letter.text,
        reason=letter.reason,
        created_at=moment(letter.created_at_s),
        notices=letter.notices,
        attempts=letter.attempts,
    )


def trial(found: Trial) -> models.TestSent:
    """How a test message went."""
    return models.TestSent(
        recipient=found.recipient,
        channel=found.channel,
        taken=found.taken,
        outcome=found.outcome.kind,
        reason=found.outcome.reason,
        detail=found.outcome.detail,
        proof=found.proof,
        took_s=found.took_s,
    )
