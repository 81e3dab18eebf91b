"""Files that earlier versions wrote open, predict what they predicted then, and go on training."""

import shutil
import warnings

import numpy as np
import pytest
from golden_models import CHECKPOINT, expected, inputs_of, predictions, run
from numpy.testing import assert_allclose, assert_array_equal
from paths import VECTORS

from thinnet import load
from thinnet.checks import CheckpointError

VERSIONS = sorted((VECTORS / "models").iterdir())
FILES = [path for folder in VERSIONS for path in sorted(folder.glob("*.thinnet"))]
CLOSE = 1e-5  # of an array's scale: the order of sums may change, what they mean may not


def assert_close(found, wanted):
    assert found.shape == wanted.shape
    if wanted.dtype.kind in "fc":
        assert_allclose(found, wanted, rtol=0, atol=CLOSE * np.abs(wanted).max())
    else:
        assert found.astype(str).tolist() == wanted.astype(str).tolist()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_model_of_an_earlier_version_predicts_what_it_predicted(path):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*has parts of scikit-learn")
        model = load(path)
    then = expected(path.parent)
    wanted = {name for name in then.files if name.startswith(f"{path.stem}/")}
    found = predictions(model, inputs_of(path.stem, path.parent))
    assert {f"{path.stem}/{method}" for method in found} == wanted
    for method, values in found.items():
        assert_close(values, then[f"{path.stem}/{method}"])


@pytest.mark.parametrize("folder", VERSIONS[:2], ids=lambda folder: folder.name)
def test_a_checkpoint_of_another_arithmetic_is_refused_in_a_sentence(folder, tmp_path):
    shutil.copy(folder / CHECKPOINT, tmp_path)
    with pytest.raises(CheckpointError, match=r"arithmetic version 1, got arithmetic version 0$"):
        run(tmp_path, epochs=6, resume=True)


def test_a_checkpoint_of_this_arithmetic_goes_on_with_the_same_bits(tmp_path):
    folder = VERSIONS[-1]
    shutil.copy(folder / CHECKPOINT, tmp_path)
    found = run(tmp_path, epochs=6, resume=True).theta
    assert_array_equal(found, expected(folder)["run/theta"])


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)
def test_every_prediction_kept_has_its_file(folder):
    names = {name.partition("/")[0] for name in expected(folder).files} - {"run"}
    assert names == {path.stem for path in folder.glob("*.thinnet")}
    assert names
