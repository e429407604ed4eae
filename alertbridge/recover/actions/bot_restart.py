"""Restarts a bot's session, or its process where the bot offers that."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, Done, Stage
from alertbridge.recover.actions.botwork import BotAction
from alertbridge.recover.actions.resources import Resources
from runtime.sections import Section


class BotRestartSettings(Section):
    """Parameters of `bot_restart`."""

    channel: str = Field(description="Name of the channel under `channels`.")


class BotRestart(BotAction):
    """Also one that says it works, since it may be half dead."""

    name = "bot_restart"
    about: ClassVar[About] = About(
        changes="Restarts the session of a channel, or the bot's process; messages that a bot only holds in memory are "
        "lost with it. Not one that is logged out, banned, locked or waiting to be paired.",
        verified="The provider says that the session works.",
        undone="Not at all.",
    )

    def __init__(self, settings: BotRestartSettings, resources: Resources) -> None:
        super().__init__(settings.channel, resources)

    async def run(self) -> Done:
        await self.session(Stage.RUN)
        return await self.mended(await self.provider.restart())
