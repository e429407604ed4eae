"""Serving until told to stop."""

import asyncio
from pathlib import Path

from alertbridge.app import make_app
from alertbridge.config import Config, load_config
from runtime.guards import warn_if_exposed
from runtime.logs import LogSection, Redactor, configure
from runtime.sections import secret_values
from runtime.serving.running import CannotListen, Service

__all__ = ["CannotListen", "read_config", "serve"]


def read_config(path: Path, *, listen: str | None = None) -> Config:
    """The configuration in `path`; `listen` goes before `web.listen`. Raises ConfigError."""
    config = load_config(path)
    if listen is None:
        return config
    return config.model_copy(update={"web": config.web.model_copy(update={"listen": listen})})


def serve(path: Path, *, listen: str | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigError, CannotListen and StoreError before anything is served."""
    redactor = Redactor()
    configure(LogSection(), redactor)
    config = read_config(path, listen=listen)
    redactor.register(secret_values(config))
    configure(config.log, redactor)
    warn_if_exposed(config.web)
    context = config.web.tls.context() if config.web.tls is not None else None
    service = Service(
        "alertbridge",
        lambda: make_app(
            config, load=lambda: read_config(path, listen=listen), redactor=redactor, context=context
        ),
        config.web.address,
        context,
        about={
            "channels": len(config.channels),
            "recipients": len(config.recipients),
            "config": str(path),
        },
    )
    asyncio.run(service.run())
