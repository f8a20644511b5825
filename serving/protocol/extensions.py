"""The extensions of the Open Inference Protocol that this server has, as it names them at `/v2`."""

EXTENSIONS = ("binary_tensor_data", "classification")
