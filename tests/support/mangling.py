"""Tables as tired and hostile users send them."""

import gzip

import numpy as np

CITIES = ("Ulm", "Bonn", "Köln", "Paris", "")
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "sleeps")
FULL_WIDTH_12, ARABIC_12 = "\uff11\uff12", "\u0661\u0662"
ODD = ("", "inf", "-inf", "nan", "1e400", "-", "?", "NULL", "0x1F", "1,5", "'", '"', ";", "\t",
       "é", "😀", "=1+1", "12/31/2020", "2020-02-30", "true", "9" * 400, "a" * 3000, " ", "\x00",
       "1_000", FULL_WIDTH_12, ARABIC_12, "#N/A", "None", "-0")  # fmt: skip


def people(rng, rows=60):
    """Lines of cells: numbers, categories, dates, texts, truth values, holes; and a target."""
    lines = [["age", "city", "born", "says", "member", "income", "id", "buys"]]
    for i in range(rows):
        income = "" if rng.random() < 0.1 else f"{rng.lognormal(8):.2f}"
        lines.append(
            [
                str(rng.integers(18, 90)),
                rng.choice(CITIES),
                f"{rng.integers(1950, 2005)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}",
                " ".join(rng.choice(WORDS, 6)),
                rng.choice(["true", "false"]),
                income,
                f"p{i:04d}",
                rng.choice(["yes", "no"]),
            ]
        )
    return lines


def written(lines, delimiter=",", encoding="utf-8"):
    return "\n".join(delimiter.join(line) for line in lines).encode(encoding, "replace")


def _cells(rng, lines):
    for _ in range(rng.integers(1, 30)):
        line = lines[rng.integers(len(lines))]
        line[rng.integers(len(line))] = str(rng.choice(ODD))
    return written(lines)


def _column_of_one_kind(rng, lines):
    column, value = rng.integers(8), str(rng.choice(ODD))
    for line in lines[1:]:
        line[column] = value
    return written(lines)


def _names(rng, lines):
    lines[0][rng.integers(8)] = str(rng.choice([*lines[0], *ODD]))
    return written(lines)


def _columns_gone_or_moved(rng, lines):
    places = rng.permutation(8)[: rng.integers(1, 9)]
    return written([[line[i] for i in places] for line in lines])


def _ragged(rng, lines):
    for _ in range(rng.integers(1, 5)):
        line = lines[rng.integers(len(lines))]
        del line[rng.integers(len(line) + 1) :]
    return written(lines)


def _bytes(rng, lines):
    content = bytearray(written(lines))
    for _ in range(rng.integers(1, 40)):
        content[rng.integers(len(content))] = rng.integers(256)
    return bytes(content)


def _cut(rng, lines):
    content = written(lines)
    return content[: rng.integers(len(content) + 1)]


def _dialect(rng, lines):
    delimiter = str(rng.choice([",", ";", "\t", "|", " ", "::"]))
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-32", "cp037"]))
    return written(lines, delimiter, encoding)


def _packed(rng, lines):
    content = gzip.compress(written(lines))
    return content[: rng.integers(10, len(content) + 1)]


def _few(rng, lines):
    return written(lines[: rng.integers(0, 5)])


def _many_categories(rng, lines):
    for i, line in enumerate(lines[1:]):
        line[1] = f"city {rng.integers(10_000)} {i}"
        line[7] = str(rng.choice(["yes", "no", f"maybe {i}"], p=[0.45, 0.45, 0.1]))
    return written(lines)


def _noise(rng, lines):
    return rng.bytes(rng.integers(1, 3000))


MANGLERS = (_cells, _column_of_one_kind, _names, _columns_gone_or_moved, _ragged, _bytes, _cut,
            _dialect, _packed, _few, _many_categories, _noise)  # fmt: skip


def mangled(seed):
    """The bytes of one mangled table, a pure function of `seed`."""
    rng = np.random.default_rng(seed)
    mangle = MANGLERS[seed % len(MANGLERS)]
    return mangle(rng, people(rng))
