"""Text in columns, as wide as what stands in them."""

from collections.abc import Sequence

from runtime.terminal import visible


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a heading; the last column is as long as it is."""
    table = [tuple(head), *(tuple(visible(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
