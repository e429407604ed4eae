"""Everything that Apprise speaks: SMS, Telegram, e-mail, ntfy."""
