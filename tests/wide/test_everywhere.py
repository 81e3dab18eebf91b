"""Each layer, loss and optimiser is known wherever it could be met, or refused in a sentence.

docs/adding.md says the same to who adds one; a missing place fails here.
"""

import dataclasses
import re
from types import SimpleNamespace
from typing import get_args

import numpy as np
import onnx
import pytest
from exported_models import LAYERS as SEVERAL_OF_EACH
from exported_models import LOOKUPS, Doubled, X, quiet_network
from numpy.testing import assert_allclose, assert_array_equal
from onnx.reference import ReferenceEvaluator
from paths import ROOT

import thinnet
from thinnet import layers, losses, optimizers
from thinnet.checks import CheckpointError
from thinnet.estimators.activations import ACTIVATIONS as NAMED
from thinnet.export.onnx_estimators import network_graph
from thinnet.export.onnx_graph import Graph
from thinnet.export.onnx_layers import predicted
from thinnet.export.torch_modules import module_of
from thinnet.initializers import as_initializer
from thinnet.layers import Columns, ConcreteDropout, Dense, FixedMasks
from thinnet.layers.base import trait
from thinnet.network.executor import step_obstacles
from thinnet.persistence import known
from thinnet.persistence.networks import STATES
from thinnet.uncertainty import output_moments
from thinnet.uncertainty.draws.heads import LOSSES, ClassHead, NumberHead, TargetType


def described(package):
    """The frozen descriptions among a package's public names."""
    found = [getattr(package, name) for name in package.__all__]
    return {each for each in found if dataclasses.is_dataclass(each)}


def network_of(layer, executor=None):
    return quiet_network([layer], X.shape[1], seed=1, dtype=np.float64, executor=executor)


# What a network meets.  Each takes one, and raises ValueError where it doesn't know a layer.


def compiled(network, _):
    (layer,) = network.layers
    found, wanted = network_of(layer, "compiled"), network_of(layer, "reference")
    found.theta[:] = wanted.theta[:] = network.theta
    assert_allclose(found.outputs(X), wanted.outputs(X), rtol=1e-9, atol=1e-9)


def in_onnx(network, _):
    assert len(network_graph(network).content()) > 50


class Nn:
    """torch.nn, of which PyTorch itself is not needed to know the names."""

    def __getattr__(self, name):
        return lambda *args, **settings: SimpleNamespace(name=name)


def in_torch(network, _):
    nn = Nn()
    if isinstance(network.layers[0], Columns):  # its module is a class of our own
        nn = pytest.importorskip("torch").nn
    assert all(module_of(nn, *place) is not None for place in network.places())


def saved(network, folder):
    thinnet.save(network, folder / "network.thinnet")
    loaded = thinnet.load(folder / "network.thinnet")
    assert loaded.layers == network.layers
    assert_array_equal(loaded.outputs(X), network.outputs(X))


def with_moments(network, _):
    found = output_moments(network, X)
    assert_allclose(found.mean, network.outputs(X), rtol=1e-9, atol=1e-9)
    assert (found.variance >= 0).all()


PLACES = {
    "compiled": compiled,
    "onnx": in_onnx,
    "torch": in_torch,
    "saved": saved,
    "moments": with_moments,
}
MESSAGES = {
    "compiled": "executor must be 'reference' or None .*: layer 0, {0}.*, has no compiled form",
    "onnx": "each layer must be one of .* for ONNX, got layer 0, {0}",
    "torch": "each layer must have its like in torch.nn, got layer 0, {0}",
    "saved": "the class must be one of a fixed list .*, got .*{0}",
    "moments": "each layer must be one of .* for moments, got layer 0, {0}",
}
LAYERS = {type(layer): layer for layer in reversed([*SEVERAL_OF_EACH, LOOKUPS[0]])}
WITHOUT = {
    "compiled": {ConcreteDropout, FixedMasks},
    "onnx": set(),
    "torch": {FixedMasks},
    "saved": set(),
    "moments": {
        layers.ELU, layers.GELU, layers.SELU, layers.AlphaDropout, layers.DropConnect, FixedMasks,
        Columns,
        layers.LayerNorm, layers.LeakyReLU, layers.SiLU, layers.Sigmoid, layers.Softmax,
        layers.Softplus, layers.Tanh,
    },
}  # fmt: skip


