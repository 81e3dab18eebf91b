"""The base of the records of uncertainty, which print briefly and become data frames."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class Result:
    """A frozen dataclass of arrays with an entry for each row of data."""

    def __repr__(self) -> str:
        shown = [f"{name}: {values.shape}" for name, values in self._arrays().items()]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __len__(self) -> int:
        return len(next(iter(self._arrays().values())))

    def _arrays(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame, with a column for each of several outputs or classes."""
        import pandas as pd

        columns = {}
        for name, values in self._arrays().items():
            if values.ndim == 1:
                columns[name] = values
                continue
            for j in range(values.shape[1]):
                columns[f"{name}_{j}"] = values[:, j]
        return pd.DataFrame(columns)
