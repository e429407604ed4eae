"""`tikwatch-alertbridge config`: the configuration as it is in force, or its schema."""

import argparse
import json
import sys

import yaml

from alertbridge.cli.exitcodes import ExitCode, epilog
from alertbridge.cli.opening import Unusable, add_config, complain, read_config
from alertbridge.config import json_schema
from runtime.effective import plain
from runtime.terminal import quiet_pipe


class _Dumper(yaml.SafeDumper):
    """Puts into quotes what our own reading of YAML would take for a number, such as a phone number."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if text[:1].isdigit() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `config`."""
    parser.epilog = epilog(ExitCode.OK, ExitCode.CONFIGURATION)
    parser.add_argument(
        "what", nargs="?", choices=("show", "schema"), default="show", help="what to print (default: show)"
    )
    add_config(parser, required=False)


def run(arguments: argparse.Namespace) -> int:
    """Print it. Raises ConfigError."""
    if arguments.what == "schema":
        with quiet_pipe():
            sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
        return ExitCode.OK
    if arguments.config is None:
        return complain("config", Unusable("the following argument is required: --config"))
    shown = plain(read_config(arguments))
    with quiet_pipe():
        yaml.dump(shown, sys.stdout, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return ExitCode.OK