def test_every_public_layer_is_tried():
    settings = {layers.ColumnEncoding}
    assert described(layers) == set(LAYERS) | settings
    others = {name for name in layers.__all__ if getattr(layers, name) not in LAYERS}
    assert others == {"Layer", "Shapes", "ColumnEncoding"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
def test_every_layer_is_known_or_refused_in_a_sentence(kind, place, tmp_path):
    network = network_of(LAYERS[kind])
    if kind not in WITHOUT[place]:
        PLACES[place](network, tmp_path)
        return
    with pytest.raises(ValueError, match=MESSAGES[place].format(kind.__name__)):
        PLACES[place](network, tmp_path)


@pytest.mark.parametrize("place", PLACES)
def test_a_layer_of_ones_own_is_refused_where_it_is_not_known(place, tmp_path):
    with pytest.raises(ValueError, match=MESSAGES[place].format("Doubled")):
        PLACES[place](network_of(Doubled()), tmp_path)


@pytest.mark.parametrize("layer", [*LAYERS.values(), Doubled()])
def test_every_layer_is_described_with_who_runs_it(layer, capsys):
    network_of(layer).describe()
    message = " ".join(capsys.readouterr().out.split())
    assert f" {type(layer).__name__}" in message
    no_form = type(layer) in WITHOUT["compiled"] or isinstance(layer, Doubled)
    assert ("has no compiled form" in message) == no_form
    assert ("run by compiled code" in message) == (not no_form)


# Activations: what each says of itself holds, and estimators have all that suit a hidden layer


ACTIVATIONS = [kind for kind in LAYERS if hasattr(kind, "weights_before")]


def test_every_activation_says_which_weights_suit_it():
    modules = ("thinnet.layers.activations", "thinnet.layers.rectifiers")
    assert {kind for kind in LAYERS if kind.__module__ in modules} == set(ACTIVATIONS)
    assert all(as_initializer(kind.weights_before) for kind in ACTIVATIONS)


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_an_activations_traits_are_true_of_it(kind):
    network = network_of(kind())
    alone = np.where(np.arange(X.shape[1]) == 1, X, 9.0)
    unchanged = np.allclose(network.outputs(alone)[:, 1], network.outputs(X)[:, 1])
    assert trait(kind(), "unitwise") == unchanged
    zero = np.zeros_like(X)
    assert trait(kind(), "keeps_zero") == (network.outputs(zero) == 0).all()
    assert network.theta.size == 0


def test_estimators_have_every_activation_of_one_unit():
    unitwise = {kind for kind in ACTIVATIONS if trait(kind(), "unitwise")}
    assert {type(each.layer) for each in NAMED.values()} == unitwise
    assert len(NAMED) == len(unitwise)


@pytest.mark.parametrize("name", NAMED)
def test_an_activations_name_makes_that_layer_in_estimators(name):
    model = thinnet.MLPRegressor(hidden_layer_sizes=(3,), activation=name)
    model.partial_fit(X[:5], X[:5, 0])
    assert NAMED[name].layer in model.network_.layers


HEADS = [ClassHead(np.arange(2), kind) for kind in get_args(TargetType)]
HEADS += [NumberHead(loss, 1) for loss in LOSSES]


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.kind)
def test_what_heads_make_of_outputs_onnx_makes_too(head):
    graph = Graph("Network", ("y",))
    z = graph.input("X", np.float64, (head.width,))
    graph.output("y", predicted(head, z), (head.width,))
    outputs = np.linspace(-2, 2, 4 * head.width).reshape(4, head.width)
    (found,) = ReferenceEvaluator(onnx.load_from_string(graph.content())).run(None, {"X": outputs})
    wanted = head.loss.predict(outputs)  # of outputs that are log variances a file has none
    assert_allclose(found[:, : wanted.shape[1]], wanted)


# Losses and optimisers: what trains a network


N_OUTPUTS = 2
LABELS = (X[:, 0] > 0).astype(int)
TARGETS = {
    losses.AbsoluteError: X[:, :2],
    losses.BinaryCrossEntropy: (X[:, :2] > 0).astype(int),
    losses.GaussianNLL: X[:, :1],
    losses.Huber: X[:, :2],
    losses.Pinball: X[:, :2],
    losses.Poisson: np.floor(np.abs(3 * X[:, :2])),
    losses.SoftmaxCrossEntropy: LABELS,
    losses.SquaredError: X[:, :2],
}
OPTIMIZERS = sorted(described(optimizers), key=lambda kind: kind.__name__)


def trained(loss=None, optimizer=None, y=LABELS, executor=None, **settings):
    network = network_of(Dense(N_OUTPUTS), executor)
    settings = {"epochs": 2, "batch_size": 30, "progress": False} | settings
    thinnet.train(network, X, y, loss=loss, optimizer=optimizer, **settings)
    return network


TRAINED_BY = [{"loss": kind(), "y": y} for kind, y in TARGETS.items()] + [
    {"optimizer": kind(0.01)} for kind in OPTIMIZERS
]


def named(by):
    return type(by.get("loss", by.get("optimizer"))).__name__


