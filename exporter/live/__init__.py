"""Traffic as it happens: one reading of a router every two seconds, shared by everybody who watches it."""
