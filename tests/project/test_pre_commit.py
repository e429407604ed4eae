"""The hooks before a commit: those that only look find nothing wrong with what is committed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from identify import identify

ENVIRONMENT = ".venv/bin/"
LOOKING = ("codespell", "yaml", "toml", "conflicts", "private-key")


def hooks(root: Path) -> dict[str, dict[str, Any]]:
    """The hooks by id."""
    config = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    return {hook["id"]: hook for repo in config["repos"] for hook in repo["hooks"]}


def files_of(hook: dict[str, Any], root: Path) -> list[str]:
    """The committed files that pre-commit hands to a hook."""
    listing = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    wanted, exclude = set(hook.get("types", ())), re.compile(hook.get("exclude", "^$"))
    return [
        name
        for name in listing.stdout.splitlines()
        if (root / name).is_file()
        and not exclude.search(name)
        and wanted <= identify.tags_from_path(str(root / name))
    ]


def test_every_hook_is_a_tool_of_the_environment(root: Path) -> None:
    """No hook is fetched from elsewhere: each names a program that the lock installs."""
    for hook in hooks(root).values():
        assert hook["language"] == "system"
        program = shlex.split(hook["entry"])[0]
        assert program.startswith(ENVIRONMENT)
        assert (Path(sys.executable).parent / program.removeprefix(ENVIRONMENT)).is_file()


@pytest.mark.parametrize("name", LOOKING)
def test_a_hook_lets_everything_pass_that_is_committed(root: Path, name: str) -> None:
    """A commit is never stopped for a file that was there before."""
    hook = hooks(root)[name]
    program, *options = shlex.split(hook["entry"])
    tool = Path(sys.executable).parent / program.removeprefix(ENVIRONMENT)
    ended = subprocess.run(
        [tool, *options, *files_of(hook, root)], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
