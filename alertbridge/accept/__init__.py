"""From Alertmanager's webhook to committed episodes and notices: payload, episodes, flapping, intake."""
