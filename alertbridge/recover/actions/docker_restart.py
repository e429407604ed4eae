"""Restarts a container."""

from typing import ClassVar

from alertbridge.recover.actions.base import About
from alertbridge.recover.actions.services_restart import RestartSettings, ServiceAction


class DockerRestartSettings(RestartSettings):
    """Parameters of `docker_restart`."""


class DockerRestart(ServiceAction):
    """The container stays the same one: image, volumes and settings are not touched."""

    name = "docker_restart"
    kinds = ("docker",)
    about: ClassVar[About] = About(
        changes="The Engine restarts one container under `actions.services`: asks it to end, kills it after "
        "`stop_s`, starts it.",
        verified="The Engine says that it runs, was started later than before, was not started again by itself "
        "since (`RestartCount`), and is not unhealthy where it has a health check.",
        undone="Not at all; a restart leaves nothing to take back.",
    )
