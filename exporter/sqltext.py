"""What can be told of SQL from its text alone: whether it is one statement, and whether it begins like a reading.

This is the first of two fences and the one with the clear message; the second is the database, which is asked
inside a read-only transaction (or on a read-only file) and refuses what gets past this one.
"""

import re

READS = ("SELECT", "WITH", "VALUES", "TABLE")
"""First words of statements that only read; WITH may still hide a write, which the database then refuses."""

_INERT = re.compile(
    r"""
      --[^\n]*                                  # comments
    | /\*.*?\*/
    | '(?:[^']|'')*'                            # text
    | "(?:[^"]|"")*"                            # quoted names
    | `(?:[^`]|``)*`
    | \$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$    # PostgreSQL's text between dollars
    """,
    re.VERBOSE | re.DOTALL,
)


_FORBIDDEN = re.compile(
    r"\bINTO\b | \bFOR\s+(?:UPDATE|SHARE|NO\s+KEY|KEY\s+SHARE)\b | \bLOCK\s+IN\s+SHARE\b",
    re.IGNORECASE | re.VERBOSE,
)
"""What makes a SELECT write a table or file, or lock rows."""
_EXECUTABLE_COMMENT = re.compile(r"/\*M?!")


def reading(sql: str) -> str:
    """`sql` without the semicolon at its end. Raises ValueError unless it is one statement that reads."""
    bare = _INERT.sub(" ", sql).strip()
    parts = [part for part in bare.split(";") if part.strip()]
    if not parts:
        raise ValueError("must be a statement such as SELECT count(*) AS value FROM customers")
    word = parts[0].strip().lstrip("(").split(None, 1)[0].upper()
    if word not in READS:
        shown = word[:20] if word.isalpha() else "something else"
        raise ValueError(f"must only read: begin with {', '.join(READS)}, not with {shown}")
    if (found := _FORBIDDEN.search(bare)) is not None:
        raise ValueError(f"must only read: found {' '.join(found[0].upper().split())}")
    if _EXECUTABLE_COMMENT.search(sql):
        raise ValueError("must not hold /*! comments, which MySQL executes")
    if len(parts) > 1:
        raise ValueError("must be one statement, found a second one after a semicolon")
    text = sql.strip()
    while bare.endswith(";") and text.endswith(";"):
        text = text.removesuffix(";").rstrip()
    return text
