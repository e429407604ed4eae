"""From notices to the text that a person reads, in each language. Pure."""
