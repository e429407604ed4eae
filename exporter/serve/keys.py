"""What handlers find in the application, by typed key."""

from aiohttp import web

from exporter.fleet import Fleet
from exporter.selfmetrics import SelfMetrics

FLEET = web.AppKey("fleet", Fleet)
SELF_METRICS = web.AppKey("self_metrics", SelfMetrics)
