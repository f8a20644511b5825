"""What a machine has and lacks for Headrace. Nothing here changes anything, and nothing heavy is imported."""
