"""Messages shown in the terminal, for trying out."""
