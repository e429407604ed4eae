"""The alert rules of the repository with less patience, so that nobody waits for minutes to see them work.

What an alert means stays as it is; how long it must hold, and over which time it looks, is shortened. Each change
names what it finds in the rules, and is refused when it is not there any more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]


class NotInTheRules(Exception):
    """A change is about something that the rules do not hold any more."""


@dataclass(frozen=True, slots=True)
class Hurry:
    """What is shorter in one alert or record. Empty: as it is."""

    holds: str = ""
    keeps: str = ""
    swaps: tuple[tuple[str, str], ...] = ()
    every: str = ""
    """How often its group is looked at."""


HURRIED: Mapping[str, Hurry] = {
    "BotDisconnected": Hurry(keeps="3s", every="1s"),
    "BotLoggedOut": Hurry(keeps="3s"),
    "BotQueueStuck": Hurry(holds="5s", keeps="3s"),
    "BotSendingBarred": Hurry(holds="5s", every="1s"),
    "DatabaseLocked": Hurry(keeps="3s", every="1s"),
    "RouterDown": Hurry(keeps="5s", every="2s"),
    "RouterFlapping": Hurry(keeps="30s"),
    "InterfaceDown": Hurry(holds="5s", keeps="5s", every="2s"),
    "InterfaceFlapping": Hurry(keeps="5s", swaps=(("[15m]", "[30s]"),), every="2s"),
    "router:ppp_active:drop_ratio2m": Hurry(swaps=(("offset 2m", "offset 30s"),)),
    "PppMassDisconnect": Hurry(keeps="5s", swaps=(("offset 2m", "offset 30s"),), every="2s"),
}
"""By alert or record."""

THRESHOLDS: Mapping[str, float] = {
    "tikwatch:threshold:bot_queue_oldest_seconds": 10,
    "tikwatch:threshold:reboot_window_seconds": 30,
}


def write_rules(source: Path, folder: Path) -> None:
    """Writes every rule file of `source` into `folder`, hurried. Raises NotInTheRules."""
    folder.mkdir(parents=True, exist_ok=True)
    met: set[str] = set()
    for file in sorted(source.glob("*.rules.yml")):
        content: Json = yaml.safe_load(file.read_text(encoding="utf-8"))
        met |= set(_hurried(content))
        (folder / file.name).write_text(
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
    if left := ({*HURRIED, *THRESHOLDS} - met):
        raise NotInTheRules(f"{source} has no rule {min(left)}")


def _hurried(content: Json) -> Iterator[str]:
    """Changes the rules of a file in place; the names of those that were changed."""
    for group in content["groups"]:
        for rule in group["rules"]:
            name = rule.get("alert") or rule["record"]
            if name in THRESHOLDS and "labels" not in rule:
                rule["expr"] = THRESHOLDS[name]
                yield name
            if (hurry := HURRIED.get(name)) is not None:
                _hurry(name, rule, hurry)
                if hurry.every:
                    group["interval"] = hurry.every
                yield name


def _hurry(name: str, rule: Json, hurry: Hurry) -> None:
    for old, new in hurry.swaps:
        if old not in rule["expr"]:
            raise NotInTheRules(f"{name} does not say {old!r}")
        rule["expr"] = rule["expr"].replace(old, new)
    if hurry.holds:
        rule["for"] = hurry.holds
    if hurry.keeps:
        rule["keep_firing_for"] = hurry.keeps
