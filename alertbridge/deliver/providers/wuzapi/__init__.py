"""wuzapi."""
