"""How often messages may go, and the rows and clocks that remember it."""
