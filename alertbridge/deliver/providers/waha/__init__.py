"""WAHA."""
