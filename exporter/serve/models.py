"""What the JSON API says, as pydantic models; the OpenAPI document and `docs/reference/api.md` come from them.

Durations are seconds (`_s`), ratios 0 to 1, times RFC 3339 in UTC. What is not known is null.
"""

from datetime import datetime
from enum import StrEnum

from exporter.judgement import Health
from runtime.serving.bodies import Body


class State(StrEnum):
    """Whether the router answered when it was last asked."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class BreakerState(StrEnum):
    """State of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Reason(Body):
    """Why a router is not healthy."""

    code: str
    """Stable word for programs."""
    text: str
    """Sentence for people."""


class Breaker(Body):
    """The circuit breaker of one router."""

    state: BreakerState
    failures: int
    """Failures in a row counted so far."""
    retry_in_s: float | None
    """Seconds until the next try may go; null while closed."""
    why: str
    """What opened it last; empty if it never opened or was reset."""


class LastScrape(Body):
    """The latest scrape that asked the router."""

    at: datetime
    duration_s: float
    """Until the refreshes that were due had ended, as far as they have; 0 when everything was fresh."""


class Slowest(Body):
    """The collector whose latest refresh took longest."""

    collector: str
    duration_s: float


class Error(Body):
    """A failure, with the class under which the metrics count it."""

    failure_class: str
    message: str


class PastError(Error):
    """The latest failure, perhaps over by now."""

    collector: str | None
    """Whose command failed; null if it was the connection."""
    at: datetime


class Router(Body):
    """One router at a glance."""

    name: str
    """Value of the `router` label."""
    address: str
    port: int
    tls: bool
    module: str
    labels: dict[str, str]
    state: State
    health: Health
    reasons: list[Reason]
    """Empty if and only if it is healthy."""
    breaker: Breaker
    identity: str | None
    """Name the router gives itself."""
    board: str | None
    version: str | None
    uptime_s: float | None
    """Null also while it does not answer."""
    last_scrape: LastScrape | None
    slowest_collector: Slowest | None
    last_error: PastError | None


class Collector(Body):
    """One collector of a router."""

    name: str
    succeeded: bool | None
    """Whether its latest refresh gave all it should; null before the first."""
    supported: bool | None
    """False if the router has none of its menus; null before the first refresh."""
    error: Error | None
    """First failure of the latest refresh."""
    duration_s: float | None
    asked_s_ago: float | None
    """Seconds since its latest refresh was started."""
    age_s: float | None
    """Age of what is served; null if nothing is."""
    ttl_s: float
    """How long a result is served without asking again."""
    failures_total: dict[str, int]
    """Tables that could not be read, by class of failure."""


class RouterDetail(Router):
    """One router with its collectors."""

    collectors: list[Collector]


class Totals(Body):
    """How many routers there are in each health."""

    routers: int
    healthy: int
    unknown: int
    warning: int
    critical: int
    offline: int


class Routers(Body):
    """Every router that is watched."""

    totals: Totals
    routers: list[Router]


class Pool(Body):
    """The connections to one router together."""

    router: str
    connections_open: int
    connections_busy: int
    connections_opening: int
    min_size: int
    max_size: int
    in_flight: int
    """Commands the router works on."""
    in_flight_limit: float
    """Commands it may be given at once; adaptive unless pinned."""
    waiting: int
    """Commands that wait for a place."""
    connects_total: int
    connect_failures_total: int
    login_failures_total: int
    commands_total: int
    rows_received_total: int
    bytes_received_total: int
    bytes_sent_total: int


class Connection(Body):
    """One connection."""

    state: str
    in_flight: int
    age_s: float
    idle_s: float
    commands_total: int
    bytes_received_total: int
    bytes_sent_total: int


class Connections(Body):
    """The pool's numbers and each of its connections."""

    pool: Pool
    connections: list[Connection]


class Latency(Body):
    """Quantiles (nearest rank) over the durations of recent commands."""

    p50_s: float | None
    p95_s: float | None
    p99_s: float | None


class Performance(Body):
    """How well a router has been answering lately."""

    router: str
    window_s: float
    """How far back the window reaches; it holds at most 256 commands."""
    commands: int
    """Commands in the window that came to an end."""
    success_ratio: float | None
    """Share of them that were answered; that the router lacks a menu is an answer."""
    latency: Latency
    mean_in_flight: float | None
    """Commands the router had at once on average, over the time that those in the window span."""
    queue_length: int
    """Commands that wait now."""
    pool_utilisation_ratio: float
    """Busy connections by the most that may be open, now."""
    in_flight_utilisation_ratio: float
    """Commands in flight by the limit, now."""


class RouterHealth(Body):
    """How one router is doing, and why."""

    router: str
    health: Health
    reasons: list[Reason]


class FleetHealth(Body):
    """How all routers are doing."""

    health: Health
    """The worst of all routers."""
    totals: Totals
    routers: list[RouterHealth]


class Stages(Body):
    """How long each stage of a fresh connection took; `tls_s` is null on the plain port."""

    connect_s: float
    tls_s: float | None
    login_s: float
    command_s: float


class ConnectionTest(Body):
    """How a fresh connection to a router went."""

    router: str
    ok: bool
    identity: str | None
    stages: Stages | None
    """Null if it failed."""
    total_s: float
    error: Error | None


class Reset(Body):
    """What a reset left."""

    router: str
    connections_closed: int
    breaker_before: BreakerState
    breaker: Breaker
