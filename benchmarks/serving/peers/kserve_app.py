"""KServe's Python SDK: `python kserve_app.py MODEL PORT`."""

import sys

import onnxruntime as ort
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class Mlp(Model):
    """The network behind the Open Inference Protocol."""

    def __init__(self, path: str) -> None:
        super().__init__("mlp")
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(path, options)
        self.ready = True

    async def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        """Run the model."""
        features = payload.inputs[0].as_numpy()
        labels, probabilities = self.session.run(["label", "probabilities"], {"features": features})
        outputs = []
        for name, datatype, tensor in (("label", "INT64", labels), ("probabilities", "FP32", probabilities)):
            output = InferOutput(name, list(tensor.shape), datatype)
            output.set_data_from_numpy(tensor, binary_data=bool(payload.use_binary_outputs))
            outputs.append(output)
        return InferResponse(payload.id, "mlp", outputs)


if __name__ == "__main__":
    model = Mlp(sys.argv[1])
    ModelServer(http_port=int(sys.argv[2]), enable_grpc=False, workers=1, access_log_format=None).start([model])
