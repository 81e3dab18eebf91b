"""Layers bound to a width, a seed and a type, as passes, executors and summaries take them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from thinnet import checks, sparse
from thinnet.arrays import DTypeLike, Flat, MatrixLike, Rows
from thinnet.layers import Layer, Shapes
from thinnet.layers.base import title
from thinnet.layers.presence import Presence, parameters_present
from thinnet.network.binding import (
    Vectors,
    bind,
    blank_memory,
    checked_features,
    checked_layers,
    initialise,
    layer_shapes,
)
from thinnet.network.changes import Change, before, changed, having
from thinnet.network.parameters import Parameters
from thinnet.passes import Clock, Run, Site

Executor: TypeAlias = Literal["compiled", "reference"]
EXECUTORS: Final = (None, "compiled", "reference")


class Bound:
    """Layers, the flat vectors that they share, and a site for each with its views.

    Parameters
    ----------
    layers, features, dtype, executor
        As in `Network`.
    seed : int
        The seed of first weights, masks and shuffles.

    Attributes
    ----------
    sites : list of Site
    governors : list of Governors
        For each layer the shared dropouts that decide which of its parameters are present.
    out : tuple of int
        The shape of a row of output.
    changes : list of Change
        The settings of layers that had other values in earlier steps.
    compiled : bool or None
        Whether compiled code knows the network; None before the first check (`is_compiled`).
    predictors : dict
        The compiled predictors that no thread uses, by kind of pass and of rows.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        features: int | Sequence[int],
        seed: int,
        dtype: DTypeLike,
        executor: Executor | None,
    ) -> None:
        self.layers = checked_layers(layers)
        self.features = checked_features(features)
        self._seed = seed
        self.dtype = checks.float_dtype("dtype", dtype)
        self.executor = checks.one_of("executor", executor, EXECUTORS)
        self.compiled: bool | None = None
        self.clock, self.changes = Clock(), list[Change]()
        self._bind()
        initialise(self.layers, self.sites, self.seed)

    def _bind(self) -> None:
        shapes = layer_shapes(self.layers, self.features)
        self._memory = blank_memory(shapes, self.dtype)
        self.out = shapes[-1].out
        self._bind_layers(shapes)

    def _bind_layers(self, shapes: Sequence[Shapes]) -> None:
        self.predictors: dict[tuple[str, bool], list[Any]] = {}
        self.sites, self.governors = bind(
            self.layers, self.features, shapes, self._memory, self.seed, self.clock
        )

    def change(self, setting: str, value: float | None, layer: int | None = None) -> None:
        """Give a setting of layers another value from the next step on; `changes` keeps the old.

        Parameters
        ----------
        setting : str
            "rate", "scale", "l1", "l2", "bias_l1", "bias_l2" or "max_norm".
        value : float or None
        layer : int, optional
            A place in `layers`; None for all that have the setting.

        Raises
        ------
        ValueError
            If no such layer has the setting, or the value is out of its range.
        """
        places = having(self.layers, setting, layer)
        layers = list(self.layers)
        for place in places:
            layers[place] = changed(layers[place], setting, value)
        for place in places:
            old = getattr(self.layers[place], setting)
            self.changes.append(Change(self.clock.step, place, setting, old, value))
        self.layers, self.compiled = tuple(layers), None
        self._bind_layers(layer_shapes(self.layers, self.features))

    def layers_at(self, step: int) -> Sequence[Layer]:
        """The layers as they were in a training step."""
        return before(self.layers, self.changes, step) if self.changes else self.layers

    def __getstate__(self) -> dict[str, Any]:
        # Views do not survive a copy, so the copy is bound anew around the copied vectors.
        left_out = {"sites", "_memory", "governors", "predictors"}
        kept = {name: value for name, value in vars(self).items() if name not in left_out}
        vectors = {"theta": self.theta, "state": self.state}
        apart = {"clock": dataclasses.replace(self.clock), "changes": list(self.changes)}
        return kept | vectors | apart

    def __setstate__(self, values: dict[str, Any]) -> None:
        theta, state = values["theta"], values["state"]
        kept = {k: v for k, v in values.items() if k not in ("theta", "state")}
        vars(self).update({"changes": []} | kept)
        self._bind()
        self.theta[:], self.state[:] = theta, state

    def __repr__(self) -> str:
        chain = ", ".join(title(layer) for layer in self.layers)
        return f"{type(self).__name__}([{chain}], features={self.features}, seed={self.seed})"

    @property
    def vectors(self) -> Vectors:
        """`theta`, `gradient` and `state`."""
        return self._memory.vectors()

    @property
    def seed(self) -> int:
        """The seed of first weights, masks and shuffles."""
        return self._seed

    @property
    def theta(self) -> Flat:
        """All parameters, a view: writing to it changes the network."""
        return self._memory.parameters.lend()

    @property
    def parameters(self) -> Parameters:
        """What lends `theta` and the views of sites, for code that only reads."""
        return self._memory.parameters

    @property
    def gradient(self) -> Flat:
        """The gradient that the last backward pass wrote, in the order of `theta`."""
        return self._memory.gradient

    @property
    def state(self) -> Flat:
        """All running statistics, and the counts of the batches in them."""
        return self._memory.state

    def places(self) -> Iterator[tuple[Layer, Site]]:
        """Each layer with its site, from input to output."""
        return zip(self.layers, self.sites, strict=True)

    def presence(self, run: Run) -> Presence | None:
        """The parameters that exist in a training step; None if all do (`layers.presence`)."""
        if not any(over.inputs or over.outputs for over in self.governors):
            return None
        kept, probability = [], []
        for (layer, site), over in zip(self.places(), self.governors, strict=True):
            present, how_probable = parameters_present(layer, site, over, run)
            kept += [part.ravel() for part in present]
            probability += [part.ravel() for part in how_probable]
        return Presence(np.concatenate(kept), np.concatenate(probability))

    def fitting(self, x: MatrixLike) -> MatrixLike:
        """`x` as an array or sparse rows; ValueError if its shape is not the network's."""
        if type(x) is not np.ndarray:
            x = sparse.own_rows("X", x) if sparse.is_sparse(x) else checks.array("X", x)
        if x.ndim == 0 or x.shape[1:] != self.features or x.shape[0] == 0:
            takes = ", ".join(map(str, ("rows", *self.features)))
            raise ValueError(f"this network takes ({takes}) arrays, got {x.shape}")
        if x.dtype.kind not in "fiub":
            raise ValueError(f"this network takes arrays of real numbers, got dtype {x.dtype}")
        return x

    def check_encoded(self, x: MatrixLike) -> None:
        """ValueError where the first layer can't read a number of the rows."""
        check = getattr(next(iter(self.layers), None), "check_encoded", None)
        if check is not None:
            check(sparse.dense(x))

    def entering(self, x: MatrixLike) -> Rows:
        """`x` as an array of the network's type; ValueError if it doesn't fit."""
        with np.errstate(over="ignore"):  # numbers too large become infinity, which is refused
            return sparse.dense(self.fitting(x)).astype(self.dtype, copy=False)
