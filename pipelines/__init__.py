"""When, and in which order: flows, their config and the command line."""
