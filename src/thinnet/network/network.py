"""Layers bound to a width and a seed: the reference executor, in NumPy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from thinnet import checks, philox, sparse
from thinnet.arrays import Array, DTypeLike, Ids, MatrixLike, Rows, Samples, Share, VectorLike
from thinnet.layers import Layer
from thinnet.masks import ids_of
from thinnet.network import sampling, summary
from thinnet.network.bound import Bound, Executor
from thinnet.network.executor import Lent, is_compiled, obstacles
from thinnet.network.logbook import Logbook
from thinnet.passes import Pass, Run, Watch, unwatched
from thinnet.philox import Purpose, Seed


class Network(Bound):
    """A chain of layers over flat vectors of parameters, gradients and state.

    Parameters
    ----------
    layers : sequence of Layer
        The layers from input to output; the output of the last one is raw (logits, means).
    features : int or tuple of int
        The shape of a row of input.
    seed : int, Generator, RandomState or None
        The seed of first weights, masks and shuffles; None takes one from the system's entropy.
        The attribute `seed` holds the integer.
    dtype : floating-point type
        The type of parameters and passes.
    executor : None, "compiled" or "reference"
        What trains and predicts: compiled code, or the textbook formulas in NumPy.  None: compiled
        code if it knows every layer and the type (`describe` shows which), and in training the
        loss and the optimiser.  `forward` and `backward` are always the textbook's.

    Attributes
    ----------
    theta, gradient, state : array, shape (size,)
        All parameters, all their gradients, all running statistics.
    clock : Clock
        The numbers of optimiser steps and epochs over the network's whole life.
    logbook : Logbook
        An entry for each training, from which `rows` recomputes the rows of a step.

    Raises
    ------
    ValueError
        If a layer doesn't fit the rows that reach it, or a setting is out of its range.

    Examples
    --------
    >>> from thinnet import Dense, Dropout, ReLU
    >>> network = Network([Dense(8), ReLU(), Dropout(0.5), Dense(3)], features=4, seed=0)
    >>> network.outputs(np.zeros((2, 4))).shape
    (2, 3)
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        features: int | Sequence[int],
        *,
        seed: Seed = None,
        dtype: DTypeLike = np.float32,
        executor: Executor | None = None,
    ) -> None:
        super().__init__(layers, features, philox.as_seed(seed), dtype, executor)
        self.logbook, self._latest = Logbook(), 0
        if executor == "compiled" and (found := obstacles(self)):
            allowed = "'reference' or None for this network"
            raise ValueError(f"executor must be {allowed}: {'; '.join(found)}")
        if advice := summary.order_advice(self.layers):
            warnings.warn(advice, UserWarning, stacklevel=2)

    def __getstate__(self) -> dict[str, Any]:
        logbook = Logbook(self.logbook.until(self.clock.step))
        return super().__getstate__() | {"logbook": logbook}

    def __setstate__(self, values: dict[str, Any]) -> None:
        super().__setstate__({"logbook": Logbook()} | values)

    def forward(self, x: MatrixLike, run: Run, watch: Watch = unwatched) -> tuple[Rows, Pass]:
        """The raw outputs of a pass of kind `run`, and a `Pass` for `backward`.

        The outputs may share memory with `x` and with the pass; `outputs` copies.
        `watch(site, y)` is called with the output of every layer.
        """
        y = self.entering(x)
        run.check_rows(len(y))
        caches = []
        for layer, site in self.places():
            y, cache = layer.forward(site, y, run)
            watch(site, y)
            caches.append(cache)
        self._latest = Pass.next_number()
        return y, Pass(self._latest, y.shape, tuple(caches))

    def backward(self, of: Pass, dy: Rows, watch: Watch = unwatched) -> Rows:
        """Write the gradient of every parameter to `gradient`; return that of the input.

        `watch(site, dy)` is called with the gradient of every layer's output, after that of its
        parameters was written to `site.g`.

        Raises
        ------
        StaleCacheError
            If `of` is not the latest forward pass of this network.
        ValueError
            If `dy` doesn't have the shape of the outputs.
        """
        if of.number != self._latest:
            raise checks.StaleCacheError(
                f"backward must get the cache of this network's latest forward pass, number "
                f"{self._latest}, got that of number {of.number}"
            )
        if dy.shape != of.shape:
            raise ValueError(f"dy must have the shape {of.shape} of the outputs, got {dy.shape}")
        for (layer, site), cache in reversed(list(zip(self.places(), of.caches, strict=True))):
            dx = layer.backward(site, cache, dy)
            watch(site, dy)
            dy = dx
        return dy

    def outputs(self, x: MatrixLike) -> Rows:
        """Raw outputs with dropout off, shape (rows, *out): a copy.

        Raises
        ------
        ValueError
            If `x` has the wrong shape, is empty, or holds NaN or infinity.
        """
        x = sparse.finite("X", self.fitting(x), self.dtype)
        self.check_encoded(x)
        if is_compiled(self):
            with Lent(self, "predict", x) as passes:
                return passes.predict(x)
        out = np.empty((x.shape[0], *self.out), self.dtype)
        sampling.in_blocks(self.forward, x, lambda rows: Run.predict(), out)
        return out

    def sample(
        self,
        x: MatrixLike,
        n_draws: int = 100,
        *,
        first: int = 0,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        progress: bool | None = None,
    ) -> Array:
        """Raw outputs of `n_draws` thinned networks, dropout on and statistics left alone.

        Parameters
        ----------
        x : array or sparse matrix, shape (rows, *features)
        n_draws : int
            At least 1.
        first : int
            The number of the first draw, 0 to 2^32 - 1: ``sample(x, 1, first=17)`` is draw 17
            alone.
        seed : int, optional
            The seed of the masks, 0 to 2^64 - 1; None takes the network's own.
        share : "batch" or None
            "batch": each draw is one thinned network for all rows, one coherent function;
            None: each row draws its own masks.
        samples : sequence of int, optional
            The rows' ids, for ``share=None``; None numbers the rows of this call from 0, so
            that a row's masks then depend on its place in the call.
        progress : bool, optional
            Show a progress bar when it takes longer than a second; by default on terminals and in
            notebooks.

        Returns
        -------
        array, shape (n_draws, rows, *out)
            Draw number d is the same whatever `n_draws`, after saving and loading, and on any
            number of threads.

        Raises
        ------
        ValueError
            If no layer draws (every rate is 0), or `x` or a setting is not as above.
        MemoryError
            If the draws don't fit in memory.

        References
        ----------
        Gal and Ghahramani 2016, "Dropout as a Bayesian approximation", eq. 6.
        """
        x = sparse.finite("X", self.fitting(x), self.dtype)
        self.check_encoded(x)
        draws = sampling.Draws.of(self, n_draws, first, seed)
        return sampling.sample(self, self.forward, x, draws, share, samples, progress)

    def masks(
        self,
        *,
        step: int,
        samples: Samples | None = None,
        share: Share = None,
        purpose: Purpose = "train",
    ) -> dict[int, Array]:
        """The units that a step (or draw) kept, recomputed: nothing is stored.

        Parameters
        ----------
        step : int
            The number of the optimiser step, from 0; with ``purpose="predict"`` of the draw.
        samples : sequence of int
            The rows' ids; in training a row's index in the data.  `rows` returns those of a step.
            Left out with ``share="batch"``.
        share : None or "batch"
            None: each row's own mask; "batch": the one mask of passes with one mask for all rows,
            such as those of ``sample(share="batch")``.
        purpose : "train" or "predict"

        Returns
        -------
        dict
            Its keys are layers' numbers, counted over the layers that can draw (as in `keep_mask`
            and docs/masks.md; `describe` prints them).  Its values are bool arrays of shape
            (len(samples), *features), for DropConnect of its weights' shape, True where kept.

        Raises
        ------
        ValueError
            If a coordinate is out of its range.

        Warns
        -----
        UnusedMaskWarning
            If the network has been trained, but not in this step, or not on these rows in it:
            the masks are those that it would have had.

        Examples
        --------
        >>> from thinnet import Dense, Dropout
        >>> network = Network([Dropout(0.5), Dense(1)], features=8, seed=0)
        >>> network.masks(step=0, samples=[0, 1])[0].astype(int)
        array([[1, 0, 1, 1, 1, 1, 1, 1],
               [1, 0, 0, 1, 0, 0, 0, 0]])
        """
        checks.one_of("purpose", purpose, ("train", "predict"))
        ids = ids_of(samples, share)
        run = (Run.train if purpose == "train" else Run.sample)(step, samples, share=share)
        layers = self.layers_at(run.step) if purpose == "train" else self.layers
        found = {
            site.ordinal: layer.keep(site, run, len(ids)).copy()
            for layer, site in zip(layers, self.sites, strict=True)
            if hasattr(layer, "keep")
        }
        if found and purpose == "train" and (unused := self.logbook.unused(self, run.step, ids)):
            warnings.warn(unused, checks.UnusedMaskWarning, stacklevel=2)
        return found

    def rows(self, step: int, *, samples: VectorLike = None) -> Ids:
        """The ids of the rows of a training step, recomputed: nothing is stored for a step.

        Parameters
        ----------
        step : int
            The number of the optimiser step, from 0 to the last one that was taken.
        samples : sequence of int, optional
            The ids that were given to `train`; needed only if there were over a million.

        Returns
        -------
        array of uint32, shape (rows,)
            The ids in the order of the step: the `samples` that were given to `train`, else the
            rows' places in its data (for an estimator their places in the X of `fit`, before a
            validation part was split off).

        Raises
        ------
        ValueError
            If the step was not taken, or its rows are not known: an older thinnet or a loop of
            your own took it, a generator other than the Mersenne Twister shuffled, or thousands of
            trainings that don't continue each other came after it.

        Examples
        --------
        >>> from thinnet import Dense, train
        >>> network = Network([Dense(1)], features=1, seed=0)
        >>> _ = train(network, [[1.0], [2.0], [3.0], [4.0]], [1.0, 2.0, 3.0, 4.0], batch_size=2)
        >>> network.rows(0), network.rows(1)
        (array([3, 0], dtype=uint32), array([2, 1], dtype=uint32))
        """
        return self.logbook.rows(self, step, samples)

    def describe(self) -> None:
        """Print a table of layers: shapes, parameters (trainable, running) and rates."""
        summary.describe(self)
