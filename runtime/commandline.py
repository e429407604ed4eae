"""What the command lines of the services share: their parser, the options of `serve`, the table of exit statuses."""

import argparse
from collections.abc import Mapping, Sequence
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

Code = TypeVar("Code", bound=IntEnum)


def exit_statuses(meanings: Mapping[Code, str], codes: Sequence[Code] = ()) -> str:
    """The table for `--help`, narrowed to `codes` unless none are given."""
    chosen = codes or tuple(meanings)
    return "\n".join(["exit status:", *[f"  {code:<4d} {meanings[code]}" for code in chosen]])


class CommandLine:
    """The parser of a program of several commands, which knows `--version`; `statuses` is the end of each help."""

    def __init__(self, program: str, about: str, statuses: str) -> None:
        self.parser = argparse.ArgumentParser(
            prog=program,
            description=about,
            epilog=statuses,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.parser.add_argument("--version", action="version", version=f"{program} {version('tikwatch')}")
        self._commands = self.parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
        self._statuses = statuses

    def command(self, name: str, summary: str, statuses: str = "") -> argparse.ArgumentParser:
        """The parser of one more command; `statuses` where it ends with only some of them."""
        return self._commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=statuses or self._statuses,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )


def add_config_file(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """``--config FILE``."""
    parser.add_argument("--config", type=Path, required=required, metavar="FILE", help="configuration (YAML)")


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    """The options of `serve`: the configuration, and where to listen instead of what it says."""
    add_config_file(parser)
    parser.add_argument(
        "--listen", type=_listen, metavar="HOST:PORT", help="address to listen on, instead of web.listen"
    )


def _listen(text: str) -> str:
    from runtime.web import parse_listen  # only now: whoever asks for help need not wait for pydantic

    try:
        parse_listen(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
