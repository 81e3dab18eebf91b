"""A sample of all small faults in the numeric core: are they noticed?

`pip install cosmic-ray==8.7.0`, whose operators make the faults, then
`python tests/support/mutation_sample.py --faults 20 --seed 0`.

Places are drawn evenly, one fault at each.  The tests of the fault's own room run on it first,
then, if they pass, those of the rooms that use it.  Annotations are left alone: nothing reads them.
"""

import argparse
import ast
import difflib
import itertools
import random
import subprocess
import tempfile
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest
from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from mutants import PACKAGE, copied, run_tests

MADE_OF_LAYERS = ("engine/test_training.py", "estimators/test_dropout_kinds.py")
DRAWN = ("uncertainty/test_uncertainty.py", "uncertainty/draws")
CORE = {  # files, the tests of their room, and of what stands on it
    "masks.py": (("test_masks.py",), ("network", "engine/test_dropout.py")),
    "philox.py": (("test_philox.py", "test_masks.py"), ("network",)),
    "layers/*.py": (("layers",), ("network", *MADE_OF_LAYERS)),
    "losses/*.py": (("losses",), ("training/test_reference.py", "engine/test_training.py")),
    "optimizers/*.py": (("optimizers",), ("layers/test_presence.py", "engine/test_training.py")),
    "training/reference.py": (
        ("training/test_reference.py",),
        ("training/test_penalties.py", "engine/test_training.py"),
    ),
    "uncertainty/draws/measures.py": (DRAWN, ("uncertainty", "cli/test_uncertainty.py")),
}
SECONDS = 900  # for what takes some on an idle machine
WITH_ARGUMENTS = ("core/VariableInserter", "core/VariableReplacer")


class Places(Visitor):
    """Where in a file an operator finds something to replace."""

    def __init__(self, operator):
        self.operator, self.found = operator, []

    def visit(self, node):
        self.found += [start for start, _ in self.operator.mutation_positions(node)]
        return node


class WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node):
        node.annotation = ast.Constant("")
        return self.generic_visit(node)


def meaning(source):
    return ast.dump(WithoutAnnotations().visit(ast.parse(source)))


def operators():
    return {name: get_operator(name)() for name in operator_names() if name not in WITH_ARGUMENTS}


def faults_of(path):
    """For each place in a file the sources with a fault there."""
    source, found = path.read_text(), defaultdict(list)
    tree, meant = get_ast(source), meaning(source)
    for operator in operators().values():
        places = Places(operator)
        places.walk(tree)
        for i, place in enumerate(places.found):
            found[place].append((operator, i))
    return source, meant, found


def sampled(n, seed):
    """(file, its tests, source, faulty source) of n faults; fewer are the first of more."""
    return itertools.islice(drawn(random.Random(seed)), n)


def drawn(rng):
    files = [(path, tests) for name, tests in CORE.items() for path in sorted(PACKAGE.glob(name))]
    known = {path: faults_of(path) for path, _ in files}
    places = [(path, tests, place) for path, tests in files for place in sorted(known[path][2])]
    rng.shuffle(places)
    for path, tests, place in places:
        source, meant, found = known[path]
        operator, occurrence = rng.choice(found[place])
        faulty = mutate_code(source, operator, occurrence)
        if is_another(faulty, meant):
            yield path.relative_to(PACKAGE), tests, source, faulty


def is_another(source, meant):
    try:
        return meaning(source) != meant
    except SyntaxError:
        return False


@cache
def pass_without_fault(tests):
    with tempfile.TemporaryDirectory() as folder:
        copied(Path(folder))
        return run_tests(Path(folder), tests).returncode == pytest.ExitCode.OK


def is_noticed(file, faulty, tests):
    assert pass_without_fault(tests), tests
    with tempfile.TemporaryDirectory() as folder:
        (copied(Path(folder)) / file).write_text(faulty)
        try:
            done = run_tests(Path(folder), tests, seconds=SECONDS)
        except (subprocess.TimeoutExpired, FileNotFoundError):
            return True  # it never ends, or thinnet can't be imported
        return done.returncode != pytest.ExitCode.OK


def fault_text(file, source, faulty):
    lines = difflib.unified_diff(source.splitlines(), faulty.splitlines(), n=0, lineterm="")
    return "\n".join([str(file), *list(lines)[2:]])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    settings, noticed = parser.parse_args(), Counter()
    for file, (own, others), source, faulty in sampled(settings.faults, settings.seed):
        seen = is_noticed(file, faulty, own) or is_noticed(file, faulty, others)
        noticed[seen] += 1
        print(
            "noticed" if seen else "SURVIVED",
            fault_text(file, source, faulty),
            sep=": ",
            flush=True,
        )
    print(f"{noticed[True]} of {noticed.total()} faults were noticed")


if __name__ == "__main__":
    main()
