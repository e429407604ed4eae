"""The ways out: a folder for each provider with its configuration, its payloads and its adapter."""
