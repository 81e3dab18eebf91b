"""What is done with every altered table: predict, fit, evaluate, read; and what may come of it."""

import re
import warnings

import numpy as np
from altering import one_sentence
from commanding import FAST, called
from mangling import people, written

import thinnet as tn
from thinnet.checks import DataFileError
from thinnet.tables.reading import blocks

OF_LIBRARIES = re.compile(r"\bdtype\b|pandas|sklearn|numpy|errstate|pyarrow")


def a_model(folder):
    """A model of people, and the path of their table."""
    table, path = folder / "people.csv", folder / "people.thinnet"
    table.write_bytes(written(people(np.random.default_rng(0))))
    code, output = called("fit", table, "--target", "buys", "--out", path, *FAST)
    assert code == 0, output
    return path


def without_leaks(*arguments):
    """Whether the command did it; warnings of libraries may not reach the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, output = called(*arguments)
    notes = [line for line in output.splitlines() if line.startswith("note: ")]
    assert not OF_LIBRARIES.search(" ".join(notes)), notes
    return code == 0


def predicted(model, table, folder):
    out = folder / "out.csv"
    out.write_text("before")
    done = without_leaks("predict", model, table, "--out", out, "--proba", *FORCE)
    assert (out.read_text() == "before") != done, (
        f"{done}, but at the output {out.read_text()[:99]}"
    )
    out.unlink()
    return done


def fitted(model, table, folder):
    out = folder / "new.thinnet"
    done = without_leaks("fit", table, "--target", "buys", "--out", out, *FAST)
    assert out.exists() == done
    out.unlink(missing_ok=True)
    return done


def evaluated(model, table, folder):
    return without_leaks("evaluate", model, table)


def in_python(model, table, folder):
    """Fitted to the path, without the command."""
    estimator = tn.TableClassifier(n_networks=1, hidden_layer_sizes=(4,), max_iter=1)
    return refused_in_words(lambda: estimator.fit(table, "buys").predict(table))


def block_by_block(model, table, folder):
    def read():
        for block in blocks(table, 7):
            assert len(block.frame) <= 7

    return refused_in_words(read)


def refused_in_words(act):
    """Whether it was done; else one sentence of the ValueError family."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", UserWarning)  # of ours: what was noticed
            act()
    except (DataFileError, ValueError, tn.DivergedError) as error:
        one_sentence(error)
        return False
    return True


FORCE = ("--force",)
WAYS = [predicted, fitted, evaluated, in_python, block_by_block]


def try_some(rng, model, table, folder):
    """Two of the ways, drawn."""
    there = {path.name for path in folder.iterdir()}
    for i in rng.permutation(len(WAYS))[:2]:
        WAYS[i](model, table, folder)
    assert {path.name for path in folder.iterdir()} == there, "something was left behind"
