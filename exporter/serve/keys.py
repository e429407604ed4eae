"""What handlers find in the application, by typed key."""

from aiohttp import web

from exporter.events.following import Events
from exporter.fleet import Fleet
from exporter.live.rooms import Live
from exporter.performance import Performance
from exporter.probes.registry import Probes
from exporter.selfmetrics import SelfMetrics
from runtime.guards import Guards

FLEET = web.AppKey("fleet", Fleet)
PROBES = web.AppKey("probes", Probes)
SELF_METRICS = web.AppKey("self_metrics", SelfMetrics)
PERFORMANCE = web.AppKey("performance", Performance)
GUARDS = web.AppKey("guards", Guards)
"""For calls that want a bearer token: `request.app[GUARDS].require_bearer(request)`."""
EVENTS = web.AppKey("events", Events)
LIVE = web.AppKey("live", Live)
