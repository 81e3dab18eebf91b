"""Contents of files as somebody would forge them: values and arrays edited, checksums made anew."""

import copy

import numpy as np

from thinnet.persistence import codec, known

WORDS_OF_FILES = sorted({*codec.BY_TAG, *known.KNOWN, "array", "os.system", "__class__", "nan"})
LEAVES = [None, True, False, -1, 0, 1, 2, 7, 2**31, 2**63, 2**64, 10**30, 10**400, 0.5, -0.0,
          float("nan"), float("inf"), 1e-320, "", "ü", "x\n y", "\x00", "9" * 5000,
          "0x1.8p+1"]  # fmt: skip
DTYPES = ["?", "i1", "u4", "i8", "f2", "f4", "f8"]
SHAPES = [(-1,), (-1, 1), (1, -1), (1,) * 40 + (-1,)]
NUMBERS = [0, 1, -1, 7, 100, np.nan, np.inf, -np.inf, 1e300]


def pick(rng, choices):
    return choices[rng.integers(len(choices))]


def junk(rng, depth=3):
    """A JSON value that nobody expects."""
    how = rng.integers(5 if depth else 2)
    if how == 0:
        return pick(rng, LEAVES)
    if how == 1:
        return pick(rng, WORDS_OF_FILES)
    inner = [junk(rng, depth - 1) for _ in range(rng.integers(4))]
    if how == 2:
        return inner
    if how == 3:
        return {str(pick(rng, LEAVES)): value for value in inner}
    return {"is": pick(rng, WORDS_OF_FILES), "of": inner}


def nodes(value):
    """Every place in a JSON value, as what holds it and its key there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(inside):
        yield value, key
        if isinstance(part, dict | list):
            yield from nodes(part)


def with_junk(rng, holder, key, places):
    holder[key] = junk(rng)


def deeper(rng, holder, key, places):
    for _ in range(rng.integers(1, 100)):
        inner = [holder[key]]
        holder[key] = inner if rng.random() < 0.5 else {"is": "tuple", "of": inner}


def from_elsewhere(rng, holder, key, places):
    there, name = pick(rng, places)
    holder[key] = copy.deepcopy(there[name])


def taken_out(rng, holder, key, places):
    del holder[key]


def another(rng, holder, key, places):
    if isinstance(holder, dict):
        holder[pick(rng, ["", "x", "_private", *WORDS_OF_FILES])] = holder[key]
    else:
        holder.append(holder[key])


def another_number(rng, holder, key, places):
    """What is easiest to take for good: a number, where there was one."""
    if isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
        holder[key] = pick(rng, [holder[key] + 1, -holder[key], 0, 10**9, 2**64, 0.5])
    else:
        holder[key] = junk(rng, 1)


EDITS = [with_junk, with_junk, deeper, from_elsewhere, taken_out, another, another_number]


def edit_value(rng, arrays, values):
    places = list(nodes(values)) or [({"": values}, "")]
    pick(rng, EDITS)(rng, *pick(rng, places), places)


def edit_array(rng, arrays, values):
    name = pick(rng, sorted(arrays) or [""])
    array = arrays.pop(name, np.zeros(1))
    how = rng.integers(6)
    with np.errstate(all="ignore"):
        if how == 0:
            array = array.astype(pick(rng, DTYPES))
        elif how == 1:
            array = array.reshape(pick(rng, SHAPES))
        elif how == 2:
            array = np.full_like(array, np.asarray(pick(rng, NUMBERS)).astype(array.dtype))
        elif how == 3:
            array = np.resize(array, rng.integers(2 * array.size + 1))
    if how == 4:
        return
    if how == 5:
        name = pick(rng, ["x", "__metadata", *arrays])
    arrays[name] = array


def forged(rng, snapshot):
    """Arrays and values after one to three edits."""
    arrays, values = ({**copy.deepcopy(part)} for part in snapshot)
    for _ in range(rng.integers(1, 4)):
        pick(rng, [edit_value, edit_value, edit_array])(rng, arrays, values)
    return arrays, values
