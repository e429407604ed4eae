"""The command line: `tikwatch-exporter serve | check | print | import | config`. Reads flags and runs one command."""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Sequence

from exporter.cli.exitcodes import ExitCode, epilog
from runtime.commandline import CommandLine, add_config_file, add_serve_options

PROGRAM = "tikwatch-exporter"
_MODULES = {
    "check": "exporter.cli.check",
    "print": "exporter.cli.tables",
    "import": "exporter.cli.importing",
}


def make_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser. The options of a command whose modules are large are there only when `words` name it."""
    line = CommandLine(PROGRAM, "Prometheus exporter for networks built on MikroTik RouterOS.", epilog())
    two = epilog(ExitCode.OK, ExitCode.CONFIGURATION)
    serving = line.command(
        "serve", "Serve metrics until SIGINT or SIGTERM; SIGHUP reads the configuration again."
    )
    add_serve_options(serving)
    serving.set_defaults(run=_serve)
    _add_later("check", line.command("check", "Ask every router once and tell what works."), words)
    _add_later("print", line.command("print", "Show tables of a router in the terminal."), words)
    _add_later(
        "import", line.command("import", "Write a configuration from that of another exporter.", two), words
    )
    _add_config(
        line.command("config", "Check the configuration and print it as it is in force, or its schema.", two)
    )
    return line.parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", nargs="?", choices=("show", "schema"), default="show", help="what to print (default: show)"
    )
    add_config_file(parser, required=False)
    parser.set_defaults(run=lambda options: _config(options, parser))


def _add_later(name: str, parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    if name in words:
        module = importlib.import_module(_MODULES[name])
        module.add_arguments(parser)
        parser.set_defaults(run=module.run)


def _serve(options: argparse.Namespace) -> int:
    from exporter.service import CannotListen, serve

    try:
        serve(options.config, listen=options.listen)
    except CannotListen as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return ExitCode.CANNOT_LISTEN
    return ExitCode.OK


def _config(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from exporter.cli.terminal import quiet_pipe
    from exporter.config import json_schema
    from exporter.fleet import KNOWN_COLLECTORS

    if options.what == "schema":
        with quiet_pipe():
            sys.stdout.write(json.dumps(json_schema(KNOWN_COLLECTORS), indent=2) + "\n")
        return ExitCode.OK
    if options.config is None:
        parser.error("the following arguments are required: --config")
    import yaml

    from exporter.effective import effective
    from exporter.service import read_config

    shown = effective(read_config(options.config), KNOWN_COLLECTORS)
    with quiet_pipe():
        yaml.safe_dump(shown, sys.stdout, sort_keys=False, allow_unicode=True)
    return ExitCode.OK


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    options = make_parser(words).parse_args(words)
    from runtime.loading import ConfigError  # only now: whoever asks for help need not wait for pydantic

    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.CONFIGURATION
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