def test_every_public_loss_and_optimiser_is_tried():
    assert described(losses) == set(TARGETS)
    others = {name for name in losses.__all__ if getattr(losses, name) not in TARGETS}
    assert others == {"Loss", "loss_for"}
    others = {name for name in optimizers.__all__ if getattr(optimizers, name) not in OPTIMIZERS}
    assert others == {"LearningRate", "Optimizer", "clip_norm", "update"}


@pytest.mark.parametrize("by", TRAINED_BY, ids=named)
def test_every_loss_and_optimiser_has_a_compiled_form_that_does_the_same(by):
    loss, optimizer = by.get("loss", losses.SquaredError()), by.get("optimizer", thinnet.Adam())
    assert not step_obstacles(loss, optimizer)
    found, wanted = trained(**by, executor="compiled"), trained(**by, executor="reference")
    assert_allclose(found.theta, wanted.theta, rtol=1e-9, atol=1e-9)
    assert (found.theta != network_of(Dense(N_OUTPUTS)).theta).any()


@pytest.mark.parametrize("by", TRAINED_BY, ids=named)
def test_what_a_network_was_trained_by_is_no_part_of_it_anywhere(by, tmp_path):
    """Outputs are raw: ONNX, PyTorch, files and moments need not know losses and optimisers."""
    for place in PLACES.values():
        place(trained(**by), tmp_path)


@pytest.mark.parametrize("by", TRAINED_BY, ids=named)
def test_every_loss_and_optimiser_goes_on_from_its_own_checkpoint_only(by, tmp_path):
    kept = {"checkpoint": tmp_path / "run.checkpoint"}
    trained(**by, **kept, epochs=1)
    assert_array_equal(trained(**by, **kept, resume=True).theta, trained(**by).theta)
    ((what, mine), *_) = by.items()
    other = thinnet.SGD(0.7) if what == "optimizer" else type("Other", (type(mine),), {})()
    named_both = f"of this training, with {what} .*, got {what} {type(mine).__name__}"
    with pytest.raises(CheckpointError, match=named_both):
        trained(**by | {what: other}, **kept, resume=True)


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda kind: kind.__name__)
def test_files_of_estimators_may_hold_every_optimiser_and_what_it_remembers(kind):
    assert known.class_of(known.name_of(kind)) is kind
    state = type(kind(0.01).start(np.zeros(3)))
    assert state in STATES[kind]
    assert known.class_of(known.name_of(state)) is state


@pytest.mark.parametrize("kind", TARGETS, ids=lambda kind: kind.__name__)
def test_files_of_recordings_hold_every_loss(kind):
    assert known.class_of(known.name_of(kind)) is kind


class OwnLoss(losses.SquaredError):
    pass


class OwnOptimizer(thinnet.SGD):
    pass


@pytest.mark.parametrize("by", [{"loss": OwnLoss()}, {"optimizer": OwnOptimizer(0.01)}], ids=named)
def test_a_loss_or_optimiser_of_ones_own_is_run_by_the_reference(by):
    loss, optimizer = by.get("loss", losses.SquaredError()), by.get("optimizer", thinnet.SGD(0.01))
    assert step_obstacles(loss, optimizer)
    known_ones = {"loss": losses.SquaredError(), "optimizer": thinnet.SGD(0.01)}
    found = trained(loss, optimizer, X[:, :2])
    assert_allclose(found.theta, trained(**known_ones, y=X[:, :2]).theta, rtol=1e-9)


@pytest.mark.parametrize("by", [{"loss": OwnLoss()}, {"optimizer": OwnOptimizer(0.01)}], ids=named)
def test_a_loss_or_optimiser_without_a_compiled_form_is_refused_where_it_was_asked_for(by):
    settings = {"loss": losses.SquaredError()} | by
    ((what, own), *_) = by.items()
    message = (
        f"'reference' or None for this training: the {what}, {type(own).__name__}.*, has no comp"
    )
    with pytest.raises(ValueError, match=message):
        trained(**settings, y=X[:, :2], executor="compiled")


PAGE = (ROOT / "docs" / "adding.md").read_text("utf-8")
IN_TABLES = re.findall(r"^\| [^|]+ \| `([^|`]+\.py)` \| `(\w+)` \|", PAGE, re.MULTILINE)


def test_the_page_names_places_that_are_there():
    assert len(IN_TABLES) == len(re.findall(r"^\| [^-]", PAGE, re.MULTILINE)) - 3 > 15
    for file, name in IN_TABLES:
        text = (ROOT / "src" / "thinnet" / file).read_text("utf-8")
        assert re.search(rf"^(class |def |    def )?{name}\b", text, re.MULTILINE), (file, name)
    for path in re.findall(r"`([\w/]+/[\w/]*(?:\.pyi?)?)`", PAGE):
        assert (ROOT / path).exists() or (ROOT / "src" / "thinnet" / path).exists(), path
