"""What handlers find in the application, by typed key."""

from collections.abc import Callable

from aiohttp import web

from alertbridge.parts import Parts
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.store.database import Database
from runtime.clock import Clock
from runtime.guards import Guards

DATABASE = web.AppKey("database", Database)
PARTS: web.AppKey[Callable[[], Parts]] = web.AppKey("parts")
"""The parts that deliver now; a reload replaces them."""
METRICS = web.AppKey("metrics", SelfMetrics)
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
GUARDS = web.AppKey("guards", Guards)
"""For calls that want a login: `request.app[GUARDS]`, `request[PRINCIPAL]`."""
