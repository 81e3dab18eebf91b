"""Deliberate faults that the suite must catch, and how one of them is tried.

A fault is a piece of source text that occurs exactly once in its file, and what stands there
instead.  It is put into a copy of the package, and the test files that should notice run on it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from paths import TESTS

import thinnet

PACKAGE = Path(thinnet.__file__).parent


class Mutant(NamedTuple):
    why: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]


MUTANTS = [
    Mutant(
        "all layers draw the same mask",
        "network/binding.py",
        "ordinal=max(int(drawing[i]) - 1, 0),",
        "ordinal=0,",
        ("training/test_training.py",),
    ),
    Mutant(
        "a sampling pass draws nothing",
        "passes.py",
        'return cls(True, False, "predict",',
        'return cls(False, False, "predict",',
        ("network/test_network.py",),
    ),
    Mutant(
        "a sampling pass learns",
        "passes.py",
        'return cls(True, False, "predict",',
        'return cls(True, True, "predict",',
        ("network/test_network.py",),
    ),
    Mutant(
        "prediction draws masks",
        "network/network.py",
        "lambda rows: Run.predict()",
        "lambda rows: Run.sample(0)",
        ("engine/test_prediction.py",),
    ),
    Mutant(
        "masks depend on the row's place instead of its id",
        "passes.py",
        "if self.ids is None else self.ids",
        "if self.ids is None or len(self.ids) == rows else self.ids",
        ("engine/test_training.py",),
    ),
    Mutant(
        "masks do not depend on the step",
        "passes.py",
        "return Stream(seed, run.purpose, self.ordinal, run.step)",
        "return Stream(seed, run.purpose, self.ordinal, 0)",
        ("engine/test_training.py",),
    ),
    Mutant(
        "masks of training and prediction are the same",
        "passes.py",
        "return Stream(seed, run.purpose, self.ordinal, run.step)",
        'return Stream(seed, "train", self.ordinal, run.step)',
        ("network/test_network.py",),
    ),
    Mutant(
        "a random number equal to the threshold is dropped",
        "masks.py",
        "return sixteen_bits(stream, samples, units) >= limit",
        "return sixteen_bits(stream, samples, units) > limit",
        ("training/test_training.py",),
    ),
    Mutant(
        "kept units are not scaled",
        "masks.py",
        "return like.dtype.type(keep_probability(rate) or 1.0)",
        "return like.dtype.type(1.0)",
        ("engine/test_training.py",),
    ),
    Mutant(
        "kept units are scaled by the rate",
        "masks.py",
        "return like.dtype.type(keep_probability(rate) or 1.0)",
        "return like.dtype.type(rate or 1.0)",
        ("engine/test_training.py",),
    ),
    Mutant(
        "kept units are scaled by what the rate was before rounding",
        "masks.py",
        "return (LEVELS - threshold(rate)) / LEVELS",
        "return 1 - rate",
        ("test_masks.py",),
    ),
    Mutant(
        "classical dropout is not scaled in prediction",
        "layers/dropout.py",
        'q = 1.0 if self.scaling == "inverted" else masks.keep_probability(rate)',
        "q = 1.0",
        ("layers/test_layers.py",),
    ),
    Mutant(
        "the gradient of dropped weights is not masked",
        "layers/dropconnect.py",
        "site.g.W[...] = self._drop(site, site.g.W, cache.run, cache.rate)",
        "pass",
        ("layers/test_gradients.py",),
    ),
    Mutant(
        "backward adds",
        "layers/dense.py",
        "np.matmul(dy.T, cache.x, out=site.g.W)",
        "np.add(site.g.W, dy.T @ cache.x, out=site.g.W)",
        ("engine/test_training.py",),
    ),
    Mutant(
        "a stale cache is not noticed",
        "network/network.py",
        "if of.number != self._latest:",
        "if False:",
        ("network/test_network.py",),
    ),
    Mutant(
        "the rows of later blocks get the ids of the first",
        "network/sampling.py",
        'return Run.sample(number, "shared" if share == "draw" else ids[block], draws.seed)',
        'return Run.sample(number, "shared" if share == "draw" else ids[: len(ids[block])])',
        ("engine/test_prediction.py",),
    ),
    Mutant(
        "a draw has a mask for each row where all should share it",
        "network/sampling.py",
        'return Run.sample(number, "shared" if share == "draw" else ids[block], draws.seed)',
        "return Run.sample(number, ids[block], draws.seed)",
        ("engine/test_prediction.py",),
    ),
    Mutant(
        "the running variance is that of the batch, not of the population",
        "layers/normalisation.py",
        "variance * (m / (m - 1))",
        "variance",
        ("layers/test_layers.py",),
    ),
    Mutant(
        "prediction ignores the running statistics",
        "layers/normalisation.py",
        "mean, variance = self._learn(site, x, run) if run.learns else site.s",
        "mean, variance = self._learn(site, x, run) if run.learns else (x.mean(0), x.var(0))",
        ("layers/test_layers.py",),
    ),
    Mutant(
        "BatchNorm's gradient forgets the variance",
        "layers/normalisation.py",
        "return slope * (dy - (through_mean + through_variance) / m)",
        "return slope * (dy - through_mean / m)",
        ("layers/test_gradients.py",),
    ),
    Mutant(
        "ReLU lets the gradient through at 0",
        "layers/rectifiers.py",
        "return dy * (cache.y > 0)",
        "return dy * (cache.y >= 0)",
        ("layers/test_layers.py", "layers/test_gradients.py"),
    ),
    Mutant(
        "a weighted mean is divided by the number of rows",
        "losses/base.py",
        "w = w / (w.sum() if total is None else total)",
        "w = w / (len(w) if total is None else total)",
        ("losses/test_losses.py",),
    ),
    Mutant(
        "Adam's second moment has the first one's decay",
        "optimizers/adaptive.py",
        "v = self.beta_2 * state.second + (1 - self.beta_2) * gradient * gradient",
        "v = self.beta_2 * state.second + (1 - self.beta_1) * gradient * gradient",
        ("optimizers/test_optimizers.py",),
    ),
    Mutant(
        "Adam's second moment is not bias-corrected",
        "optimizers/adaptive.py",
        "v_hat = v / bias_2",
        "v_hat = v",
        ("optimizers/test_optimizers.py",),
    ),
    Mutant(
        "AdamW's decay goes through the moments",
        "optimizers/adaptive.py",
        "return self._adam().step(decayed, gradient, state, t, learning_rate)",
        "return self._adam().step(\n"
        "            theta, gradient + self.weight_decay * theta, state, t, learning_rate\n"
        "        )",
        ("optimizers/test_optimizers.py",),
    ),
    Mutant(
        "Nesterov's momentum is plain momentum",
        "optimizers/sgd.py",
        "ahead = self.momentum * velocity + move if self.nesterov else velocity",
        "ahead = velocity",
        ("optimizers/test_optimizers.py",),
    ),
    Mutant(
        "a gradient is clipped entry by entry",
        "optimizers/base.py",
        "gradient *= gradient.dtype.type(limit / norm)",
        "np.clip(gradient, -limit, limit, out=gradient)",
        ("engine/test_training.py",),
    ),
    Mutant(
        "moments of what is absent change",
        "optimizers/base.py",
        "np.copyto(old, new, where=kept)",
        "np.copyto(old, new)",
        ("engine/test_thinning.py",),
    ),
    Mutant(
        "parameters that are absent change",
        "optimizers/base.py",
        "np.copyto(theta, new_theta, where=kept)",
        "np.copyto(theta, new_theta)",
        ("layers/test_presence.py",),
    ),
    Mutant(
        "bias correction counts steps in which an entry was absent",
        "optimizers/base.py",
        "t: Count = 1 + step if presence is None else 1 + step * presence.probability",
        "t: Count = 1 + step",
        ("layers/test_presence.py",),
    ),
    Mutant(
        "the penalty of what is absent counts when a gradient is clipped",
        "training/reference.py",
        "network.gradient[~presence.kept] = 0",
        "pass",
        ("engine/test_thinning.py",),
    ),
    Mutant(
        "the bias of an absent unit is present",
        "layers/dense.py",
        "return Params(W=outputs[:, None] * inputs[None, :], b=outputs)",
        "return Params(W=outputs[:, None] * inputs[None, :], b=np.ones_like(outputs))",
        ("layers/test_presence.py",),
    ),
    Mutant(
        "max-norm looks at columns",
        "training/penalties.py",
        "norms = np.linalg.norm(site.p.W, axis=1, keepdims=True)",
        "norms = np.linalg.norm(site.p.W, axis=0, keepdims=True)",
        ("training/test_penalties.py",),
    ),
    Mutant(
        "the gradient of l2 lacks its 2",
        "training/penalties.py",
        "w.dtype.type(2 * self.l2) * w",
        "w.dtype.type(self.l2) * w",
        ("training/test_penalties.py",),
    ),
    Mutant(
        "every epoch has the same order",
        "network/row_order.py",
        '(network.seed, "shuffle", epoch, rows)',
        '(network.seed, "shuffle", 0, rows)',
        ("training/test_training.py",),
    ),
    Mutant(
        "micro-batches are not rescaled",
        "training/reference.py",
        "value, slope = loss(outputs, data.targets[rows], data.weights_of(rows), total)",
        "value, slope = loss(outputs, data.targets[rows], data.weights_of(rows))",
        ("engine/test_training.py",),
    ),
    Mutant(
        "the last micro-batch alone is learned from",
        "training/reference.py",
        "np.add(network.gradient, before, out=network.gradient)",
        "pass",
        ("engine/test_training.py",),
    ),
    Mutant(
        "steps are not counted",
        "training/reference.py",
        "network.clock.step += 1",
        "pass",
        ("training/test_training.py",),
    ),
    Mutant(
        "the noisy score is the clean one",
        "training/loop.py",
        "score=loss.score(training.outputs, data.targets, data.weights),",
        "score=clean[1],",
        ("training/test_training.py",),
    ),
    Mutant(
        "early stopping keeps the last weights",
        "training/state.py",
        "if self.waiting.epoch == self.epoch:",
        "if True:",
        ("training/test_stopping.py",),
    ),
    Mutant(
        "best weights come back without their running statistics",
        "training/state.py",
        "network.theta[:], network.state[:] = self.theta, self.state",
        "network.theta[:] = self.theta",
        ("training/test_stopping.py",),
    ),
    Mutant(
        "min_delta is relative, so a worse negative loss is better",
        "training/stopping.py",
        "value > state.best + self.min_delta",
        "value > state.best * (1 + self.min_delta)",
        ("training/test_stopping.py",),
    ),
    Mutant(
        "a diverged network keeps its ruined weights",
        "training/reference.py",
        "training.put_good_back()",
        "pass",
        ("training/test_divergence.py",),
    ),
    Mutant(
        "a resumed run forgets the optimiser's moments",
        "training/state.py",
        "mine[:] = arrays[name]",
        'mine[:] = mine if name.startswith("optimizer") else arrays[name]',
        ("training/test_resume.py",),
    ),
    Mutant(
        "a resumed run forgets the running statistics",
        "training/state.py",
        "mine[:] = arrays[name]",
        'mine[:] = mine if name == "state" else arrays[name]',
        ("training/test_resume.py",),
    ),
    Mutant(
        "a resumed run forgets the losses of the epoch it stands in",
        "training/checkpointing.py",
        'float.fromhex(values["loss sum"]),',
        "0.0,",
        ("training/test_resume.py",),
    ),
    Mutant(
        "a resumed run forgets how often the learning rate was cut",
        "training/checkpointing.py",
        'Plateau(*_from_exact(values["plateau"])),',
        "Plateau(),",
        ("training/test_resume.py",),
    ),
    Mutant(
        "a checkpoint is written in place",
        "snapshots.py",
        "with atomic.replacing(path) as file:",
        'with Path(path).open("wb") as file:',
        ("training/test_checkpointing.py",),
    ),
    Mutant(
        "a checkpoint is renamed before it is on the disk",
        "atomic.py",
        "os.fsync(held.fileno())",
        "pass",
        ("training/test_checkpointing.py",),
    ),
    Mutant(
        "a checkpoint's checksum is not looked at",
        "snapshots.py",
        'if metadata.get("checksum") != _checksum(arrays, text):',
        "if False:",
        ("training/test_checkpointing.py",),
    ),
    Mutant(
        "Ctrl-C is not looked at after a step",
        "training/loop.py",
        'reason = self._ask("on_step_end") or self._asked()',
        'reason = self._ask("on_step_end")',
        ("training/test_interrupt.py",),
    ),
    Mutant(
        "an idx file with too many bytes is read",
        "datasets.py",
        "values = _at_most(file, size + 1)",
        "values = _at_most(file, size)",
        ("test_datasets.py",),
    ),
    Mutant(
        "a download's checksum is not looked at",
        "datasets.py",
        'known_hash=f"md5:{source.md5[file]}",',
        "known_hash=None,",
        ("test_datasets.py",),
    ),
    Mutant(
        "a rate of 0 upstream of BatchNorm is warned of",
        "network/summary.py",
        'and getattr(layer, "rate", 0.0) != 0.0',
        "and True",
        ("training/test_diagnostics.py",),
    ),
    Mutant(
        "eight counters are taken in a wrong order",
        "engine/kernels/philox.py",
        "[4, 12, 5, 13, 6, 14, 7, 15]",
        "[4, 12, 5, 13, 7, 15, 6, 14]",
        ("engine/test_functions.py",),
    ),
    Mutant(
        "sixteen units in a row share the first sixteen's bits",
        "engine/kernels/dropout.py",
        "kept = np.uint64(i * size), np.uint16(word >> np.uint64(i))",
        "kept = np.uint64(i * size), np.uint16(word)",
        ("engine/test_training.py",),
    ),
    Mutant(
        "the first unit of an incomplete vector is left out",
        "engine/kernels/lanes.py",
        "return np.uint16((1 << (n % LANES)) - 1)",
        "return np.uint16((1 << (n % LANES)) - 2)",
        (
            "engine/test_dropout.py",
            "engine/test_memory.py",
        ),
    ),
    Mutant(
        "compiled masks depend on the row's place instead of its id",
        "engine/kernels/noise.py",
        "return np.uint64(view(w.ids, np.uint32(0))[row])",
        "return np.uint64(view(w.ids, np.uint32(0))[place])",
        ("engine/test_training.py",),
    ),
    Mutant(
        "absent weights keep a gradient",
        "engine/kernels/gradients.py",
        "new = g[i] if present[i] else g.dtype.type(0)",
        "new = g[i]",
        ("engine/test_thinning.py",),
    ),
    Mutant(
        "compiled Adam is corrected by the global step",
        "engine/kernels/gradients.py",
        "1 + run.count * chance)",
        "1 + run.count)",
        ("engine/test_thinning.py",),
    ),
    Mutant(
        "a thinned bias gets its neighbour's gradient",
        "engine/kernels/gradients.py",
        "whole[index[low + i] - start] = g[i]",
        "whole[i] = g[i]",
        ("engine/test_thinning.py",),
    ),
    Mutant(
        "a thinned layer sees its neighbours' biases",
        "engine/kernels/sides.py",
        "seen[op.bias + place] = theta[op.bias + unit]",
        "seen[op.bias + place] = theta[op.bias + place]",
        ("engine/test_thinning.py",),
    ),
    Mutant(
        "compiled penalties count for every micro-batch",
        "engine/kernels/gradients.py",
        "if run.finishes and (l1 != 0 or l2 != 0):",
        "if l1 != 0 or l2 != 0:",
        ("engine/test_training.py",),
    ),
    Mutant(
        "compiled clipping takes the square of the norm",
        "engine/kernels/gradients.py",
        "norm = np.sqrt(total)",
        "norm = total",
        ("engine/test_training.py",),
    ),
    Mutant(
        "compiled divergence is not seen",
        "engine/kernels/optimizers.py",
        "total += values[i] * values.dtype.type(0)",
        "total += values.dtype.type(0)",
        ("engine/test_training.py",),
    ),
    Mutant(
        "compiled SiLU has a wrong slope",
        "engine/kernels/elementwise.py",
        "dy[i] *= s * fma(x[i], one - s, one)",
        "dy[i] *= s * fma(x[i], s, one)",
        ("engine/test_training.py",),
    ),
    Mutant(
        "Ctrl-C in a team is lost",
        "engine/threads.py",
        "                interrupt = error\n",
        "                pass\n",
        ("engine/test_threads.py",),
    ),
    Mutant(
        "a team's helpers are let go after each call",
        "engine/threads.py",
        "    _idle.extend(helpers)\n",
        "",
        ("engine/test_threads.py",),
    ),
    Mutant(
        "the order of the rows is not shuffled on",
        "network/row_order.py",
        "self._order = self._order[self.stream.permutation(len(self._order))]",
        "self._order = self.stream.permutation(len(self._order))",
        ("estimators/test_estimators.py",),
    ),
    Mutant(
        "rows of a step are those of its network's first epoch",
        "network/logbook.py",
        "keyed_order(network, entry.epoch + epoch, entry.rows)",
        "keyed_order(network, epoch, entry.rows)",
        ("network/test_rows.py",),
    ),
    Mutant(
        "a generator that goes on is taken for one that starts again",
        "network/logbook.py",
        "return both._replace(per_call=of_each, resets=False)",
        "return both._replace(per_call=of_each, resets=True)",
        ("network/test_rows.py",),
    ),
    Mutant(
        "column numbers of a sparse matrix are not looked at",
        "sparse.py",
        "(places < 0) | (places >= size)",
        "(places < 0) & (places >= size)",
        ("test_sparse.py",),
    ),
    Mutant(
        "a sparse matrix shares its column numbers with the caller",
        "sparse.py",
        'return np.array(given, given.dtype.newbyteorder("="), order="C")',
        'return given.astype(given.dtype.newbyteorder("="), copy=False)',
        ("test_sparse.py",),
    ),
    Mutant(
        "the penalty is not divided by a batch's rows",
        "training/plan.py",
        'return 1.0 if self.penalty_per == "step" else 1.0 / weight',
        "return 1.0",
        ("estimators/test_estimators.py",),
    ),
    Mutant(
        "epsilon is corrected where it should not be",
        "engine/kernels/optimizers.py",
        "np.sqrt(by_2) if settings[4] else 1.0",
        "1.0",
        ("estimators/test_estimators.py", "engine/test_training.py"),
    ),
    Mutant(
        "alpha is not halved",
        "estimators/settings.py",
        "l2=0.0 if decoupled else settings.alpha / 2 * by,",
        "l2=0.0 if decoupled else settings.alpha * by,",
        ("estimators/test_estimators.py",),
    ),
    Mutant(
        "a worse loss counts as an improvement",
        "estimators/convergence.py",
        "worse = loss > estimator.best_loss_ - estimator.tol",
        "worse = loss > estimator.best_loss_ + estimator.tol",
        ("estimators/test_estimators.py",),
    ),
    Mutant(
        "convergence is judged with dropout's noise",
        "estimators/convergence.py",
        "return self._reported(epoch.clean_loss) + epoch.penalty",
        "return float(self._estimator.loss_)",
        ("estimators/test_estimators.py",),
    ),
    Mutant(
        "early stopping keeps the last weights",
        "estimators/convergence.py",
        "training.keep_best(training.history.last.epoch)",
        "pass",
        ("estimators/test_estimators.py",),
    ),
    Mutant(
        "a frequent value takes all bins",
        "tables/columns/pieces.py",
        "weights = np.minimum(counts, len(column) / (2 * n_bins))",
        "weights = counts",
        ("tables/test_tables.py",),
    ),
    Mutant(
        "predicted logarithms are not turned back",
        "tables/targets.py",
        "y[..., logged] = np.expm1(y[..., logged]) * self.unit[logged]",
        "pass",
        ("tables/test_tables.py",),
    ),
    Mutant(
        "infinite numbers are not brought to the range",
        "tables/columns/preparing.py",
        "numbers.clip(column.low, column.high)",
        "numbers",
        ("tables/test_tables.py",),
    ),
    Mutant(
        "a quantile is refined until that of its neighbours is found",
        "uncertainty/draws/mixtures.py",
        "going &= np.abs(step) > near",
        "going[:] = (np.abs(step) > near).any()",
        ("uncertainty/draws/test_mixtures.py",),
    ),
    Mutant(
        "a seed of draws is not used",
        "network/sampling.py",
        "network.seed if seed is None else int(seed)",
        "network.seed",
        ("uncertainty/test_uncertainty.py",),
    ),
    Mutant(
        "error bars leave the noise out",
        "uncertainty/draws/numbers.py",
        "np.sqrt(epistemic + aleatoric),",
        "np.sqrt(epistemic),",
        ("uncertainty/draws/test_mixtures.py",),
    ),
    Mutant(
        "a density in the network's units is taken for one in the target's",
        "uncertainty/draws/mixtures.py",
        "together + self.units.log_slope(y).sum(axis=-1)",
        "together",
        ("uncertainty/draws/test_mixtures.py",),
    ),
    Mutant(
        "rows wait for each other until they are precise enough",
        "uncertainty/draws/drawing.py",
        "done = (error <= how.tolerance).all(axis=1)",
        "done = np.repeat((error <= how.tolerance).all(), len(error))",
        ("uncertainty/test_uncertainty.py",),
    ),
    Mutant(
        "draws of several networks begin at 0 wherever they are asked from",
        "uncertainty/draws/drawing.py",
        "first=mine.start // m",
        "first=0",
        ("uncertainty/test_uncertainty.py",),
    ),
    Mutant(
        "noise is the error of the draws, their own spread included",
        "uncertainty/draws/noise.py",
        'return math.exp(optimize.minimize_scalar(cost, bounds=bounds, method="bounded").x)',
        "return size",
        ("uncertainty/draws/test_mixtures.py",),
    ),
    Mutant(
        "a column drifts by chance",
        "tables/drifting.py",
        "p < CHANCE and share > before",
        "share > before",
        ("tables/test_drifting.py",),
    ),
    Mutant(
        "a fold's rows are judged by ranges that they have widened",
        "tables/drifting.py",
        "*_range(cells.at(kept), column.kind)",
        "*_range(cells, column.kind)",
        ("tables/test_drifting.py",),
    ),
    Mutant(
        "a wanted recall is reached with whatever precision",
        "tables/deciding.py",
        "np.where(enough, other, -1.0)",
        "np.where(enough, -other, -1.0)",
        ("tables/test_deciding.py",),
    ),
    Mutant(
        "the mean of networks errs as one of them does",
        "tables/calibrating.py",
        "if asked is stopped:",
        "if False:",
        ("tables/test_calibrating.py",),
    ),
    Mutant(
        "altered machine code is run",
        "engine/keeping.py",
        "return content if checksum == _checksum(name, content) else None",
        "return content",
        ("engine/test_keeping.py",),
    ),
    Mutant(
        "an output may be its input under another name",
        "commands/places.py",
        "return Path(one).samefile(other)",
        "return Path(one) == Path(other)",
        ("commands/test_places.py",),
    ),
    Mutant(
        "a number that means a missing cell is one in a column of numbers",
        "tables/columns/missing.py",
        "return cells.mask(cells.isin(numbers))",
        "return cells",
        ("tables/test_drifting.py",),
    ),
]

# Says which package the tests have really imported.
WITNESS = """
from pathlib import Path

def pytest_sessionfinish(session):
    import thinnet
    Path(__file__).with_suffix(".txt").write_text(thinnet.__file__)
"""


def copied(folder: Path) -> Path:
    """A copy of the package in `folder`."""
    target = folder / "thinnet"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def plant(mutant: Mutant, package: Path) -> None:
    path = package / mutant.file
    source = path.read_text()
    assert source.count(mutant.text) == 1
    path.write_text(source.replace(mutant.text, mutant.instead))


def run_tests(
    folder: Path, tests: tuple[str, ...], *options: str
) -> subprocess.CompletedProcess[str]:
    """Run fast test files on the package in `folder`, up to the first failure."""
    (folder / "mutant_witness.py").write_text(WITNESS)
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-n0", "-x", "-q", "--no-header"),
            *("-p", "no:cacheprovider", "-p", "mutant_witness", *options),
            *(str(TESTS / file) for file in tests),
        ],
        cwd=TESTS.parent,
        env=os.environ
        | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    imported = (folder / "mutant_witness.txt").read_text()
    assert Path(imported).parent == folder / "thinnet"
    return finished
