"""Operators act from WhatsApp: who wrote, what they want, and the answer."""
