"""The outlines of the code: who may import whom, how large a module may grow, what no file may hold."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parents[1]
OURS = ("alertbridge", "exporter", "routeros", "runtime", "simulator")
AROUND = ("benchmarks", "grafana", "scripts", "tests")
MAX_MODULE_LINES = 450  # past 400, look for the second noun
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "handler", "common", "misc"}


@cache
def committed_files() -> tuple[Path, ...]:
    """Every file that git knows of, or would know of after `git add`."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (ROOT / line for line in listing.stdout.splitlines())
    return tuple(path for path in paths if path.is_file())


def modules_of(package: str) -> Iterator[Path]:
    """The Python files of a package."""
    return (ROOT / package).rglob("*.py")


def imports_of(path: Path) -> set[str]:
    """Top-level names that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def breaches(package: str, forbidden: set[str]) -> list[str]:
    """Which file of a package imports which of the forbidden names."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules_of(package)
        for name in sorted(imports_of(path) & forbidden)
    ]


def test_import_contracts_hold(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every contract of .importlinter is kept."""
    monkeypatch.chdir(ROOT)
    code = lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True)
    assert code == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_routeros_needs_nothing_but_librouteros_and_tenacity() -> None:
    """The client library can be used with the standard library and its two dependencies alone."""
    allowed = set(sys.stdlib_module_names) | {"routeros", "librouteros", "tenacity"}
    found = {name for path in modules_of("routeros") for name in imports_of(path)}
    assert found - allowed == set()


@pytest.mark.parametrize("package", OURS)
def test_what_is_installed_imports_nothing_from_around_it(package: str) -> None:
    """An installed package never imports what is not installed: tests, benchmarks, scripts, sources of dashboards."""
    assert breaches(package, set(AROUND)) == []


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("routeros", {"alertbridge", "exporter", "runtime", "simulator"}),
        ("runtime", {"alertbridge", "exporter", "routeros", "simulator"}),
        ("simulator", {"alertbridge", "exporter", "routeros", "runtime"}),
        ("exporter", {"alertbridge", "simulator"}),
        ("alertbridge", {"exporter", "simulator"}),
        ("grafana", {"alertbridge", "exporter", "routeros", "simulator"}),
    ],
)
def test_no_package_reaches_up_or_across(package: str, forbidden: set[str]) -> None:
    """The direction holds for imports inside functions and under TYPE_CHECKING too."""
    assert breaches(package, forbidden) == []


@pytest.mark.parametrize("package", [*OURS, "benchmarks", "grafana", "scripts"])
def test_modules_stay_small_and_have_telling_names(package: str) -> None:
    """No module is longer than can be kept in mind, and none is a drawer."""
    modules = list(modules_of(package))
    assert modules
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules
    }
    assert {path: count for path, count in lines.items() if count > MAX_MODULE_LINES} == {}
    assert {path.stem for path in modules} & VAGUE_NAMES == set()


def test_every_package_is_typed_and_installed() -> None:
    """Each package ships py.typed and is one that setuptools looks for."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = pyproject["tool"]["setuptools"]["packages"]["find"]["include"]
    for package in OURS:
        assert (ROOT / package / "py.typed").is_file()
        assert f"{package}*" in included
        assert package in pyproject["tool"]["mypy"]["packages"]


def test_a_wheel_holds_everything_that_is_in_the_packages(tmp_path: Path) -> None:
    """What is built and installed elsewhere lacks none of our files: code, templates, styles, type markers."""
    inside = {path.relative_to(ROOT) for path in committed_files() if path.relative_to(ROOT).parts[0] in OURS}
    for path in (*inside, Path("pyproject.toml"), Path("README.md"), Path("LICENSE")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", "dist")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "."], cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as built:
        assert inside - {Path(name) for name in built.namelist()} == set()


def test_test_files_have_names_of_their_own() -> None:
    """No two test modules share a base name, so that a failing one is found by its name alone."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


PRIVATE = {
    "a package registry's host": r"pypi\.org|pythonhosted|npmjs\.|deb\.debian\.org|index-url[= ]+\S*//",
    "a path of one machine": r"(?<![\w.])/(work|home/(?!\{)[a-z]+|root|Users)/|file:///",
}


@pytest.mark.parametrize("what", PRIVATE)
def test_no_committed_file_holds(what: str) -> None:
    """No file names a registry host or a path that exists on one machine only."""
    pattern = re.compile(PRIVATE[what])
    found: list[str] = []
    for path in committed_files():
        if path == Path(__file__).resolve():
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        found.extend(f"{path.relative_to(ROOT)}: {match.group(0)}" for match in pattern.finditer(text))
    assert found == []
