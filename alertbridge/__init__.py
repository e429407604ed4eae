"""Alertmanager to WhatsApp: accepts alerts, keeps them until they are told, and accounts for each."""
