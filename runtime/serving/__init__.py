"""What every HTTP service of ours does in the same way: a table of operations, health, reloads, errors, a life."""
