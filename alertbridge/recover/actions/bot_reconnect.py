"""Connects a bot's session with WhatsApp again."""

from typing import ClassVar

from pydantic import Field

from alertbridge.deliver.providers.base import SessionState
from alertbridge.recover.actions.base import About, ActionFailed, Done, Stage
from alertbridge.recover.actions.botwork import BotAction
from alertbridge.recover.actions.resources import Resources
from runtime.sections import Section


class BotReconnectSettings(Section):
    """Parameters of `bot_reconnect`."""

    channel: str = Field(description="Name of the channel under `channels`.")


class BotReconnect(BotAction):
    """Through the provider's own call."""

    name = "bot_reconnect"
    about: ClassVar[About] = About(
        changes="Tells the gateway or bot of a channel to connect its session again. Not one that is logged out, "
        "banned, locked, waiting to be paired or just starting.",
        verified="The provider says that the session works.",
        undone="Not needed.",
    )
    repeatable = True

    def __init__(self, settings: BotReconnectSettings, resources: Resources) -> None:
        super().__init__(settings.channel, resources)

    async def run(self) -> Done:
        session = await self.session(Stage.RUN)
        if session.state is SessionState.STARTING:
            detail = "it is connecting by itself; wait for that"
            raise ActionFailed(Stage.RUN, "starting", detail, changed=False)
        return await self.mended(await self.provider.reconnect())
