"""A full disk, a broken one or one without rights, at any call that opens, writes or renames.

The old file is whole, or the new one if the fault came behind the rename; an OSError that names the
file, or one sentence of the command; nothing is left behind, then or after a later success.
"""

import warnings

import numpy as np
from altering import one_sentence
from attack.faulty_disk import ERRORS, SHORT, faulty
from attack.kinds.kills import CHAIN, X, Y, content_of, network
from attack.tables import FORCE, a_model
from commanding import called
from forging import pick

import thinnet as tn
from thinnet import load, save, snapshots

ALONE, SECONDS = True, 120


class Saving:
    name = "m.thinnet"

    def __init__(self, shared):
        self.first, self.second = network(1), network(2)

    def run(self, folder, new):
        save(self.second if new else self.first, folder / self.name)

    def check(self, path):
        load(path)


class Training:
    """Writes its checkpoint several times, and goes on to the same bits."""

    name = "run.ckpt"

    def __init__(self, shared):
        self.wanted = self.train(shared / "untouched.ckpt", 4)

    def train(self, path, epochs):
        net = tn.Network(CHAIN, features=6, seed=1)
        tn.train(net, X, Y, epochs=4, batch_size=32, clean_rows=0, progress=False,
                 checkpoint=path, resume=True, callbacks=[StopAt(epochs)])  # fmt: skip
        return net.theta.tobytes()

    def run(self, folder, new):
        found = self.train(folder / self.name, 4 if new else 1)
        assert not new or found == self.wanted, "other weights than on a good disk"

    def check(self, path):
        snapshots.read(path)


class StopAt:
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, training):
        return "stopped" if training.epoch == self.epoch < 4 else None


class Command:
    """What a command of ours writes; the file that stood there was another one."""

    def __init__(self, shared, name, *arguments):
        self.name, self.arguments = name, arguments

    def run(self, folder, new):
        if not new:
            (folder / self.name).write_bytes(b"before")
            return
        given = [str(a).replace("OUT", str(folder / self.name)) for a in self.arguments]
        code, output = called(*given, *FORCE)
        if code:
            last = next(line for line in output.splitlines() if line.startswith("thinnet: "))
            raise RefusedError(last)

    def check(self, path):
        content = content_of(path)
        assert content.endswith(b"\n") or content[:4] == b"PAR1" == content[-4:], content[:50]


class Model(Command):
    def check(self, path):
        load(path)


class Onnx(Command):
    def check(self, path):
        import onnx

        onnx.checker.check_model(onnx.load(path))


class RefusedError(Exception):
    """What a command printed."""


def prepare(shared):
    model, table = a_model(shared), shared / "people.csv"
    predict = "predict", model, table, "--out", "OUT"
    fit = "fit", table, "--target", "buys", "--epochs", "1", "--networks", "1", "--out", "OUT"
    fit_numbers = [*fit, *(f"--leave-out={name}" for name in ("born", "says"))]
    called(*[str(a).replace("OUT", str(shared / "numbers.thinnet")) for a in fit_numbers])
    export = "export", shared / "numbers.thinnet", "OUT"
    made = [
        Saving(shared),
        Training(shared),
        Command(shared, "out.csv", *predict),
        Command(shared, "out.csv.gz", *predict),
        Command(shared, "out.parquet", *predict),
        Model(shared, "fitted.thinnet", *fit),
        Onnx(shared, "model.onnx", *export),
    ]
    return [(it, calls_of(it, shared / f"calls {it.name}")) for it in made]


def calls_of(victim, folder):
    """How many calls there are to fail, and what they leave on a good disk."""
    folder.mkdir()
    victim.run(folder, new=False)
    with faulty(folder) as disk:
        victim.run(folder, new=True)
    assert disk.count > 3, f"{victim.name}: {disk.count} calls"
    return disk.count


def attempt(rng, victims, folder):
    victim, calls = pick(rng, victims)
    error = pick(rng, [*ERRORS, SHORT])
    victim.run(folder, new=False)
    path, old = folder / victim.name, (folder / victim.name).read_bytes()
    with faulty(folder, int(rng.integers(calls)), error) as disk:
        output = outcome(victim, folder)
    assert disk.failed, "no call failed"
    assert {other.name for other in folder.iterdir()} == {victim.name}, "left behind by a fault"
    assert output is None or error != SHORT, output
    if output is None or not isinstance(victim, Training):
        assert (path.read_bytes() == old) or not output, f"{disk.failed}: {output}"
    if output is None or path.read_bytes() != old:
        victim.check(path)
    victim.run(folder, new=True)
    victim.check(path)
    assert {other.name for other in folder.iterdir()} == {victim.name}, "left after a success"
    return f"{disk.failed} {'failed' if output else 'survived'}"


def outcome(victim, folder):
    """None where it went well; else the message, which names the file."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", UserWarning)
            victim.run(folder, new=True)
    except (OSError, RefusedError) as error:
        one_sentence(error, victim.name)
        return str(error)
    return None
