"""Writes the dashboards of `grafana/dashboards`, or checks them.

    python -m grafana.source --write
    python -m grafana.source --check   that they are what their sources give, and that nothing is wrong with them

Exit code 0 if all is well, else 1; what is wrong is told with file and panel.
"""

import sys
from collections.abc import Iterator, Sequence

from grafana.checks import expressions, structure
from grafana.checks.reading import FOLDER, Unreadable, dashboards
from grafana.source.boards import BOARDS
from runtime.docs.generated import run


def complaints() -> Iterator[str]:
    """What is wrong with the files, whoever wrote them."""
    try:
        boards = dashboards()
    except Unreadable as error:
        yield str(error)
        return
    ours = {FOLDER / board.file for board in BOARDS}
    yield from (
        f"{board.file}: is not one of the dashboards made here" for board in boards if board.file not in ours
    )
    yield from structure.complaints(boards)
    yield from expressions.unknown_metrics(boards)
    yield from expressions.unparsable(boards)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    stale = run("grafana.source", {FOLDER / board.file: board.as_json for board in BOARDS}, arguments)
    found = list(complaints())
    for complaint in found:
        sys.stderr.write(complaint + "\n")
    return 1 if found else stale


if __name__ == "__main__":
    sys.exit(main())
