"""Writes `docs/reference/parity.md` and the rules that offer mktxp's names, or checks that they are up to date."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from exporter.parity import MKTXP, PEERS
from exporter.parity.promql import rules
from exporter.parity.row import Peer, Row

PAGE = Path("docs/reference/parity.md")
RULES = Path("prometheus/compat/mktxp.rules.yml")

_INTRO = """\
# Beside other exporters

Every metric of four other exporters, and what tells the same here, or why nothing does. Generated; a test holds the
left side against the exporters' own lists of names, and the right side against [our metrics](metrics.md). Facts about
the others are as of the version named. What none of them tells, such as hotspot, is not in these tables.

How to move from mktxp, with its dashboards, is [a page of its own](../how-to/from-mktxp.md).
"""

_RULES_INTRO = f"""\
# mktxp's names from tikwatch's metrics, so that dashboards made for mktxp keep working beside new ones.
# Generated from the parity table ({PAGE}): make docs
# Each series bears routerboard_name and routerboard_address, and our own labels as well.
"""


def document() -> str:
    """The whole page."""
    return "\n".join([_INTRO, *_summary(), *(line for peer in PEERS for line in _section(peer))])


def _summary() -> Iterator[str]:
    yield "| exporter | version | metrics | told here | not told here |\n|---|---|---|---|---|"
    for peer in PEERS:
        told = sum(bool(row.ours) for row in peer.rows)
        yield (
            f"| [{peer.name}]({peer.address}) | {peer.version} | {len(peer.rows)} | {told} | {len(peer.rows) - told} |"
        )
    yield ""


def _section(peer: Peer) -> Iterator[str]:
    yield f"## {peer.name}\n\n{peer.labels}\n"
    yield "| theirs | ours | what differs, or why not |\n|---|---|---|"
    for row in sorted(peer.rows, key=lambda row: row.theirs):
        yield f"| `{row.theirs}` | {_ours(row)} | {(row.note or row.why_not).replace('|', chr(92) + '|')} |"
    yield ""


def _ours(row: Row) -> str:
    return ", ".join(f"`{name}`" for name in row.ours) or "-"


def rule_file() -> str:
    """The rule file, ready for Prometheus."""
    lines = [_RULES_INTRO + "groups:", "  - name: tikwatch_as_mktxp", "    rules:"]
    for name, text in rules(MKTXP.rows):
        lines += [
            f"      - record: {name}",
            "        expr: |-",
            *(f"          {line}" for line in text.split("\n")),
        ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if both files are (now) up to date, 1 if `--check` finds that one is not."""
    parser = argparse.ArgumentParser(prog="python -m exporter.paritydoc", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help=f"write {PAGE} and {RULES}")
    choice.add_argument("--check", action="store_true", help="fail unless they are up to date")
    given = parser.parse_args(arguments)
    stale = 0
    for path, text in ((PAGE, document()), (RULES, rule_file())):
        if given.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not what the tables give; run: make docs\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
