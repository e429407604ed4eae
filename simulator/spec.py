"""What a simulated router is to be: plain frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .formats import Version, version_of
from .profiles import ALIASES, PROFILES, Profile

POLICIES = frozenset(
    {"api", "read", "write", "test", "reboot", "policy", "sensitive", "sniff", "ftp", "romon", "rest-api"}
)
LatencyRange = tuple[float, float]


class SpecError(ValueError):
    """A router cannot be simulated as asked; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate chain and its key, PEM files: the router speaks api-ssl."""

    cert_file: str
    key_file: str


@dataclass(frozen=True, slots=True)
class Account:
    """One more user of a router."""

    username: str
    password: str = field(repr=False)
    policies: tuple[str, ...] = ("api", "read", "write", "test", "reboot")


@dataclass(frozen=True)
class RouterSpec:
    """A router: what it is, who may log in, how slow it is. Times are seconds.

    An alias of a profile becomes its name. `version` empty means the profile's own. `latency_s` is what
    each command takes, fixed or drawn from a range; `rtt_s` is added to every reply. `concurrency` None
    works commands side by side, 1 one after the other, N up to N at once, over all connections. `counts`
    overrides sizes of the profile. `management` is the interface that clients come in by: disabled, it cuts them off.

    Raises:
        SpecError: unknown profile, count or policy, or a number out of range.
    """

    name: str
    profile: str = "home"
    version: str = ""
    username: str = "monitor"
    password: str = field(default="secret", repr=False)
    policies: tuple[str, ...] = ("api", "read", "test")
    port: int = 0
    host: str = "127.0.0.1"
    latency_s: float | LatencyRange = 0.0
    rtt_s: float = 0.0
    concurrency: int | None = None
    tls: TlsFiles | None = None
    max_sessions: int = 20
    seed: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    management: str = ""

    def __post_init__(self) -> None:
        """Fill in the profile's version and refuse what makes no sense."""
        object.__setattr__(self, "profile", ALIASES.get(self.profile, self.profile))
        if self.profile not in PROFILES:
            known = ", ".join([*PROFILES, *ALIASES])
            raise SpecError(f"unknown profile {self.profile!r}; there are {known}")
        profile = PROFILES[self.profile]
        object.__setattr__(self, "version", self.version or profile.version)
        try:
            version_of(self.version)
        except ValueError as error:
            raise SpecError(str(error)) from error
        if unknown := self.counts.keys() - profile.counts.keys():
            raise SpecError(
                f"unknown counts {sorted(unknown)}; there are {', '.join(sorted(profile.counts))}"
            )
        for policies in (self.policies, *(account.policies for account in self.accounts)):
            if wrong := set(policies) - POLICIES:
                raise SpecError(f"unknown policies {sorted(wrong)}; there are {', '.join(sorted(POLICIES))}")
        if min(self.latency_range) < 0 or self.rtt_s < 0:
            raise SpecError("latency_s and rtt_s must not be negative")
        if self.concurrency is not None and self.concurrency < 1:
            raise SpecError("concurrency must be at least 1, or None for no limit")

    @property
    def shape(self) -> Profile:
        """The profile itself."""
        return PROFILES[self.profile]

    @property
    def release(self) -> Version:
        """The version as numbers that compare."""
        return version_of(self.version)

    @property
    def latency_range(self) -> LatencyRange:
        """Shortest and longest time of a command, in seconds."""
        return self.latency_s if isinstance(self.latency_s, tuple) else (self.latency_s, self.latency_s)

    def count(self, what: str) -> int:
        """How many there are of something the profile counts; 0 for what it does not name."""
        return self.counts.get(what, self.shape.counts.get(what, 0))

    def account(self, username: str) -> Account | None:
        """The user of that name."""
        own = Account(self.username, self.password, self.policies)
        return next((account for account in (own, *self.accounts) if account.username == username), None)
