"""LitServe: `python litserve_app.py MODEL PORT`."""

import sys

import litserve
import numpy as np
import onnxruntime as ort


class Api(litserve.LitAPI):
    """The network behind LitServe's own route."""

    def setup(self, device):
        """Load the model in the worker process."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(sys.argv[1], options)

    def decode_request(self, request):
        """Make the tensor."""
        return np.array(request["inputs"], dtype=np.float32)

    def predict(self, x):
        """Run the model."""
        return self.session.run(["label", "probabilities"], {"features": x})

    def encode_response(self, output):
        """Answer with lists."""
        return {"labels": output[0].tolist(), "probabilities": output[1].tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
