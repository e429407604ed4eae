"""What a caller decides about one router: where it is, and how hard it may be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

PLAIN_PORT = 8728
TLS_PORT = 8729
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How the router's certificate is judged on api-ssl.

    With `fingerprint_sha256` alone, exactly that certificate is accepted and nothing else about it matters; it
    may be written with colons and is kept as 64 lower-case digits. With `ca_file`, the chain and the name are
    verified; with both, both must hold. With neither, the system's authorities decide. `server_name` is the
    name looked for in the certificate: None means the address, an empty string means any name.
    `verify=False` accepts everything, even a router without certificate.
    """

    ca_file: str | None = None
    fingerprint_sha256: str | None = None
    verify: bool = True
    server_name: str | None = None

    def __post_init__(self) -> None:
        if self.fingerprint_sha256 is not None:
            digits = re.sub(r"^sha-?256[:=]|[:\s]", "", self.fingerprint_sha256.strip().lower())
            if not re.fullmatch("[0-9a-f]{64}", digits):
                raise ValueError(
                    f"a SHA-256 fingerprint has 64 hexadecimal digits, got {len(digits)} characters"
                )
            object.__setattr__(self, "fingerprint_sha256", digits)


@dataclass(frozen=True, slots=True)
class Target:
    """Where one router is and who logs in. Errors and statistics show `name`, never the password."""

    name: str
    address: str
    port: int | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    tls: TlsSettings | None = None

    def __post_init__(self) -> None:
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ValueError(f"a port is between 1 and 65535, got {self.port}")
        for what, text in (("username", self.username), ("password", self.password)):
            if re.search("[\ud800-\udfff]", text):
                raise ValueError(f"the {what} of {self.name} holds half a surrogate pair: it cannot be sent")

    @property
    def effective_port(self) -> int:
        """The port that is dialled: the given one, else 8729 with TLS and 8728 without."""
        if self.port is not None:
            return self.port
        return PLAIN_PORT if self.tls is None else TLS_PORT


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How many connections and commands one router may see, and for how long anything may take."""

    min_size: int = 1
    max_size: int = 5
    acquire_timeout_s: float = 10.0
    idle_timeout_s: float = 300.0
    health_check_interval_s: float = 30.0
    health_check_timeout_s: float = 5.0
    grow_after_s: float = 0.5
    connect_timeout_s: float = 15.0
    command_timeout_s: float = 30.0
    cancel_timeout_s: float = 5.0
    """A `/cancel` not answered within this time proves a hanging connection, which is then dropped."""
    max_in_flight: int | None = None
    """Commands on the router at once, over all its connections; None adapts it between 1 and 16."""
    commands_per_connection: int = 16
    """Commands that one connection carries at once; more of them wait for a second connection."""
    max_word_bytes: int = 16 * MIB
    max_sentence_bytes: int = 64 * MIB
    max_reply_bytes: int = 256 * MIB
    """Bytes that one command may receive in all; more is a protocol violation."""
    listen_queue_rows: int = 10_000
    """Changes that may wait for a slow reader of `listen`; more end it with an error."""

    def __post_init__(self) -> None:
        if self.max_size < 1 or not 0 <= self.min_size <= self.max_size:
            raise ValueError(
                f"pool sizes must be 0 <= min <= max, max >= 1, got {self.min_size}-{self.max_size}"
            )
        if self.max_in_flight is not None and self.max_in_flight < 1:
            raise ValueError(f"max_in_flight must be at least 1, got {self.max_in_flight}")
        if self.commands_per_connection < 1:
            raise ValueError(
                f"commands_per_connection must be at least 1, got {self.commands_per_connection}"
            )


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When a failing router is left alone, and for how long."""

    failure_limit: int = 5
    cooldown_s: float = 60.0
    max_cooldown_s: float = 600.0
    jitter_ratio: float = 0.1


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """How often connecting and idempotent reads are tried, within the caller's deadline."""

    attempts: int = 3
    min_wait_s: float = 1.0
    max_wait_s: float = 10.0
