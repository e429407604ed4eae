"""`tikwatch-alertbridge route`: who would be told of an alert, why, and in which words. Sends and stores nothing."""

import argparse
import json
import sys

from alertbridge.alerts import AlertStatus
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.cli.opening import add_config, complain, read_config
from alertbridge.deliver.dryrun import DryRun, dry_run, parse_labels, parse_moment
from runtime.clock import SystemClock
from runtime.terminal import quiet_pipe, visible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `route`."""
    parser.description = "Tell who would be told of an alert, why, and in which words. Nothing is sent."
    add_config(parser)
    parser.add_argument(
        "--labels",
        required=True,
        metavar="NAME=VALUE,...",
        help=r"labels of the alert, such as alertname=RouterDown,severity=critical; a comma in a value is \,",
    )
    parser.add_argument(
        "--annotations", default="", metavar="NAME=VALUE,...", help="annotations, written the same way"
    )
    parser.add_argument(
        "--at", metavar="TIME", default="", help="a moment such as 2026-01-31T02:00 (default: now)"
    )
    parser.add_argument(
        "--status",
        choices=[status.value for status in AlertStatus],
        default=AlertStatus.FIRING.value,
        help="whether it begins or ends (default: firing)",
    )
    parser.add_argument("--receiver", default="", metavar="NAME", help="the Alertmanager receiver")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print the dry run. Raises ConfigError."""
    config = read_config(arguments)
    try:
        labels = parse_labels(arguments.labels)
        annotations = parse_labels(arguments.annotations) if arguments.annotations else {}
        zone = config.delivery.timezone
        at_s = parse_moment(arguments.at, zone) if arguments.at else SystemClock().time()
        found = dry_run(
            config,
            labels,
            at_s=at_s,
            status=AlertStatus(arguments.status),
            annotations=annotations,
            receiver=arguments.receiver,
        )
    except (ValueError, OSError) as problem:
        return complain("route", problem)
    with quiet_pipe():
        if arguments.json:
            sys.stdout.write(json.dumps(_document(found), ensure_ascii=False, indent=2) + "\n")
        else:
            sys.stdout.write("\n".join(visible(line) for line in str(found).split("\n")) + "\n")
    return ExitCode.OK


def _document(found: DryRun) -> dict[str, object]:
    return {
        "alert": found.alert.name,
        "severity": found.alert.severity.value,
        "status": found.alert.status.value,
        "targets": [
            {
                "recipient": target.recipient,
                "language": target.language,
                "template": target.template or None,
                "not_before": target.not_before_s,
                "text": found.texts[target.recipient],
            }
            for target in found.decision.targets
        ],
        "reasons": list(found.decision.reasons),
        "suppressed": found.decision.suppressed or None,
    }
