"""JSON pointers (RFC 6901): ``/queue/pending`` is the member `pending` of the member `queue`."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

Pointer = tuple[str, ...]
"""The steps of a pointer; none is the whole document."""


class Missing:
    """Nothing is there; a JSON null is something."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


def parse_pointer(text: str) -> Pointer:
    """The steps of ``/a/b``. Raises ValueError with what is wrong with it."""
    if not text:
        return ()
    if not text.startswith("/"):
        raise ValueError('must be a JSON pointer: it begins with a slash, such as "/queue/pending"')
    steps = text[1:].split("/")
    if any("~" in step.replace("~0", "").replace("~1", "") for step in steps):
        raise ValueError('must be a JSON pointer: a "~" in a key is written "~0", a "/" in it "~1"')
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def resolve(document: Json, pointer: Pointer) -> Json | Missing:
    """What `pointer` leads to in `document`, or MISSING."""
    here = document
    for step in pointer:
        if isinstance(here, dict):
            if step not in here:
                return MISSING
            here = here[step]
        elif isinstance(here, list):
            if not (step.isascii() and step.isdigit() and len(step) < 10) or int(step) >= len(here):
                return MISSING
            here = here[int(step)]
        else:
            return MISSING
    return here
