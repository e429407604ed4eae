"""The plain sections of the exporter's configuration, each with its defaults and the meaning of each key.

A value of pool, breaker and retry that is left out comes from the preset (`exporter.presets`).
"""

from typing import Annotated

from pydantic import Field, SecretStr

from exporter.presets import PresetName
from runtime.sections import SecretSection, Section
from runtime.web import WebSection

MAX_WAIT_S = 3600.0
"""No pause, timeout or interval may be longer: more is a slip of the unit."""

_Wait = Annotated[float, Field(gt=0, le=MAX_WAIT_S)]


class ExporterWebSection(WebSection):
    """Where the exporter listens and whom it answers."""

    max_concurrent_scrapes: int = Field(
        default=8,
        ge=1,
        le=1000,
        description=(
            "Scrapes of /metrics, and probes of any one router, served at the same time; one more is answered "
            "with 503."
        ),
    )
    gzip: bool = Field(
        default=True, description="Compress answers for clients that can read them compressed."
    )


class Credentials(SecretSection):
    """User for every router that names none of its own, with its password in one of three forms."""

    username: str = Field(min_length=1, description="User on the router; a read-only one is enough.")
    password: SecretStr | None = Field(default=None, description="The password itself.")
    password_file: str | None = Field(
        default=None, description="File that holds the password, relative to the configuration's folder."
    )
    password_env: str | None = Field(
        default=None, description="Environment variable that holds the password."
    )


class PoolValues(Section):
    """Connections to one router. A value that is left out comes from the preset."""

    min_size: int | None = Field(default=None, ge=0, le=100, description="Connections kept open.")
    max_size: int | None = Field(
        default=None, ge=1, le=100, description="Connections that may be open at once."
    )
    acquire_timeout_s: _Wait | None = Field(
        default=None, description="Seconds that a command waits for a place on a connection."
    )
    idle_timeout_s: _Wait | None = Field(
        default=None,
        description="Seconds after which a connection beyond `min_size` that nobody used is closed.",
    )
    health_check_interval_s: _Wait | None = Field(
        default=None,
        description="Seconds without traffic after which a connection is checked before it is used.",
    )
    health_check_timeout_s: _Wait | None = Field(
        default=None, description="Seconds that such a check may take."
    )
    grow_after_s: _Wait | None = Field(
        default=None, description="Seconds that commands may queue before another connection is opened."
    )
    connect_timeout_s: _Wait | None = Field(
        default=None, description="Seconds that connecting and login may take."
    )
    command_timeout_s: _Wait | None = Field(default=None, description="Seconds that one command may take.")
    cancel_timeout_s: _Wait | None = Field(
        default=None,
        description="Seconds that a router may take to confirm a cancelled command before it is hung up on.",
    )
    commands_per_connection: int | None = Field(
        default=None, ge=1, le=64, description="Commands that one connection carries at once."
    )
    max_in_flight: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Commands that a router works on at once; found out by measuring when left out.",
    )


class PoolSection(PoolValues):
    """Connections to each router. The preset gives what is left out, in breaker and retry as well."""

    preset: PresetName = Field(default="default", description="Set of values to start from.")


class BreakerSection(Section):
    """When a router that keeps failing is left alone. A value that is left out comes from the preset."""

    failure_limit: int | None = Field(
        default=None, ge=1, le=1000, description="Failures in a row after which the router is left alone."
    )
    cooldown_s: _Wait | None = Field(default=None, description="Seconds until it is tried again, once.")
    max_cooldown_s: _Wait | None = Field(
        default=None, description="Seconds that the pause may grow to; it doubles with each try that fails."
    )
    jitter_ratio: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of a pause by which it is varied, so that routers do not move in step.",
    )


class RetrySection(Section):
    """How reads and connects are tried again. A value that is left out comes from the preset."""

    attempts: int | None = Field(
        default=None, ge=1, le=20, description="Tries in all, the first one included."
    )
    min_wait_s: _Wait | None = Field(
        default=None, description="Seconds before the second try; doubled for each one after."
    )
    max_wait_s: _Wait | None = Field(
        default=None, description="Seconds that a pause between tries may grow to."
    )


class CacheSection(Section):
    """How long results are kept."""

    max_stale_s: float = Field(
        default=300.0,
        ge=0,
        le=86_400,
        description="Seconds that the last good result is served while a router fails; 0 serves none.",
    )


class ScrapeSection(Section):
    """How long a scrape may take."""

    deadline_margin_s: float = Field(
        default=0.5,
        ge=0,
        le=60,
        description="Seconds before Prometheus's own deadline at which what is ready is sent.",
    )
    default_deadline_s: _Wait = Field(
        default=10.0,
        description="Seconds that a scrape may take when the client does not say how long it waits.",
    )
