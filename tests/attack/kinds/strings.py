"""Hostile texts wherever people put texts: in seconds, done or refused in one sentence.

They are cells, headers, labels, names of files and columns, what options are set to, and settings
of estimators; never a traceback, and nothing left behind.
"""

import csv
import io
import warnings
from contextlib import suppress

import numpy as np
import pandas as pd
from altering import one_sentence
from attack.tables import a_model, fitted, predicted, refused_in_words, without_leaks
from commanding import FAST
from forging import pick
from hostile import hostile
from mangling import people

import thinnet as tn

ALONE, SECONDS = False, 60
NUMBERS = ("--hidden", "--dropout", "--input-dropout", "--learning-rate", "--batch-size", "--seed",
           "--test-fraction", "--weight-decay")  # fmt: skip
WORDS = ("--target", "--task", "--leave-out", "--test", "--out", "--report", "--kind", "--missing",
         "--threshold-for", "--format", "--optimizer", "--data-dir")  # fmt: skip
SETTINGS = ("activation", "solver", "dropout_share", "loss", "dtype", "class_weight",
            "learning_rate", "checkpoint", "random_state")  # fmt: skip


def prepare(folder):
    return a_model(folder), folder / "people.csv"


def some_people(rng, rows=25):
    return people(np.random.default_rng(0), rows)


def as_file(lines, folder):
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    path = folder / "t.csv"
    path.write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
    return path


def cells(rng, made, folder):
    lines = some_people(rng)
    for _ in range(rng.integers(1, 6)):
        lines[rng.integers(1, len(lines))][rng.integers(8)] = hostile(rng)
    table = as_file(lines, folder)
    pick(rng, [predicted, fitted])(made[0], table, folder)


def a_column(rng, made, folder):
    """All cells of a column, so that it is of this kind."""
    lines, column, text = some_people(rng), rng.integers(8), hostile(rng, 1000)
    for line in lines[1:]:
        line[column] = text + line[column] if rng.random() < 0.9 else text
    table = as_file(lines, folder)
    pick(rng, [predicted, fitted])(made[0], table, folder)


def headers(rng, made, folder):
    lines = some_people(rng)
    for _ in range(rng.integers(1, 4)):
        lines[0][rng.integers(8)] = hostile(rng)
    table = as_file(lines, folder)
    pick(rng, [predicted, fitted])(made[0], table, folder)


def labels(rng, made, folder):
    lines, names = some_people(rng), [hostile(rng, 1000), hostile(rng, 1000), "yes"]
    for i, line in enumerate(lines[1:]):
        line[7] = names[i % 3]
    fitted(made[0], as_file(lines, folder), folder)


def target(rng, made, folder):
    """A hostile name that is there, as column and as --target."""
    lines, name = some_people(rng), hostile(rng, 1000)
    lines[0][7] = name
    table, out = as_file(lines, folder), folder / "new.thinnet"
    without_leaks("fit", table, f"--target={name}", "--out", out, *FAST)
    commands = [("show", out), ("predict", out, table, "--out", folder / "out.csv")]
    if out.exists():
        without_leaks(*pick(rng, [*commands, ("evaluate", out, table)]))
    for path in (out, folder / "out.csv"):
        path.unlink(missing_ok=True)


def options(rng, made, folder):
    name, text = pick(rng, WORDS), hostile(rng)
    if name in ("--out", "--report"):
        text = text.replace("/", "").replace("..", "") or "x"
        text = folder / "inside" / text
    (folder / "inside").mkdir()
    given = [f"{name}={text}", f"--out={folder / 'inside' / 'new.thinnet'}", *FAST]
    target = [] if name == "--target" else ["--target", "buys"]
    without_leaks("fit", made[1], *target, *given[:: -1 if name == "--out" else 1][-5:])


def numbers(rng, made, folder):
    name, out = pick(rng, NUMBERS), folder / "new.thinnet"
    text = hostile(rng) if rng.random() < 0.7 else f"{hostile(rng, 100)},{hostile(rng, 100)}"
    without_leaks("fit", made[1], "--target", "buys", "--out", out, *FAST, f"{name}={text}")
    out.unlink(missing_ok=True)


def file_names(rng, made, folder):
    """Of tables and models that are there where the system allows it, and of outputs."""
    (folder / "inside").mkdir()
    name = hostile(rng, 1000).replace("/", "")
    table = folder / "inside" / f"{name}.csv"
    with suppress(OSError, ValueError):
        table.write_bytes(made[1].read_bytes())
    without_leaks("predict", made[0], table, "--out", folder / "inside" / f"{name}-out.csv")
    without_leaks("show", folder / "inside" / name)
    bare = name if not name.startswith("-") else "x"
    without_leaks("evaluate", made[0], bare)


def frames(rng, made, folder):
    """Data frames whose names, cells and types no file could hold."""
    head, *rows = some_people(rng)
    frame = pd.DataFrame(rows, columns=head, dtype=object)
    names = list(frame.columns)
    names[rng.integers(7)] = pick(rng, [hostile(rng), None, 5, ("a", "b"), float("nan"), b"x"])
    frame.columns = pd.Index(names, dtype=object)
    frame.iat[rng.integers(25), rng.integers(7)] = pick(
        rng, [hostile(rng), None, 5, [1, 2], {}, float("inf"), pd.NaT, np.datetime64("NaT"), 1j]
    )
    estimator = tn.TableClassifier(n_networks=1, hidden_layer_sizes=(4,), max_iter=1)
    refused_in_words(lambda: estimator.fit(frame, "buys").predict(frame))


def settings(rng, made, folder):
    name, text = pick(rng, SETTINGS), hostile(rng, 1000)
    if name == "checkpoint":
        text = str(folder / "inside" / text.replace("/", ""))
        (folder / "inside").mkdir()
    kind = pick(rng, [tn.MLPClassifier, tn.MLPRegressor, tn.TableClassifier])
    if name not in kind().get_params():
        name = "hidden_layer_sizes"
    estimator = kind(max_iter=1).set_params(**{name: text})
    X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            estimator.fit(X, y)
    except (ValueError, TypeError, tn.DivergedError) as error:
        one_sentence(error)
    except OSError:
        assert name == "checkpoint"


IN_TABLES = [cells, a_column, headers, labels, target, file_names, frames]
PLACES = [*IN_TABLES, *2 * [options, numbers, settings]]  # which have many words to set


def attempt(rng, made, folder):
    place = pick(rng, PLACES)
    place(rng, made, folder)
    left = {path.name for path in folder.iterdir()}
    assert left <= {"t.csv", "inside"}, f"left behind: {left}"
    return place.__name__
