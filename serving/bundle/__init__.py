"""The deployable folder and the store of its versions: the one part of serving that tasks may import."""
