"""What carries exchanges: each a thin layer between a socket and `serving.service`."""
