"""Restarts a process that PM2 keeps."""

from typing import ClassVar

from alertbridge.recover.actions.base import About
from alertbridge.recover.actions.services_restart import RestartSettings, ServiceAction


class Pm2RestartSettings(RestartSettings):
    """Parameters of `pm2_restart`."""


class Pm2Restart(ServiceAction):
    """With the environment that PM2 has kept for it, not with ours."""

    name = "pm2_restart"
    kinds = ("pm2",)
    about: ClassVar[About] = About(
        changes="`pm2 restart` of every process with one name under `actions.services`.",
        verified="`pm2 jlist` says that all of them are online, with other process numbers than before, and that "
        "PM2 did not have to start them again since.",
        undone="Not at all; a restart leaves nothing to take back.",
    )
