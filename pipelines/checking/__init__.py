"""What can be known of a pipeline's source from its first rows, and about what a run of it costs."""
