"""Models to save, files of them that are loaded or refused, and what makes two models the same."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from thinnet import MLPClassifier, MLPRegressor, ModelFileError, Network, load, save

RNG = np.random.default_rng(7)
X = RNG.normal(size=(40, 4))
PLACE = np.arange(40) % 3
NEW = RNG.normal(size=(301, 4))
WORDS = np.array(["one", "two", "a third, longer: ü\N{GRINNING FACE}"])
BITS = (X > 0).astype(int)
Y = X @ [1.0, 2.0, 0.0, -1.0]
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 5}
CLASSIFIERS = {
    "two classes": (PLACE > 0, {}),
    "three classes": (PLACE, {}),
    "words": (WORDS[PLACE], {}),
    "words as objects": (WORDS.astype(object)[PLACE], {}),
    "floats": (PLACE * 2.0, {}),
    "several labels": (BITS, {}),
    "one class": (np.zeros(40, int), {}),
    "batch_norm": (PLACE, {"batch_norm": True, "dropout": 0.3}),
    "shared masks": (PLACE, {"dropout": [0.4], "dropout_share": "batch", "input_dropout": 0.1}),
    "float32": (PLACE, {"dtype": "float32", "max_norm": 1.0, "l1": 0.01}),
    "class weights": (WORDS[PLACE], {"class_weight": dict(zip(WORDS, (1, 2.5, 3), strict=True))}),
    "early stopping": (PLACE, {"early_stopping": True}),
    "no hidden layer": (PLACE, {"hidden_layer_sizes": []}),
    "lbfgs": (PLACE, {"solver": "lbfgs"}),
    **{solver: (PLACE, {"solver": solver}) for solver in ("adamw", "rmsprop", "adagrad", "sgd")},
    "no momentum": (PLACE, {"solver": "sgd", "momentum": 0.0, "learning_rate": "invscaling"}),
    "endless": (PLACE, {"n_iter_no_change": np.inf, "tol": np.float32(1e-3)}),
}
REGRESSORS = {
    "one output": (Y, {}),
    "several outputs": (np.stack([Y, -Y], axis=1), {"dropout": 0.2}),
    "poisson": (np.exp(Y), {"loss": "poisson"}),
}
MODELS = {
    **{name: (MLPClassifier, *rest) for name, rest in CLASSIFIERS.items()},
    **{name: (MLPRegressor, *rest) for name, rest in REGRESSORS.items()},
}


def fitted(name):
    kind, y, settings = MODELS[name]
    return kind(**(SMALL | settings)).fit(X, y)


def a_perceptron():
    return MLPClassifier((5, 4), batch_norm=True, max_iter=2, random_state=0).fit(X, WORDS[PLACE])


def a_pipeline():
    encoders = ColumnTransformer(
        [
            ("a", OneHotEncoder(min_frequency=14, drop="first"), [0]),
            ("b", make_pipeline(SimpleImputer(), KBinsDiscretizer(3, strategy="uniform")), [1, 2]),
        ],
        remainder=StandardScaler(),
    )
    model = make_pipeline(encoders, MLPRegressor(hidden_layer_sizes=(3,), max_iter=2))
    return model.fit(np.column_stack([PLACE, X[:, 1:]]), Y)


def saved_and_loaded(model, path):
    save(model, path)
    return load(path)


def refused(path):
    """The one sentence with which a file is refused."""
    with pytest.raises(ModelFileError) as caught:
        load(path)
    message = str(caught.value)
    assert repr(str(path)) in message
    assert "\n" not in message
    return message


def assert_same(one, other, at="it"):
    """Equal in type and to the last bit, through and through."""
    assert type(one) is type(other), at
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), at
        assert_same(one.tolist(), other.tolist(), at)
    elif isinstance(one, float):
        assert one.hex() == other.hex(), at
    elif isinstance(one, np.datetime64):
        assert (one.dtype, one.view("i8")) == (other.dtype, other.view("i8")), at
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), at
        for i, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{at}.{i}")
    elif isinstance(one, dict):
        assert_same(list(one), list(other), f"{at}'s keys")
        assert_same(list(one.values()), list(other.values()), at)
    elif parts := parts_of(one):
        assert_same(parts, parts_of(other), at)
    else:
        assert one == other, at


def parts_of(value):
    if isinstance(value, Network):
        names = ("layers", "features", "seed", "dtype", "executor", "clock", "theta", "state")
        return {name: getattr(value, name) for name in names}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return None
    return dict(sorted(vars(value).items()))


def predictions(model, X=NEW):
    wanted = ("predict", "predict_proba", "transform")
    found = [getattr(model, name)(X) for name in wanted if hasattr(model, name)]
    return [part.toarray() if sparse.issparse(part) else np.asarray(part) for part in found]
