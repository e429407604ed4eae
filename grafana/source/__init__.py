"""Makes the dashboards: `python -m grafana.source --write` or `--check`."""
