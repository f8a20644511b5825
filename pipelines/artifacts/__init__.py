"""What a run shows in the Prefect UI while it goes on and at its end."""
