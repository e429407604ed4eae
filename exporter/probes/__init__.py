"""What is asked beside the routers: bots, databases, the host. Each probe blocks, so it runs in a thread."""
