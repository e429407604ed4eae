"""A bot's own HTTP endpoint, whatever its JSON looks like."""
