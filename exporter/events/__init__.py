"""What happens between two scrapes: streams of a router's changes, counted. Off unless a router asks for it."""
