"""Triton, as PyTriton builds it, with a Python backend: `python triton_app.py MODEL PORT`."""

import sys

import numpy as np
import onnxruntime as ort
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options)


@batch
def predict(features):
    """Run the model on what Triton's batcher joined."""
    labels, probabilities = session.run(["label", "probabilities"], {"features": features})
    return {"label": labels[:, None], "probabilities": probabilities}


if __name__ == "__main__":
    port = int(sys.argv[2])
    config = TritonConfig(http_port=port, grpc_port=port + 1, metrics_port=port + 2, log_verbose=0)
    with Triton(config=config) as triton:
        triton.bind(
            model_name="mlp",
            infer_func=predict,
            inputs=[Tensor(name="features", dtype=np.float32, shape=(20,))],
            outputs=[
                Tensor(name="label", dtype=np.int64, shape=(1,)),
                Tensor(name="probabilities", dtype=np.float32, shape=(2,)),
            ],
            config=ModelConfig(max_batch_size=1024, batcher=DynamicBatcher(max_queue_delay_microseconds=0)),
        )
        triton.serve()
