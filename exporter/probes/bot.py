"""WhatsApp bots: each is asked over HTTP how its session is, and its process is looked at."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import structlog

from exporter.bots.fields import Field, Value, count, read, word
from exporter.bots.presets import PRESETS, Endpoint, Login, Preset, Session
from exporter.bots.sessions import Patience, session_of
from exporter.config import BotSection, Config
from exporter.pointers import Json, Missing, Pointer, parse_pointer, resolve
from exporter.probes import botmetrics
from exporter.probes.base import Measured, Probe
from exporter.probes.botmetrics import Answer
from exporter.probes.fetch import Document, Failure, Fetcher, FetchFailed
from exporter.probes.processes import ProcessWatch, Selector
from exporter.probes.registry import Planned, ProbeKind

QUEUES_LIMIT = 50
"""Queues that are told of one bot."""
LATE_MARGIN_S = 1.0
"""How long after its limit a measurement may still end before it counts as hanging."""
DEFAULT_QUEUE = "default"

_log = structlog.stdlib.get_logger("exporter.probes")


@dataclass(frozen=True, slots=True)
class Asking:
    """How one bot is asked: its preset, filled in from the configuration."""

    preset: Preset
    urls: tuple[str, ...]
    headers: Mapping[str, str]
    states: Mapping[str, Session]
    queues: Mapping[str, Pointer]

    @classmethod
    def of(cls, section: BotSection) -> "Asking":
        """From what the configuration says of the bot."""
        preset = PRESETS[section.kind]
        session = section.session or preset.session or ""
        endpoints = preset.endpoints
        if section.fields:
            own = {Field(name): (parse_pointer(place),) for name, place in section.fields.items()}
            endpoints = (Endpoint("", own, endpoints[0].accepts),)
        urls = [_url(section.url, endpoint.path, session) for endpoint in endpoints]
        more = {name: value.format(session=session) for name, value in preset.headers.items() if session}
        return cls(
            preset=Preset(preset.title, endpoints, preset.states, preset.login, queues=preset.queues),
            urls=tuple(urls),
            headers={**more, **_login(preset.login, section)},
            states={**preset.states, **{name: Session(state) for name, state in section.states.items()}},
            queues={name: parse_pointer(place) for name, place in section.queues.items()},
        )

    def __repr__(self) -> str:
        return f"<Asking {self.preset.title}>"  # neither addresses nor headers: they may hold a key


def _url(base: str, path: str, session: str) -> str:
    if not path:
        return base
    return base.rstrip("/") + path.replace("{session}", quote(session, safe=""))


def _login(login: Login, section: BotSection) -> dict[str, str]:
    """The header that shows the key; a user name makes it HTTP Basic."""
    if section.api_key is None:
        return {}
    key = section.api_key.get_secret_value()
    if section.username is not None:
        pair = b64encode(f"{section.username}:{key}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    if section.api_key_header is not None:
        return {section.api_key_header: key}
    if login in (Login.BEARER, Login.BASIC):
        return {"Authorization": f"Bearer {key}"}
    return {login.value: key}


class Bot:
    """One bot, as a probe."""

    def __init__(
        self,
        section: BotSection,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = section.name
        self.labels: Mapping[str, str] = {"bot": section.name}
        self._kind = section.kind
        self._asking = Asking.of(section)
        self._fetcher = Fetcher(
            timeout_s=section.timeout_s,
            verify=section.tls_verify,
            authorities=str(section.ca_file) if section.ca_file is not None else None,
            clock=clock,
        )
        proof = section.proof
        self._patience = Patience(proof.frame_s, proof.ack_s, proof.unacked_s)
        known = section.process
        self._process = None
        if known is not None:
            selector = Selector(known.pid_file, known.name, known.cmdline, known.port)
            self._process = ProcessWatch(selector, botmetrics.PROCESS)
        self._wall_clock = wall_clock
        self._clock = clock
        self._told: object = None

    def __repr__(self) -> str:
        return f"<Bot {self.name} {self._kind}>"

    def measure(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        try:
            answer = self._ask()
        except FetchFailed as failed:
            self._tell(up=False, reason=failed.failure.value)
            measured = [*botmetrics.of_failure(failed.failure)]
        else:
            self._tell(up=True, session=answer.session)
            measured = [*botmetrics.of_answer(self._kind, answer)]
        if self._process is not None:
            measured.extend(self._process.measure())
        return measured

    def silent(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        return [*botmetrics.of_failure(Failure.TIMEOUT)]

    def _tell(self, **what: object) -> None:
        """Log a change."""
        if what != self._told:
            self._told = what
            _log.info("bot.changed", bot=self.name, **what)

    def _ask(self) -> Answer:
        """What the bot tells of itself. Raises FetchFailed."""
        began_s, deadline_s = self._clock(), self._fetcher.deadline_s()
        values: dict[Field, Value] = {}
        response_s, main = 0.0, None
        for endpoint, url in zip(self._asking.preset.endpoints, self._asking.urls, strict=True):
            try:
                document = self._fetcher.get(
                    url, self._asking.headers, accepts=endpoint.accepts, deadline_s=deadline_s
                )
            except FetchFailed:
                if endpoint.required:
                    raise
                continue
            found = read(document.content, endpoint.fields)
            if main is None:
                main, response_s = document, self._clock() - began_s
            if endpoint.required and not found:
                raise FetchFailed(Failure.UNEXPECTED)
            values = {**found, **values}
        assert main is not None  # noqa: S101  a required endpoint that fails has raised
        now_s = main.date_s if main.date_s is not None else self._wall_clock()
        session = session_of(values, self._asking.states, self._patience, now_s=now_s)
        return Answer(values, dict(self._queues(main, values)), session, response_s)

    def _queues(self, document: Document, values: Mapping[Field, Value]) -> Iterator[tuple[str, float]]:
        """Lengths by name; what the bot gives no name is the default queue."""
        told = list(self._named_queues(document.content))[:QUEUES_LIMIT]
        yield from told
        length = values.get(Field.QUEUE_LENGTH)
        if not told and isinstance(length, int | float):
            yield DEFAULT_QUEUE, length

    def _named_queues(self, content: Json) -> Iterator[tuple[str, float]]:
        for name, place in self._asking.queues.items():
            found = resolve(content, place)
            if not isinstance(found, Missing) and (length := count(found)) is not None:
                yield name, length
        place_of_all = self._asking.preset.queues
        listed = resolve(content, place_of_all) if place_of_all is not None else None
        for given_name, given in listed.items() if isinstance(listed, dict) else ():
            inner = given.get("pending") if isinstance(given, dict) else given
            called, waiting = word(given_name), count(inner)
            if called is not None and waiting is not None:
                yield called, waiting


def _planned(config: Config) -> Iterator[Planned]:
    for section in config.bots:
        yield Planned(
            section.name, section, section.ttl_s, section.timeout_s + LATE_MARGIN_S, _maker(section)
        )


def _maker(section: BotSection) -> Callable[[], Probe]:
    return lambda: Bot(section)


BOTS = ProbeKind(
    "bot",
    "Health of a WhatsApp bot, from its own endpoint and from its process on this machine. Each series bears the "
    "label `bot`, the name in the configuration. What a bot does not tell gives no sample.",
    botmetrics.FAMILIES,
    _planned,
)
