"""`tikwatch-alertbridge check`: is the configuration sound, and does everything that it names answer?"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

import aiohttp

from alertbridge.alertmanager import Alertmanager, AlertmanagerError
from alertbridge.cli.columns import aligned
from alertbridge.cli.exitcodes import ExitCode, epilog
from alertbridge.cli.opening import add_config, read_config, say, visiting
from alertbridge.config import Config
from alertbridge.deliver.providers.base import SessionState
from alertbridge.deliver.providers.registry import make_provider
from alertbridge.deliver.providers.section import ChannelBase
from alertbridge.deliver.route.joins import routing_warnings
from alertbridge.prometheus import Prometheus, PrometheusError
from alertbridge.recover.config_joins import recovery_warnings
from alertbridge.recover.foresight import foreseen
from alertbridge.store.errors import StoreError, StoreOutdated, StoreUnavailable, Unavailable
from runtime import complaints, yamltree
from runtime.clock import SystemClock
from runtime.terminal import quiet_pipe
from runtime.wording import counted

_FINE = frozenset({SessionState.WORKING, SessionState.UNKNOWN})


class Verdict(Enum):
    """How something came out; the value is what is shown."""

    WORKS = "works"
    REMARK = "remark"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    kind: str
    name: str
    verdict: Verdict
    note: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `check`."""
    parser.description = (
        "Read the configuration, and ask the store, every provider, Alertmanager and Prometheus whether they "
        "would do what it wants. Nothing is sent."
    )
    parser.epilog = epilog(
        ExitCode.OK, ExitCode.SOME_FAILED, ExitCode.CONFIGURATION, ExitCode.STORE, ExitCode.INTERRUPTED
    )
    add_config(parser)
    parser.add_argument("--offline", action="store_true", help="only read the configuration; ask nobody")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Look at everything and report; the exit status tells how it went. Raises ConfigError."""
    config = read_config(arguments)
    findings = [*_of_config(config)]
    if not arguments.offline:
        findings += asyncio.run(_asked(config, arguments.config))
    with quiet_pipe():
        if arguments.json:
            shown = [{**asdict(finding), "verdict": finding.verdict.value} for finding in findings]
            sys.stdout.write(json.dumps({"findings": shown}, ensure_ascii=False, indent=2) + "\n")
        else:
            rows = [(one.kind, one.name, one.verdict.value, one.note) for one in findings]
            say(aligned(("WHAT", "NAME", "HOW", "NOTE"), rows))
    return _status(findings)


def _status(findings: Iterable[Finding]) -> ExitCode:
    failed = {finding.kind for finding in findings if finding.verdict is Verdict.FAILED}
    if not failed:
        return ExitCode.OK
    return ExitCode.STORE if "store" in failed else ExitCode.SOME_FAILED


def _of_config(config: Config) -> Iterable[Finding]:
    yield Finding(
        "configuration",
        "",
        Verdict.WORKS,
        ", ".join(
            counted(len(found), noun)
            for found, noun in (
                (config.channels, "channel"),
                (config.recipients, "recipient"),
                (config.routes, "route"),
            )
        ),
    )
    for warning in routing_warnings(config):
        yield Finding("configuration", "", Verdict.REMARK, warning)
    for warning in recovery_warnings(config.recovery):
        yield Finding("configuration", "", Verdict.REMARK, warning)
    for section in config.channels:
        for remark in section.remarks():
            yield Finding("channel", section.name, Verdict.REMARK, remark)


async def _asked(config: Config, file: Path) -> list[Finding]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        asked: list[Awaitable[Finding]] = [_store(config)]
        asked += [_channel(section, session) for section in config.channels]
        if config.alertmanager is not None:
            for url in config.alertmanager.urls:
                member = config.alertmanager.model_copy(update={"urls": (url,)})
                asked.append(_alertmanager(url, Alertmanager(member, session)))
        if config.prometheus is not None:
            prometheus = Prometheus(config.prometheus, session)
            asked.append(_prometheus(config.prometheus.url, prometheus))
            return [*await asyncio.gather(*asked), *await _recovery(config, file, prometheus, session)]
        return list(await asyncio.gather(*asked))


async def _recovery(
    config: Config, file: Path, prometheus: Prometheus, session: aiohttp.ClientSession
) -> list[Finding]:
    """What Prometheus knows of recovery's rules, each with its line."""
    if not config.recovery.rules:
        return []
    alertmanager: str | None = None
    if config.alertmanager is not None:
        with suppress(AlertmanagerError):  # that it does not answer is told beside this
            alertmanager = await Alertmanager(config.alertmanager, session).configuration()
    try:
        found = await foreseen(config.recovery, prometheus, alertmanager)
    except PrometheusError as error:
        return [
            Finding("recovery", "", Verdict.REMARK, f"rules were not checked against Prometheus: {error}")
        ]
    tree = yamltree.parse(await asyncio.to_thread(file.read_text, encoding="utf-8-sig"))
    return [
        Finding(
            "recovery",
            f"{file.name} line {tree.line_of(one.place)}",
            Verdict.FAILED if one.fails else Verdict.REMARK,
            f"{complaints.path(one.place, tree.value)}: {one.message}",
        )
        for one in found
    ]


async def _store(config: Config) -> Finding:
    name = "PostgreSQL" if config.store.url is not None else str(config.store.path)
    try:
        async with visiting(config) as database:
            await database.prove_writable()
    except StoreOutdated as error:
        return Finding("store", name, Verdict.REMARK, str(error))
    except StoreUnavailable as error:
        if error.reason is Unavailable.NOT_OPENED and config.store.url is None:
            return _new_store(config, error)
        return Finding("store", name, Verdict.FAILED, error.detail)
    except StoreError as error:
        return Finding("store", name, Verdict.FAILED, str(error))
    return Finding("store", name, Verdict.WORKS, "can be written")


def _new_store(config: Config, error: StoreUnavailable) -> Finding:
    path = config.store.path
    if path.exists() or (path.parent.exists() and not path.parent.is_dir()):
        return Finding("store", str(path), Verdict.FAILED, error.detail)
    return Finding("store", str(path), Verdict.REMARK, "is not there yet; the bridge makes it when it starts")


async def _channel(section: ChannelBase, session: aiohttp.ClientSession) -> Finding:
    provider = make_provider(section, session, SystemClock())
    try:
        found = await provider.session()
    finally:
        await provider.close()
    words = [found.state.value.replace("_", " ")]
    words += [text for text in (found.detail, found.own_number) if text]
    if found.pairing_url and found.state not in _FINE:
        words.append(f"pair at {found.pairing_url}")
    verdict = Verdict.WORKS if found.state in _FINE else Verdict.FAILED
    note = ": ".join(words) if found.state is not SessionState.UNKNOWN else "cannot be asked without sending"
    return Finding("channel", section.name, verdict, note)


async def _alertmanager(url: str, client: Alertmanager) -> Finding:
    try:
        alerts = await client.alerts(silenced=True, inhibited=True)
    except AlertmanagerError as error:
        return Finding("alertmanager", url, Verdict.FAILED, str(error))
    return Finding("alertmanager", url, Verdict.WORKS, counted(len(alerts), "alert"))


async def _prometheus(url: str, client: Prometheus) -> Finding:
    try:
        await client.query("vector(1)")
    except PrometheusError as error:
        return Finding("prometheus", url, Verdict.FAILED, str(error))
    return Finding("prometheus", url, Verdict.WORKS, "answers queries")
