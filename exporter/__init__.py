"""Prometheus exporter for networks of RouterOS devices."""
