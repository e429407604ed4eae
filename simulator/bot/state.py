"""The bot itself: session, queue, acknowledgements, log. Knows no HTTP; time is handed in (Unix seconds)."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .faults import SESSION_FAULTS, BotFaults
from .news import News
from .session import TRANSITIONS, Event, SessionState

CONNECT_S = 0.5
"""How long connecting takes."""
FRAME_EVERY_S = 1.0
RECEIVE_EVERY_S = 7.0
SELF_PROBE_EVERY_S = 5.0
ACK_AFTER_S = 0.2
SEND_EVERY_S = 0.1
"""One message leaves the queue in that time."""
LOG_LIMIT = 1000

DISCONNECTS = {428: "connectionClosed", 401: "loggedOut", 403: "forbidden", 440: "connectionReplaced"}


@dataclass(slots=True)
class Message:
    """One message that was given to the bot; `status` is one of RECEIPTS, `image` is base64."""

    id: str
    to: str
    text: str
    at_s: float
    status: str = "queued"
    sent_at_s: float | None = None
    image: str | None = None
    error: str | None = None


RECEIPTS = ("queued", "sent", "server_ack", "delivered", "read", "failed")
"""In this order; nothing goes back."""


@dataclass(slots=True)
class Times:
    """When things last happened; None for never."""

    frame_s: float | None = None
    received_s: float | None = None
    sent_s: float | None = None
    ack_s: float | None = None
    probe_s: float | None = None
    disconnect_s: float | None = None
    since_s: float | None = None


@dataclass(slots=True)
class Counts:
    """Since the process began."""

    sent: int = 0
    received: int = 0
    failed: int = 0
    reconnects: int = 0


@dataclass(slots=True)
class SimulatedBot:
    """Lives by `advance`, which does all that has happened up to a point in time."""

    began_s: float
    faults: BotFaults = field(default_factory=BotFaults)
    state: SessionState = SessionState.CONNECTING
    times: Times = field(default_factory=Times)
    counts: Counts = field(default_factory=Counts)
    messages: dict[str, Message] = field(default_factory=dict)
    queue: deque[Message] = field(default_factory=deque)
    news: deque[News] = field(default_factory=lambda: deque(maxlen=LOG_LIMIT))
    log: deque[dict[str, object]] = field(default_factory=lambda: deque(maxlen=LOG_LIMIT))
    disconnect_code: int | None = None
    probe_ok: bool | None = None
    _now_s: float = 0.0
    _state_since_s: float = 0.0
    _next_id: int = 1

    def __post_init__(self) -> None:
        self._now_s = self._state_since_s = self.began_s
        self._note("started")

    def __repr__(self) -> str:
        return f"<SimulatedBot {self.state.value} queue={len(self.queue)} {self.faults!r}>"

    def _apply(self, event: Event, *, code: int | None = None) -> bool:
        """The only place that assigns the state; False for what does not happen in this state."""
        new = TRANSITIONS.get((self.state, event))
        if new is None or new is self.state:
            return False
        self.state, self._state_since_s = new, self._now_s
        self.times.since_s = self._now_s if new is SessionState.OPEN else None
        if code is not None:
            self.disconnect_code, self.times.disconnect_s = code, self._now_s
        self._note(event.value, state=new.value)
        return True

    def _note(self, event: str, **more: object) -> None:
        self.log.append({"at": iso(self._now_s), "event": event, **more})

    # -- what happens by itself

    def advance(self, now_s: float) -> None:
        """Everything that happens until `now_s`."""
        self._now_s = max(now_s, self._now_s)
        self._suffer()
        in_state_s = self._now_s - self._state_since_s
        if self.state is SessionState.CONNECTING and in_state_s >= CONNECT_S:
            self._apply(Event.OPENED)
        if self.state is SessionState.OPEN:
            self._send()
            if "half_dead" not in self.faults:
                self._live()
            self._probe()

    def _suffer(self) -> None:
        """What the faults that are on do to the session."""
        for name, event in zip(SESSION_FAULTS, (Event.DROPPED, Event.LOGGED_OUT, Event.BANNED), strict=True):
            if name in self.faults:
                self._apply(event, code=int(self.faults.parameter(name, "code")))

    def _send(self) -> None:
        while self.queue and "queue_stuck" not in self.faults:
            last_s = self.times.sent_s or 0.0
            if self._now_s - last_s < SEND_EVERY_S:
                return
            message = self.queue.popleft()
            message.status, message.sent_at_s = "sent", self._now_s
            self.times.sent_s = self._now_s
            self.counts.sent += 1
            self._note("sent", id=message.id, to=message.to)

    def _live(self) -> None:
        """Frames, messages and acknowledgements come in."""
        times = self.times
        if self._now_s - (times.frame_s or 0.0) >= FRAME_EVERY_S:
            times.frame_s = self._now_s
        if self._now_s - (times.received_s or self.began_s) >= RECEIVE_EVERY_S:
            self.receive("6281300000002", "ping")
        for message in self._unacked():
            if self._now_s - (message.sent_at_s or 0.0) < ACK_AFTER_S:
                continue
            times.frame_s = self._now_s
            if "timelock" in self.faults:
                self.counts.failed += 1
                self.receipt(message.id, "failed", "463")
            else:
                times.ack_s = self._now_s
                self.receipt(message.id, "server_ack")

    def _probe(self) -> None:
        """A note to itself, every now and then."""
        if self._now_s - (self.times.probe_s or self._state_since_s) < SELF_PROBE_EVERY_S:
            return
        self.times.probe_s = self._now_s
        dead = "half_dead" in self.faults
        if not dead:
            self.probe_ok = True
            self.times.ack_s = self.times.frame_s = self._now_s
        elif self.faults.parameter("half_dead", "self_probe_tells"):
            self.probe_ok = False

    def _unacked(self) -> list[Message]:
        return [message for message in self.messages.values() if message.status == "sent"]

    # -- what others do

    def send(self, to: str, text: str, message_id: str | None = None, *, image: str | None = None) -> Message:
        """Queue a message; one with an `id` that was there before is the one of before."""
        if message_id is not None and message_id in self.messages:
            return self.messages[message_id]
        own_id = message_id or f"SIM{self._next_id:08d}"
        self._next_id += 1
        message = Message(own_id, to, text, self._now_s, image=image)
        self.messages[own_id] = message
        while len(self.messages) > LOG_LIMIT:
            self.messages.pop(next(iter(self.messages)))
        self.queue.append(message)
        self._note("queued", id=own_id, to=to)
        return message

    def receipt(self, message_id: str, status: str, error: str | None = None) -> bool:
        """What became of a message; False when it is unknown or was further already."""
        message = self.messages.get(message_id)
        if message is None or RECEIPTS.index(status) <= RECEIPTS.index(message.status):
            return False
        message.status, message.error = status, error
        self._note(status, id=message.id)
        told: dict[str, object] = {"event": "ack", "id": message.id, "status": status}
        if error is not None:
            told["error"] = error
        self.news.append(News(told, message if status in ("server_ack", "failed") else None))
        return True

    def hear(self, inbound: Mapping[str, object]) -> bool:
        """Somebody writes to it; False when it hears nothing now."""
        if self.state is not SessionState.OPEN or "half_dead" in self.faults:
            return False
        self.receive(str(inbound["from"]), str(inbound["text"]))
        self.news.append(News({"event": "message", **inbound}))
        return True

    def receive(self, sender: str, text: str) -> None:
        """A message comes in."""
        self.times.received_s = self.times.frame_s = self._now_s
        self.counts.received += 1
        self._note("received", sender=sender, text=text)

    def reconnect(self) -> bool:
        """Close and open the session; False when that cannot help."""
        if "disconnect" in self.faults and self.faults.parameter("disconnect", "curable"):
            self.faults.clear("disconnect")
        happened = self._apply(Event.RETRIED)
        self.counts.reconnects += happened
        return happened

    def logout(self) -> None:
        """Give up the link with the phone."""
        self._apply(Event.LOGGED_OUT, code=401)

    def show_qr(self) -> bool:
        """Begin pairing; False when there is nothing to pair."""
        self._apply(Event.QR_SHOWN)
        return self.state is SessionState.NEEDS_QR

    def scan(self) -> bool:
        """Somebody scans the code with the phone."""
        self.faults.clear("logged_out")
        return self._apply(Event.SCANNED)

    def mend(self, name: str | None = None) -> None:
        """Switch a fault off, or all; a session that it had ended is opened again."""
        ended = [one for one in SESSION_FAULTS if one in self.faults and name in (None, one)]
        self.faults.clear(name)
        if ended:
            self._apply(Event.MENDED)

    def clear_queue(self, older_than_s: float, ids: Container[object] | None = None) -> int:
        """Drop what has waited that long, of `ids` only when there are any; returns how many."""
        gone = [
            message
            for message in self.queue
            if self._now_s - message.at_s >= older_than_s and (ids is None or message.id in ids)
        ]
        for message in gone:
            self.queue.remove(message)
            message.status = "failed"
            self.counts.failed += 1
        self._note("queue_cleared", removed=len(gone))
        return len(gone)

    # -- what it tells

    @property
    def can_send(self) -> bool:
        """Whether a message given to it now would, as far as it knows, go out."""
        return self.state is SessionState.OPEN

    def health(self) -> dict[str, object]:
        """The body of ``GET /health``."""
        times, unacked = self.times, self._unacked()
        oldest_s = min((message.sent_at_s or 0.0 for message in unacked), default=None)
        disconnect = None
        if self.disconnect_code is not None:
            disconnect = {
                "code": self.disconnect_code,
                "name": DISCONNECTS.get(self.disconnect_code, "unknown"),
                "at": iso(times.disconnect_s),
                "reconnect": self.disconnect_code not in (401, 403),
            }
        return {
            "status": "ok" if self.can_send else self.state.value,
            "connection": {SessionState.OPEN: "open", SessionState.CONNECTING: "connecting"}.get(
                self.state, "close"
            ),
            "logged_in": self.state not in (SessionState.LOGGED_OUT, SessionState.NEEDS_QR),
            "needs_qr": self.state is SessionState.NEEDS_QR,
            "jid": "6281200000001@s.whatsapp.net",
            "since": iso(times.since_s),
            "uptime_s": round(self._now_s - self.began_s, 3),
            "last_frame_at": iso(times.frame_s),
            "last_inbound_at": iso(times.received_s),
            "last_outbound_at": iso(times.sent_s),
            "last_ack_at": iso(times.ack_s),
            "oldest_unacked_at": iso(oldest_s),
            "last_probe": None
            if times.probe_s is None
            else {"at": iso(times.probe_s), "ok": self.probe_ok, "rtt_ms": 200 if self.probe_ok else None},
            "last_disconnect": disconnect,
            "reachout_timelock_until": iso(self._timelock_until_s()),
            "queue": self.queue_state(),
            "messages": {
                "sent": self.counts.sent,
                "received": self.counts.received,
                "failed": self.counts.failed,
            },
            "reconnects": self.counts.reconnects,
            "versions": {"bot": "1.4.0", "baileys": "7.0.0-rc13", "wa": "2.3000.1030"},
        }

    def _timelock_until_s(self) -> float | None:
        return (
            self._now_s + self.faults.parameter("timelock", "seconds") if "timelock" in self.faults else None
        )

    def queue_state(self) -> dict[str, object]:
        """The body of ``GET /queue``."""
        oldest_s = self._now_s - self.queue[0].at_s if self.queue else 0.0
        return {"pending": len(self.queue), "oldest_s": round(oldest_s, 3), "failed": self.counts.failed}

    def queued(self, offset: int, limit: int) -> list[dict[str, object]]:
        """Messages that wait, oldest first, for ``GET /queue?full=1``."""
        return [
            {
                "id": message.id,
                "to": message.to,
                "text": message.text,
                "image": message.image,
                "at": iso(message.at_s),
                "age_s": round(self._now_s - message.at_s, 3),
            }
            for message in itertools.islice(self.queue, offset, offset + limit)
        ]


def iso(at_s: float | None) -> str | None:
    """UTC as in ``2026-11-22T20:00:01.250Z``."""
    if at_s is None:
        return None
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
