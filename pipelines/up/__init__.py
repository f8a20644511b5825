"""Prefect's server, a worker and the endpoint on one machine, as one group that starts and stops together."""
