"""When pipelines run: schedules and partitions in the config, deployments at a Prefect server, runs over the past."""
