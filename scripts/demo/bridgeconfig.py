"""The bridge's configuration in the demo: who is told, which way, and what may be mended without asking."""

import getpass
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.demo.billing import HOLDER_NAME
from scripts.demo.cast import Cast
from scripts.demo.ports import HOST, Ports

TOKEN_FILE = "alertbridge-token"  # noqa: S105  the name of a file
STORE_FILE = "alertbridge.db"
OPERATOR = "6281200000009"
OPERATOR_NAME = "Operator NOC"
SMS_CHAT = "fallback:sms"
LOGIN = {"username": "noc", "password": "demo"}
WRITER = {"username": "recovery", "password": "recovery-secret"}
"""The user that recovery writes to routers with; the exporter has another, that can only read."""
UPLINKS = ("ether1", "ether1-wan")
Json = dict[str, Any]

_FAST = {"target_s": 6, "settle_s": 45, "deadline_s": 90, "every_s": 0.5}
_OFTEN = {"per_hour": 500, "per_day": 5000, "cooldown_s": 3}


def bridge_config(ports: Ports, folder: Path, cast: Cast, routers: Iterable[Mapping[str, object]]) -> str:
    """YAML for `tikwatch-alertbridge`; `routers` as the simulator lists them; the bridge writes into `folder`."""
    config: Json = {
        "web": {
            "listen": f"{HOST}:{ports.bridge}",
            "bearer": [{"name": "alertmanager", "token_file": str(folder / TOKEN_FILE)}],
            "basic_auth": [LOGIN],
        },
        "store": {"path": str(folder / STORE_FILE)},
        "delivery": {"language": "id", "timezone": "Asia/Jakarta"},
        "accept": {"flapping": {"changes": 100, "window_s": 60, "calm_s": 60}},
        "channels": _channels(ports, cast),
        "recipients": [
            {
                "name": "operator",
                "channel": "wa",
                "to": OPERATOR,
                "fallback": [{"channel": "sms", "to": OPERATOR}],
            },
            {"name": "piket", "channel": "sms", "to": OPERATOR},
        ],
        "routes": [{"name": "operator", "to": "operator"}],
        "limits": {"recipient": {"count": 600, "seconds": 60, "burst": 0}},
        "alertmanager": {"urls": [ports.url("alertmanager")]},
        "prometheus": {"url": ports.url("prometheus")},
        "recovery": {"tell": "operator", "reconsider_s": 2, "rules": list(_rules())},
        "actions": _actions(folder, cast, routers),
        "replies": {
            "operators": [{"name": "operator", "role": "admin", "numbers": [OPERATOR], "language": "id"}]
        },
        "reports": [{"name": "harian", "kind": "daily", "recipients": ["operator"]}],
        "deadman": {"after_s": 180, "recipients": ["operator"]},
    }
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def _channels(ports: Ports, cast: Cast) -> list[Json]:
    """The phone as WAHA and as a gateway for SMS; the customers' bots, which nobody is told by, to be mended."""
    quick = {"spacing_s": 0.5, "per_minute": 120}
    return [
        {
            "name": "wa",
            "kind": "waha",
            "url": f"{ports.url('phone')}/waha",
            "api_key": "waha-key",
            "webhook": {"secret": "waha-hmac-key"},
            "limits": quick,
        },
        {"name": "sms", "kind": "apprise", "url": f"json://{HOST}:{ports.phone}/sink/sms", "limits": quick},
        *(
            {"name": name, "kind": "bot", "url": f"http://{HOST}:{port}", "probe": {"enabled": False}}
            for name, port in cast.bots.items()
        ),
    ]


def _rules() -> Iterable[Json]:
    """None is a dry run; what cannot be mended from here has no rule, and is told only."""
    yield {
        "name": "bot-reconnect",
        "match": {"labels": ['alertname=~"BotDisconnected|BotLoggedOut|BotSendingBarred"', 'bot!=""']},
        "steps": [
            {
                "action": "bot_reconnect",
                "with": {"channel": "{{ labels.bot }}"},
                "timeout_s": 10,
                "tries": 5,
                "verify": _FAST,
            }
        ],
        "dry_run": False,
        **_OFTEN,
        "escalate": {"to": ["piket"], "after": 1000},
    }
    yield {
        "name": "bot-queue",
        "match": {"labels": ['alertname="BotQueueStuck"', 'bot!=""']},
        "steps": [
            {
                "action": "bot_clear_queue",
                "with": {"channel": "{{ labels.bot }}", "older_than_s": 5},
                "tries": 3,
                "verify": _FAST,
            }
        ],
        "dry_run": False,
        **_OFTEN,
        "escalate": {"to": ["piket"], "after": 1000},
    }
    yield {
        "name": "database-lock",
        "match": {"labels": ['alertname="DatabaseLocked"', 'database!=""']},
        "steps": [
            {
                "action": "sqlite_end_lock_holder",
                "with": {"database": "{{ labels.database }}", "stuck_s": 1, "term_s": 3},
                "tries": 3,
                "verify": _FAST,
            }
        ],
        "approval": "ask",
        "dry_run": False,
        **_OFTEN,
        "escalate": {"to": ["piket"], "after": 1000},
    }
    yield {
        "name": "port-bounce",
        "match": {"labels": ['alertname="InterfaceFlapping"']},
        "steps": [
            {
                "action": "interface_bounce",
                "with": {
                    "router": "{{ labels.router }}",
                    "interface": "{{ labels.interface }}",
                    "down_s": 1,
                    "dead_man_s": 30,
                },
                "tries": 1,
                "precondition": {"probe": "none"},  # while it flaps it is well every other moment
                "verify": {**_FAST, "target_s": 45},  # longer than the dead man takes
            }
        ],
        "dry_run": False,
        **_OFTEN,
        "cooldown_s": 60,
        "unless": [{"labels": ['alertname="RouterDown"'], "equal": ["router"]}],
        "escalate": {"to": ["piket"], "after": 1000},
    }


def _actions(folder: Path, cast: Cast, routers: Iterable[Mapping[str, object]]) -> Json:
    return {
        "routers": [
            {
                **{key: router[key] for key in ("name", "address", "port")},
                **WRITER,
                "own_interfaces": list(UPLINKS),
            }
            for router in routers
        ],
        "databases": [
            {
                "kind": "sqlite",
                "name": name,
                "path": str(file),
                "lock_holders": [{"process": HOLDER_NAME, "user": getpass.getuser()}],
            }
            for name, file in cast.databases.items()
        ],
        "keep_dir": str(folder / "kept"),
    }
