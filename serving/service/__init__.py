"""What the endpoint does with one exchange, whatever carries it."""
