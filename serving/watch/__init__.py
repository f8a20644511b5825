"""What can be seen of the endpoint from outside."""
