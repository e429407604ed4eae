"""The Makefile: its verbs are those that the documentation names, and an old interpreter is refused in plain words."""

import re
import subprocess
from pathlib import Path

import pytest

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs", ".ci/run")
PROMISED = {"help", "demo", "demo-fault", "test", "check", "bench", "system", "lock", "clean", "fmt", "docs"}


def make(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs make in the repository with nothing but a PATH and `variables` in its environment."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **variables}
    return subprocess.run(
        ["make", *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def verbs_listed(root: Path) -> set[str]:
    """The verbs that `make` alone lists."""
    listing = make(root)
    assert listing.returncode == 0, listing.stderr
    return set(re.findall(r"^  make (\S+) +\S", listing.stdout, re.MULTILINE))


def test_make_alone_lists_every_verb(root: Path) -> None:
    """`make` lists the promised verbs with a word on each, and there are no others."""
    assert verbs_listed(root) == PROMISED
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (help .*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony.group(1).split()) == PROMISED


def test_every_verb_can_be_planned(root: Path) -> None:
    """A dry run of each verb finds a rule for everything it needs."""
    for verb in PROMISED:
        plan = make(root, "--dry-run", verb)
        assert plan.returncode == 0, f"make {verb}: {plan.stderr}"


def test_documents_name_only_verbs_that_exist(root: Path) -> None:
    """Each `make VERB` in the documents and in CI is a verb of the Makefile."""
    files = [
        file
        for name in DOCUMENTS
        for file in ([root / name] if (root / name).is_file() else sorted((root / name).rglob("*.md")))
    ]
    named = {
        verb
        for file in files
        for block in re.findall(
            r"`make ([a-z][a-z ]*)|^(?:exec )?make ([a-z][a-z ]*)", file.read_text("utf-8"), re.MULTILINE
        )
        for verb in "".join(block).split()
    }
    assert {"demo", "test", "check"} <= named
    assert named - PROMISED == set()


def test_ci_runs_check_and_test(root: Path) -> None:
    """.ci/run is executable and runs what a person runs."""
    script = root / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make check test" in script.read_text(encoding="utf-8")


def fake_python(folder: Path, version: str) -> Path:
    """A program that looks like an interpreter of that version that is too old for us."""
    program = folder / "old-python"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "Python {version}"; else exit 1; fi\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program


def test_an_old_interpreter_is_refused_in_plain_words(root: Path, tmp_path: Path) -> None:
    """Python 3.9 gives a message with its version, what is needed and how to choose; nothing is made."""
    old = fake_python(tmp_path, "3.9.2")
    venv = tmp_path / "venv"
    refused = make(root, "demo", PYTHON=str(old), VENV=str(venv))
    assert refused.returncode != 0
    assert "Python 3.11 or newer is needed" in refused.stderr
    assert "is Python 3.9.2" in refused.stderr
    assert "PYTHON=python3.12" in refused.stderr
    assert not venv.exists()


def test_a_missing_interpreter_is_told(root: Path, tmp_path: Path) -> None:
    """A PYTHON that does not exist is named in the message."""
    refused = make(root, "demo", PYTHON="python-of-nowhere", VENV=str(tmp_path / "venv"))
    assert refused.returncode != 0
    assert "there is no command python-of-nowhere" in refused.stderr


def test_a_folder_that_is_no_environment_is_left_alone(root: Path, tmp_path: Path) -> None:
    """VENV that names an existing folder of other things is refused, and the folder stays as it is."""
    (tmp_path / "precious").write_text("kept", encoding="utf-8")
    refused = make(root, "demo", VENV=str(tmp_path))
    assert refused.returncode != 0
    assert "is no virtual environment" in refused.stderr
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("script", ["setup.sh", "lock.sh"])
def test_shell_scripts_are_sound(root: Path, script: str) -> None:
    """Each script is executable, stops at the first failure, and has no syntax error."""
    path = root / "scripts" / script
    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in path.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", str(path)], check=True)
