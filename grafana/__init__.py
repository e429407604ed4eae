"""Dashboards of Grafana as code; nothing that runs in production imports this."""
