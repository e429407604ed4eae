"""A configuration file -> a model, or one exception that lists every mistake with its line.

    config = load(Path("exporter.yml"), Config)

A ConfigError reads as it is meant to be printed; the program then exits with status 2 and no traceback:

    exporter.yml: 2 problems
      line 7: routers[1] (branch-7) > timeout_s: must be greater than 0, got -3
      line 9: routers[2] (hq-core): unknown key "pasword"; did you mean "password"?
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from runtime import complaints, yamltree
from runtime.sections import Surroundings
from runtime.wording import counted

Model = TypeVar("Model", bound=BaseModel)

SIZE_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: `path` to the key (empty for the whole file), `line` from 1 when known, what is wrong."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        parts = [f"line {self.line}" if self.line is not None else "", self.path, self.message]
        return ": ".join(part for part in parts if part)


class ConfigError(Exception):
    """A configuration cannot be used; `source` is the file as it was named, `problems` all that is wrong."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = list(problems)
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        head = f"{self.source}: {counted(len(self.problems), 'problem')}"
        return "\n  ".join([head, *map(str, self.problems)])


def load(
    path: Path,
    model: type[Model],
    *,
    environment: Mapping[str, str] | None = None,
    extras: Mapping[str, object] = MappingProxyType({}),
) -> Model:
    """The configuration in the file `path`, as a `model`.

    Relative paths in it start at its folder. `environment` stands for the process's own; `extras` reach the
    model's checks in Surroundings. Raises ConfigError.
    """
    return parse(
        _read(path), model, source=str(path), folder=path.parent, environment=environment, extras=extras
    )


def parse(
    text: str,
    model: type[Model],
    *,
    source: str = "configuration",
    folder: Path = Path(),
    environment: Mapping[str, str] | None = None,
    extras: Mapping[str, object] = MappingProxyType({}),
) -> Model:
    """The configuration in `text`; see `load`."""
    tree = yamltree.parse(text)
    if tree.value is None and not tree.flaws:
        raise ConfigError(source, [Problem("", None, "the file is empty")])
    problems = [
        Problem(complaints.path(flaw.place, tree.value), flaw.line, flaw.message) for flaw in tree.flaws
    ]
    loaded: Model | None = None
    if tree.value is not None:
        around = Surroundings(folder=folder, extras=extras)
        if environment is not None:
            around = Surroundings(folder=folder, environment=environment, extras=extras)
        flawed = {flaw.place for flaw in tree.flaws}
        try:
            loaded = model.model_validate(tree.value, context=around)
        except ValidationError as error:
            problems += _problems(error, model, tree, flawed)
    if loaded is None or problems:
        raise ConfigError(source, sorted(problems, key=lambda problem: problem.line or 0))
    return loaded


def _problems(
    error: ValidationError, model: type[BaseModel], tree: yamltree.Tree, told: set[yamltree.Place]
) -> list[Problem]:
    """The mistakes that pydantic found, without those at a place that has been complained of already.

    A key that is missing because it stands there misspelt is told once, as the misspelt one.
    """
    found = [(complaints.of(detail, model, tree.value), detail) for detail in error.errors(include_url=False)]
    misspelt = {complaint.meant for complaint, _ in found}
    problems: dict[Problem, None] = {}
    for complaint, detail in found:
        if complaint.place in told or (detail["type"] == "missing" and complaint.place in misspelt):
            continue
        line = tree.line_of(complaints.untagged(tuple(detail["loc"]), model))
        problems[Problem(complaints.path(complaint.place, tree.value), line, complaint.message)] = None
    return list(problems)


def _read(path: Path) -> str:
    def refuse(message: str, line: int | None = None) -> ConfigError:
        return ConfigError(str(path), [Problem("", line, message)])

    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT_BYTES + 1)
    except FileNotFoundError as error:
        raise refuse("there is no such file") from error
    except IsADirectoryError as error:
        raise refuse("is a folder, not a file") from error
    except PermissionError as error:
        raise refuse("this user may not read the file") from error
    except (OSError, ValueError) as error:
        raise refuse(f"cannot be read: {getattr(error, 'strerror', None) or 'not a path'}") from error
    if len(content) > SIZE_LIMIT_BYTES:
        raise refuse(f"is longer than {SIZE_LIMIT_BYTES} bytes; is it a configuration?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refuse("is not UTF-8 text; save it as UTF-8", line) from None
