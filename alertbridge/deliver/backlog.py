"""What still fires, asked at the moment when a summary is sent."""

import structlog

from alertbridge.alertmanager import Alertmanager, AlertmanagerError

log = structlog.get_logger(__name__)


class AskedAlertmanager:
    """Asks Alertmanager."""

    def __init__(self, alertmanager: Alertmanager) -> None:
        self._alertmanager = alertmanager

    async def firing(self) -> frozenset[str] | None:
        """Fingerprints of what it holds, silenced and inhibited ones too: they are not over. None without an answer."""
        try:
            active = await self._alertmanager.alerts(silenced=True, inhibited=True)
        except AlertmanagerError as error:
            log.warning("delivery.alertmanager_not_asked", error=str(error))
            return None
        return frozenset(alert.fingerprint for alert in active)


class NobodyToAsk:
    """No Alertmanager is configured: what the store knows last is told, and that it is only that."""

    async def firing(self) -> frozenset[str] | None:
        """None."""
        return None
