"""Writes `docs/reference/parity.md` and the rules that offer mktxp's names, or checks that they are up to date."""

import sys
from collections.abc import Iterator
from pathlib import Path

from exporter.parity import MKTXP, PEERS
from exporter.parity.promql import rules
from exporter.parity.row import Peer, Row
from runtime.docs.generated import run

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
    """Exit code 0 if up to date (or now written), 1 if `--check` finds that something is not."""
    return run("exporter.paritydoc", {PAGE: document, RULES: rule_file}, arguments)


if __name__ == "__main__":
    sys.exit(main())
