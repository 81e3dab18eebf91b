"""Inspection of a table's estimator: memory, drift, masks and rows of its networks."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

from sklearn.utils.validation import check_is_fitted

from thinnet import checks
from thinnet.arrays import Array, DataFrame, Ids, Samples, Share, TableLike, TargetLike
from thinnet.engine.threads import limited
from thinnet.network import Network
from thinnet.philox import Purpose
from thinnet.tables import drifting, members, memory
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.drifting import Known
from thinnet.tables.importances import HeldOut, Importances, importances
from thinnet.tables.reading import glimpse


class Inspected:
    """A base of `TableClassifier` and `TableRegressor`, not for use by itself."""

    encoder_: TableEncoder
    networks_: list[Network]
    drift_: tuple[Known, ...]
    n_threads: int | None
    _held_out: HeldOut  # a file has the importances in its place

    @abstractmethod
    def _new_encoder(self) -> TableEncoder:
        """An unfitted encoder like `encoder`, with the estimator's `kinds` and `missing`."""

    @abstractmethod
    def _read(self, X: Any) -> Any:
        """The table, read from a file if `X` is a path."""

    def check_memory(
        self, source: TableLike, without: TargetLike = None, header: bool | None = None
    ) -> None:
        """Raise MemoryError if a fit would take more memory than there is, estimated from rows.

        Parameters
        ----------
        source : path or data frame
        without : str or sequence of str, optional
            Columns not to learn from.
        header : bool, optional
            As for `read_table`.
        """
        members.check(self)
        seen = glimpse(source, header=header)
        names = [without] if isinstance(without, str) else list(() if without is None else without)
        others = seen.frame.drop(columns=names, errors="ignore")
        memory.check(self, self._new_encoder(), others, seen.rows, 2 * seen.table_bytes)

    def drift(self, X: TableLike) -> DataFrame:
        """The strange cells of a table, column by column, compared with held-out rows of training.

        Strange cells are missing, unreadable (no number or date in a column of such), unseen
        (categories) or out of the range learned.  A column drifts if their fraction is above that
        of the rows held out in training and the difference has a p-value below .001 (Fisher's exact
        form of the binomial test).  `predict` warns then.

        Parameters
        ----------
        X : path, data frame or array, shape (rows, columns)

        Returns
        -------
        pandas.DataFrame
            A row for each column that is used and each fault it can have: `column`, `fault`,
            `fraction`, `held_out`, `p_value`, `drifts`.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If a column is missing, or the model was saved by a version that learned none of this.
        """
        import pandas as pd

        check_is_fitted(self)
        if not hasattr(self, "drift_"):
            raise ValueError(
                "the model must know its held-out rows, got one of an earlier version: fit it again"
            )
        table = self.encoder_.table(self._read(X))
        found = drifting.counts(table, self.encoder_, self.drift_)
        return pd.DataFrame(
            drifting.findings(found, self.drift_), columns=list(drifting.Finding._fields)
        )

    @cached_property
    def importances_(self) -> Importances:
        """The permutation importances of the columns, on rows held out from each network.

        They are computed when they are first asked for, or saved, from at most 2,000 rows that
        `fit` has kept, and depend on nothing but these and the networks' seeds.
        """
        check_is_fitted(self)
        if (held := getattr(self, "_held_out", None)) is None:
            raise AttributeError(
                "importances_ must be of a model that knows its held-out rows, got one of an "
                "earlier version: fit it again"
            )
        with limited(self.n_threads):
            return importances(held)

    @property
    def feature_importances_(self) -> Array:
        """The mean of `importances_` over its repeats, shape (n_features_in_,)."""
        return self.importances_.mean

    @property
    def feature_importances_std_(self) -> Array:
        """The standard deviation over the repeats, shape (n_features_in_,)."""
        return self.importances_.std

    def masks(
        self,
        step: int,
        samples: Samples | None = None,
        purpose: Purpose = "train",
        network: int = 0,
        *,
        share: Share = None,
    ) -> dict[int, Array]:
        """The units that dropout kept in one of the networks, as by `MLPClassifier.masks`.

        Parameters
        ----------
        step, samples, purpose, share
            As there; the samples are places among the rows that this network was trained on.
        network : int, default=0
            The network's place in `networks_`.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if a coordinate is out of its range.
        """
        check_is_fitted(self)
        checks.integer("network", network, 0, len(self.networks_) - 1)
        of = self.networks_[network]
        return of.masks(step=step, samples=samples, share=share, purpose=purpose)

    def rows(self, step: int, network: int = 0) -> Ids:
        """The rows of a training step of one of the networks, as by `MLPClassifier.rows`.

        They are places among the rows that this network was trained on.

        Parameters
        ----------
        step : int
            The number of the network's optimiser step, from 0.
        network : int, default=0
            The network's place in `networks_`.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if the step was not taken, or its rows are not known.
        """
        check_is_fitted(self)
        checks.integer("network", network, 0, len(self.networks_) - 1)
        return self.networks_[network].rows(step)
