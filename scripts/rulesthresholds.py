"""Writes `prometheus/rules/thresholds-by-router.rules.yml` from the names in `thresholds.rules.yml`, or checks it.

A threshold in the group of router thresholds is one number for all routers, and a router may have its own. What
holds for each router is recorded as `router:threshold:NAME`, so that alerts need not know of the difference. Values
are the operator's and are not looked at here: only a new name makes the file out of date.
"""

import argparse
import sys

from scripts.rulesfiles import BY_ROUTER, ROUTER_THRESHOLDS, THRESHOLD_PREFIX, THRESHOLDS, read_rules

_HEAD = """\
# What holds for each router: its own threshold where it has one, that of all routers where it has none.
# Generated from the names in thresholds.rules.yml, where values are edited: python -m scripts.rulesthresholds --write
groups:
  - name: tikwatch_thresholds_by_router
    rules:
"""
_RULE = """\
      - record: router:threshold:{name}
        expr: |-
          max by (router) (tikwatch:threshold:{name}{{router!=""}})
          or on (router)
          (0 * group by (router) (mikrotik_up) + on () group_left () tikwatch:threshold:{name}{{router=""}})
"""


def names() -> list[str]:
    """The thresholds that a router may have for itself, in the order of their file."""
    found = [
        rule.name.removeprefix(THRESHOLD_PREFIX)
        for rule in read_rules(THRESHOLDS)
        if rule.group == ROUTER_THRESHOLDS
    ]
    return list(dict.fromkeys(found))


def text() -> str:
    """The whole file."""
    return _HEAD + "".join(_RULE.format(name=name) for name in names())


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if the file is (now) up to date, 1 if `--check` finds it is not."""
    parser = argparse.ArgumentParser(prog="python -m scripts.rulesthresholds", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help=f"write {BY_ROUTER}")
    choice.add_argument("--check", action="store_true", help=f"fail unless {BY_ROUTER} is up to date")
    given = parser.parse_args(arguments)
    wanted = text()
    if given.write:
        BY_ROUTER.write_text(wanted, encoding="utf-8")
        return 0
    if BY_ROUTER.exists() and BY_ROUTER.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(
        f"{BY_ROUTER} lacks names of {THRESHOLDS}; run: python -m scripts.rulesthresholds --write\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
