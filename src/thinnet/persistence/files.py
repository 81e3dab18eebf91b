"""Saving a model to a file, and loading it."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sklearn.utils.validation import check_is_fitted

from thinnet._version import __version__
from thinnet.arrays import Array, FittedEstimator
from thinnet.atomic import check_place
from thinnet.checks import DataFileError, ModelFileError, must, one_line
from thinnet.persistence import known
from thinnet.persistence.codec import pack, unpack
from thinnet.snapshots import Form, Snapshot, kind_of, read_as, write_as
from thinnet.tables.reading import read_dialect

FORMAT: Final = 2  # in format 1 names of classes are paths of modules
KIND: Final = "thinnet model"
NAME: Final = "model file"
PARTS: Final = ("model", "versions")
RECORDING: Final = "thinnet recording"  # another kind of file, with a room of its own
LOADERS: Final = {RECORDING: "thinnet.recording"}


def save(estimator: FittedEstimator, path: str | os.PathLike[str]) -> None:
    """Write a fitted model to one file: numbers as safetensors, the rest as JSON, no pickle.

    A loaded model predicts the same to the last bit, and goes on training as the saved one would.
    Settings that belong to one training are saved as None: `callbacks`, `checkpoint`, `memory` of a
    pipeline, and a `random_state` that is a generator.

    Parameters
    ----------
    estimator : estimator or Network
        A network or fitted estimator of thinnet, or a fitted Pipeline, ColumnTransformer or other
        transformer of scikit-learn that is made of known classes (`thinnet.persistence.known`) and
        has no functions.
    path : path
        The place of the file; an old file there is replaced when the new one is complete.

    Raises
    ------
    NotFittedError
        Before fit.
    ValueError
        If the estimator holds an object of another class, or no file can be written at `path`.
    OSError
        If writing fails; an old file is untouched.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from thinnet import MLPClassifier, load, save
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), max_iter=2000, random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/iris.thinnet")
    ...     loaded = load(f"{folder}/iris.thinnet")
    >>> bool((loaded.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    _check_whole(estimator)
    check_place(NAME, path)
    arrays: dict[str, Array] = {}
    snapshot = Snapshot(arrays, {"model": pack(estimator, arrays), "versions": _versions()})
    _model_of(snapshot)  # a file that could not be read must not be written
    write_as(_form(), path, snapshot)


def load(path: str | os.PathLike[str]) -> FittedEstimator:
    """The model in a file that `save` wrote, or the recording that `Recording.save` wrote.

    No code comes from the file: only classes of a fixed list are made, of checked parts.  The
    checksum finds damage, not malice: whoever may write the file decides what the model predicts.

    Parameters
    ----------
    path : path

    Returns
    -------
    estimator, Network or Recording

    Raises
    ------
    ModelFileError
        If the file is missing, cut short, altered, of another kind or from a newer thinnet, or
        holds a class that this thinnet doesn't know.

    Warns
    -----
    UserWarning
        If it holds objects of scikit-learn that another version of it saved.

    Examples
    --------
    >>> from thinnet import load
    >>> load("nowhere.thinnet")
    Traceback (most recent call last):
    ...
    thinnet.checks.ModelFileError: model file must be an existing file, got 'nowhere.thinnet'
    """
    must(isinstance(path, str | os.PathLike), NAME, "a path", path)
    if not Path(path).is_file():
        raise ModelFileError(f"{NAME} must be an existing file, got {os.fspath(path)!r}")
    if (kind := kind_of(path)) in LOADERS:
        return import_module(LOADERS[kind]).load(path)
    snapshot = _read(path)
    try:
        model = _model_of(snapshot)
    except MemoryError:
        raise
    except Exception as error:  # a constructor may refuse strange parts in any way
        raise ModelFileError(_refusal(path, snapshot.values, error)) from error
    _compare_versions(path, snapshot.values)
    return model


def _read(path: str | os.PathLike[str]) -> Snapshot:
    try:
        return read_as(_form(), path)
    except ModelFileError:
        if _is_table(Path(path)):
            raise ModelFileError(
                f"{NAME} {os.fspath(path)!r} is a table; a model is what `thinnet fit` saved"
            ) from None
        raise


def _is_table(path: Path) -> bool:
    """Whether a file is Parquet, or text with several cells in each line."""
    try:
        return len(read_dialect(path).names) > 1
    except DataFileError:
        return False


def _refusal(path: str | os.PathLike[str], values: Any, error: Exception) -> str:
    reason = one_line(f"{type(error).__name__}: {error}")
    return (
        f"{NAME} {os.fspath(path)!r} must hold a model that this thinnet knows, got one "
        f"{_written_by(values)} that it can't make ({reason})"
    )


def _form() -> Form:
    return Form(NAME, KIND, FORMAT, ModelFileError)


def _versions() -> dict[str, str]:
    others = {name: version(name) for name in ("numpy", "scikit-learn")}
    return {"thinnet": __version__, "python": platform.python_version(), **others}


def _model_of(snapshot: Snapshot) -> Any:
    arrays, values = dict(snapshot.arrays), snapshot.values
    if not isinstance(values, dict) or sorted(values) != sorted(PARTS):
        raise ValueError(f"the file must have the parts {' and '.join(PARTS)}, got others")
    _check_versions(values["versions"])
    model = unpack(values["model"], arrays)
    if arrays:
        raise ValueError(f"the file must have a use for each array, got none for {min(arrays)!r}")
    _check_whole(model)
    return model


def _check_versions(versions: Any) -> None:
    if not isinstance(versions, dict) or not all(type(v) is str for v in versions.values()):
        raise ValueError(f"versions must be text by name, got {type(versions).__name__}")


def _check_whole(model: Any) -> None:
    """ValueError if it is not a model, or is not fitted."""
    if not known.way_of(type(model)).alone:
        raise ValueError(f"a model must be an estimator or a Network, got {type(model).__name__}")
    if hasattr(model, "get_params"):
        check_is_fitted(model)


def _written_by(values: Any) -> str:
    versions = values.get("versions") if isinstance(values, dict) else None
    if not isinstance(versions, dict):
        return "of no known version"
    reason = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"written by {one_line(reason, 200)}"


def _compare_versions(path: str | os.PathLike[str], values: Mapping[str, Any]) -> None:
    """Warn if another version of scikit-learn saved the model, whose internals may differ."""
    then, now = (v.get("scikit-learn", "none") for v in (values["versions"], _versions()))
    changed = then.split(".")[:2] != now.split(".")[:2]
    if changed and any(map(known.is_of_scikit_learn, _names(values["model"]))):
        warnings.warn(
            f"{NAME} {os.fspath(path)!r} has parts of scikit-learn {then}, which may behave "
            f"differently in {now}: compare some predictions",
            UserWarning,
            stacklevel=3,
        )


def _names(packed: Any) -> Iterator[str]:
    """The names of all classes in a packed value."""
    if isinstance(packed, list):
        for part in packed:
            yield from _names(part)
    elif isinstance(packed, dict):
        parts = packed["of"]
        yield packed["is"]
        yield from _names(list(parts.values()) if isinstance(parts, dict) else parts)
