"""What a table's estimator tells of itself: memory, drift, masks and rows of its networks."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from sklearn.utils.validation import check_is_fitted

from thinnet import checks
from thinnet.arrays import Array, DataFrame, Ids, Samples, Share, TableLike, TargetLike
from thinnet.network import Network
from thinnet.philox import Purpose
from thinnet.tables import drifting, members, memory
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.drifting import Known
from thinnet.tables.reading import glimpse
from thinnet.tables.reading.frames import as_frame


class Inspected:
    """Not for use by itself: `TableClassifier` and `TableRegressor`."""

    encoder_: TableEncoder
    networks_: list[Network]
    drift_: tuple[Known, ...]

    @abstractmethod
    def _new_encoder(self) -> TableEncoder:
        """As in `encoder`, with the kinds and words that are given here."""

    @abstractmethod
    def _read(self, X: Any) -> Any:
        """The table, of a file or as it is."""

    def check_memory(
        self, source: TableLike, without: TargetLike = None, header: bool | None = None
    ) -> None:
        """MemoryError where a fit takes more memory than there is, by a file's first rows.

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
        """How a table differs from the rows of training, column by column.

        Of a column's cells some may be missing, unreadable (no number or date where it has such),
        unseen (categories) or out of the range learned.  A column drifts where their fraction is
        above that of the rows held out in training by more than chance: with probability .001 if
        both are alike (Fisher's exact form of the binomial test).  `predict` warns then.

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
        frame = as_frame(self._read(X), self.encoder_, first=False)
        found = drifting.counts(frame, self.encoder_, self.drift_)
        return pd.DataFrame(
            drifting.findings(found, self.drift_), columns=list(drifting.Finding._fields)
        )

    def masks(
        self,
        step: int,
        samples: Samples | None = None,
        purpose: Purpose = "train",
        network: int = 0,
        *,
        share: Share = None,
    ) -> dict[int, Array]:
        """Which units of one of the networks dropout kept, as `MLPClassifier.masks`.

        Parameters
        ----------
        step, samples, purpose, share
            The samples are places among the rows that this network learned from.
        network : int, default=0
            Its place in `networks_`.

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
        """Which rows a step of one of the networks was taken on, as `MLPClassifier.rows`.

        They are places among the rows that this network learned from.

        Parameters
        ----------
        step : int
        network : int, default=0
            Its place in `networks_`.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if the step was not taken, or its rows are not known.
        """
        check_is_fitted(self)
        checks.integer("network", network, 0, len(self.networks_) - 1)
        return self.networks_[network].rows(step)
