"""BentoML: `bentoml serve bentoml_app:Mlp`, with the model's path in MODEL."""

import os

import bentoml
import numpy as np
import onnxruntime as ort


@bentoml.service(workers=1)
class Mlp:
    """The network behind BentoML's own route."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["MODEL"], options)

    @bentoml.api
    async def predict(self, inputs: list[list[float]]) -> dict:
        """Run the model."""
        features = np.array(inputs, dtype=np.float32)
        labels, probabilities = self.session.run(["label", "probabilities"], {"features": features})
        return {"labels": labels.tolist(), "probabilities": probabilities.tolist()}
