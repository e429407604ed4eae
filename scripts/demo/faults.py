"""What can be broken in the demo: how, how one sees it, what ought to happen, and who mends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.demo.stages import Stage

ACCESS_PORT = "ether7"
UPLINK = "ether1-wan"
CUSTOMER = "6281300000002"
TOLD = (Stage.SEEN, Stage.PENDING, Stage.FIRING, Stage.ALERTMANAGER, Stage.MESSAGE)
MENDS_ITSELF = (*TOLD, Stage.ACTION, Stage.VERIFIED, Stage.RESOLVED)
TOLD_ONLY = (*TOLD, Stage.RESOLVED)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a program of the demo, by its name in `ports.Ports`."""

    program: str
    method: str
    path: str
    body: object = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be broken.

    `seen` is PromQL that has a result once the exporter tells of it. `alert` and `labels` say which alert it becomes,
    `rule` which recovery rule acts, if any does. What nobody mends is mended after `mend_after`, and `slow_s` is how
    much later than usual its stages may come. The bridge is killed after `crash_after`, and started again at once.
    `rests_s` is how long its rule does nothing more on the same target after it acted.
    """

    title: str
    breaks: tuple[Request, ...]
    mends: tuple[Request, ...]
    seen: str
    alert: str
    labels: Mapping[str, str]
    stages: tuple[Stage, ...]
    rule: str = ""
    mend_after: Stage | None = None
    crash_after: Stage | None = None
    rests_s: float = 0.0
    slow_s: float = 0.0
    holds_lock: bool = False
    targets_s: Mapping[Stage, float] = field(default_factory=dict)
    """Seconds from the fault within which a stage was promised."""


def bot_fault(fault: str, **parameters: float) -> Request:
    """Something is wrong with the bot from now on."""
    return Request("bot", "POST", "/control/faults", {"fault": fault, **parameters})


def bot_mended(fault: str) -> Request:
    """It is not any more."""
    return Request("bot", "DELETE", f"/control/faults?fault={fault}")


def router_fault(name: str, fault: str, **parameters: str | float) -> Request:
    """Something is wrong with a router from now on."""
    return Request("simulator", "POST", f"/routers/{name}/faults", {"fault": fault, **parameters})


def router_mended(name: str, fault: str) -> Request:
    """It is not any more."""
    return Request("simulator", "DELETE", f"/routers/{name}/faults?fault={fault}")


UNSENT = tuple(
    Request("bot", "POST", "/send", {"to": CUSTOMER, "text": f"Tagihan {number}"}) for number in range(1, 6)
)
"""Messages that wait when the queue is stuck. Without a number of ours: one that the bot knows is not sent again."""


FAULTS: Mapping[str, Fault] = {
    "bot": Fault(
        title="The customers' bot loses its session",
        breaks=(bot_fault("disconnect"),),
        mends=(bot_mended("disconnect"),),
        seen='whatsapp_bot_session_state{bot="noc",state="close"} == 1',
        alert="BotDisconnected",
        labels={"bot": "noc"},
        stages=MENDS_ITSELF,
        rule="bot-reconnect",
        targets_s={Stage.VERIFIED: 30.0, Stage.MESSAGE: 30.0},
    ),
    "queue": Fault(
        title="The bot's queue is stuck",
        breaks=(bot_fault("queue_stuck"), *UNSENT),
        mends=(bot_mended("queue_stuck"),),
        seen='whatsapp_bot_queue_oldest_seconds{bot="noc"} > 1',
        alert="BotQueueStuck",
        labels={"bot": "noc"},
        stages=MENDS_ITSELF,
        rule="bot-queue",
        mend_after=Stage.VERIFIED,
        slow_s=15.0,
        targets_s={Stage.VERIFIED: 60.0},
    ),
    "logout": Fault(
        title="The bot is logged out by its phone",
        breaks=(bot_fault("logged_out"),),
        mends=(Request("bot", "POST", "/control/scan"),),
        seen='whatsapp_bot_session_state{bot="noc",state="logged_out"} == 1',
        alert="BotLoggedOut",
        labels={"bot": "noc"},
        stages=(*TOLD, Stage.ESCALATED, Stage.RESOLVED),
        rule="bot-reconnect",
        mend_after=Stage.ESCALATED,
        targets_s={Stage.ESCALATED: 60.0},
    ),
    "timelock": Fault(
        title="WhatsApp bars the bot from new chats for an hour",
        breaks=(bot_fault("timelock"),),
        mends=(bot_mended("timelock"),),
        seen='whatsapp_bot_sending_barred_until_timestamp_seconds{bot="noc"} > 0',
        alert="BotSendingBarred",
        labels={"bot": "noc"},
        stages=(*TOLD, Stage.ESCALATED, Stage.RESOLVED),
        rule="bot-reconnect",
        mend_after=Stage.ESCALATED,
        targets_s={Stage.ESCALATED: 60.0},
    ),
    "crash": Fault(
        title="The bridge is killed while it mends the bot",
        breaks=(bot_fault("disconnect"),),
        mends=(bot_mended("disconnect"),),
        seen='whatsapp_bot_session_state{bot="noc",state="close"} == 1',
        alert="BotDisconnected",
        labels={"bot": "noc"},
        stages=(*TOLD, Stage.ACTION, Stage.CRASHED, Stage.VERIFIED, Stage.RESOLVED),
        rule="bot-reconnect",
        crash_after=Stage.ACTION,
        slow_s=30.0,
    ),
    "loop": Fault(
        title="The bot loses its session again and again",
        breaks=(bot_fault("disconnect", curable=0),),
        mends=(bot_mended("disconnect"),),
        seen='whatsapp_bot_session_state{bot="noc",state="close"} == 1',
        alert="BotDisconnected",
        labels={"bot": "noc"},
        stages=(*TOLD, Stage.ACTION, Stage.ESCALATED, Stage.RESOLVED),
        rule="bot-reconnect",
        mend_after=Stage.ESCALATED,
        slow_s=90.0,
    ),
    "db": Fault(
        title="A program keeps the billing database locked",
        breaks=(),
        mends=(),
        holds_lock=True,
        seen='tikwatch_database_locked{database="billing"} == 1'
        ' or tikwatch_database_failure{database="billing",reason="locked"} == 1',
        alert="DatabaseLocked",
        labels={"database": "billing"},
        stages=(*TOLD, Stage.ASKED, Stage.ACTION, Stage.VERIFIED, Stage.RESOLVED),
        rule="database-lock",
        slow_s=10.0,
        targets_s={Stage.ASKED: 60.0, Stage.VERIFIED: 60.0},
    ),
    "router": Fault(
        title="Router isp does not answer",
        breaks=(router_fault("isp", "refuse"),),
        mends=(router_mended("isp", "refuse"),),
        seen='mikrotik_up{router="isp"} == 0',
        alert="RouterDown",
        labels={"router": "isp"},
        stages=TOLD_ONLY,
        mend_after=Stage.MESSAGE,
        targets_s={Stage.MESSAGE: 30.0},
    ),
    "link": Fault(
        title="The uplink of wisp loses its link",
        breaks=(router_fault("wisp", "unplugged", interface=UPLINK),),
        mends=(router_mended("wisp", "unplugged"),),
        seen=f'mikrotik_interface_running{{router="wisp",interface="{UPLINK}"}} == 0',
        alert="InterfaceDown",
        labels={"router": "wisp", "interface": UPLINK},
        stages=TOLD_ONLY,
        mend_after=Stage.MESSAGE,
        targets_s={Stage.MESSAGE: 30.0},
    ),
    "flap": Fault(
        title="An access port of wisp flaps",
        breaks=(router_fault("wisp", "flap", interface=ACCESS_PORT, period_s=1.0),),
        mends=(router_mended("wisp", "flap"),),
        seen=f'changes(mikrotik_interface_link_downs_total{{router="wisp",interface="{ACCESS_PORT}"}}[10s]) > 0',
        alert="InterfaceFlapping",
        labels={"router": "wisp", "interface": ACCESS_PORT},
        stages=MENDS_ITSELF,
        rule="port-bounce",
        mend_after=Stage.ACTION,
        rests_s=60.0,
        slow_s=90.0,
        targets_s={Stage.VERIFIED: 60.0},
    ),
    "reboot": Fault(
        title="Router isp restarts",
        breaks=(Request("simulator", "POST", "/routers/isp/reboot?down_s=3"),),
        mends=(),
        seen='mikrotik_system_uptime_seconds{router="isp"} < 30',
        alert="RouterRebooted",
        labels={"router": "isp"},
        stages=TOLD_ONLY,
        slow_s=20.0,
    ),
    "pppoe": Fault(
        title="Half of wisp's PPPoE customers are cut off",
        breaks=(router_fault("wisp", "sessions_lost", percent=50.0),),
        mends=(router_mended("wisp", "sessions_lost"),),
        seen='router:ppp_active:drop_ratio2m{router="wisp"} > 0.2',
        alert="PppMassDisconnect",
        labels={"router": "wisp"},
        stages=TOLD_ONLY,
        mend_after=Stage.MESSAGE,
        slow_s=30.0,
        targets_s={Stage.MESSAGE: 30.0},
    ),
}
"""By the name that `make demo-fault FAULT=` takes."""

FLAKY = (router_fault("home", "flap", interface="ether4", period_s=150.0),)
"""What is always a little wrong: a cable at a home router that comes loose now and then."""

DEADLINES_S: Mapping[Stage, float] = {
    Stage.SEEN: 20.0,
    Stage.PENDING: 25.0,
    Stage.FIRING: 40.0,
    Stage.ALERTMANAGER: 45.0,
    Stage.MESSAGE: 50.0,
    Stage.ASKED: 55.0,
    Stage.ACTION: 60.0,
    Stage.CRASHED: 65.0,
    Stage.VERIFIED: 75.0,
    Stage.ESCALATED: 75.0,
    Stage.RESOLVED: 150.0,
}
"""Seconds from the fault, for a machine that is busy with something else as well; what was promised is tighter."""
