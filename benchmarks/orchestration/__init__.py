"""What orchestration adds to the task functions."""
