"""Chaos: a small pipeline is hurt at random moments, run again, and must end as if nothing had been."""
