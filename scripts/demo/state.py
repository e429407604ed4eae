"""What a running demo leaves for other programs to find: where everything is."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

DEFAULT = Path(__file__).resolve().parents[2] / ".demo" / "state.json"


class NotRunning(Exception):
    """There is no demo to talk to; the message says how to start one."""


@dataclass(frozen=True, slots=True)
class State:
    """`urls` by program; `token` is what the bridge's metrics ask for."""

    pid: int
    urls: Mapping[str, str]
    token: str
    operator: str
    sms_chat: str

    def write(self, file: Path) -> None:
        """Into `file`, for its owner only."""
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
        draft.rename(file)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Raises NotRunning."""
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NotRunning("the demo is not running; start it in another terminal: make demo") from error
