"""What WhatsApp bots tell of themselves, kind by kind: fields, presets, states. Tables and pure functions."""
