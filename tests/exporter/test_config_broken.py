"""Each file in broken_configs/ is one typical mistake; beside it stands, word for word, what an operator then reads."""

from pathlib import Path

import pytest

from exporter.config import CollectorDefaults, ConfigError, load_config

FOLDER = Path(__file__).parent / "broken_configs"
KNOWN = {
    "system": CollectorDefaults(ttl_s=60),
    "interface": CollectorDefaults(ttl_s=10),
    "hotspot": CollectorDefaults(ttl_s=30, modes=("off", "aggregate", "top", "full")),
    "ppp": CollectorDefaults(ttl_s=30, modes=("off", "aggregate", "top", "full")),
}


def message_of(path: Path) -> str:
    """What the file's error says, paths counted from its folder."""
    with pytest.raises(ConfigError) as caught:
        load_config(path, collectors=KNOWN, environment={})
    return str(caught.value).replace(f"{path.parent}/", "") + "\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_typical_mistakes_are_told_exactly(path: Path) -> None:
    """The message is the one in the text file beside the broken one, and repeats no secret."""
    message = message_of(path)
    assert message == path.with_suffix(".txt").read_text(encoding="utf-8")
    assert "hunter2" not in message
    assert "ter2" not in message


def test_every_message_has_its_file() -> None:
    """Neither a broken file without its message nor a message without its file is left over."""
    assert {path.stem for path in FOLDER.glob("*.yml")} == {path.stem for path in FOLDER.glob("*.txt")}
    assert len(list(FOLDER.glob("*.yml"))) >= 10
