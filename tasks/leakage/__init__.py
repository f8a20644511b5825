"""Does anything tell the model what it will not know when it is asked? Looked for before training."""
