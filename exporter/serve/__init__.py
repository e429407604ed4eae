"""Who gets it: the HTTP side of the exporter."""
