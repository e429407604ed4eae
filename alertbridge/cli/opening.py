"""What every command begins with: the configuration, the store beside a bridge that may be at work, and who asks."""

import argparse
import os
import pwd
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alertbridge.cli.exitcodes import ExitCode
from alertbridge.config import Config, load_config
from alertbridge.store.database import Database
from runtime.logs import LogSection, Redactor, configure
from runtime.sections import secret_values
from runtime.terminal import visible

PROGRAM = "tikwatch-alertbridge"


class Unusable(Exception):
    """The command line cannot be used; the text says why and is meant to be read."""


def add_config(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """``--config``."""
    parser.add_argument(
        "--config", metavar="FILE", type=Path, required=required, help="the bridge's configuration"
    )


def read_config(arguments: argparse.Namespace) -> Config:
    """The configuration. Log lines go to standard error from here on, warnings and worse only, secrets masked.

    Raises ConfigError.
    """
    redactor = Redactor()
    configure(LogSection(level="warning"), redactor)
    config = load_config(arguments.config)
    redactor.register(secret_values(config))
    return config


@asynccontextmanager
async def visiting(config: Config) -> AsyncIterator[Database]:
    """The store, also while a bridge works with it. Raises StoreError."""
    database = await Database.visit(config.store)
    try:
        yield database
    finally:
        await database.close()


def who() -> str:
    """The Unix user who runs the command, for the audit; with whom they were before they became root."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    before = visible(os.environ.get("SUDO_USER", ""))
    return f"{name} (sudo by {before[:40]})" if before and before != name else name


def complain(command: str, problem: Exception, code: ExitCode = ExitCode.CONFIGURATION) -> ExitCode:
    """Say on standard error, on one line, why nothing was done."""
    sys.stderr.write(f"{PROGRAM} {command}: {visible(str(problem))}\n")
    return code


def say(text: str = "") -> None:
    """Lines on standard output; what a terminal would obey is shown instead."""
    sys.stdout.write("\n".join(visible(line) for line in text.split("\n")) + "\n")
