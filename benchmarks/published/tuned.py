"""Our own configuration: small ensembles with dropout, settled on training rows alone.

Candidates are compared by five folds of the training rows.  Of those whose error is within 2 % of
the least, the one that makes the held-out targets likeliest learns from all of them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import KFold

from published.sets import DataSet, Split
from thinnet import AdamW, GaussianNLL, Network, SquaredError, mlp, train
from thinnet.schedules import Cosine
from thinnet.tables.targets import TargetScale
from thinnet.uncertainty.draws.mixtures import Gaussians, Mixture, with_own_noise
from thinnet.uncertainty.draws.noise import noise_of

N_NETWORKS = 5
N_FOLDS = 5
FEW_DRAWS = 40  # of each network, while candidates are compared
NEAR = 1.02  # of the least error
BATCH, LEARNING_RATE, WEIGHT_DECAY, CLIP_NORM = 32, 0.003, 0.01, 5.0


class Candidate(NamedTuple):
    width: int  # of both hidden layers
    rate: float
    epochs: int
    own_noise: bool  # does the network learn the noise of each row?


CANDIDATES = (
    Candidate(200, 0.05, 400, own_noise=False),
    Candidate(100, 0.1, 1000, own_noise=False),
    Candidate(100, 0.05, 400, own_noise=True),
    Candidate(100, 0.1, 400, own_noise=True),
    Candidate(50, 0.1, 200, own_noise=True),
)


class Scale(NamedTuple):
    """Standardised columns, and a target that is a logarithm where it is skewed."""

    center: np.ndarray
    scale: np.ndarray
    target: TargetScale

    @classmethod
    def of(cls, split: Split) -> Scale:
        scale = split.X.std(axis=0)
        scale[scale == 0] = 1
        return cls(split.X.mean(axis=0), scale, TargetScale.of(split.y[:, None]))

    def inputs(self, X: np.ndarray) -> np.ndarray:
        return ((X - self.center) / self.scale).astype(np.float32)

    def targets(self, y: np.ndarray) -> np.ndarray:
        return self.target.forward(y[:, None]).astype(np.float32)


class Score(NamedTuple):
    rmse: float
    log_likelihood: float

    @classmethod
    def of(cls, mixture: Mixture, y: np.ndarray) -> Score:
        error = mixture.means().mean(axis=0)[:, 0] - y
        rmse = float(np.sqrt(np.mean(error**2)))
        return cls(rmse, float(mixture.log_density(y[:, None]).mean()))


def network_of(chosen: Candidate, X: np.ndarray, y: np.ndarray, seed: int) -> Network:
    layers = mlp([chosen.width] * 2, 1 + chosen.own_noise, dropout=chosen.rate)
    network = Network(layers, X.shape[1], seed=seed)
    steps = chosen.epochs * math.ceil(len(X) / BATCH)
    train(
        network, X, y, loss=GaussianNLL() if chosen.own_noise else SquaredError(),
        optimizer=AdamW(Cosine(LEARNING_RATE, steps), WEIGHT_DECAY), epochs=chosen.epochs,
        batch_size=BATCH, clip_norm=CLIP_NORM, clean_rows=0, progress=False,
    )  # fmt: skip
    return network


def mixture_of(chosen: Candidate, draws: np.ndarray, noise: np.ndarray, scale: Scale) -> Mixture:
    if chosen.own_noise:
        return with_own_noise(draws, scale.target)
    return Gaussians(draws.astype(np.float64), noise, scale.target)


class Trial(NamedTuple):
    chosen: Candidate
    score: Score  # of held-out training rows
    noise: np.ndarray


def tried(chosen: Candidate, scale: Scale, X: np.ndarray, split: Split, seed: int) -> Trial:
    z = scale.targets(split.y)
    drawn, places = [], []
    folds = KFold(N_FOLDS, shuffle=True, random_state=seed).split(X)
    for kept, held in folds:
        network = network_of(chosen, X[kept], z[kept], seed)
        drawn.append(network.sample(X[held], FEW_DRAWS, progress=False))
        places.append(held)
    order = np.concatenate(places)
    draws = np.concatenate(drawn, axis=1)
    known = z[order].astype(np.float64)
    noise = np.ones(1) if chosen.own_noise else noise_of(draws.astype(np.float64), known)
    return Trial(chosen, Score.of(mixture_of(chosen, draws, noise, scale), split.y[order]), noise)


def run(data: DataSet, number: int, epochs: int, draws: int) -> dict[str, object]:
    """One split; candidates have their own numbers of epochs."""
    split = data.split(number)
    scale = Scale.of(split)
    X = scale.inputs(split.X)
    trials = [tried(chosen, scale, X, split, number) for chosen in CANDIDATES]
    least = min(trial.score.rmse for trial in trials)
    near = [trial for trial in trials if trial.score.rmse <= NEAR * least]
    best = max(near, key=lambda trial: trial.score.log_likelihood)
    z = scale.targets(split.y)
    networks = [network_of(best.chosen, X, z, N_NETWORKS * number + i) for i in range(N_NETWORKS)]
    X_test = scale.inputs(split.X_test)
    each = max(1, draws // N_NETWORKS)
    drawn = np.concatenate([net.sample(X_test, each, progress=False) for net in networks])
    found = Score.of(mixture_of(best.chosen, drawn, best.noise, scale), split.y_test)
    return {**found._asdict(), **best.chosen._asdict()}
