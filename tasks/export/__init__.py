"""A trained network and its preprocessing become one ONNX model, and the proof that it predicts the same."""
