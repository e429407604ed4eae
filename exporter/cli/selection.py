"""Which configuration and which of its routers a command is about."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from exporter.cli.exitcodes import ExitCode
from exporter.cli.terminal import visible
from exporter.config import Config, RouterSection, load_config
from exporter.fleet import KNOWN_COLLECTORS
from routeros import BreakerSettings, RetrySettings, Router
from runtime.loading import ConfigError
from runtime.logs import LogSection, Redactor, configure
from runtime.sections import secret_values
from runtime.wording import did_you_mean

_NEVER = 1_000_000


class Unusable(Exception):
    """The command line or the configuration cannot be used; the text says why and is meant to be read."""


def add_selection(parser: argparse.ArgumentParser, *, config_required: bool = True) -> None:
    """``--config`` and ``--router``."""
    parser.add_argument(
        "--config", metavar="FILE", type=Path, required=config_required, help="the exporter's configuration"
    )
    parser.add_argument(
        "--router",
        metavar="NAME",
        action="append",
        default=[],
        dest="routers",
        help="only this router; may be given more than once (default: all of them)",
    )


def select(arguments: argparse.Namespace) -> tuple[Config, list[RouterSection]]:
    """The configuration and the chosen routers, in the order of the file.

    Log lines go to standard error from here on, warnings and worse only, secrets masked. Raises Unusable.
    """
    redactor = Redactor()
    quiet = LogSection(level="warning")
    configure(quiet, redactor)
    try:
        config = load_config(arguments.config, collectors=KNOWN_COLLECTORS)
    except ConfigError as error:
        raise Unusable(str(error)) from error
    redactor.register(secret_values(config))
    names = [router.name for router in config.routers]
    for wanted in arguments.routers:
        if wanted not in names:
            raise Unusable(f'there is no router "{visible(wanted)}"{did_you_mean(wanted, names)}')
    chosen = [
        router for router in config.routers if not arguments.routers or router.name in arguments.routers
    ]
    return config, chosen


def complain(command: str, problem: Unusable) -> ExitCode:
    """Say on standard error why nothing was done."""
    own = "" if isinstance(problem.__cause__, ConfigError) else f"tikwatch-exporter {command}: "
    sys.stderr.write(f"{own}{problem}\n")
    return ExitCode.CONFIGURATION


def client(
    config: Config, section: RouterSection, *, timeout_s: float | None = None, patient: bool = True
) -> Router:
    """A router to ask for a person who waits: one try and no more, nothing longer than `timeout_s`.

    With `patient` the breaker leaves a router alone that fails again and again, as it does in the exporter;
    without, every command is sent, so that each menu's own error is seen.
    """
    pool = config.pool_settings(section)
    if timeout_s is not None:
        pool = replace(
            pool,
            connect_timeout_s=min(pool.connect_timeout_s, timeout_s),
            command_timeout_s=min(pool.command_timeout_s, timeout_s),
        )
    breaker = config.breaker_settings() if patient else BreakerSettings(failure_limit=_NEVER)
    return Router(config.target(section), pool=pool, breaker=breaker, retry=RetrySettings(attempts=1))


def seconds(text: str) -> float:
    """A time in seconds, from 0 to an hour. Raises ValueError, which argparse tells."""
    value = float(text)
    if not 0 <= value <= 3600:
        raise ValueError(text)
    return value


def some_seconds(text: str) -> float:
    """A time in seconds that is not 0. Raises ValueError."""
    value = seconds(text)
    if value < 0.1:
        raise ValueError(text)
    return value


def positive(text: str) -> int:
    """A number from 1. Raises ValueError."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


# What argparse says of a value it refuses: "invalid seconds value: 'x'".
seconds.__name__ = "seconds (0-3600)"
some_seconds.__name__ = "seconds (0.1-3600)"
positive.__name__ = "number (from 1)"
