"""The command line of the bridge. Reads flags and runs one command."""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence

from alertbridge.cli.exitcodes import ExitCode, epilog
from runtime.commandline import CommandLine, add_serve_options

PROGRAM = "tikwatch-alertbridge"
_MODULES: dict[str, tuple[str, str]] = {
    "check": ("alertbridge.cli.check", "Tell whether the configuration and all that it names would work."),
    "send-test": ("alertbridge.cli.sendtest", "Send one test message and tell what the provider says."),
    "route": ("alertbridge.cli.route", "Tell who would be told of an alert, why, and in which words."),
    "outbox": ("alertbridge.cli.outbox", "Look at messages, dead letters and the account."),
    "migrate": ("alertbridge.cli.migrate", "Bring the store to the newest revision."),
    "recovery": ("alertbridge.cli.recovery", "Look at recovery, pause it, answer what it asks."),
    "audit": ("alertbridge.cli.audit", "Export the audit of actions, or verify its chain."),
    "report": ("alertbridge.cli.report", "Print a report as it would be sent now."),
    "config": ("alertbridge.cli.configuration", "Print the configuration as it is in force, or its schema."),
}
"""Command -> module with `add_arguments` and `run`, and what it does; loaded only when it is asked for."""


def make_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser. The options of a command whose modules are large are there only when `words` name it."""
    line = CommandLine(PROGRAM, "Alertmanager to WhatsApp: nothing lost, nobody flooded.", epilog())
    serving = line.command("serve", "Serve until SIGINT or SIGTERM; SIGHUP reads the configuration again.")
    add_serve_options(serving)
    serving.set_defaults(run=_serve)
    for name, (module, summary) in _MODULES.items():
        own = line.command(name, summary)
        if name in words:
            loaded = importlib.import_module(module)
            loaded.add_arguments(own)
            own.set_defaults(run=loaded.run)
    return line.parser


def _serve(options: argparse.Namespace) -> int:
    from alertbridge.service import CannotListen, serve

    try:
        serve(options.config, listen=options.listen)
    except CannotListen as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return ExitCode.CANNOT_LISTEN
    return ExitCode.OK


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    options = make_parser(words).parse_args(words)
    # only now: whoever asks for help or the version need not wait for pydantic and SQLAlchemy
    from alertbridge.store.errors import StoreError
    from runtime.loading import ConfigError

    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.CONFIGURATION
    except StoreError as error:
        sys.stderr.write(f"{PROGRAM}: store: {error}\n")
        return ExitCode.STORE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
