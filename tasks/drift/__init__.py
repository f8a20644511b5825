"""The drift watch: served traffic, as the endpoint sampled it, against what the model's bundle says of its training."""
