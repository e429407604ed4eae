"""Restarts a unit of systemd."""

from typing import ClassVar

from alertbridge.recover.actions.base import About
from alertbridge.recover.actions.services_restart import RestartSettings, ServiceAction


class SystemdRestartSettings(RestartSettings):
    """Parameters of `systemd_restart`."""


class SystemdRestart(ServiceAction):
    """Any unit of the list; systemd stops what is left of the old one."""

    name = "systemd_restart"
    kinds = ("systemd",)
    about: ClassVar[About] = About(
        changes="`systemctl restart` of one unit under `actions.services`.",
        verified="systemd says that the unit is active, with another main process (`MainPID`, `InvocationID`), and "
        "that it did not have to start it again since (`NRestarts`).",
        undone="Not at all; a restart leaves nothing to take back.",
    )
