"""The metrics of events, each with the menu it is counted from."""

from exporter.samples import Family, Kind

LINK_DOWNS = Family(
    "mikrotik_events_link_downs_total",
    Kind.COUNTER,
    "Times an interface lost its link since the exporter started, those between two scrapes included.",
    "/interface running, link-downs",
    ("interface",),
)
LINK_UPS = Family(
    "mikrotik_events_link_ups_total",
    Kind.COUNTER,
    "Times an interface was seen to gain its link since the exporter started.",
    "/interface running",
    ("interface",),
)
SESSIONS_STARTED = Family(
    "mikrotik_events_sessions_started_total",
    Kind.COUNTER,
    "Sessions that started since the exporter started, those shorter than a scrape's interval included.",
    "/ppp/active, /ip/hotspot/active",
    ("service",),
)
SESSIONS_ENDED = Family(
    "mikrotik_events_sessions_ended_total",
    Kind.COUNTER,
    "Sessions that ended since the exporter started.",
    "/ppp/active, /ip/hotspot/active",
    ("service",),
)
SESSION_END_REASONS = Family(
    "mikrotik_events_session_end_reasons_total",
    Kind.COUNTER,
    "Ends of sessions that the log gave a reason for, since the exporter started.",
    "/log topics, message",
    ("service", "reason"),
)
LOGINS_FAILED = Family(
    "mikrotik_events_logins_failed_total",
    Kind.COUNTER,
    "Logins that the log tells were refused, since the exporter started; of users of the router, too.",
    "/log topics, message",
    ("service",),
)
RECEIVED = Family(
    "mikrotik_events_received_total",
    Kind.COUNTER,
    "Changes that a stream has brought.",
    labels=("menu",),
)
GAPS = Family(
    "mikrotik_events_gaps_total",
    Kind.COUNTER,
    "Times a stream ended by itself; what came and went until the next one began is missed.",
    labels=("menu",),
)
STREAM_UP = Family(
    "mikrotik_events_stream_up",
    Kind.GAUGE,
    "1 while a stream brings changes; 0 while it is down, and for good once it is switched off.",
    labels=("menu",),
)
STREAM_OFF = Family(
    "mikrotik_events_stream_switched_off",
    Kind.GAUGE,
    "1 if a stream ended too often and was switched off, until the router's settings change or a restart.",
    labels=("menu",),
)
FAMILIES = (
    *(LINK_DOWNS, LINK_UPS, SESSIONS_STARTED, SESSIONS_ENDED, SESSION_END_REASONS, LOGINS_FAILED),
    *(RECEIVED, GAPS, STREAM_UP, STREAM_OFF),
)
