"""One file for each kind of command; the table of them all is in `table`."""
