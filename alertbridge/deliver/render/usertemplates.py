"""Templates by language and name: the built-in ones, and the operator's own, checked before they are used.

A folder of one's own has `id/` and `en/` with files `NAME.j2`. A NAME of the built-in ones replaces that one; any
other is for routes that name it under `template`, and `NAME.resolved.j2` is that route's text for the end of an
alert (so for the other kinds of notice).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from jinja2 import TemplateSyntaxError
from pydantic_core import InitErrorDetails

from alertbridge.deliver.render.samples import sample_contexts
from alertbridge.deliver.render.sandbox import FAILURES, SOURCE_LIMIT
from alertbridge.deliver.render.styles import sandbox
from alertbridge.deliver.render.words import LANGUAGES
from runtime.sections import fault
from runtime.wording import did_you_mean

SINGLE_NAMES = ("firing", "resolved", "repeat", "flapping", "calm", "escalation")
MANY_NAMES = ("group", "digest", "away", "report")
BUILT_IN = Path(__file__).parent / "templates"

_FILES_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Sources:
    """Texts of templates by (language, name)."""

    texts: Mapping[tuple[str, str], str]

    def get(self, language: str, name: str) -> str | None:
        return self.texts.get((language, name))

    @property
    def names(self) -> frozenset[str]:
        """Every name, whatever the language; of ``noc.resolved`` that is ``noc``."""
        return frozenset(name.partition(".")[0] for _, name in self.texts)


def built_in() -> Sources:
    """The templates of this package."""
    return Sources(
        MappingProxyType(
            {
                (language, name): (BUILT_IN / language / f"{name}.j2").read_text(encoding="utf-8")
                for language in LANGUAGES
                for name in (*SINGLE_NAMES, *MANY_NAMES)
            }
        )
    )


def read_folder(folder: Path) -> Sources:
    """The templates in `folder`. Raises OSError or UnicodeDecodeError for what cannot be read."""
    texts = {}
    for language in LANGUAGES:
        for path in sorted((folder / language).glob("*.j2"))[:_FILES_LIMIT]:
            with path.open(encoding="utf-8") as file:
                texts[language, path.name.removesuffix(".j2")] = file.read(SOURCE_LIMIT + 1)
    return Sources(MappingProxyType(texts))


def template_faults(folder: Path, *place: str | int) -> Iterator[InitErrorDetails]:
    """What is wrong with the templates in `folder`, told at `place`: syntax, names that are not there, bombs."""
    if not folder.is_dir():
        yield fault("there is no such folder", *place)
        return
    try:
        sources = read_folder(folder)
    except OSError as error:
        yield fault(f"cannot be read: {error.strerror}", *place)
        return
    except UnicodeDecodeError:
        yield fault("holds a template that is not UTF-8 text", *place)
        return
    if not sources.texts:
        yield fault(
            f"holds no templates; they are {' and '.join(f'{one}/NAME.j2' for one in LANGUAGES)}", *place
        )
    for (language, name), text in sources.texts.items():
        if complaint := _complaint(language, name, text):
            yield fault(f"{language}/{name}.j2: {complaint}", *place)


def _complaint(language: str, name: str, text: str) -> str:
    """What is wrong with one template; empty when it renders with every sample."""
    base, dot, kind = name.partition(".")
    if dot and kind not in SINGLE_NAMES:
        return f'"{kind}" is no kind of notice{did_you_mean(kind, SINGLE_NAMES)}'
    if dot and base in (*SINGLE_NAMES, *MANY_NAMES):
        return f"a built-in name has no kinds; name the file {kind}.j2"
    box = sandbox(language, ZoneInfo("Asia/Jakarta"), rich=True)
    try:
        template = box.compiled(text, name)
        for context in sample_contexts(base if base in MANY_NAMES else kind or base, language):
            if not box.rendered(template, context).strip():
                return "writes nothing"
    except FAILURES as error:
        return told(error)
    return ""


def told(error: BaseException) -> str:
    """What a template failed of, with the line when it is known, on one line."""
    if isinstance(error, RecursionError | SyntaxError | MemoryError):
        return "too many things inside each other, or a macro that calls itself"
    if isinstance(error, TemplateSyntaxError):
        return f"line {error.lineno}: {error.message}"
    line = _line_of(error)
    return f"line {line}: {error}" if line else str(error) or type(error).__name__


def _line_of(error: BaseException) -> int | None:
    """The line of the template in which `error` was raised: jinja2 puts it into the traceback."""
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
