"""requirements/: in step with pyproject.toml, every file by its hash, for every platform."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)[^\n]*(?P<hashes>(?:\n    --hash=[^\n]+)*)",
    re.MULTILINE,
)
GROUPS = {"runtime": (), "charts": (), "build": ("build",), "dev": ("dev",)}


def locked(root: Path, lock: str) -> dict[str, Version]:
    """Names and versions of a lock."""
    text = (root / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return {canonicalize_name(found["name"]): Version(found["version"]) for found in ENTRY.finditer(text)}


def group(pyproject: dict[str, dict[str, list[str | dict[str, str]]]], name: str) -> Iterator[str]:
    """The requirements of a dependency group, included groups too."""
    for entry in pyproject["dependency-groups"][name]:
        if isinstance(entry, dict):
            yield from group(pyproject, entry["include-group"])
        else:
            yield entry


@pytest.mark.parametrize("lock", GROUPS)
def test_a_lock_satisfies_pyproject(root: Path, lock: str) -> None:
    """Every requirement of pyproject.toml is in the lock, in a version that it allows."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [text for name in GROUPS[lock] for text in group(pyproject, name)]
    if lock != "build":
        wanted.extend(pyproject["project"]["dependencies"])
    if lock == "charts":
        wanted.extend(pyproject["project"]["optional-dependencies"]["charts"])
    versions = locked(root, lock)
    out_of_step = [
        f"{text}: {lock}.txt has {versions.get(canonicalize_name(Requirement(text).name))}; run make lock"
        for text in wanted
        if (version := versions.get(canonicalize_name(Requirement(text).name))) is None
        or version not in Requirement(text).specifier
    ]
    assert wanted
    assert out_of_step == []


@pytest.mark.parametrize("lock", GROUPS)
def test_every_package_of_a_lock_has_hashes(root: Path, lock: str) -> None:
    """No entry lacks the hashes that pip insists on, and none comes from a path or an address."""
    text = (root / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    assert [found["name"] for found in ENTRY.finditer(text) if "--hash=sha256:" not in found["hashes"]] == []
    assert len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)) == len(ENTRY.findall(text))
    assert "://" not in text


def test_locks_agree_with_each_other(root: Path) -> None:
    """What runs in production is what is tested: dev.txt holds the very versions of the others."""
    dev = locked(root, "dev")
    for lock in ("runtime", "charts", "build"):
        assert {name: dev.get(name) for name in locked(root, lock)} == locked(root, lock)


def test_the_build_backend_is_locked(root: Path) -> None:
    """The build backend that pyproject.toml asks for is in the build lock, so that no isolation is needed."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    versions = locked(root, "build")
    for text in pyproject["build-system"]["requires"]:
        assert versions[canonicalize_name(Requirement(text).name)] in Requirement(text).specifier
