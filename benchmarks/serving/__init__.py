"""The endpoint beside other servers, on the same ONNX models."""
