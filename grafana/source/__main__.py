"""Writes the dashboards of `grafana/dashboards`, or checks that they are what their sources give."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from grafana.source.boards import BOARDS
from runtime.docs.generated import run

FOLDER: Final = Path("grafana/dashboards")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    return run("grafana.source", {FOLDER / board.file: board.as_json for board in BOARDS}, arguments)


if __name__ == "__main__":
    sys.exit(main())
