"""Every action by name: its parameters and what makes it. A new one is a file and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alertbridge.recover.actions.base import About, Action, Undoable
from alertbridge.recover.actions.bot_clear_queue import BotClearQueue, BotClearQueueSettings
from alertbridge.recover.actions.bot_reconnect import BotReconnect, BotReconnectSettings
from alertbridge.recover.actions.bot_restart import BotRestart, BotRestartSettings
from alertbridge.recover.actions.command_run import CommandRun, CommandRunSettings
from alertbridge.recover.actions.dhcp_lease_renew import DhcpLeaseRenew, DhcpLeaseRenewSettings
from alertbridge.recover.actions.docker_restart import DockerRestart, DockerRestartSettings
from alertbridge.recover.actions.exporter_pool_reset import ExporterPoolReset, ExporterPoolResetSettings
from alertbridge.recover.actions.hotspot_cookie_cleanup import (
    HotspotCookieCleanup,
    HotspotCookieCleanupSettings,
)
from alertbridge.recover.actions.hotspot_kick import HotspotKick, HotspotKickSettings
from alertbridge.recover.actions.interface_bounce import InterfaceBounce, InterfaceBounceSettings
from alertbridge.recover.actions.interface_enable import InterfaceEnable, InterfaceEnableSettings
from alertbridge.recover.actions.pm2_restart import Pm2Restart, Pm2RestartSettings
from alertbridge.recover.actions.poe_cycle import PoeCycle, PoeCycleSettings
from alertbridge.recover.actions.postgresql_end_idle import PostgresqlEndIdle, PostgresqlEndIdleSettings
from alertbridge.recover.actions.ppp_kick import PppKick, PppKickSettings
from alertbridge.recover.actions.queue_reset_counters import QueueResetCounters, QueueResetCountersSettings
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.router_reboot import RouterReboot, RouterRebootSettings
from alertbridge.recover.actions.script_run import ScriptRun, ScriptRunSettings
from alertbridge.recover.actions.services_listed import Services
from alertbridge.recover.actions.services_runaway import ProcessRestart, ProcessRestartSettings
from alertbridge.recover.actions.sqlite_backup import SqliteBackup, SqliteBackupSettings
from alertbridge.recover.actions.sqlite_checkpoint import SqliteCheckpoint, SqliteCheckpointSettings
from alertbridge.recover.actions.sqlite_end_lock_holder import (
    SqliteEndLockHolder,
    SqliteEndLockHolderSettings,
)
from alertbridge.recover.actions.sqlite_restore import SqliteRestore, SqliteRestoreSettings
from alertbridge.recover.actions.systemd_restart import SystemdRestart, SystemdRestartSettings
from alertbridge.recover.ports import KnownAction, NoSuchTarget
from runtime.sections import Section


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of action. `make` raises NoSuchTarget; it does no input or output."""

    settings: type[Section]
    make: Callable[[Any, Resources], Action]
    about: About
    repeatable: bool
    group: str
    policies: tuple[str, ...] = ()
    """What the user on a router needs, beside `api`; empty for what acts on no router."""


def _kind(group: str, settings: type[Section], action: Any) -> Kind:
    """`action` is the class, made of its settings and the resources."""
    policies = getattr(action, "policies", ())
    return Kind(settings, action, action.about, action.repeatable, group, policies)


ACTIONS: Mapping[str, Kind] = {
    "interface_bounce": _kind("RouterOS", InterfaceBounceSettings, InterfaceBounce),
    "interface_enable": _kind("RouterOS", InterfaceEnableSettings, InterfaceEnable),
    "poe_cycle": _kind("RouterOS", PoeCycleSettings, PoeCycle),
    "ppp_kick": _kind("RouterOS", PppKickSettings, PppKick),
    "hotspot_kick": _kind("RouterOS", HotspotKickSettings, HotspotKick),
    "hotspot_cookie_cleanup": _kind("RouterOS", HotspotCookieCleanupSettings, HotspotCookieCleanup),
    "queue_reset_counters": _kind("RouterOS", QueueResetCountersSettings, QueueResetCounters),
    "dhcp_lease_renew": _kind("RouterOS", DhcpLeaseRenewSettings, DhcpLeaseRenew),
    "script_run": _kind("RouterOS", ScriptRunSettings, ScriptRun),
    "router_reboot": _kind("RouterOS", RouterRebootSettings, RouterReboot),
    "bot_reconnect": _kind("Bot", BotReconnectSettings, BotReconnect),
    "bot_restart": _kind("Bot", BotRestartSettings, BotRestart),
    "bot_clear_queue": _kind("Bot", BotClearQueueSettings, BotClearQueue),
    "systemd_restart": _kind("Services", SystemdRestartSettings, SystemdRestart),
    "docker_restart": _kind("Services", DockerRestartSettings, DockerRestart),
    "pm2_restart": _kind("Services", Pm2RestartSettings, Pm2Restart),
    "command_run": _kind("Services", CommandRunSettings, CommandRun),
    "process_restart": _kind("Services", ProcessRestartSettings, ProcessRestart),
    "sqlite_checkpoint": _kind("Databases", SqliteCheckpointSettings, SqliteCheckpoint),
    "sqlite_end_lock_holder": _kind("Databases", SqliteEndLockHolderSettings, SqliteEndLockHolder),
    "sqlite_backup": _kind("Databases", SqliteBackupSettings, SqliteBackup),
    "sqlite_restore": _kind("Databases", SqliteRestoreSettings, SqliteRestore),
    "postgresql_end_idle": _kind("Databases", PostgresqlEndIdleSettings, PostgresqlEndIdle),
    "exporter_pool_reset": _kind("Exporter", ExporterPoolResetSettings, ExporterPoolReset),
}

KNOWN: Mapping[str, KnownAction] = {
    name: KnownAction(name, kind.settings, kind.about, kind.repeatable) for name, kind in ACTIONS.items()
}


def can_undo(name: str, settings: Mapping[str, object], services: Services) -> bool:
    """Whether an action with these rendered parameters can be taken back."""
    kind = ACTIONS.get(name)
    if kind is None or kind.about.undoable is not Undoable.CONFIGURED:
        return kind is not None and kind.about.undoable is Undoable.YES
    return services.can_undo(str(settings.get("command", "")))


class Actions:
    """Makes actions that act with these resources; see `recover.ports.ActionMaker`."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @property
    def known(self) -> Mapping[str, KnownAction]:
        return KNOWN

    def make(self, name: str, settings: Section, *, run_id: str = "") -> Action:
        """An action for one run; `run_id` names what it leaves on a router while it works. Raises NoSuchTarget."""
        kind = ACTIONS.get(name)
        if kind is None or not isinstance(settings, kind.settings):
            raise NoSuchTarget(f"there is no action {name!r} with such parameters")
        return kind.make(settings, self._resources.of_run(run_id))

    def can_undo(self, name: str, settings: Mapping[str, object]) -> bool:
        """See `ActionMaker.can_undo`."""
        return can_undo(name, settings, self._resources.services)
