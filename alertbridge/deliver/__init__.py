"""From a notice to a message on somebody's phone: who gets it, how it reads, how often, through what."""
