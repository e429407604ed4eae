"""`tikwatch-exporter import`: writes a configuration from mktxp's, and tells what was not carried over."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from exporter.cli.exitcodes import ExitCode
from exporter.cli.terminal import visible
from exporter.config import load_config
from exporter.fleet import KNOWN_COLLECTORS
from exporter.migration.mktxp import Left, Migration, Migrator
from runtime.loading import ConfigError, Problem
from runtime.wording import counted

_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700

_HEAD = """\
# Written by `tikwatch-exporter import mktxp`. Passwords are in files of their own, which only their owner can read.
# What each key means: docs/reference/configuration.md
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("source", choices=("mktxp",), help="the exporter that the configuration is of")
    parser.add_argument("file", metavar="FILE", type=Path, help="its configuration, mktxp.conf")
    parser.add_argument("--main", metavar="FILE", type=Path, help="its _mktxp.conf, for where it listens")
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        default=Path("exporter.yml"),
        help="the configuration to write (default: exporter.yml); passwords go into a folder beside it",
    )
    parser.add_argument("--force", action="store_true", help="write over what is there")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Write the configuration and its secrets, load it once, and report."""
    output: Path = arguments.output
    folder = output.with_name(f"{output.stem}.secrets")
    try:
        migration = Migrator(arguments.file, KNOWN_COLLECTORS, folder.name).migrate(arguments.main)
        files = {folder / name: text for name, text in migration.secrets.items()}
        _write(output, _text(migration), files, force=arguments.force)
    except ConfigError as error:
        sys.stderr.write("\n".join(visible(line) for line in str(error).splitlines()) + "\n")
        return ExitCode.CONFIGURATION
    sys.stdout.write("\n".join(visible(line) for line in _report(migration, output, folder)) + "\n")
    return ExitCode.OK


def _text(migration: Migration) -> str:
    return _HEAD + yaml.safe_dump(migration.config, sort_keys=False, allow_unicode=True)


def _write(output: Path, text: str, secrets: Mapping[Path, str], *, force: bool) -> None:
    """Put all files in place and see that the exporter can load them; else take back those that were new.

    Raises ConfigError.
    """
    there = [path for path in (output, *secrets) if path.exists()]
    if there and not force:
        raise ConfigError(str(output), [Problem("", None, f"{path} is there already") for path in there])
    made: list[Path] = []
    try:
        for path, secret in secrets.items():
            path.parent.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
            _put(path, secret, made, is_new=path not in there)
        _put(output, text, made, is_new=output not in there)
        load_config(output, collectors=KNOWN_COLLECTORS)
    except (OSError, ConfigError) as error:
        for path in made:
            path.unlink()
        if isinstance(error, OSError):
            why = f"cannot be written: {error.strerror}"
            raise ConfigError(str(error.filename or output), [Problem("", None, why)]) from error
        raise


def _put(path: Path, text: str, made: list[Path], *, is_new: bool) -> None:
    """Write a file that only its owner can read; one that is new must not have come meanwhile."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if is_new else os.O_TRUNC) | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, _PRIVATE), "w", encoding="utf-8") as file:
        if is_new:
            made.append(path)
        os.fchmod(file.fileno(), _PRIVATE)
        file.write(text)


def _report(migration: Migration, output: Path, folder: Path) -> Iterator[str]:
    config = migration.config
    names = sorted({name for module in config["modules"].values() for name in module["collectors"]})
    yield f"{output}: {counted(len(config['routers']), 'router')}, {counted(len(names), 'collector')}"
    yield f"{folder}: {counted(len(migration.secrets), 'password file')}"
    yield from _left(migration.left)
    yield "mktxp has nothing of hotspot, PPP and others: what more there is, see docs/reference/metrics.md"
    yield f"next: tikwatch-exporter check --config {output}"


def _left(left: Sequence[Left]) -> Iterator[str]:
    if not left:
        yield "everything was carried over"
        return
    yield f"not carried over, or not as it was ({len(left)}):"
    for one in left:
        line = f":{one.line}" if one.line is not None else ""
        yield f"  {one.file}{line}: {one.what}: {one.why}"
