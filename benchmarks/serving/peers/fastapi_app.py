"""FastAPI, uvicorn and onnxruntime, as one writes it: `python fastapi_app.py MODEL PORT`."""

import sys

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options)
app = FastAPI()


class Request(BaseModel):
    """Rows of numbers."""

    inputs: list[list[float]]


class Answer(BaseModel):
    """A label and probabilities for each row."""

    labels: list[int]
    probabilities: list[list[float]]


@app.get("/ready")
async def ready() -> bool:
    """Say that the model is loaded."""
    return True


@app.post("/predict")
async def predict(request: Request) -> Answer:
    """Run the model; `async` is the faster form here, a plain function would go through a thread."""
    features = np.array(request.inputs, dtype=np.float32)
    labels, probabilities = session.run(["label", "probabilities"], {"features": features})
    return Answer(labels=labels.tolist(), probabilities=probabilities.tolist())


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
