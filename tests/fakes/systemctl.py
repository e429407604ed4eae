"""A systemctl for machines without systemd: units in a JSON file, properties as the real one prints them.

Run as a program: FILE and the arguments of systemctl. A unit may have a `trouble`: `refuses` (start and restart fail),
`hangs` (they do not end), `falls` (systemd starts it again each time that it is asked about), `dies` (it ends at once).
"""

import fcntl
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

ABSENT = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead", "MainPID": 0}


def begin(unit: dict[str, Any]) -> None:
    """A new process stands there, or none."""
    lives = unit.get("trouble") != "dies"
    unit["MainPID"] = int(unit.get("next_pid", 5000)) if lives else 0
    unit["next_pid"] = int(unit.get("next_pid", 5000)) + 1
    unit["InvocationID"] = secrets.token_hex(16)
    unit["ActiveState"], unit["SubState"] = ("active", "running") if lives else ("failed", "failed")
    unit["Result"] = "success" if lives else "exit-code"


def end(unit: dict[str, Any]) -> None:
    """Nothing runs."""
    unit |= {"MainPID": 0, "ActiveState": "inactive", "SubState": "dead"}


def answer(units: dict[str, Any], words: list[str]) -> int:
    """Does what is asked; returns the exit code."""
    options = [word for word in words if word.startswith("--") and word != "--"]
    verb, name = next(word for word in words if not word.startswith("--")), words[-1]
    unit = units.get(name)
    units.setdefault("", {"asked": []})["asked"].append(" ".join(words))
    if verb == "show":
        wanted = next(word for word in options if word.startswith("--property=")).partition("=")[2].split(",")
        if unit is not None and unit.get("trouble") == "falls":
            unit["NRestarts"] = int(unit.get("NRestarts", 0)) + 1
            begin(unit)
        shown = {"LoadState": "loaded", "NRestarts": 0, "Result": "success", "InvocationID": ""}
        shown |= ABSENT if unit is None else unit
        for key in wanted:
            sys.stdout.write(f"{key}={shown.get(key, '')}\n")
        return 0
    if unit is None:
        sys.stderr.write(f"Failed to {verb} {name}: Unit {name} not found.\n")
        return 5
    if verb != "stop" and unit.get("trouble") == "hangs":
        sys.stdout.flush()
        time.sleep(600)
    if verb != "stop" and unit.get("trouble") == "refuses":
        end(unit)
        sys.stderr.write(f"Job for {name} failed because the control process exited with error code.\n")
        return 1
    end(unit)
    if verb != "stop":
        unit["NRestarts"] = 0
        begin(unit)
    return 0


def main(file: Path, words: list[str]) -> int:
    """One call of systemctl."""
    with file.open("r+", encoding="utf-8") as state:
        fcntl.flock(state, fcntl.LOCK_EX)
        units = json.load(state)
        code = answer(units, words)
        state.seek(0)
        state.truncate()
        json.dump(units, state)
    return code


class Systemd:
    """The units of one test, and the program that asks and tells them."""

    def __init__(self, folder: Path, **units: dict[str, Any]) -> None:
        self._file = folder / "units.json"
        self._file.write_text(json.dumps({name.replace("__", "."): unit for name, unit in units.items()}))
        self.program = folder / "systemctl"
        self.program.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {self._file} "$@"\n')
        self.program.chmod(0o755)

    def unit(self, name: str) -> dict[str, Any]:
        """A unit as it is."""
        found: dict[str, Any] = json.loads(self._file.read_text())[name]
        return found

    @property
    def asked(self) -> list[str]:
        """Every call so far."""
        return list(self.unit("")["asked"])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
