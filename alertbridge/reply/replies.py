"""Replies as the bridge holds them: takes what people write, answers, and looks after acknowledgements."""
