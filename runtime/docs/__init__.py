"""Reference pages that are generated: how each is made, written and checked."""
