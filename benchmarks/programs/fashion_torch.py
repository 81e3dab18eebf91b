"""Ten epochs of Fashion-MNIST from the .gz files to a test score, by PyTorch."""

import gzip
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

ROWS = 256


def read(name: str, header: int) -> np.ndarray:
    with gzip.open(Path(sys.argv[1]) / f"{name}-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def images(name: str) -> torch.Tensor:
    pixels = read(f"{name}-images-idx3", 16).reshape(-1, 784)
    return torch.from_numpy(pixels.astype(np.float32) / 255)


def labels(name: str) -> torch.Tensor:
    return torch.from_numpy(read(f"{name}-labels-idx1", 8).astype(np.int64))


torch.manual_seed(0)
X, y, X_test, y_test = images("train"), labels("train"), images("t10k"), labels("t10k")
model = nn.Sequential(
    *(nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.2)),
    *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.5)),
    nn.Linear(256, 10),
)
steps = torch.optim.SGD(model.parameters(), 0.1)
for _ in range(10):
    order = torch.randperm(len(X))
    for start in range(0, len(X), ROWS):
        rows = order[start : start + ROWS]
        steps.zero_grad()
        nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
        steps.step()
model.eval()
with torch.inference_mode():
    print(float((model(X_test).argmax(1) == y_test).float().mean()))
