"""What `headrace init` writes: a contract and a config to start from, and the proof that they hold."""
