"""`tikwatch-alertbridge migrate`: brings the store to the revision that this program works with."""

import argparse
import asyncio

from alertbridge.cli.exitcodes import ExitCode, epilog
from alertbridge.cli.opening import add_config, read_config, say, visiting
from alertbridge.config import Config
from alertbridge.store import migrations
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreOutdated, StoreUnavailable, Unavailable
from runtime.clock import SystemClock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `migrate`."""
    parser.description = (
        "Make the store, or bring it to the newest revision; `serve` does the same when it starts. "
        "A SQLite file must not be in use by a bridge then."
    )
    parser.epilog = epilog(ExitCode.OK, ExitCode.CONFIGURATION, ExitCode.STORE)
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Migrate. Raises ConfigError, StoreError."""
    say(asyncio.run(_migrated(read_config(arguments))))
    return ExitCode.OK


async def _migrated(config: Config) -> str:
    newest = migrations.newest()
    try:
        async with visiting(config):
            return f"the store is at revision {newest} already"
    except StoreOutdated:
        pass
    except StoreUnavailable as error:
        if error.reason is not Unavailable.NOT_OPENED:
            raise
    database = await Database.open(config.store, SystemClock())
    try:
        told = f"the store is at revision {newest} now"
        if database.replaced_file is not None:
            told += f"; the file that was there is corrupt and was kept as {database.replaced_file}"
        return told
    finally:
        await database.close()
