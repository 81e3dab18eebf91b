"""Mangled and altered tables of text, packed and plain: predictions and models, or one sentence.

Two of these are done with each: predict, fit, evaluate, fit in Python, read in blocks.  What stood
at the output is whole or replaced, nothing is left behind, no library's warning and no traceback
reaches a user.
"""

import numpy as np
from altering import altered
from attack.tables import a_model, try_some
from mangling import MANGLERS, mangled, people, written
from table_files import PACKERS

ALONE, SECONDS = False, 60
NAMES = {"plain": "", "gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zip": ".zip"}
prepare = a_model


def attempt(rng, model, folder):
    if rng.random() < 0.7:
        seed = int(rng.integers(2**32))
        group, content = MANGLERS[seed % len(MANGLERS)].__name__.strip("_"), mangled(seed)
        packer = "plain"
    else:
        packer = str(rng.choice(sorted(PACKERS)))
        group = f"altered {packer}"
        content = altered(rng, PACKERS[packer](written(people(np.random.default_rng(1)))))
    table = folder / f"t.csv{NAMES[packer]}"
    table.write_bytes(content)
    try_some(rng, model, table, folder)
    return group
