"""The commands of the bridge: one module each."""
