"""Messages written to a file as JSON lines, for trying out."""
