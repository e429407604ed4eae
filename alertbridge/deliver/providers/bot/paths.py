"""Simple paths into JSON that may be anything: ``data.messages.0.id``."""


def look_up(document: object, path: str) -> object:
    """What stands at `path`; None when nothing does. An empty path is the document itself."""
    here = document
    for step in path.split(".") if path else ():
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and step.isascii() and step.isdigit() and int(step[:6]) < len(here):
            here = here[int(step[:6])]
        else:
            return None
    return here


def text_at(document: object, path: str) -> str:
    """The text or number at `path` as text, True as ``true``; empty for anything else, and without a path."""
    found = look_up(document, path) if path else None
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else ""


def flag_at(document: object, path: str) -> bool | None:
    """Whether what stands at `path` says yes; None when nothing usable does."""
    text = text_at(document, path).strip().lower()
    if not text:
        return None
    return text in ("true", "1", "yes", "ok", "open", "connected", "healthy", "online")
