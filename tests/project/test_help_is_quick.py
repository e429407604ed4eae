"""Help and version are told without what only the commands need."""

import subprocess
import sys

import pytest

HEAVY = ("pydantic", "sqlalchemy", "aiohttp", "structlog", "jinja2", "yaml")
PROGRAM = """
import sys
from contextlib import suppress
from {package}.__main__ import main
with suppress(SystemExit):
    main([{flag!r}])
print("\\n" + " ".join(sys.modules))
"""


@pytest.mark.parametrize("package", ["alertbridge", "exporter"])
@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_nothing_heavy_is_loaded(package: str, flag: str) -> None:
    """Neither program loads a library that takes long before it knows that it has something to do."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(package=package, flag=flag)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert package in loaded
    assert not loaded & set(HEAVY)
