"""`python -m pipelines`: the command line."""

from pipelines.entry import main

main()
