"""The whole loop on this machine: a simulated network, bot and phone, exporter, bridge, Prometheus, Alertmanager."""
